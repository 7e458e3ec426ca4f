import os from 'node:os';
import { expect } from 'chai';
import { type Counts, docker, note, PROJECT, Stack, sum, waitFor } from './stack.js';

async function expectGrowth(counts: () => Promise<Counts>): Promise<void> {
  let first = 0;
  await waitFor(
    () => 'a first count',
    async () => {
      first = sum(await counts());
      return first > 0;
    },
  );
  await waitFor(
    () => `more than ${first}`,
    async () => sum(await counts()) > first,
  );
}

describe('docker compose up --wait', () => {
  let stack: Stack;

  before(async () => {
    stack = await Stack.create();
    const start = performance.now();
    await stack.up();
    note(`docker compose up --wait: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  });

  after(() => stack.remove());

  it('counts the event types of the bundled generator, live', () =>
    expectGrowth(() => stack.types()));

  it('counts the words of the bundled generator, live', () => expectGrowth(() => stack.words()));

  it('accounts for every line, the corrupt ones too', async () => {
    const stats = await stack.waitForStats(
      'a rejected line',
      ({ rejected, accepted }) => sum(rejected) > 0 && accepted > 0,
    );
    expect(stats.lines).to.equal(stats.accepted + stats.blank + sum(stats.rejected));
  });

  it('has a pipe of 512 KiB', async () => {
    const program = 'open my $fifo, "+<", glob "/ipc/*.fifo"; print fcntl $fifo, 1032, 0';
    const bytes = await stack.compose('exec', '--no-TTY', 'producer', 'perl', '-e', program);
    expect(bytes).to.equal('524288');
  });

  it('publishes the port on 127.0.0.1 only', async () => {
    const port = new URL(stack.url).port;
    const [consumer] = await stack.containers('consumer');
    expect(consumer?.NetworkSettings.Ports).to.deep.equal({
      '5000/tcp': [{ HostIp: '127.0.0.1', HostPort: port }],
    });
    const others = Object.values(os.networkInterfaces())
      .flat()
      .filter((address) => address?.family === 'IPv4' && !address.internal);
    for (const address of others) {
      const answer = await fetch(`http://${address?.address}:${port}/livez`).catch(() => 'refused');
      expect(answer, `at ${address?.address}`).to.equal('refused');
    }
  });

  describe('after docker compose stop', () => {
    before(async () => {
      const start = performance.now();
      await stack.compose('stop');
      note(`docker compose stop: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    });

    it('has ended by itself, killed by nobody', async () => {
      const states = (await stack.containers()).map(({ State }) => [State.Status, State.ExitCode]);
      expect(states).to.deep.equal([
        ['exited', 0],
        ['exited', 0],
      ]);
    });
  });

  describe('after docker compose down --volumes', () => {
    before(() => stack.remove());

    it('has left no volume', async () => {
      const filter = `label=com.docker.compose.project=${PROJECT}`;
      expect(await docker('volume', 'ls', '--quiet', '--filter', filter)).to.equal('');
    });

    it('starts and counts again', async () => {
      await stack.up();
      await expectGrowth(() => stack.types());
    });
  });
});

describe('docker compose up --scale producer=2', () => {
  let stack: Stack;

  before(async () => {
    stack = await Stack.create();
    await stack.up('--scale', 'producer=2');
  });

  after(() => stack.remove());

  it('counts the lines of both producers, each with a FIFO of its own', async () => {
    const { lines, sources } = await stack.waitForStats(
      'two sources with lines',
      ({ sources }) => sources.length === 2 && sources.every((source) => source.lines > 0),
    );
    expect(new Set(sources.map(({ name }) => name)).size).to.equal(2);
    expect(sources.reduce((total, source) => total + source.lines, 0)).to.equal(lines);
  });
});
