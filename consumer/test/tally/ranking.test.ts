import { expect } from 'chai';
import fc from 'fast-check';
import { compareCodePoints, rank } from '#consumer/tally/ranking.js';
import { RunningSum } from '#consumer/tally/running-sum.js';

type Pair = readonly [key: string, count: number];

/** A ranking as text. */
function ranked(pairs: readonly Pair[], limit?: number): string[] {
  const totals = pairs.map(([key, count]) => ({ key, count }));
  return rank(totals, limit).map(({ key, count }) => `${key} ${count}`);
}

function sumOf(...values: number[]): RunningSum {
  const sum = new RunningSum();
  for (const value of values) sum.add(value);
  return sum;
}

describe('rank', () => {
  const rows: [what: string, pairs: Pair[], expected: string[]][] = [
    [
      'the largest count first',
      [
        ['a', 2],
        ['b', 30],
        ['c', 4],
      ],
      ['b 30', 'c 4', 'a 2'],
    ],
    [
      'equal counts in the order of their keys',
      [
        ['b', 1],
        ['ab', 1],
        ['B', 1],
        ['a', 1],
        ['c', 2],
      ],
      ['c 2', 'B 1', 'a 1', 'ab 1', 'b 1'],
    ],
    [
      'keys by code point, U+FF01 before U+1F600',
      [
        ['\u{1F600}', 1],
        ['\uff01', 1],
        ['\ud7ff', 1],
      ],
      ['\ud7ff 1', '\uff01 1', '\u{1F600} 1'],
    ],
    ['nothing of nothing', [], []],
    ['counts exact up to 2^53', [['a', 2 ** 53 - 1]], [`a ${Number.MAX_SAFE_INTEGER}`]],
  ];
  for (const [what, pairs, expected] of rows) {
    it(`gives ${what}`, () => {
      expect(ranked(pairs)).to.deep.equal(expected);
    });
  }

  it('leaves what it was given as it was', () => {
    const totals = [
      { key: 'b', count: 1 },
      { key: 'a', count: 2 },
    ];
    rank(totals);
    rank(totals, 1);
    expect(totals.map(({ key }) => key)).to.deep.equal(['b', 'a']);
  });

  context('when there is a limit', () => {
    const pairs: Pair[] = [
      ['d', 1],
      ['c', 2],
      ['b', 2],
      ['a', 2],
      ['e', 5],
    ];
    const limits: [limit: number, expected: string[]][] = [
      [1, ['e 5']],
      [2, ['e 5', 'a 2']],
      [3, ['e 5', 'a 2', 'b 2']],
      [4, ['e 5', 'a 2', 'b 2', 'c 2']],
      [5, ['e 5', 'a 2', 'b 2', 'c 2', 'd 1']],
      [6, ['e 5', 'a 2', 'b 2', 'c 2', 'd 1']],
    ];
    for (const [limit, expected] of limits) {
      it(`gives the first ${limit}, ties at the limit by key`, () => {
        expect(ranked(pairs, limit)).to.deep.equal(expected);
      });
    }

    it('gives the beginning of the whole ranking, whatever there is', () => {
      const total = fc.record({
        key: fc.string(),
        count: fc.integer({ min: 1, max: 5 }),
        sum: fc.option(
          fc.constantFrom(-1, 0, 2, Number.POSITIVE_INFINITY).map((value) => sumOf(value)),
          { nil: undefined },
        ),
      });
      const totals = fc.uniqueArray(total, { selector: ({ key }) => key });
      fc.assert(
        fc.property(totals, fc.integer({ min: 1, max: 12 }), (given, limit) => {
          const plain = given.map(({ sum, ...rest }) =>
            sum === undefined ? rest : { ...rest, sum },
          );
          expect(rank(plain, limit)).to.deep.equal(rank(plain).slice(0, limit));
        }),
      );
    });
  });

  context('when there are sums', () => {
    const totals = (...sums: [key: string, sum: RunningSum][]) =>
      sums.map(([key, sum]) => ({ key, count: sum.count, sum }));
    const keysOf = (given: ReturnType<typeof totals>, limit?: number) =>
      rank(given, limit).map(({ key }) => key);

    it('goes by them and not by how many values they have', () => {
      const given = totals(['many', sumOf(1, 1, 1)], ['much', sumOf(10)], ['less', sumOf(-1)]);
      expect(keysOf(given)).to.deep.equal(['much', 'many', 'less']);
      expect(keysOf(given, 1)).to.deep.equal(['much']);
    });

    it('puts equal sums in the order of their keys', () => {
      expect(keysOf(totals(['b', sumOf(0.5)], ['a', sumOf(0.25, 0.25)]))).to.deep.equal(['a', 'b']);
    });

    it('puts a sum that has left the range of doubles where it belongs', () => {
      const huge = Number.MAX_VALUE;
      const given = totals(
        ['none', sumOf(huge, huge, -Infinity)],
        ['below', sumOf(-huge, -huge)],
        ['above', sumOf(huge, huge)],
        ['zero', sumOf(0)],
      );
      expect(keysOf(given)).to.deep.equal(['above', 'zero', 'below', 'none']);
      expect(keysOf(given, 2)).to.deep.equal(['above', 'zero']);
    });
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
