import { expect } from 'chai';
import fc from 'fast-check';
import { compareCodePoints, rank } from '#consumer/tally/ranking.js';

/** A ranking as text, of pairs whose first is the overflow key. */
function ranked(pairs: readonly (readonly [key: string, count: number])[]): string[] {
  const keys = pairs.map(([key]) => key);
  const counts = Float64Array.from(pairs, ([, count]) => count);
  return rank(keys, counts).map(({ key, count }) => `${key} ${count}`);
}

describe('rank', () => {
  it('puts the largest count first', () => {
    expect(
      ranked([
        ['', 0],
        ['a', 2],
        ['b', 30],
        ['c', 4],
      ]),
    ).to.deep.equal(['b 30', 'c 4', 'a 2']);
  });

  it('puts equal counts in the order of their keys', () => {
    expect(
      ranked([
        ['', 0],
        ['b', 1],
        ['ab', 1],
        ['B', 1],
        ['a', 1],
        ['c', 2],
      ]),
    ).to.deep.equal(['c 2', 'B 1', 'a 1', 'ab 1', 'b 1']);
  });

  it('orders keys by code point, U+FF01 before U+1F600', () => {
    expect(
      ranked([
        ['', 0],
        ['\u{1F600}', 1],
        ['\uff01', 1],
        ['\ud7ff', 1],
      ]),
    ).to.deep.equal(['\ud7ff 1', '\uff01 1', '\u{1F600} 1']);
  });

  it('leaves the overflow key out', () => {
    expect(
      ranked([
        ['', 7],
        ['a', 1],
      ]),
    ).to.deep.equal(['a 1']);
  });

  it('leaves out keys that were never counted', () => {
    expect(
      ranked([
        ['', 0],
        ['a', 0],
        ['b', 1],
      ]),
    ).to.deep.equal(['b 1']);
  });

  it('leaves out keys that came after the counts were taken', () => {
    expect(rank(['', 'a', 'later'], Float64Array.of(0, 1))).to.deep.equal([{ key: 'a', count: 1 }]);
  });

  it('gives nothing of nothing', () => {
    expect(rank([''], Float64Array.of(0))).to.deep.equal([]);
    expect(rank([''], new Float64Array(0))).to.deep.equal([]);
  });

  it('keeps counts exact up to 2^53', () => {
    expect(rank(['', 'a'], Float64Array.of(0, 2 ** 53 - 1))).to.deep.equal([
      { key: 'a', count: Number.MAX_SAFE_INTEGER },
    ]);
  });
});

describe('compareCodePoints', () => {
  const rows: [what: string, before: string, after: string][] = [
    ['a letter before the next', 'a', 'b'],
    ['an upper-case letter before a lower-case one', 'Z', 'a'],
    ['a prefix before the whole', 'a', 'aa'],
    ['nothing before something', '', '\0'],
    ['10 before 9', '10', '9'],
    ['U+D7FF before U+E000', '\ud7ff', '\ue000'],
    ['U+E000 before U+10000', '\ue000', '\u{10000}'],
    ['U+FFFF before U+10000', '\uffff', '\u{10000}'],
    ['U+FF01 before U+1F600', '\uff01', '\u{1F600}'],
    ['U+1F600 before U+1F601', '\u{1F600}', '\u{1F601}'],
    ['U+1F600 before U+20000', '\u{1F600}', '\u{20000}'],
  ];
  for (const [what, before, after] of rows) {
    it(`puts ${what}`, () => {
      expect(compareCodePoints(before, after)).to.be.below(0);
      expect(compareCodePoints(after, before)).to.be.above(0);
    });
  }

  it('is the order of UTF-8 bytes', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', '\u00e9', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
    });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const byBytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareCodePoints(a, b))).to.equal(byBytes);
      }),
    );
  });
});
