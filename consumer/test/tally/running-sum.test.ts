import { expect } from 'chai';
import fc from 'fast-check';
import { RunningSum } from '#consumer/tally/running-sum.js';

function sumOf(values: readonly number[]): RunningSum {
  const sum = new RunningSum();
  for (const value of values) sum.add(value);
  return sum;
}

/** Sums of the single values, merged as a tree that the choices shape. */
function mergeTree(values: readonly number[], choices: readonly number[]): RunningSum {
  const sums = values.map((value) => sumOf([value]));
  for (let i = 0; sums.length > 1; i++) {
    const [taken] = sums.splice((choices[i % choices.length] as number) % sums.length, 1);
    (sums[(i * 7) % sums.length] as RunningSum).merge(taken as RunningSum);
  }
  return sums[0] ?? new RunningSum();
}

describe('RunningSum', () => {
  it('is 0 of nothing', () => {
    expect(new RunningSum()).to.include({ total: 0, count: 0 });
  });

  const rows: [what: string, values: number[], total: number][] = [
    ['one value', [0.1], 0.1],
    ['negative values', [1, -2.5, -3], -4.5],
    ['a small value between two large ones', [1e16, 1, -1e16], 1],
    ['a small value before two large ones', [1, 1e16, -1e16], 1],
    ['a large value that comes after many small ones', [1, 1, 1, 1e16, -1e16, 1], 4],
    ['the example of Neumaier, which Kahan gets wrong', [1, 1e100, 1, -1e100], 2],
    ['a value that no double next to the other can hold', [2 ** 53, 1, 1], 2 ** 53 + 2],
    ['ten tenths', new Array(10).fill(0.1), 1],
    ['a million tenths', new Array(1_000_000).fill(0.1), 100_000],
    ['what is next to nothing', [5e-324, 5e-324], 1e-323],
    ['zeros', [0, -0, 0], 0],
  ];
  for (const [what, values, total] of rows) {
    it(`is exact for ${what}`, () => {
      expect(sumOf(values)).to.include({ total, count: values.length });
    });
  }

  it('is less wrong than plain addition, which the rows above would not tell from it', () => {
    const tenths = new Array(1_000_000).fill(0.1);
    expect(tenths.reduce((sum, value) => sum + value, 0)).not.to.equal(100_000);
  });

  // Up to 2^60: far more digits than a double has. What each addition rounds away is a whole number.
  const whole = fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom(1e16, -1e16, 2 ** 53, 1, -1),
    fc.maxSafeInteger().map((value) => value * 128),
  );

  it('is the exact sum of whole numbers, rounded once, in any order and any merge tree', () => {
    fc.assert(
      fc.property(
        fc.array(whole, { maxLength: 50 }),
        fc.array(fc.nat(), { minLength: 1 }),
        (values, choices) => {
          const exact = Number(values.reduce((sum, value) => sum + BigInt(value), 0n));
          const count = values.length;
          expect(sumOf(values)).to.include({ total: exact, count });
          expect(sumOf(values.toReversed())).to.include({ total: exact, count });
          expect(mergeTree(values, choices)).to.include({ total: exact, count });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is the exact sum of binary fractions, too', () => {
    fc.assert(
      fc.property(fc.array(whole), (values) => {
        const exact = Number(values.reduce((sum, value) => sum + BigInt(value), 0n));
        expect(sumOf(values.map((value) => value / 1024)).total).to.equal(exact / 1024);
      }),
    );
  });

  it('crosses as parts without a loss', () => {
    fc.assert(
      fc.property(fc.array(whole), fc.array(whole), (before, after) => {
        const crossed = RunningSum.fromParts(sumOf(before).toParts());
        for (const value of after) crossed.add(value);
        const { total, count } = sumOf([...before, ...after]);
        expect(crossed).to.include({ total, count });
      }),
    );
  });

  it('leaves the sum that it merges as it was', () => {
    const other = sumOf([1e16, 1]);
    sumOf([3]).merge(other);
    other.add(-1e16);
    expect(other).to.include({ total: 1, count: 3 });
  });

  context('when it leaves the range of doubles', () => {
    const huge = Number.MAX_VALUE;
    const beyond: [what: string, values: number[], total: number][] = [
      ['Infinity above it', [huge, huge], Number.POSITIVE_INFINITY],
      ['-Infinity below it', [-huge, -huge], Number.NEGATIVE_INFINITY],
      ['Infinity for good', [huge, huge, -huge, -huge, 1], Number.POSITIVE_INFINITY],
      ['the largest double while it is not beyond', [huge, 1, -1], huge],
    ];
    for (const [what, values, total] of beyond) {
      it(`is ${what}`, () => {
        expect(sumOf(values)).to.include({ total, count: values.length });
      });
    }

    it('is Infinity in every sum that it is merged into', () => {
      const sum = sumOf([1]);
      sum.merge(sumOf([huge, huge]));
      expect(sum).to.include({ total: Number.POSITIVE_INFINITY, count: 3 });
    });

    it('is no number when it has left it on both sides', () => {
      const sum = sumOf([huge, huge]);
      sum.merge(sumOf([-huge, -huge]));
      expect(sum.total).to.be.NaN;
      sum.add(1);
      expect(sum.total).to.be.NaN;
      expect(sum.count).to.equal(5);
    });
  });
});
