import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { type Asker, SharedWork, type SharedWorkOptions } from '#consumer/http/shared-work.js';

const WAIT = { interval: 5, timeout: 20_000 };
const SOMEBODY: Asker = { destroyed: false };

describe('SharedWork', () => {
  let begun: string[];
  let end: ((result: string) => void)[];
  let shared: SharedWork;

  const create = (options: SharedWorkOptions = {}) => {
    shared = new SharedWork(options);
  };
  beforeEach(() => {
    begun = [];
    end = [];
    create();
  });

  /** Work that ends when it is told to. */
  const run = (name: string, asker = SOMEBODY) =>
    shared.run(name, asker, () => {
      begun.push(name);
      return new Promise<string>((resolve) => end.push(resolve));
    });
  const isBegun = (count: number) => pWaitFor(() => begun.length === count, WAIT);
  const messageOf = (error: Error) => error.message;

  it('is done once for all who ask before it is begun', async () => {
    const first = run('a');
    await isBegun(1);
    const others = Array.from({ length: 100 }, () => run('b'));
    end[0]?.('1');
    expect(await first).to.equal('1');
    await isBegun(2);
    end[1]?.('2');
    expect(new Set(await Promise.all(others))).to.deep.equal(new Set(['2']));
    expect(begun).to.deep.equal(['a', 'b']);
  });

  it('is done anew for who asks once it is begun', async () => {
    const early = run('a');
    await isBegun(1);
    const late = [run('a'), run('a')];
    end[0]?.('before');
    expect(await early).to.equal('before');
    await isBegun(2);
    end[1]?.('after');
    expect(await Promise.all(late)).to.deep.equal(['after', 'after']);
  });

  it('is done one piece after another, in the order of asking', async () => {
    const all = ['a', 'b', 'c'].map((name) => run(name));
    for (let i = 0; i < 3; i++) {
      await isBegun(i + 1);
      end[i]?.(String(i));
      expect(await all[i]).to.equal(String(i));
    }
    expect(begun).to.deep.equal(['a', 'b', 'c']);
  });

  it('fails for all who ask, and goes on with the next', async () => {
    const fail = () => Promise.reject(new Error('no'));
    const failed = [1, 2].map(() => shared.run('a', SOMEBODY, fail).catch(messageOf));
    const next = run('b');
    expect(await Promise.all(failed)).to.deep.equal(['no', 'no']);
    await isBegun(1);
    end[0]?.('yes');
    expect(await next).to.equal('yes');
  });

  it('is refused when too much waits, but for what waits already', async () => {
    create({ waitingMax: 2 });
    const first = run('a');
    await isBegun(1);
    const waiting = [run('b'), run('c'), run('b')];
    expect(await run('d').catch(messageOf)).to.equal('too much is asked at once');
    end[0]?.('1');
    await isBegun(2);
    waiting.push(run('d'));
    for (let i = 1; i < 4; i++) {
      await isBegun(i + 1);
      end[i]?.(String(i));
    }
    expect(await first).to.equal('1');
    expect(await Promise.all(waiting)).to.deep.equal(['1', '2', '1', '3']);
  });

  it('is refused to whom too much waits for already, and not to others', async () => {
    const first = run('a');
    await isBegun(1);
    const waiting = ['b', 'c', 'd', 'e'].map((name) => run(name));
    expect(await run('f').catch(messageOf)).to.equal('too much is asked at once');
    waiting.push(run('e'), run('f', { destroyed: false }), run('f'));
    for (let i = 0; i < 6; i++) {
      await isBegun(i + 1);
      end[i]?.(String(i));
    }
    expect(await first).to.equal('0');
    expect(await Promise.all(waiting)).to.deep.equal(['1', '2', '3', '4', '4', '5', '5']);
  });

  it('is not done for those who have gone', async () => {
    const first = run('a');
    await isBegun(1);
    const gone = { destroyed: false };
    const waiting = [run('b', gone), run('c', gone), run('c')];
    const outcome = waiting[0]?.catch(messageOf);
    gone.destroyed = true;
    end[0]?.('1');
    await first;
    await isBegun(2);
    end[1]?.('2');
    expect(await waiting[2]).to.equal('2');
    expect(begun).to.deep.equal(['a', 'c']);
    expect(await outcome).to.equal('too much is asked at once');
  });

  it('is not waited for too long, and not done for those who wait no longer', async () => {
    create({ waitMsMax: 500, clock: { now: () => 0, rest: async () => {} } });
    const first = run('a').catch(messageOf);
    await isBegun(1);
    expect(await run('b').catch(messageOf)).to.equal('too much is asked at once');
    expect(await first).to.equal('too much is asked at once');
    end[0]?.('1');
    // At once: it has no more time than those before.
    expect(await shared.run('c', SOMEBODY, async () => '2')).to.equal('2');
    expect(begun).to.deep.equal(['a']);
  });

  it('rests as its Pace does', async () => {
    const rests: number[] = [];
    let now = 0;
    const rest = async (ms: number) => {
      now += ms;
      rests.push(ms);
    };
    create({ rest: (tookMs) => 3 * tookMs, clock: { now: () => now, rest } });
    for (const ms of [10, 20]) {
      await shared.run('a', SOMEBODY, async () => {
        now += ms;
      });
    }
    await pWaitFor(() => rests.length === 2, WAIT);
    expect(rests).to.deep.equal([30, 60]);
  });
});
