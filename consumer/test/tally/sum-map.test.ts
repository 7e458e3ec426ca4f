import { expect } from 'chai';
import fc from 'fast-check';
import { RunningSum } from '#consumer/tally/running-sum.js';
import { SumMap } from '#consumer/tally/sum-map.js';

type Parts = ReturnType<RunningSum['toParts']>;

function sumOf(...values: number[]): RunningSum {
  const sum = new RunningSum();
  for (const value of values) sum.add(value);
  return sum;
}

function partsOf(map: SumMap): Map<number, Parts> {
  const parts = new Map<number, Parts>();
  map.visit((id, sum) => parts.set(id, sum.toParts()));
  expect(parts.size, 'each id is visited once').to.equal(map.size);
  return parts;
}

describe('SumMap', () => {
  it('has nothing at first', () => {
    const map = new SumMap();
    expect([map.size, map.has(0)]).to.deep.equal([0, false]);
    expect(partsOf(map)).to.deep.equal(new Map());
  });

  it('keeps what additions round away', () => {
    const map = new SumMap();
    for (const value of [1e16, 1, -1e16]) map.merge(3, sumOf(value));
    map.visit((id, { total, count }) => expect([id, total, count]).to.deep.equal([3, 1, 3]));
    expect(map.size).to.equal(1);
  });

  it('does what a Map of sums does, and gives them as columns', () => {
    const id = fc.oneof(fc.nat(40), fc.integer({ min: 0, max: 2 ** 32 - 2 }));
    const values = fc.array(fc.double(), { maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(id, values), { maxLength: 100 }),
        fc.nat(200),
        (given, room) => {
          const map = new SumMap();
          map.reserve(room);
          const model = new Map<number, RunningSum>();
          for (const [key, added] of given) {
            const known = model.get(key) ?? new RunningSum();
            known.merge(sumOf(...added));
            model.set(key, known);
            map.merge(key, sumOf(...added));
            expect([map.has(key), map.size]).to.deep.equal([true, model.size]);
          }
          const expected = new Map(Array.from(model, ([key, sum]) => [key, sum.toParts()]));
          expect(partsOf(map)).to.deep.equal(expected);
          const { ids, parts } = map.columns();
          const inColumns = Array.from(ids, (key, i): [number, Parts] => [
            key,
            RunningSum.at(parts, i).toParts(),
          ]);
          expect(new Map(inColumns)).to.deep.equal(expected);
        },
      ),
    );
  });
});
