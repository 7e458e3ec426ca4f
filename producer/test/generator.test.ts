import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import {
  bytesWritten,
  cleanUp,
  generator,
  holdOpen,
  makeFolder,
  track,
  waitUntil,
} from './running.js';

function run(args: string[]) {
  return track(
    execa('node', [generator, ...args], {
      encoding: 'latin1',
      maxBuffer: 1e9,
      reject: false,
      stripFinalNewline: false,
    }),
  );
}

/** With its standard output at a path: a pipe of ours would be a socket. */
function runInto(path: string, args: string[]) {
  const line = 'path=$1; shift; exec node "$@" >"$path"';
  return track(
    execa('sh', ['-c', line, 'sh', path, generator, ...args], {
      reject: false,
      stripFinalNewline: false,
    }),
  );
}

describe('generator', () => {
  afterEach(cleanUp);

  it('prints help and version', async () => {
    expect((await run(['--help'])).stdout).to.match(/^Usage: generator \[options\]/);
    expect((await run(['--version'])).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  context('when it has a seed', () => {
    const seeded = ['--rate', 'max', '--count', '2000', '--seed', '7'];

    it('writes the same bytes each time', async () => {
      const [first, second] = await Promise.all([run(seeded), run(seeded)]);
      expect(first.exitCode).to.equal(0);
      expect(first.stdout).to.have.length.above(80_000);
      expect(second.stdout).to.equal(first.stdout);
    });

    it('starts at the example’s time and follows the rate', async () => {
      const { stdout } = await run('--seed 1 --corrupt 0 --rate 1000 --count 5'.split(' '));
      expect(stdout).to.include('"timestamp": 1509604913 }\n');
      const slow = await run('--seed 1 --corrupt 0 --rate 2 --burst 5 --count 5'.split(' '));
      const seconds = slow.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).timestamp);
      expect(seconds).to.deep.equal([0, 0, 1, 1, 2].map((second) => 1_509_604_913 + second));
    });

    it('has the clock’s time with --start now', async () => {
      const before = Math.floor(Date.now() / 1000);
      const { stdout } = await run('--seed 1 --corrupt 0 --start now --count 1'.split(' '));
      expect(JSON.parse(stdout).timestamp).to.be.within(before, Date.now() / 1000);
    });
  });

  context('when it has no seed', () => {
    it('writes events of now, different ones each time', async () => {
      const before = Math.floor(Date.now() / 1000);
      const args = '--corrupt 0 --rate max --count 50'.split(' ');
      const [first, second] = await Promise.all([run(args), run(args)]);
      expect(second.stdout).not.to.equal(first.stdout);
      for (const line of first.stdout.trim().split('\n')) {
        expect(JSON.parse(line).timestamp).to.be.within(before, Date.now() / 1000);
      }
    });

    it('begins at --start', async () => {
      const args = '--corrupt 0 --rate max --count 2 --start 42'.split(' ');
      expect((await run(args)).stdout).to.match(/"timestamp": 42 \}\n.*"timestamp": 42 \}\n$/);
    });
  });

  it('stops after --count events', async () => {
    for (const count of [0, 1, 12_345]) {
      const args = `--corrupt 0 --rate max --count ${count}`.split(' ');
      expect((await run(args)).stdout.split('\n')).to.have.length(count + 1);
    }
  });

  it('moves timestamps back with --jitter', async () => {
    const args = '--corrupt 0 --rate max --count 500 --start 1000 --jitter 2'.split(' ');
    const found = (await run(args)).stdout.match(/\d+(?= \})/g);
    expect([...new Set(found)].sort()).to.deep.equal(['1000', '998', '999']);
  });

  it('writes a burst at once', async () => {
    // At the rate of single events the second one would come in a day.
    const args = '--corrupt 0 --rate 0.00002 --burst 3 --count 3'.split(' ');
    expect((await run(args)).stdout.split('\n')).to.have.length(4);
  });

  it('refuses a bad value of any option, which it names', async () => {
    const options = ['--rate', '--burst', '--corrupt', '--count', '--seed', '--start', '--jitter'];
    const results = await Promise.all(options.map((option) => run([option, '-1'])));
    for (const [index, { exitCode, stdout, stderr }] of results.entries()) {
      expect(exitCode, options[index]).to.equal(1);
      expect(stdout).to.equal('');
      expect(stderr).to.include(`error: option '${options[index]} <`);
      expect(stderr).to.include("argument '-1' is invalid. It must be a");
    }
  });

  it('refuses unknown options and arguments', async () => {
    const refused: [string[], string][] = [
      [['--speed', '5'], "unknown option '--speed'"],
      [['extra'], 'too many arguments'],
      [['--rate'], 'argument missing'],
    ];
    const results = await Promise.all(refused.map(([args]) => run(args)));
    for (const [index, { exitCode, stderr }] of results.entries()) {
      expect(exitCode).to.equal(1);
      expect(stderr).to.include(refused[index]![1]);
    }
  });

  for (const rate of ['max', '100']) {
    it(`ends quietly with 0 when its output closes, at --rate ${rate}`, async () => {
      const line = `{ node '${generator}' --corrupt 0 --rate ${rate}; echo "exit $?" >&2; } | head -n 1`;
      const { stdout, stderr } = await execa('sh', ['-c', line]);
      expect(JSON.parse(stdout)).to.have.keys('event_type', 'data', 'timestamp');
      expect(stderr).to.equal('exit 0');
    });
  }

  it('tells in one line that its output cannot be written to', async () => {
    const { exitCode, stderr } = await runInto('/dev/full', ['--rate', 'max']);
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/^generator: cannot write to standard output: ENOSPC.*\n$/);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends with 0 at ${signal} while nobody reads`, async () => {
      const fifo = join(await makeFolder(), 'full.fifo');
      await execa('mkfifo', [fifo]);
      holdOpen(fifo);
      const child = runInto(fifo, ['--rate', 'max']);
      await waitUntil('the pipe is full', async () => (await bytesWritten(child.pid!)) >= 65_536);
      child.kill(signal);
      const { exitCode, stderr } = await child;
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    });

    it(`ends with 0 and a whole line at ${signal} while somebody reads`, async () => {
      const child = run(['--rate', 'max', '--corrupt', '0']);
      child.stdout.once('data', () => child.kill(signal));
      const { exitCode, stdout } = await child;
      expect(exitCode).to.equal(0);
      expect(stdout.endsWith(' }\n')).to.equal(true);
    });
  }

  it('ends at SIGTERM when its writes never wait', async () => {
    const child = runInto('/dev/null', ['--rate', 'max']);
    await waitUntil('it writes', async () => (await bytesWritten(child.pid!)) >= 65_536);
    child.kill();
    expect((await child).exitCode).to.equal(0);
  });
});
