import { expect } from 'chai';
import { Pace } from '#consumer/http/pace.js';
import { IngestUnavailableError } from '#consumer/ingest/ingest-client.js';

describe('Pace', () => {
  let now: number;
  let log: string[];
  let pace: Pace;
  beforeEach(() => {
    now = 1000;
    log = [];
    pace = new Pace((tookMs) => 4 * tookMs, {
      now: () => now,
      rest: async (ms) => {
        await new Promise(setImmediate);
        now += ms;
        log.push(`rested ${ms}`);
      },
    });
  });

  const work = (name: string, ms: number) =>
    pace.run(async () => {
      log.push(`${name} begins`);
      await new Promise(setImmediate);
      now += ms;
      log.push(`${name} ends`);
      return name;
    });

  it('does one thing after another, and rests by how long each took', async () => {
    expect(await Promise.all([work('a', 5), work('b', 200), work('c', 0)])).to.deep.equal([
      'a',
      'b',
      'c',
    ]);
    expect(log).to.deep.equal([
      ...['a begins', 'a ends', 'rested 20'],
      ...['b begins', 'b ends', 'rested 800'],
      ...['c begins', 'c ends'],
    ]);
  });

  it('rests before work that comes later', async () => {
    await work('a', 5);
    await work('b', 1);
    expect(log.slice(0, 4)).to.deep.equal(['a begins', 'a ends', 'rested 20', 'b begins']);
  });

  it('puts short rests off until they come to five milliseconds', async () => {
    await Promise.all([work('a', 1), work('b', 0), work('c', 0.5), work('d', 0)]);
    expect(log).to.deep.equal([
      ...['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends', 'rested 6'],
      ...['d begins', 'd ends'],
    ]);
  });

  it('has rested where there was nothing to do', async () => {
    await work('a', 1);
    now += 3;
    await work('b', 0.75);
    now += 4;
    await work('c', 1);
    expect(log).not.to.include('rested 7');
    await work('d', 0.5);
    expect(log.at(-1)).to.equal('d ends');
    await work('e', 0);
    expect(log.slice(6)).to.deep.equal(['d begins', 'd ends', 'rested 6', 'e begins', 'e ends']);
  });

  for (const [what, error, rests] of [
    ['rests after work that was refused', new Error('too large'), ['rested 20000']],
    ['goes on at once after work that got no answer', new IngestUnavailableError('hangs'), []],
  ] as const) {
    it(what, async () => {
      const failed = pace.run(() => {
        now += 5000;
        throw error;
      });
      const next = work('a', 0);
      expect(await failed.catch((reason) => reason)).to.equal(error);
      expect(await next).to.equal('a');
      expect(log).to.deep.equal([...rests, 'a begins', 'a ends']);
    });
  }
});
