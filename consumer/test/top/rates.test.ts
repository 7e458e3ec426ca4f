import { expect } from 'chai';
import { RateMeter } from '#consumer/top/rates.js';
import { frameOf } from '../support/frames.js';

const frameAt = (at: number, accepted: number, rejected = 0) =>
  frameOf({ at, stats: { accepted, rejected: { not_json: rejected } } });

describe('RateMeter', () => {
  it('knows no rate of one frame at its own time', () => {
    const meter = new RateMeter();
    expect(meter.rates(100)).to.equal(null);
    meter.add(frameAt(100, 7));
    expect(meter.rates(100)).to.equal(null);
  });

  it('is that of the last five seconds', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 20; second++) {
      meter.add(frameAt(100 + second, second < 10 ? second : 10 + (second - 10) * 4, second * 2));
    }
    expect(meter.rates(120)).to.deep.equal({ accepted: 4, rejected: 2 });
  });

  it('falls to zero when no frame comes any more', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 5; second++) meter.add(frameAt(100 + second, second * 10));
    expect(meter.rates(105)).to.deep.include({ accepted: 10 });
    expect(meter.rates(107)?.accepted).to.equal(30 / 5);
    expect(meter.rates(110)).to.deep.equal({ accepted: 0, rejected: 0 });
  });

  it('begins anew with a consumer that does', () => {
    const meter = new RateMeter();
    meter.add(frameAt(100, 1000));
    meter.add(frameAt(101, 5));
    expect(meter.rates(101)).to.equal(null);
    meter.add(frameAt(102, 10));
    expect(meter.rates(102)).to.deep.equal({ accepted: 5, rejected: 0 });
  });
});
