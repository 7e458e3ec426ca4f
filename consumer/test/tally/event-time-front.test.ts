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

  context('when another thread moves it in the middle of a move', () => {
    const { compareExchange } = Atomics;
    afterEach(() => {
      Atomics.compareExchange = compareExchange;
    });

    const interleavings: [what: string, others: number, largest: number][] = [
      ['by less', 7, 8],
      ['by more', 9, 9],
      ['to the same', 8, 8],
    ];
    for (const [what, others, largest] of interleavings) {
      it(`is the largest of both: ${what}`, () => {
        const front = new EventTimeFront();
        const other = new EventTimeFront(front.buffer);
        front.advanceTo(5);
        const interleave = (...args: Parameters<typeof compareExchange>) => {
          Atomics.compareExchange = compareExchange;
          other.advanceTo(others);
          return compareExchange(...args);
        };
        Atomics.compareExchange = interleave as typeof compareExchange;
        front.advanceTo(8);
        expect(Atomics.compareExchange, 'the other came in between').to.equal(compareExchange);
        expect(front.value).to.equal(largest);
      });
    }
  });
});
