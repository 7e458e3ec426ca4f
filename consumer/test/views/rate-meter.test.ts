import { expect } from 'chai';
import { RateMeter } from '#consumer/views/rate-meter.js';

describe('counts a second', () => {
  it('cannot be told from one count at once', () => {
    const meter = new RateMeter<'events'>();
    expect(meter.rates(0)).to.equal(null);
    meter.add(0, { events: 100 });
    expect(meter.rates(0)).to.equal(null);
    expect(meter.rates(0.4)).to.equal(null);
  });

  it('are the average of the last five seconds, each its own', () => {
    const meter = new RateMeter<'accepted' | 'rejected'>();
    for (const [at, accepted] of [0, 1000, 1010, 1020, 1030, 1040, 1050].entries()) {
      meter.add(at, { accepted, rejected: at * 2 });
    }
    expect(meter.rates(6)).to.deep.equal({ accepted: 10, rejected: 2 });
  });

  it('fall to zero when no count comes any more', () => {
    const meter = new RateMeter<'events'>();
    meter.add(0, { events: 0 });
    meter.add(1, { events: 50 });
    expect(meter.rates(1)).to.deep.equal({ events: 50 });
    expect(meter.rates(2)).to.deep.equal({ events: 25 });
    expect(meter.rates(6)).to.deep.equal({ events: 0 });
  });

  it('are told up to the last count by a clock that is behind it', () => {
    const meter = new RateMeter<'events'>();
    meter.add(0, { events: 0 });
    meter.add(2, { events: 10 });
    expect(meter.rates(1)).to.deep.equal({ events: 5 });
  });

  for (const [what, at, accepted, rejected] of [
    ['one of the counts falls', 2, 6000, 1],
    ['the time goes back', 0.5, 6000, 9],
  ] as const) {
    it(`begin anew when ${what}`, () => {
      const meter = new RateMeter<'accepted' | 'rejected'>();
      meter.add(0, { accepted: 5000, rejected: 7 });
      meter.add(1, { accepted: 5500, rejected: 8 });
      meter.add(at, { accepted, rejected });
      expect(meter.rates(at)).to.equal(null);
      meter.add(at + 1, { accepted: accepted + 4, rejected });
      expect(meter.rates(at + 1)).to.deep.equal({ accepted: 4, rejected: 0 });
    });
  }
});
