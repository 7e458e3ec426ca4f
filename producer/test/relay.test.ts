import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import {
  bytesWritten,
  cleanUp,
  entrypoint,
  FifoReader,
  generator,
  groupOf,
  holdOpen,
  isAlive,
  makeFolder,
  Producer,
  track,
  waitForFifo,
  waitUntil,
} from './running.js';

const relay = fileURLToPath(new URL('../dist/relay.js', import.meta.url));

const HOUR_MS = '3600000';

type Env = Record<string, string>;

/** With its standard output to us, which we read. */
function run(env: Env, input: Buffer | string, args: string[] = []) {
  return track(
    execa('node', [relay, ...args], {
      env: { WHEN_FULL: 'drop_newest', ...env },
      input,
      encoding: 'latin1',
      reject: false,
      stripFinalNewline: false,
    }),
  );
}

/** As the entrypoint runs it: a command's output through it into a FIFO. */
function runInto(fifo: string, env: Env, command?: string) {
  const line = command === undefined ? 'exec node "$0" >"$1"' : `{ ${command}; } | node "$0" >"$1"`;
  const child = track(
    execa('sh', ['-c', line, relay, fifo], {
      env: { WHEN_FULL: 'drop_newest', ...env },
      reject: false,
    }),
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  return { child, hasLogged: (text: string) => log.includes(text) };
}

function totals(log: string): { read: number; delivered: number; dropped: number } {
  const found = /^producer: the relay read (\d+) lines, delivered (\d+), dropped (\d+)/m.exec(log);
  const [read, delivered, dropped] = (found ?? []).slice(1).map(Number);
  return { read: read!, delivered: delivered!, dropped: dropped! };
}

function numbersIn(text: string): number[] {
  const lines = text.split('\n');
  expect(lines.pop()).to.equal('');
  return lines.map((line) => Number(/^line (\d+) end$/.exec(line)?.[1]));
}

function numberedLines(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index + 1} end\n`).join('');
}

/** All that the FIFO still has, once its writers are gone. */
async function readLines(reader: FifoReader, lines: number): Promise<void> {
  await waitUntil(`the FIFO gave ${lines} lines`, () => {
    return reader.text.split('\n').length - 1 >= lines;
  });
}

async function makeFifo(): Promise<string> {
  const fifo = join(await makeFolder(), 'relay.fifo');
  await execa('mkfifo', [fifo]);
  holdOpen(fifo);
  return fifo;
}

describe('relay', () => {
  afterEach(cleanUp);

  it('prints help and version', async () => {
    const help = (await run({}, '', ['--help'])).stdout;
    expect(help).to.match(/^Usage: relay/);
    for (const name of ['WHEN_FULL', 'BUFFER_EVENTS', 'RELAY_INTERVAL_MS']) {
      expect(help).to.include(name);
    }
    expect((await run({}, '', ['--version'])).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  describe('what it may be told', () => {
    const refused: [Env, string[]][] = [
      [{ WHEN_FULL: '' }, ["WHEN_FULL is ''. It must be drop_newest or drop_oldest."]],
      [{ WHEN_FULL: 'block' }, ["WHEN_FULL is 'block'. It must be drop_newest or drop_oldest."]],
      ...['0', '-1', '1.5', '10000001', '0x10', 'many', ' '].map((value): [Env, string[]] => [
        { BUFFER_EVENTS: value },
        [`BUFFER_EVENTS is '${value}'. It must be a whole number from 1 to 10000000.`],
      ]),
      ...['-1', '0.5', '3600001', '1s'].map((value): [Env, string[]] => [
        { RELAY_INTERVAL_MS: value },
        [`RELAY_INTERVAL_MS is '${value}'. It must be a whole number from 0 to 3600000.`],
      ]),
      [
        { WHEN_FULL: 'drop', BUFFER_EVENTS: '0', RELAY_INTERVAL_MS: 'x' },
        [
          "WHEN_FULL is 'drop'. It must be drop_newest or drop_oldest.",
          "BUFFER_EVENTS is '0'. It must be a whole number from 1 to 10000000.",
          "RELAY_INTERVAL_MS is 'x'. It must be a whole number from 0 to 3600000.",
        ],
      ],
    ];
    it('is nothing of these, each problem told', async () => {
      const results = await Promise.all(refused.map(([env]) => run(env, 'a\n')));
      for (const [index, { exitCode, stdout, stderr }] of results.entries()) {
        const [, problems] = refused[index]!;
        expect(exitCode).to.equal(1);
        expect(stdout).to.equal('');
        expect(stderr).to.equal(problems.map((line) => `producer: ${line}\n`).join(''));
      }
    });

    const taken: Env[] = [
      { BUFFER_EVENTS: '', RELAY_INTERVAL_MS: '' },
      { BUFFER_EVENTS: '1', RELAY_INTERVAL_MS: '0' },
      { BUFFER_EVENTS: '10000000', RELAY_INTERVAL_MS: HOUR_MS },
    ];
    it('is a number at either end, and the default where it is empty', async () => {
      const results = await Promise.all(taken.map((env) => run(env, 'a\n')));
      for (const { exitCode, stdout } of results) {
        expect({ exitCode, stdout: stdout }).to.deep.equal({
          exitCode: 0,
          stdout: 'a\n',
        });
      }
    });

    it('is checked without reading anything by --check', async () => {
      const good = await run({}, 'a\n', ['--check']);
      expect([good.exitCode, good.stdout, good.stderr]).to.deep.equal([0, '', '']);
      const bad = await run({ BUFFER_EVENTS: '0' }, '', ['--check']);
      expect(bad.exitCode).to.equal(1);
    });
  });

  context('when the reader keeps up', () => {
    it('passes every byte on, whatever bytes they are', async () => {
      const input = Buffer.concat([
        Buffer.from(numberedLines(100_000)),
        randomBytes(300_000),
        Buffer.from('\n\r\n\0\xff\n\n', 'latin1'),
      ]);
      const { exitCode, stdout, stderr } = await run({ BUFFER_EVENTS: '200000' }, input);
      expect(exitCode).to.equal(0);
      expect(stdout === input.toString('latin1')).to.equal(true);
      const lines = input.filter((byte) => byte === 0x0a).length;
      expect(totals(stderr)).to.deep.equal({ read: lines, delivered: lines, dropped: 0 });
    });

    it('passes lines on that are longer than the pipe', async () => {
      const line = (byte: string) => `${byte.repeat(100_000)}\n`;
      const input = ['a', 'b', 'c'].map(line).join('short\n');
      const { stdout, stderr } = await run({}, input);
      expect(stdout === input).to.equal(true);
      expect(totals(stderr)).to.deep.equal({ read: 5, delivered: 5, dropped: 0 });
    });

    it('drops nothing even when one piece has more lines than the buffer', async () => {
      // So few that the pipe has room for all, read or not.
      const fifo = await makeFifo();
      const { child } = runInto(fifo, { BUFFER_EVENTS: '1' });
      child.stdin.end(numberedLines(2000));
      expect(totals((await child).stderr)).to.deep.equal({
        read: 2000,
        delivered: 2000,
        dropped: 0,
      });
    });

    it('passes a line on while the next one has not come yet', async () => {
      const fifo = await makeFifo();
      const reader = new FifoReader(fifo);
      const { child } = runInto(fifo, {});
      child.stdin.write('first\nsec');
      await reader.waitFor('first\n');
      child.stdin.end('ond\n');
      await reader.waitFor('first\nsecond\n');
    });
  });

  it('gives an unfinished last line its LF', async () => {
    const { stdout, stderr } = await run({}, 'whole\nunfinished');
    expect(stdout).to.equal('whole\nunfinished\n');
    expect(totals(stderr).read).to.equal(2);
  });

  it('begins with an LF that is no line of the generator when asked to', async () => {
    const { stdout, stderr } = await run({}, 'a\n', ['--begin-with-lf']);
    expect(stdout).to.equal('\na\n');
    expect(totals(stderr).read).to.equal(1);
  });

  for (const policy of ['drop_newest', 'drop_oldest'] as const) {
    context(`when nobody reads until the generator has ended, with ${policy}`, () => {
      const LINES = 200_000;
      const CAPACITY = 10_000;

      it('does not block the generator, and keeps whole lines in order', async () => {
        const fifo = await makeFifo();
        const command = `seq -f 'line %.0f end' ${LINES}; echo 'generator done' >&2`;
        const { child, hasLogged } = runInto(fifo, { WHEN_FULL: policy }, command);
        await waitUntil('the generator has written all', () => hasLogged('generator done'));

        const reader = new FifoReader(fifo);
        const { exitCode, stderr } = await child;
        expect(exitCode).to.equal(0);
        const { read, delivered, dropped } = totals(stderr);
        expect(read).to.equal(LINES);
        expect(dropped).to.be.above(0);
        expect(delivered + dropped).to.equal(read);

        await readLines(reader, delivered);
        const numbers = numbersIn(reader.text);
        expect(numbers).to.have.length(delivered);
        expect(numbers.every((number, index) => number > (numbers[index - 1] ?? 0))).to.equal(true);
        // No line of these can have been dropped: the buffer had room for it and all after it, or
        // before it.
        const [kept, first] =
          policy === 'drop_oldest'
            ? [numbers.slice(-CAPACITY), LINES - CAPACITY + 1]
            : [numbers.slice(0, CAPACITY), 1];
        expect(kept).to.deep.equal(Array.from({ length: CAPACITY }, (_, index) => first + index));
      });

      it('keeps lines whole that are longer than the pipe', async () => {
        const fifo = await makeFifo();
        const long = 'printf "%0100000d\\n" $i';
        const command = `i=0; while [ $i -lt 100 ]; do i=$((i + 1)); ${long}; done; echo done >&2`;
        const env = { WHEN_FULL: policy, BUFFER_EVENTS: '3' };
        const { child, hasLogged } = runInto(fifo, env, command);
        await waitUntil('the generator has written all', () => hasLogged('done'));

        const reader = new FifoReader(fifo);
        const { read, delivered, dropped } = totals((await child).stderr);
        expect({ read, sum: delivered + dropped }).to.deep.equal({ read: 100, sum: 100 });
        await readLines(reader, delivered);
        const lines = reader.text.split('\n').slice(0, -1);
        expect(lines.map((line) => line.length)).to.deep.equal(Array(delivered).fill(100_000));
        const numbers = lines.map(Number);
        expect(numbers).to.include.members(policy === 'drop_oldest' ? [98, 99, 100] : [1, 2, 3]);
      });
    });
  }

  context('when a line is longer than the buffer’s bytes', () => {
    it('drops it as one line, and its memory keeps its bound', async () => {
      const child = track(
        execa('node', [relay], {
          env: { WHEN_FULL: 'drop_oldest' },
          reject: false,
          buffer: { stdout: false },
        }),
      );
      let output = '';
      child.stdout.setEncoding('latin1').on('data', (text: string) => {
        output += text;
      });
      child.stdin.write('before\n');
      const mebibyte = Buffer.alloc(1024 * 1024, 'x');
      for (let written = 0; written < 600; written++) {
        if (!child.stdin.write(mebibyte)) await once(child.stdin, 'drain');
      }
      child.stdin.write('\nafter\n');
      await waitUntil('the line after it is there', () => output === 'before\nafter\n');
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      expect(Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1])).to.be.below(400_000);
      child.stdin.end();
      expect(totals((await child).stderr)).to.deep.equal({ read: 3, delivered: 2, dropped: 1 });
    });
  });

  describe('RELAY_INTERVAL_MS', () => {
    it('keeps lines in the buffer until it has passed, or until the input ends', async () => {
      const env = { RELAY_INTERVAL_MS: HOUR_MS, BUFFER_EVENTS: '3' };
      const newest = await run(env, numberedLines(10));
      expect(numbersIn(newest.stdout)).to.deep.equal([1, 2, 3]);
      const oldest = await run({ ...env, WHEN_FULL: 'drop_oldest' }, numberedLines(10));
      expect(numbersIn(oldest.stdout)).to.deep.equal([8, 9, 10]);
    });

    it('has them go on when it has passed', async () => {
      const fifo = await makeFifo();
      const reader = new FifoReader(fifo);
      const { child } = runInto(fifo, { RELAY_INTERVAL_MS: '5' });
      child.stdin.write('one\n');
      await reader.waitFor('one\n');
      child.stdin.write('two\n');
      await reader.waitFor('two\n');
    });
  });

  describe('the log', () => {
    it('tells every 10 s how many lines were dropped, and the stream does not', async () => {
      const fifo = await makeFifo();
      const reader = new FifoReader(fifo);
      // Only what the relay does every 10 s comes sooner.
      const sooner = `const set = setInterval; globalThis.setInterval = (run, ms) => set(run, ms === 10000 ? 5 : ms);`;
      const { child, hasLogged } = runInto(fifo, {
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(sooner)}`,
        RELAY_INTERVAL_MS: HOUR_MS,
        BUFFER_EVENTS: '2',
      });
      child.stdin.write(numberedLines(6));
      await waitUntil('the log has them', () => hasLogged(' (4 in all)'));
      child.stdin.write(numberedLines(3));
      await waitUntil('the log has them', () => hasLogged(' lines in 10 s (7 in all): the buffer'));
      child.stdin.end();
      const { stderr } = await child;
      const told = [...stderr.matchAll(/dropped (\d+) lines in 10 s/g)].map(([, count]) => count);
      expect(told.reduce((sum, count) => sum + Number(count), 0)).to.equal(7);
      expect(totals(stderr)).to.deep.equal({ read: 9, delivered: 2, dropped: 7 });
      await readLines(reader, 2);
      expect(numbersIn(reader.text)).to.deep.equal([1, 2]);
    });
  });

  describe('a signal', () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      it(`(${signal}) ends it after its input, while nobody reads; what the pipe has are whole lines, all counted`, async () => {
        const fifo = await makeFifo();
        const { child } = runInto(fifo, {});
        child.stdin.write(numberedLines(20_000));
        await waitUntil('the pipe is full', async () => (await bytesWritten(child.pid!)) > 60_000);
        child.kill(signal);
        child.stdin.end();
        const { exitCode, stderr } = await child;
        expect(exitCode).to.equal(0);
        const { read, delivered, dropped } = totals(stderr);
        expect(delivered + dropped).to.equal(read);
        const reader = new FifoReader(fifo);
        await readLines(reader, delivered);
        const expected = Array.from({ length: delivered }, (_, index) => index + 1);
        expect(numbersIn(reader.text)).to.deep.equal(expected);
      });
    }

    it('has it read what the generator still has to say', async () => {
      const fifo = await makeFifo();
      const reader = new FifoReader(fifo);
      const { child } = runInto(fifo, {});
      child.stdin.write('before\n');
      await reader.waitFor('before\n');
      child.kill();
      child.stdin.write('after\n');
      await reader.waitFor('after\n');
      child.stdin.end('last\n');
      expect((await child).exitCode).to.equal(0);
      await reader.waitFor('before\nafter\nlast\n');
    });

    it('that comes a second time has it write what is in the buffer, and read no more', async () => {
      const fifo = await makeFifo();
      const reader = new FifoReader(fifo);
      const env = { RELAY_INTERVAL_MS: HOUR_MS, BUFFER_EVENTS: '5' };
      const { child: waiting } = runInto(fifo, env);
      // More than what is between us and it can hold: once it is written, some of it was read.
      const input = numberedLines(100_000);
      await new Promise((resolve) => waiting.stdin.on('error', () => {}).write(input, resolve));
      waiting.kill();
      // Not SIGTERM, which would be one with the first when that is still pending.
      waiting.kill('SIGHUP');
      const { exitCode, stderr } = await waiting;
      expect(exitCode).to.equal(0);
      expect(totals(stderr).delivered).to.equal(5);
      await readLines(reader, 5);
      expect(numbersIn(reader.text)).to.deep.equal([1, 2, 3, 4, 5]);
    });
  });

  it('ends quietly with 0 when its output closes', async () => {
    const line = `yes | { node '${relay}'; echo "exit $?" >&2; } | head -n 1`;
    const { stdout, stderr } = await execa('sh', ['-c', line], {
      env: { WHEN_FULL: 'drop_oldest' },
    });
    expect(stdout).to.equal('y');
    expect(stderr).to.match(/^producer: the relay read .*\nexit 0$/);
    const { read, delivered, dropped } = totals(stderr);
    expect(delivered + dropped).to.equal(read);
  });

  it('tells that its output cannot be written to', async () => {
    const { child } = runInto('/dev/full', {});
    child.stdin.write('a\n');
    const { exitCode, stderr } = await child;
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/^producer: the relay cannot write to standard output: ENOSPC/);
    expect(totals(stderr)).to.deep.equal({ read: 1, delivered: 0, dropped: 1 });
  });
});

