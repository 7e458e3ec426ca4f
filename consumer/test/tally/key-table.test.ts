import v8 from 'node:v8';
import vm from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import { KeyTable, type KeyTableLimits, OVERFLOW_ID } from '#consumer/tally/key-table.js';

const MEBIBYTE = 2 ** 20;

function tableWith(limits: Partial<KeyTableLimits> = {}): KeyTable {
  return new KeyTable({ keysMax: 100, keyBytesMax: 256, ...limits });
}

describe('KeyTable', () => {
  it('gives ids from 1 on in the order of first sight', () => {
    const table = tableWith();
    expect(['b', 'a', 'b', 'c', 'a'].map((key) => table.idOf(key))).to.deep.equal([1, 2, 1, 3, 2]);
    expect(table.keysFrom(1)).to.deep.equal(['b', 'a', 'c']);
    expect(table.distinct).to.equal(3);
    expect(table.size).to.equal(4);
  });

  it('takes a key by its bytes as well, of which nothing is kept', () => {
    const table = tableWith({ keyBytesMax: 4 });
    const bytes = Buffer.from('-\u00e9a-tooolong');
    expect(table.idOfBytes(bytes, 1, 4)).to.equal(1);
    expect(table.idOfBytes(bytes, 5, 13)).to.equal(OVERFLOW_ID);
    bytes.fill('x');
    expect(table.idOf('\u00e9a')).to.equal(1);
    expect(table.keysFrom(1)).to.deep.equal(['\u00e9a']);
  });

  it('has the overflow id alone at first', () => {
    const table = tableWith();
    expect(table.size).to.equal(1);
    expect(table.distinct).to.equal(0);
    expect(table.keysFrom(1)).to.deep.equal([]);
  });

  it('gives the keys that came after a number of ids', () => {
    const table = tableWith();
    for (const key of ['a', 'b']) table.idOf(key);
    const known = table.size;
    for (const key of ['a', 'c', 'd']) table.idOf(key);
    expect(table.keysFrom(known)).to.deep.equal(['c', 'd']);
  });

  it('tells keys apart by case and by normal form', () => {
    const table = tableWith();
    for (const key of ['a', 'A', '\u00e9', 'e\u0301']) table.idOf(key);
    expect(table.distinct).to.equal(4);
  });

  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    it(`takes ${key} for a key like any other`, () => {
      const table = tableWith();
      expect(table.idOf('first')).to.equal(1);
      expect(table.idOf(key)).to.equal(2);
      expect(table.idOf(key)).to.equal(2);
      expect(table.keysFrom(2)).to.deep.equal([key]);
    });
  }

  context('when it is full', () => {
    const table = tableWith({ keysMax: 2 });
    table.idOf('a');
    table.idOf('b');

    it('gives every further key the overflow id', () => {
      expect(table.idOf('c')).to.equal(OVERFLOW_ID);
      expect(table.idOf('d')).to.equal(OVERFLOW_ID);
    });

    it('still knows those that it has', () => {
      expect(table.idOf('a')).to.equal(1);
      expect(table.idOf('b')).to.equal(2);
    });

    it('does not grow', () => {
      expect(table.distinct).to.equal(2);
      expect(table.keysFrom(1)).to.deep.equal(['a', 'b']);
    });
  });

  context('when a key has so many bytes in UTF-8', () => {
    const rows: [what: string, key: string, bytes: number][] = [
      ['of one byte each', 'abcdefghijkl', 12],
      ['of two bytes each', '\u00e9'.repeat(6), 12],
      ['of three bytes each', '\u20ac'.repeat(4), 12],
      ['of four bytes each', '\u{1F600}'.repeat(3), 12],
      ['of lone surrogates, three bytes each', '\ud800'.repeat(4), 12],
      ['of all kinds', 'ab\u00e9\u20ac\u{1F600}c', 12],
    ];
    for (const [what, key, bytes] of rows) {
      it(`takes characters ${what} exactly up to the bound`, () => {
        expect(tableWith({ keyBytesMax: bytes }).idOf(key)).to.equal(1);
        expect(tableWith({ keyBytesMax: bytes - 1 }).idOf(key)).to.equal(OVERFLOW_ID);
      });
    }

    it('gives a key that is too long none of the places', () => {
      const table = tableWith({ keysMax: 1, keyBytesMax: 3 });
      expect(table.idOf('long')).to.equal(OVERFLOW_ID);
      expect(table.distinct).to.equal(0);
      expect(table.idOf('abc')).to.equal(1);
    });
  });

  it('takes lone surrogates for U+FFFD, as UTF-8 writes them', () => {
    const table = tableWith();
    const ids = ['x\ud800', 'x\udfff', 'x\ufffd'].map((key) => table.idOf(key));
    expect(ids).to.deep.equal([1, 1, 1]);
    expect(table.keysFrom(1)).to.deep.equal(['x\ufffd']);
  });

  it('keeps surrogate pairs', () => {
    const table = tableWith();
    table.idOf('\u{1F600}');
    expect(table.keysFrom(1)).to.deep.equal(['\u{1F600}']);
  });

  it('keeps a key, not the line that it was cut from', () => {
    v8.setFlagsFromString('--expose-gc');
    const collectGarbage = vm.runInNewContext('gc') as () => void;
    const table = tableWith();
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 100; i++) {
      const line = Buffer.alloc(MEBIBYTE / 2, `key number ${i} and more of this line `).toString();
      table.idOf(line.slice(0, 24));
    }
    collectGarbage();
    expect(table.distinct).to.equal(100);
    expect(process.memoryUsage().heapUsed - before).to.be.below(10 * MEBIBYTE);
  });

  it('agrees with a plain model on any keys', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', '\u{1F600}', '\ud800') });
    fc.assert(
      fc.property(
        fc.array(key),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 10 }),
        (keys, keysMax, keyBytesMax) => {
          const table = new KeyTable({ keysMax, keyBytesMax });
          const known: string[] = [];
          for (const given of keys) {
            const text = new TextDecoder().decode(new TextEncoder().encode(given));
            const fits = new TextEncoder().encode(text).length <= keyBytesMax;
            if (!known.includes(text) && fits && known.length < keysMax) known.push(text);
            expect(table.idOf(given)).to.equal(known.indexOf(text) + 1);
          }
          expect(table.keysFrom(1)).to.deep.equal(known);
        },
      ),
    );
  });
});
