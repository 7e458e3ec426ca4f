import { expect } from 'chai';
import { Stack, sum, writeGenerator } from './stack.js';

describe('a generator of one’s own', () => {
  let stack: Stack;

  afterEach(() => stack.remove());

  it('is counted exactly', async () => {
    const env = await writeGenerator(`
      seq 600 | while read -r i; do
        echo '{"event_type":"alpha","data":"one two","timestamp":1509604913}'
      done
      seq 400 | while read -r i; do
        echo '{"event_type":"beta","data":"two","timestamp":1509604914}'
      done
      echo not json
    `);
    stack = await Stack.create({ env });
    await stack.up();
    await stack.waitForStats(
      '1,001 lines',
      ({ accepted, rejected }) => accepted + sum(rejected) >= 1001,
    );
    await stack.waitForLog('producer', 'ended with exit code 0');

    expect(await stack.types()).to.deep.equal({ alpha: 600, beta: 400 });
    expect(await stack.words()).to.deep.equal({ two: 1000, one: 600 });
    const { accepted, rejected } = await stack.stats();
    expect({ accepted, rejected }).to.deep.equal({
      accepted: 1000,
      rejected: { too_long: 0, not_json: 1, not_an_event: 0 },
    });
  });

  it('is found in producer/generators when no other folder is named', async () => {
    stack = await Stack.create({ env: { GENERATOR_CMD: '/generator/load-average' } });
    await stack.up();
    await stack.waitForStats('an event', ({ accepted }) => accepted > 0);

    expect(Object.keys(await stack.types())).to.deep.equal(['load']);
  });

  it('cannot hold up docker compose stop beyond its grace by ignoring SIGTERM', async () => {
    const env = await writeGenerator(`
      trap '' TERM
      while :; do
        echo '{"event_type":"deaf","data":"","timestamp":1}'
        sleep 0.1
      done
    `);
    stack = await Stack.create({ env });
    await stack.up();
    await stack.waitForStats('an event', ({ accepted }) => accepted > 0);
    await stack.compose('stop');

    const codes: number[] = [];
    for (const service of ['producer', 'consumer'] as const) {
      const [container] = await stack.containers(service);
      codes.push(container!.State.ExitCode);
    }
    // Only Docker's SIGKILL ends a producer whose generator does not.
    expect(codes).to.deep.equal([137, 0]);
  });

  it('gets a clear error, and no new folder, when its folder is mistyped', async () => {
    stack = await Stack.create({ env: { GENERATOR_DIR: '/event-tally-no-such-folder' } });
    const problem = await stack.up().catch((error: Error) => error.message);

    expect(problem).to.include('/event-tally-no-such-folder');
    expect(problem).to.include('does not exist');
  });
});
