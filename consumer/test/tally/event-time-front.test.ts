import { expect } from 'chai';
import fc from 'fast-check';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';

describe('EventTimeFront', () => {
  it('is before all time at first', () => {
    expect(new EventTimeFront().value).to.equal(Number.NEGATIVE_INFINITY);
  });

  const rows: [what: string, time: number][] = [
    ['0', 0],
    ['the least above 0', Number.MIN_VALUE],
    ['a fraction of a second', 1_509_604_913.123_456],
    ['the largest number', Number.MAX_VALUE],
  ];
  for (const [what, time] of rows) {
    it(`keeps ${what} as it is`, () => {
      const front = new EventTimeFront();
      front.advanceTo(time);
      expect(front.value).to.equal(time);
    });
  }

  it('does not go back', () => {
    const front = new EventTimeFront();
    for (const time of [5, 8.5, 2, 8.25]) front.advanceTo(time);
    expect(front.value).to.equal(8.5);
  });

  it('goes on with each change, for two of one buffer', () => {
    const one = new EventTimeFront();
    const other = new EventTimeFront(one.buffer);
    const seen = [one.changes];
    for (const front of [one, other, one]) {
      front.change();
      expect(other.changes).to.equal(one.changes);
      seen.push(one.changes);
    }
    expect(new Set(seen)).to.have.lengthOf(4);
    expect(one.value).to.equal(Number.NEGATIVE_INFINITY);
  });

  it('is the largest of any times, for two of one buffer', () => {
    const time = fc.oneof(
      fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs),
      fc.nat(),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), time)), (steps) => {
        const one = new EventTimeFront();
        const other = new EventTimeFront(one.buffer);
        let largest = Number.NEGATIVE_INFINITY;
        for (const [isOther, seconds] of steps) {
          (isOther ? other : one).advanceTo(seconds);
          largest = Math.max(largest, seconds);
          expect(one.value).to.equal(largest);
          expect(other.value).to.equal(largest);
        }
      }),
    );
  });

  context('when the clock was set back', () => {
    const rows: [what: string, from: number, to: number, limit: number, expected: number][] = [
      ['back where it is past the limit', 100.5, 40, 60, 40],
      ['not where it is at the limit', 60, 40, 60, 60],
      ['not where it is before the limit', 59.5, 40, 60, 59.5],
      ['to 0', 100, 0, 60, 0],
      ['to before all time where nothing is left', 100, Number.NEGATIVE_INFINITY, 60, -Infinity],
    ];
    for (const [what, from, to, limit, expected] of rows) {
      it(`goes ${what}`, () => {
        const front = new EventTimeFront();
        front.advanceTo(from);
        front.retreatTo(to, limit);
        expect(front.value).to.equal(expected);
      });
    }

    it('stays before all time before the first event', () => {
      const front = new EventTimeFront();
      front.retreatTo(40, 60);
      expect(front.value).to.equal(Number.NEGATIVE_INFINITY);
    });

    it('moves on from there', () => {
      const front = new EventTimeFront();
      front.advanceTo(100);
      front.retreatTo(Number.NEGATIVE_INFINITY, 60);
      front.advanceTo(50);
      expect(front.value).to.equal(50);
    });

    it('has all threads agree on the latest that any of them keeps, in any order', () => {
      const arbitraryNewest = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1 });
      fc.assert(
        fc.property(arbitraryNewest, fc.integer({ min: 61, max: 200 }), (newest, from) => {
          const front = new EventTimeFront();
          front.advanceTo(from);
          for (const time of newest) {
            const thread = new EventTimeFront(front.buffer);
            thread.retreatTo(time, 60);
            thread.advanceTo(time);
          }
          expect(front.value).to.equal(Math.max(...newest));
        }),
      );
    });
  });

  context('when events are dropped', () => {
    it('has dropped none at first, whatever the front is', () => {
      const front = new EventTimeFront();
      front.advanceTo(100);
      expect(front.droppedBefore).to.equal(Number.NEGATIVE_INFINITY);
    });

    it('tells both threads the largest time, and never goes back', () => {
      const front = new EventTimeFront();
      const other = new EventTimeFront(front.buffer);
      for (const time of [0, 50, 20]) other.dropBefore(time);
      expect([front.droppedBefore, other.droppedBefore]).to.deep.equal([50, 50]);
      front.advanceTo(100);
      front.retreatTo(10, 60);
      expect(front.droppedBefore).to.equal(50);
    });

    it('does not move the front', () => {
      const front = new EventTimeFront();
      front.advanceTo(10);
      front.dropBefore(50);
      expect(front.value).to.equal(10);
    });
  });

  context('when another thread moves it in the middle of a move', () => {
    const { compareExchange } = Atomics;
    afterEach(() => {
      Atomics.compareExchange = compareExchange;
    });
    /** The other's moves come between a look at the memory and the exchange. */
    const interleave = (move: () => void, others: () => void) => {
      const exchange = (...args: Parameters<typeof compareExchange>) => {
        Atomics.compareExchange = compareExchange;
        others();
        return compareExchange(...args);
      };
      Atomics.compareExchange = exchange as typeof compareExchange;
      move();
      expect(Atomics.compareExchange, 'the other came in between').to.equal(compareExchange);
    };

    const advances: [what: string, others: number, largest: number][] = [
      ['by less', 7, 8],
      ['by more', 9, 9],
      ['to the same', 8, 8],
    ];
    for (const [what, others, largest] of advances) {
      it(`is the largest of both: ${what}`, () => {
        const front = new EventTimeFront();
        const other = new EventTimeFront(front.buffer);
        front.advanceTo(5);
        interleave(
          () => front.advanceTo(8),
          () => other.advanceTo(others),
        );
        expect(front.value).to.equal(largest);
      });

      it(`has dropped what both have: ${what}`, () => {
        const front = new EventTimeFront();
        const other = new EventTimeFront(front.buffer);
        interleave(
          () => front.dropBefore(8),
          () => other.dropBefore(others),
        );
        expect(front.droppedBefore).to.equal(largest);
      });
    }

    // The front is at 100, and one thread moves it back to 40 because 60 is the limit.
    const retreats: [what: string, others: (other: EventTimeFront) => void, expected: number][] = [
      ['advanced further', (other) => other.advanceTo(110), 40],
      ['moved back as well, to less', (other) => other.retreatTo(30, 60), 30],
      ['moved back as well, to more', (other) => other.retreatTo(50, 60), 50],
      ['moved back to before all time', (other) => other.retreatTo(-Infinity, 60), -Infinity],
      [
        'moved back and advanced to the limit',
        (other) => {
          other.retreatTo(30, 60);
          other.advanceTo(60);
        },
        60,
      ],
      [
        'moved back and advanced past the limit',
        (other) => {
          other.retreatTo(30, 60);
          other.advanceTo(61);
        },
        40,
      ],
    ];
    for (const [what, others, expected] of retreats) {
      it(`is never past the limit, nor before what is below it: the other ${what}`, () => {
        const front = new EventTimeFront();
        const other = new EventTimeFront(front.buffer);
        front.advanceTo(100);
        interleave(
          () => front.retreatTo(40, 60),
          () => others(other),
        );
        expect(front.value).to.equal(expected);
      });
    }

    it('keeps an event that is read while the other moves it back', () => {
      const front = new EventTimeFront();
      const other = new EventTimeFront(front.buffer);
      front.advanceTo(30);
      interleave(
        () => front.advanceTo(50),
        () => {
          other.advanceTo(100);
          other.retreatTo(40, 60);
        },
      );
      expect(front.value).to.equal(50);
    });
  });
});
