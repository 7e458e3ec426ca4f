import { expect } from 'chai';
import fc from 'fast-check';
import {
  BoundedBuffer,
  BUFFER_BYTES_MAX,
  CAPACITY_MAX,
  DROP_POLICIES,
  type DropPolicy,
} from '#producer/bounded-buffer.js';

/** The same with a plain array. */
class Model {
  lines: Buffer[] = [];
  dropped = 0;
  readonly capacity: number;
  readonly policy: DropPolicy;
  readonly bytesMax: number;

  constructor(capacity: number, policy: DropPolicy, bytesMax: number) {
    this.capacity = capacity;
    this.policy = policy;
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.lines.reduce((sum, line) => sum + line.length, 0);
  }

  fits(line: Buffer): boolean {
    return this.lines.length < this.capacity && this.bytes + line.length <= this.bytesMax;
  }

  put(line: Buffer): boolean {
    if (line.length > this.bytesMax || (this.policy === 'drop_newest' && !this.fits(line))) {
      this.dropped++;
      return false;
    }
    while (!this.fits(line)) {
      this.lines.shift();
      this.dropped++;
    }
    this.lines.push(line);
    return true;
  }

  take(bytesMax: number, linesMax: number): Buffer {
    const taken: Buffer[] = [];
    let bytes = 0;
    while (taken.length < linesMax && this.lines[0] && bytes + this.lines[0].length <= bytesMax) {
      bytes += this.lines[0].length;
      taken.push(this.lines.shift()!);
    }
    return Buffer.concat(taken);
  }
}

type Command = fc.Command<Model, BoundedBuffer>;

function command(name: string, run: Command['run']): Command {
  return {
    check: () => true,
    run: (model, buffer) => {
      run(model, buffer);
      expect(buffer.size).to.equal(model.lines.length);
      expect(buffer.isEmpty).to.equal(model.lines.length === 0);
      expect(buffer.isFull).to.equal(
        model.lines.length === model.capacity || model.bytes === model.bytesMax,
      );
      expect(buffer.dropped).to.equal(model.dropped);
    },
    toString: () => name,
  };
}

function commands(lineBytesMax: number): fc.Arbitrary<Command>[] {
  return [
    fc.tuple(fc.nat(lineBytesMax), fc.nat(255)).map(([length, first]) =>
      command(`put(${length} bytes from ${first})`, (model, buffer) => {
        const line = Buffer.from(Array.from({ length }, (_, index) => first + index));
        expect(buffer.hasRoomFor(length)).to.equal(model.fits(line));
        // Somewhere within a piece that is used again.
        const piece = Buffer.concat([Buffer.from('before'), line, Buffer.from('after')]);
        expect(buffer.put(piece, 6, 6 + length)).to.equal(model.put(line));
        piece.fill(0xee);
      }),
    ),
    fc.constant(
      command('get()', (model, buffer) => {
        expect(buffer.get()).to.deep.equal(model.lines.shift());
      }),
    ),
    fc.constant(
      command('top()', (model, buffer) => expect(buffer.top()).to.deep.equal(model.lines[0])),
    ),
    fc.tuple(fc.nat(3 * lineBytesMax), fc.nat(5)).map(([bytesMax, linesMax]) =>
      command(`getInto(${bytesMax} bytes, ${linesMax})`, (model, buffer) => {
        const sizeBefore = model.lines.length;
        const expected = model.take(bytesMax, linesMax);
        const target = Buffer.alloc(bytesMax);
        const { lines, bytes } = buffer.getInto(target, linesMax);
        expect(lines).to.equal(sizeBefore - model.lines.length);
        expect(target.subarray(0, bytes)).to.deep.equal(expected);
      }),
    ),
  ];
}

describe('BoundedBuffer', () => {
  for (const policy of DROP_POLICIES) {
    describe(policy, () => {
      it('does what a plain array does', () => {
        fc.assert(
          fc.property(
            fc.integer({ min: 1, max: 8 }),
            fc.integer({ min: 1, max: 60 }),
            fc.commands(commands(20), { maxCommands: 60 }),
            (capacity, bytesMax, run) => {
              const model = new Model(capacity, policy, bytesMax);
              const real = new BoundedBuffer(capacity, policy, bytesMax);
              fc.modelRun(() => ({ model, real }), run);
            },
          ),
          { numRuns: 500 },
        );
      });

      it('does so while it grows', () => {
        fc.assert(
          fc.property(
            fc.integer({ min: 65_000, max: 400_000 }),
            fc.commands(commands(60_000), { maxCommands: 30 }),
            (bytesMax, run) => {
              const model = new Model(1000, policy, bytesMax);
              const real = new BoundedBuffer(1000, policy, bytesMax);
              fc.modelRun(() => ({ model, real }), run);
            },
          ),
          { numRuns: 20 },
        );
      });
    });
  }

  it('keeps the first lines with drop_newest, the last ones with drop_oldest', () => {
    const kept = DROP_POLICIES.map((policy) => {
      const buffer = new BoundedBuffer(2, policy);
      const taken = ['a', 'b', 'c', 'd'].map((line) => buffer.put(Buffer.from(line)));
      return { taken, lines: [`${buffer.get()}`, `${buffer.get()}`], dropped: buffer.dropped };
    });
    expect(kept).to.deep.equal([
      { taken: [true, true, false, false], lines: ['a', 'b'], dropped: 2 },
      { taken: [true, true, true, true], lines: ['c', 'd'], dropped: 2 },
    ]);
  });

  it('drops as many old lines as one long line needs, but none for a line that can never fit', () => {
    const buffer = new BoundedBuffer(10, 'drop_oldest', 6);
    for (const line of ['aa', 'bb', 'cc', '1234567']) buffer.put(Buffer.from(line));
    expect(buffer).to.include({ size: 3, dropped: 1, isFull: true });
    buffer.put(Buffer.from('ddd'));
    expect(buffer).to.include({ size: 2, dropped: 3 });
    expect([`${buffer.get()}`, `${buffer.get()}`]).to.deep.equal(['cc', 'ddd']);
  });

  it('hands out bytes that what comes later does not change', () => {
    const buffer = new BoundedBuffer(1, 'drop_oldest', 4);
    buffer.put(Buffer.from('old'));
    const top = buffer.top();
    const line = buffer.get();
    for (let count = 0; count < 10; count++) buffer.put(Buffer.from('new'));
    expect([`${top}`, `${line}`]).to.deep.equal(['old', 'old']);
  });

  describe('its bounds', () => {
    it('may be from 1 to the largest, both in', () => {
      for (const capacity of [1, CAPACITY_MAX]) {
        const buffer = new BoundedBuffer(capacity, 'drop_newest');
        expect(buffer).to.include({ capacity, bytesMax: BUFFER_BYTES_MAX, isEmpty: true });
      }
    });

    for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, 1e300]) {
      it(`are refused when one is ${bad}`, () => {
        expect(() => new BoundedBuffer(bad, 'drop_newest')).to.throw(
          RangeError,
          `capacity is ${bad}, but must be a whole number from 1 to 10000000`,
        );
        expect(() => new BoundedBuffer(1, 'drop_newest', bad)).to.throw(
          RangeError,
          `bytesMax is ${bad}, but must be a whole number from 1 to`,
        );
      });
    }
  });
});
