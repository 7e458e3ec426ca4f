import { expect } from 'chai';
import { Stack, sum } from './stack.js';

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
});
