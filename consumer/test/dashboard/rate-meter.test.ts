import { expect } from 'chai';
import { RateMeter } from '#consumer/dashboard/rate-meter.js';

describe('events a second', () => {
  it('cannot be told from one count at once', () => {
    const meter = new RateMeter();
    expect(meter.rate(0)).to.equal(null);
    meter.add(0, 100);
    expect(meter.rate(0.4)).to.equal(null);
  });

  it('are the average of the last five seconds', () => {
    const meter = new RateMeter();
    for (const [at, count] of [
      [0, 0],
      [1, 1000],
      [2, 1010],
      [3, 1020],
      [4, 1030],
      [5, 1040],
      [6, 1050],
    ] as const) {
      meter.add(at, count);
    }
    expect(meter.rate(6)).to.equal(10);
  });

  it('fall to zero when no count comes any more', () => {
    const meter = new RateMeter();
    meter.add(0, 0);
    meter.add(1, 50);
    expect(meter.rate(1)).to.equal(50);
    expect(meter.rate(2)).to.equal(25);
    expect(meter.rate(6)).to.equal(0);
  });

  it('begin anew when the counts did', () => {
    const meter = new RateMeter();
    meter.add(0, 5000);
    meter.add(1, 3);
    expect(meter.rate(1)).to.equal(null);
    meter.add(2, 7);
    expect(meter.rate(2)).to.equal(4);
  });
});
