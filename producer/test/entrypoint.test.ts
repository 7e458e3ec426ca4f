import { constants, readFileSync, writeSync } from 'node:fs';
import { mkdir, readlink, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import {
  bytesWritten,
  childPids,
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
  withFifoDir,
} from './running.js';

const HELD = 'ended with exit code 0; the FIFO is held open';

const PAGE_BYTES = 4096;

/** Fills the pipe to the last byte, and tells how many that took. */
function fill(fifo: string): number {
  const fd = holdOpen(fifo);
  let written = 0;
  for (const bytes of [PAGE_BYTES, 1]) {
    try {
      for (;;) written += writeSync(fd, Buffer.alloc(bytes, 'f'));
    } catch {
      // EAGAIN: that much does not fit any more.
    }
  }
  return written;
}

describe('entrypoint.sh', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await makeFolder();
  });
  afterEach(cleanUp);

  it('prints its usage for --help', async () => {
    const { stdout, exitCode } = await execa(entrypoint, ['--help']);
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/^Usage: entrypoint\.sh/);
    expect(stdout).to.include('GENERATOR_CMD');
  });

  describe('the FIFO', () => {
    for (const [name, env] of [
      ['unset', {}],
      ['empty', { PRODUCER_NAME: '' }],
    ] as const) {
      it(`is made, with the folders above it, and named after the host when the name is ${name}`, async () => {
        const deep = join(folder, 'a', 'b');
        const child = track(execa(entrypoint, ['true'], { env: { FIFO_DIR: deep, ...env } }));
        let log = '';
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          log += text;
        });
        await waitUntil('it holds the FIFO', () => log.includes(HELD));
        expect((await stat(join(deep, `events-${hostname()}.fifo`))).isFIFO()).to.equal(true);
        child.kill();
        expect((await child).exitCode).to.equal(0);
      });
    }

    it('is in run/ under the current folder by default', async () => {
      const env = { PRODUCER_NAME: 'test', FIFO_DIR: '' };
      const child = track(execa(entrypoint, ['true'], { cwd: folder, env }));
      await waitForFifo(join(folder, 'run', 'events-test.fifo'));
      child.kill();
      await child;
    });

    it('is kept when it is there already', async () => {
      const fifo = join(folder, 'events-test.fifo');
      await execa('mkfifo', [fifo]);
      const { ino } = await stat(fifo);
      const producer = new Producer(folder, ['true']);
      await producer.waitForLog(HELD);
      await producer.stop();
      expect((await stat(fifo)).ino).to.equal(ino);
    });

    it('is made again before the next run when somebody removed it', async () => {
      const command = 'cd "$FIFO_DIR"; ls -l *.fifo | cut -c 1 >&2; rm *.fifo; exit 1';
      const producer = new Producer(folder, [], { GENERATOR_CMD: command });
      await producer.waitForLog('again in 2 s');
      expect(producer.log).to.match(/^p\n.*\np\n.*\n$/);
    });

    const refused: [string, (path: string) => Promise<void>, Record<string, string>, RegExp][] = [
      [
        'a regular file has its name',
        async (path) => writeFile(join(path, 'events-test.fifo'), ''),
        {},
        /events-test\.fifo is there, but is no FIFO; remove it/,
      ],
      [
        'a folder has its name',
        async (path) => void (await mkdir(join(path, 'events-test.fifo'))),
        {},
        /events-test\.fifo is there, but is no FIFO; remove it/,
      ],
      [
        'its folder cannot be made',
        async (path) => writeFile(join(path, 'file'), ''),
        { FIFO_DIR: 'file/under' },
        /cannot make the folder .*file\/under; set FIFO_DIR/,
      ],
      [
        'its folder takes no FIFO',
        async () => {},
        { FIFO_DIR: '/proc' },
        /mkfifo: .*\/proc\/events-test\.fifo.*; set FIFO_DIR/,
      ],
      ['the name has a /', async () => {}, { PRODUCER_NAME: 'a/b' }, /cannot contain a \//],
      [
        'its size is no number',
        async () => {},
        { PIPE_BYTES: '1MiB' },
        /PIPE_BYTES is '1MiB', but must be a whole number/,
      ],
      ['its size is too large', async () => {}, { PIPE_BYTES: '1000000000' }, /PIPE_BYTES/],
    ];
    for (const [when, prepare, env, message] of refused) {
      context(`when ${when}`, () => {
        it('ends with 1 and one clear line', async () => {
          await prepare(folder);
          const { exitCode, stderr } = await execa(entrypoint, ['true'], {
            cwd: folder,
            env: { FIFO_DIR: folder, PRODUCER_NAME: 'test', ...env },
            reject: false,
          });
          expect(exitCode).to.equal(1);
          expect(stderr).to.match(message);
          expect(stderr).not.to.include('\n');
        });
      });
    }
  });

  describe('the pipe', () => {
    for (const [env, holds] of [
      [{}, 524_288],
      [{ PIPE_BYTES: '' }, 524_288],
      [{ PIPE_BYTES: '200000' }, 262_144],
      [{ PIPE_BYTES: '4096' }, 65_536],
      [{ PIPE_BYTES: '0' }, 65_536],
    ] as const) {
      it(`holds ${holds} bytes with ${JSON.stringify(env)}`, async () => {
        const producer = new Producer(folder, ['true'], env);
        await producer.waitForLog(HELD);
        expect(fill(producer.fifo)).to.equal(holds - PAGE_BYTES); // one is the run's LF's
        expect(producer.log.trim().split('\n')).to.have.lengthOf(1);
      });
    }

    it('has as much as the kernel allows, and says so, where that is less', async function () {
      // Root is not held to the bound for all.
      const dropped = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all'] : [];
      if (dropped.length > 0 && (await execa('setpriv', ['--version'], { reject: false })).failed) {
        process.stdout.write('      skipped: there is no setpriv to give up the rights of root\n');
        this.skip();
      }
      const most = Number(readFileSync('/proc/sys/fs/pipe-max-size', 'utf8'));
      const env = { FIFO_DIR: folder, PRODUCER_NAME: 'test', PIPE_BYTES: String(2 * most) };
      const [command = '', ...args] = [...dropped, entrypoint, 'true'];
      const child = track(execa(command, args, { env }));
      let log = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
      try {
        await waitUntil('it holds the FIFO', () => log.includes(HELD));
        expect(log).to.match(
          /^producer: the pipe cannot be given PIPE_BYTES \(\d+\): it has (\d+), as fs.pipe-max-size and .*: Operation not permitted\n/,
        );
        expect(log).to.include(`it has ${most},`);
        expect(fill(join(folder, 'events-test.fifo'))).to.equal(most - PAGE_BYTES);
      } finally {
        child.kill();
        await child;
      }
    });
  });

  describe('what the generator gets', () => {
    it('is the FIFO as standard output, once, and no other descriptor of it', async () => {
      const producer = new Producer(folder, [], {
        GENERATOR_CMD: 'echo "fifos $(ls -l /proc/$$/fd | grep -c "\\.fifo")" >&2',
      });
      await producer.waitForLog(HELD);
      expect(producer.logged('fifos ')).to.deep.equal(['1']);
    });

    it('is a blocking standard output, even after a run that made its own non-blocking', async () => {
      // Not `grep … >&2`: for that dash makes its own standard output standard error for a while.
      const flags = 'flags=$(grep flags /proc/$$/fdinfo/1); echo "$flags" >&2';
      const node = `node -e 'process.stdout; process.kill(process.pid, "SIGKILL")'`;
      const producer = new Producer(folder, [], {
        GENERATOR_CMD: `${flags}; ${node}; ${flags}; exit 1`,
      });
      await producer.waitForLog('again in 2 s');
      const blocking = producer.logged('flags:\t').map((octal) => {
        return (Number.parseInt(octal, 8) & constants.O_NONBLOCK) === 0;
      });
      // The second one shows that there is something to protect from.
      expect(blocking).to.deep.equal([true, false, true, false]);
    });

    it('is the standard input of the entrypoint', async () => {
      const child = track(
        execa(entrypoint, ['sh', '-c', 'cat >&2'], {
          env: { FIFO_DIR: folder },
          input: 'from outside\n',
        }),
      );
      let log = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
      await waitUntil('the input is in the log', () => log.includes('from outside\n'));
      child.kill();
      await child;
    });

    it('is PYTHONUNBUFFERED', async () => {
      const producer = new Producer(folder, ['sh', '-c', 'echo "py=$PYTHONUNBUFFERED" >&2']);
      await producer.waitForLog('py=1\n');
    });
  });

  describe('which generator runs', () => {
    it('is the command of its arguments, unchanged', async () => {
      const producer = new Producer(folder, ['printf', '%s|', 'a b', '$HOME', ''], {
        GENERATOR_CMD: 'echo no',
      });
      await producer.waitForLog(HELD);
      const reader = new FifoReader(producer.fifo);
      await reader.waitFor('\na b|$HOME||');
    });

    it('is the bundled one when there is neither', async () => {
      const producer = new Producer(folder, [], { GENERATOR_CMD: '' });
      await waitForFifo(producer.fifo);
      const reader = new FifoReader(producer.fifo);
      await reader.waitFor('{ "');
      expect(await producer.stop()).to.equal(0);
    });
  });

  describe('the bytes in the pipe', () => {
    it('begin with an LF and wait for a reader that comes later', async () => {
      const producer = new Producer(folder, [], { GENERATOR_CMD: 'echo kept' });
      await producer.waitForLog(HELD);
      const reader = new FifoReader(producer.fifo);
      await reader.waitFor('kept\n');
      expect(reader.text).to.equal('\nkept\n');
    });

    it('outlive a reader, and its end does not end the generator', async () => {
      const producer = new Producer(folder, [], {
        GENERATOR_CMD: `echo one; while [ ! -e '${join(folder, 'go')}' ]; do sleep 0.02; done; echo two`,
      });
      await waitForFifo(producer.fifo);
      const first = new FifoReader(producer.fifo);
      await first.waitFor('one\n');
      first.close();
      await writeFile(join(folder, 'go'), '');
      await producer.waitForLog(HELD);
      const second = new FifoReader(producer.fifo);
      await second.waitFor('two\n');
      expect(second.text).to.equal('two\n');
    });

    it('part the torn line of a killed generator from the next run', async () => {
      const producer = new Producer(folder, [], { GENERATOR_CMD: 'printf "{\\"torn"; kill -9 $$' });
      await producer.waitForLog('again in 2 s');
      const reader = new FifoReader(producer.fifo);
      await reader.waitFor('\n{"torn\n{"torn');
    });
  });

  describe('a generator that ends', () => {
    context('when it fails', () => {
      it('is run again after 1 s, then 2 s, and the log says how it ended', async () => {
        const producer = new Producer(folder, [], { GENERATOR_CMD: 'exit 3' });
        await producer.waitForLog('again in 2 s');
        expect(producer.logged('producer: ')).to.deep.equal([
          'the generator failed with exit code 3; it runs again in 1 s',
          'the generator failed with exit code 3; it runs again in 2 s',
        ]);
        expect(await producer.stop()).to.equal(0);
      });
    });

    const failures: [string, string[], string][] = [
      ['a signal ended it', ['sh', '-c', 'kill -9 $$'], 'was ended by signal KILL (exit code 137)'],
      ['it is not found', ['no-such-program'], 'was not found (exit code 127): no-such-program'],
      ['it cannot be run', ['/etc/passwd'], 'cannot be executed (exit code 126): /etc/passwd'],
    ];
    for (const [when, command, how] of failures) {
      context(`when ${when}`, () => {
        it('is told so and run again', async () => {
          const producer = new Producer(folder, command);
          await producer.waitForLog(`producer: the generator ${how}; it runs again in 1 s\n`);
          expect(producer.logged('producer: ')).to.have.length(1);
        });
      });
    }

    context('when it has left a process behind', () => {
      it('takes it with it before the next run', async () => {
        const producer = new Producer(folder, [], {
          GENERATOR_CMD: 'sleep 60 & echo "left $!" >&2; exit 1',
        });
        await producer.waitForLog('again in 1 s');
        const pid = Number(producer.logged('left ')[0]);
        await waitUntil('it is gone', () => !isAlive(pid));
      });
    });

    context('when it ends with 0', () => {
      it('is not run again: the entrypoint stays until it is told to end', async () => {
        const producer = new Producer(folder, ['true']);
        await producer.waitForLog(HELD);
        expect(producer.logged('producer: ')).to.have.length(1);
        await waitUntil('it waits', async () => (await childPids(producer.pid)).length === 1);
        const [sleeping] = await childPids(producer.pid);
        expect(await producer.stop()).to.equal(0);
        expect(isAlive(sleeping!)).to.equal(false);
      });
    });
  });

  describe('a signal', () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      it(`(${signal}) ends every process of a command line, then the entrypoint`, async () => {
        const producer = new Producer(folder, [], {
          GENERATOR_CMD: `sh -c 'echo "deep $$" >&2; while :; do echo x; sleep 1; done' | cat`,
        });
        await producer.waitForLog('deep ');
        const pid = Number(producer.logged('deep ')[0]);
        expect(isAlive(pid)).to.equal(true);
        expect(await producer.stop(signal)).to.equal(0);
        await waitUntil('it is gone', () => !isAlive(pid));
      });
    }

    it('gives the generator the time it takes to end', async () => {
      const producer = new Producer(folder, [], {
        GENERATOR_CMD: `trap 'sleep 0.3; echo bye >&2; exit 0' TERM; echo ready >&2; while :; do sleep 0.02; done`,
      });
      await producer.waitForLog('ready');
      expect(await producer.stop()).to.equal(0);
      expect(producer.log).to.include('bye');
    });

    for (const [what, end] of [
      ['alone', ''],
      ['in a pipeline', ' | cat'],
    ] as const) {
      it(`lets a script that GENERATOR_CMD runs ${what} tidy up`, async () => {
        const script = join(folder, 'slow.sh');
        const lines = [
          '#!/bin/sh',
          `trap 'sleep 0.5; echo tidied up >&2; exit 0' TERM`,
          'echo ready >&2',
          'while :; do sleep 0.02; done',
        ];
        await writeFile(script, lines.join('\n'), { mode: 0o755 });
        const producer = new Producer(folder, [], { GENERATOR_CMD: `'${script}'${end}` });
        await producer.waitForLog('ready');
        expect(await producer.stop()).to.equal(0);
        expect(producer.log).to.include('tidied up\n');
      });
    }

    for (const WHEN_FULL of ['block', 'drop_oldest']) {
      context(`when the generator does not listen, with WHEN_FULL=${WHEN_FULL}`, () => {
        // It tells of a SIGTERM, and of having gone on long after it.
        const GENERATOR_CMD = `
          steps=
          trap 'echo told >&2; steps=0' TERM
          echo "deaf $$" >&2
          while sleep 0.02 || :; do
            if [ -n "$steps" ]; then steps=$((steps + 1)); fi
            if [ "$steps" = 40 ]; then echo 'went on' >&2; fi
          done`;

        const startDeaf = async () => {
          const producer = new Producer(folder, [], { WHEN_FULL, GENERATOR_CMD });
          await producer.waitForLog('deaf ');
          const deaf = Number(producer.logged('deaf ')[0]);
          await waitUntil('all of it runs', async () => {
            return (await groupOf(producer)).length >= (WHEN_FULL === 'block' ? 1 : 3);
          });
          const group = await groupOf(producer);
          expect(group).to.include(deaf);
          process.kill(producer.pid, 'SIGTERM');
          await producer.waitForLog('told\n');
          return { producer, deaf, group };
        };

        it('stays with it until a second signal, which ends both', async () => {
          const { producer, deaf, group } = await startDeaf();
          // By then it would have made an end of anything that is left behind.
          await producer.waitForLog('went on\n');
          expect([isAlive(producer.pid), isAlive(deaf)]).to.deep.equal([true, true]);
          expect(await producer.stop()).to.equal(0);
          await waitUntil('all of it is gone', () => !group.some(isAlive));
        });

        it('stays with it until SIGKILL ends the generator', async () => {
          const { producer, deaf, group } = await startDeaf();
          expect(isAlive(producer.pid)).to.equal(true);
          process.kill(deaf, 'SIGKILL');
          expect(await producer.ended()).to.equal(0);
          await waitUntil('all of it is gone', () => !group.some(isAlive));
        });
      });

      it(`at any early moment ends it and leaves nothing behind, with WHEN_FULL=${WHEN_FULL}`, async () => {
        for (let start = 0; start < 20; start++) {
          const producer = new Producer(folder, [], { WHEN_FULL, GENERATOR_CMD: 'sleep 60' });
          // Not a wait for anything: each start is hit at another moment, the first one at once.
          await setTimeout(start * 5);
          const exitCode = await producer.stop();
          // SIGTERM itself ends it before it has its trap.
          expect(exitCode, producer.log).to.be.oneOf([0, undefined]);
          await waitUntil('nothing is left', async () => (await withFifoDir(folder)).length === 0);
        }
      });
    }

    it('is heard when the pipe is so full that not even the LF fits', async () => {
      const fifo = join(folder, 'events-test.fifo');
      await execa('mkfifo', [fifo]);
      fill(fifo);
      const producer = new Producer(folder, ['true'], { PIPE_BYTES: '0' });
      await waitUntil('the child has opened the FIFO', async () => {
        const [child] = await childPids(producer.pid);
        // Others come and go before it.
        return fifo === (await readlink(`/proc/${child}/fd/1`).catch(() => ''));
      });
      expect(await producer.stop()).to.equal(0);
    });

    it('ends the bundled generator while it waits for a reader', async () => {
      const producer = new Producer(folder, ['node', generator, '--rate', 'max']);
      await waitUntil('the generator has filled the pipe', async () => {
        const [child] = await childPids(producer.pid);
        return child !== undefined && (await bytesWritten(child)) > 500_000;
      });
      expect(await producer.stop()).to.equal(0);
    });
  });

  it('passes the generator’s standard error through', async () => {
    const producer = new Producer(folder, [], { GENERATOR_CMD: 'echo "a complaint" >&2' });
    await producer.waitForLog('a complaint\n');
  });
});
