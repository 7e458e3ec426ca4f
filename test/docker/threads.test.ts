import { expect } from 'chai';
import { Stack, sum, waitFor } from './stack.js';

describe('INGEST_WORKERS=2 with three producers', () => {
  let stack: Stack;

  afterEach(() => stack.remove());

  it('counts what all of them write', async () => {
    stack = await Stack.create({ env: { INGEST_WORKERS: '2' } });
    await stack.up('--scale', 'producer=3');
    const stats = await stack.waitForStats(
      'lines of three sources',
      ({ sources }) => sources.length === 3 && sources.every(({ lines }) => lines > 0),
    );
    expect(stats.lines).to.equal(stats.accepted + stats.blank + sum(stats.rejected));
    expect(stats.lines).to.equal(stats.sources.reduce((total, { lines }) => total + lines, 0));
  });

  it('answers windows of all of them: of a fresh stream the same as all-time', async () => {
    stack = await Stack.create({ env: { INGEST_WORKERS: '2' } });
    await stack.up('--scale', 'producer=3');
    await stack.waitForStats(
      'lines of three sources',
      ({ sources }) => sources.length === 3 && sources.every(({ lines }) => lines > 0),
    );
    for (const route of ['/events/countByEventType', '/events/countWords'] as const) {
      const ask = async () => {
        const [recent, allTime] = await Promise.all([
          stack.list(`${route}?window=10m&format=list`),
          stack.list(`${route}?format=list`),
        ]);
        return { recent, allTime, sameMoment: recent.batch === allTime.batch };
      };
      let last = await ask();
      await waitFor(
        () => `two answers of one moment; the last were ${JSON.stringify(last)}`,
        async () => {
          if (!last.sameMoment) last = await ask();
          return last.sameMoment;
        },
      );
      const { recent, allTime } = last;
      expect(allTime.total).to.be.above(0);
      expect(recent.window).to.include({ resolution: 1 });
      expect({ ...recent, window: null }).to.deep.equal(allTime);
    }
  });
});
