import { expect } from 'chai';
import fc from 'fast-check';
import { CATCH_UP_SECONDS_MAX, Pace, sleepMs } from '#producer/pace.js';

describe('Pace', () => {
  it('has the first burst due at once', () => {
    expect(new Pace(5, 1, 1000).due(1000)).to.equal(1);
    expect(new Pace(5, 10, 1000).due(1000)).to.equal(10);
  });

  it('keeps the rate however late the timers come, as long as they are less than a second late', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.double({ min: 0.1, max: 900, noNaN: true }), { minLength: 1 }),
        (rate, burst, ticksMs) => {
          const pace = new Pace(rate, burst, 0);
          let nowMs = 0;
          let sent = 0;
          for (const tickMs of ticksMs) {
            nowMs += tickMs;
            const due = pace.due(nowMs);
            pace.spend(due);
            sent += due;
          }
          const expected = (nowMs * rate) / 1000;
          expect(sent).to.be.within(expected - 1, expected + burst + 1);
          expect(sent % burst).to.equal(0);
        },
      ),
    );
  });

  it('catches up no more than a second after a block', () => {
    const pace = new Pace(100, 1, 0);
    pace.spend(pace.due(0));
    expect(pace.due(3_600_000)).to.equal(100 * CATCH_UP_SECONDS_MAX);
  });

  it('goes on at the rate after a block', () => {
    const pace = new Pace(100, 1, 0);
    pace.spend(pace.due(3_600_000));
    expect(pace.due(3_600_500)).to.be.within(49, 51);
  });

  it('says how long it is until the next burst', () => {
    const pace = new Pace(4, 2, 0);
    pace.spend(pace.due(0));
    expect(pace.waitMs(0)).to.equal(500);
    expect(pace.due(499)).to.equal(0);
    expect(pace.due(500)).to.equal(2);
  });

  it('has no limit at an infinite rate', () => {
    const pace = new Pace(Number.POSITIVE_INFINITY, 1, 0);
    pace.spend(1000);
    expect(pace.due(0)).to.equal(Number.POSITIVE_INFINITY);
    expect(pace.waitMs(0)).to.equal(0);
  });
});

describe('sleepMs', () => {
  it('is a whole number that a timer can hold', () => {
    expect([-5, 0, 0.2, 7.5, 1e15].map(sleepMs)).to.deep.equal([1, 1, 1, 8, 2 ** 31 - 1]);
  });
});