describe('entrypoint.sh with WHEN_FULL', () => {
  const HELD = 'ended with exit code 0; the FIFO is held open';

  let folder: string;
  beforeEach(async () => {
    folder = await makeFolder();
  });
  afterEach(cleanUp);

  async function findRelay(producer: Producer, except?: number): Promise<number> {
    let found: number | undefined;
    await waitUntil('the relay runs', async () => {
      for (const pid of await groupOf(producer)) {
        const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
        if (command.startsWith('node\0') && command.includes('--begin-with-lf') && pid !== except)
          found = pid;
      }
      return found !== undefined;
    });
    return found!;
  }

  const outputs: [string, Env, RegExp][] = [
    ['unset', {}, /\/events-test\.fifo$/],
    ['empty', { WHEN_FULL: '' }, /\/events-test\.fifo$/],
    ['block', { WHEN_FULL: 'block', BUFFER_EVENTS: 'not looked at' }, /\/events-test\.fifo$/],
    ['drop_newest', { WHEN_FULL: 'drop_newest' }, /^pipe:/],
    ['drop_oldest', { WHEN_FULL: 'drop_oldest' }, /^pipe:/],
  ];
  for (const [name, env, path] of outputs) {
    it(`(${name}) gives the generator that output`, async () => {
      const command = 'output=$(readlink /proc/$$/fd/1); echo "output $output" >&2';
      const producer = new Producer(folder, [], { ...env, GENERATOR_CMD: command });
      await producer.waitForLog(HELD);
      expect(producer.logged('output ')[0]).to.match(path);
    });
  }

  const refused: [Env, RegExp][] = [
    [
      { WHEN_FULL: 'drop' },
      /^producer: WHEN_FULL is 'drop', but must be block, drop_newest or drop_oldest$/,
    ],
    [
      { WHEN_FULL: 'drop_oldest', BUFFER_EVENTS: '-5' },
      /^producer: BUFFER_EVENTS is '-5'\. It must/,
    ],
    [
      { WHEN_FULL: 'drop_newest', RELAY_INTERVAL_MS: 'x' },
      /^producer: RELAY_INTERVAL_MS is 'x'\. It/,
    ],
  ];
  for (const [env, message] of refused) {
    it(`refuses to start with ${JSON.stringify(env)}`, async () => {
      const { exitCode, stderr } = await execa(entrypoint, ['true'], {
        env: { FIFO_DIR: folder, ...env },
        reject: false,
      });
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(message);
      expect(stderr).not.to.include('\n');
      expect(await readdir(folder)).to.deep.equal([]);
    });
  }

  it('does not block the generator while nobody reads, and says at the end what became of its lines', async () => {
    const producer = new Producer(folder, [], {
      WHEN_FULL: 'drop_oldest',
      GENERATOR_CMD: `seq -f 'line %.0f end' 200000; echo written >&2`,
    });
    await producer.waitForLog('written\n');
    const reader = new FifoReader(producer.fifo);
    await producer.waitForLog(HELD);
    await reader.waitFor('line 200000 end\n');
    const { read, delivered, dropped } = totals(producer.log);
    expect({ read, sum: delivered + dropped }).to.deep.equal({ read: 200_000, sum: 200_000 });
    expect(reader.text[0]).to.equal('\n');
    const numbers = numbersIn(reader.text.slice(1));
    expect(numbers).to.have.length(delivered);
    expect(numbers.slice(-10_000)[0]).to.equal(190_001);
    expect(await producer.stop()).to.equal(0);
  });

  it('runs a generator that fails again, with a relay of its own each time, its torn line kept apart', async () => {
    const producer = new Producer(folder, [], {
      WHEN_FULL: 'drop_newest',
      GENERATOR_CMD: 'echo run; printf torn; kill -9 $$',
    });
    await producer.waitForLog('was ended by signal KILL (exit code 137); it runs again in 1 s');
    await producer.waitForLog('again in 2 s');
    const reader = new FifoReader(producer.fifo);
    await reader.waitFor('\nrun\ntorn\n\nrun\ntorn\n');
    expect(await producer.stop()).to.equal(0);
    expect(producer.log.match(/the relay read/g)).to.have.length(2);
    expect(await readdir(folder)).to.deep.equal(['events-test.fifo']);
  });

  it('tells with which exit code the generator failed, and runs it again', async () => {
    const env = { WHEN_FULL: 'drop_oldest', GENERATOR_CMD: 'echo run; exit 3' };
    const producer = new Producer(folder, [], env);
    await producer.waitForLog('again in 2 s');
    expect(producer.logged('producer: the generator ')).to.deep.equal([
      'failed with exit code 3; it runs again in 1 s',
      'failed with exit code 3; it runs again in 2 s',
    ]);
  });

  it('delivers what the generator writes while it ends', async () => {
    const producer = new Producer(folder, [], {
      WHEN_FULL: 'drop_oldest',
      GENERATOR_CMD: `trap 'sleep 0.5; echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done`,
    });
    await waitForFifo(producer.fifo);
    holdOpen(producer.fifo);
    const reader = new FifoReader(producer.fifo);
    await reader.waitFor('ready\n');
    expect(await producer.stop()).to.equal(0);
    await reader.waitFor('ready\nbye\n');
  });

  it('ends at SIGTERM while the pipe is full', async () => {
    const producer = new Producer(folder, ['yes'], { WHEN_FULL: 'drop_oldest' });
    const pid = await findRelay(producer);
    await waitUntil('the pipe is full', async () => (await bytesWritten(pid)) > 60_000);
    const group = await groupOf(producer);
    expect(await producer.stop()).to.equal(0);
    const { read, delivered, dropped } = totals(producer.log);
    expect(delivered + dropped).to.equal(read);
    await waitUntil('no process of the run is left', () => !group.some(isAlive));
  });

  const generators: [string, string][] = [
    ['SIGPIPE ends', 'yes'],
    ['ends with 0 then', `exec node '${generator}' --rate 200`],
  ];
  for (const [how, command] of generators) {
    it(`starts a relay that was killed again, with a generator that ${how}`, async () => {
      const env = { WHEN_FULL: 'drop_oldest', GENERATOR_CMD: command };
      const producer = new Producer(folder, [], env);
      const pid = await findRelay(producer);
      await waitUntil('it writes', async () => (await bytesWritten(pid)) > 0);
      process.kill(pid, 'SIGKILL');
      await producer.waitForLog('was ended by signal KILL (exit code 137); it runs again in 1 s');
      const next = await findRelay(producer, pid);
      await waitUntil('it writes', async () => (await bytesWritten(next)) > 0);
    });
  }

  it('has a FIFO that was removed made again, and the next relay write to it', async () => {
    const producer = new Producer(folder, [], {
      WHEN_FULL: 'drop_oldest',
      GENERATOR_CMD: 'echo run; rm "$FIFO_DIR"/events-*.fifo; exit 1',
    });
    await producer.waitForLog('again in 2 s');
    expect(producer.log.match(/the relay read/g)).to.have.length(2);
    expect(await readdir(folder)).to.deep.equal([]);
  });
});
