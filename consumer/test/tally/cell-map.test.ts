import { expect } from 'chai';
import fc from 'fast-check';
import { CellMap } from '#consumer/tally/cell-map.js';

function cellsOf(map: CellMap): Map<number, number> {
  const visited: [id: number, count: number][] = [];
  map.visit((id, count) => visited.push([id, count]));
  const cells = new Map(visited);
  expect(cells.size, 'each id is visited once').to.equal(visited.length);
  return cells;
}

describe('CellMap', () => {
  it('has nothing at first', () => {
    const map = new CellMap();
    expect(map.size).to.equal(0);
    expect(map.has(0)).to.equal(false);
    expect(cellsOf(map)).to.deep.equal(new Map());
  });

  it('adds to a cell, and tells a new one', () => {
    const map = new CellMap();
    expect([map.add(7, 2), map.add(0, 1), map.add(7, 3)]).to.deep.equal([true, true, false]);
    expect(cellsOf(map)).to.deep.equal(
      new Map([
        [0, 1],
        [7, 5],
      ]),
    );
    expect([map.has(0), map.has(7), map.has(8)]).to.deep.equal([true, true, false]);
  });

  const manyIds: [what: string, idOf: (i: number) => number][] = [
    ['in a row', (i) => i],
    ['far apart', (i) => i * 4096],
    ['from the largest down', (i) => 2 ** 32 - 2 - i],
    ['that one multiplication would send to one place', (i) => Math.imul(i, 0x144cbc89) >>> 12],
  ];
  for (const [what, idOf] of manyIds) {
    it(`keeps 5,000 ids ${what}`, () => {
      const map = new CellMap();
      const model = new Map<number, number>();
      for (let i = 0; i < 5000; i++) {
        map.add(idOf(i), i + 1);
        model.set(idOf(i), (model.get(idOf(i)) ?? 0) + i + 1);
      }
      expect(map.size).to.equal(model.size);
      expect(cellsOf(map)).to.deep.equal(model);
    });
  }

  it('keeps counts exact up to 2^53', () => {
    const map = new CellMap();
    map.add(1, 2 ** 53 - 2);
    map.add(1, 1);
    expect(cellsOf(map).get(1)).to.equal(Number.MAX_SAFE_INTEGER);
  });

  it('does what a Map does', () => {
    const id = fc.oneof(fc.nat(40), fc.integer({ min: 0, max: 2 ** 32 - 2 }));
    const additions = fc.array(fc.tuple(id, fc.integer({ min: 1, max: 1000 })), { maxLength: 100 });
    fc.assert(
      fc.property(additions, id, (given, other) => {
        const map = new CellMap();
        const model = new Map<number, number>();
        for (const [key, count] of given) {
          expect(map.has(key)).to.equal(model.has(key));
          expect(map.add(key, count)).to.equal(!model.has(key));
          model.set(key, (model.get(key) ?? 0) + count);
          expect(map.size).to.equal(model.size);
        }
        expect(map.has(other)).to.equal(model.has(other));
        expect(cellsOf(map)).to.deep.equal(model);
      }),
    );
  });
});
