/**
 * What may befall a FIFO and its folder: /stats and /readyz name it, it heals when its cause is gone, and
 * no descriptor is left behind. One consumer lives through all of it.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import pWaitFor from 'p-wait-for';
import {
  BOUND_BY_RIGHTS,
  type ConsumerProcess,
  endConsumers,
  isRead,
  MAIN,
  type Readiness,
  type SourceDocument,
  type StatsDocument,
  startConsumer,
} from '../support/consumer-process.js';
import { event, holdFifo, makeFifo, writeFifo } from '../support/fifo-writer.js';

const WAIT = { interval: 20, timeout: 20_000 };
const LOCK = '.event-tally.lock';

const SOURCES_MAX = 1000;
const LINE_BYTES_MAX = 65_536;
/** Of a line: its bytes, in a buffer that doubles, and its text, two bytes a character at most. */
const UNFINISHED_BYTES_MAX = 4 * LINE_BYTES_MAX;
/** What a heap grows by without a reason of ours. */
const HEAP_MEBIBYTES = 100;

const isWell = (source: SourceDocument) => isRead(source) && source.reason === null;

describe('the life of a FIFO', () => {
  let top: string;
  let consumer: ConsumerProcess;
  /** What the consumer has open without a FIFO. */
  let openAtFirst: readonly string[];
  /** The FIFO of this test. */
  let name: string;
  let tests = 0;
  const held = new Set<number>();

  const folder = () => path.join(top, 'ipc');
  const file = (of = name) => path.join(folder(), of);

  before(async () => {
    top = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-'));
    fs.mkdirSync(folder());
    consumer = await startConsumer(folder(), {}, BOUND_BY_RIGHTS);
    await consumer.waitFor(() => true);
    openAtFirst = consumer.descriptors();
  });
  after(async () => {
    await endConsumers();
    fs.rmSync(top, { recursive: true });
  });
  beforeEach(() => {
    name = `events-${tests++}.fifo`;
  });
  afterEach('no descriptor is left behind', async () => {
    for (const descriptor of held) leave(descriptor);
    for (const each of fs.readdirSync(folder())) {
      if (each !== LOCK) fs.rmSync(file(each), { recursive: true });
    }
    await pWaitFor(() => consumer.descriptors().join() === openAtFirst.join(), WAIT).catch(
      () => {},
    );
    expect(consumer.descriptors()).to.deep.equal(openAtFirst);
  });

  const hold = (of = name) => {
    const descriptor = holdFifo(file(of));
    held.add(descriptor);
    return descriptor;
  };
  const leave = (descriptor: number) => {
    fs.closeSync(descriptor);
    held.delete(descriptor);
  };

  const sourceIn = ({ sources }: StatsDocument, of: string) =>
    sources.find((source) => source.name === of);
  const until = async (condition: (source: SourceDocument) => boolean, of = name) => {
    const stats = await consumer.waitFor((each) => {
      const source = sourceIn(each, of);
      return source !== undefined && condition(source);
    });
    return sourceIn(stats, of) as SourceDocument;
  };
  const untilState = (state: string) => until((source) => source.state === state);
  const checkIn = ({ checks }: Readiness, of = name) => checks[`source ${of}`];
  const untilReadiness = (status: number) =>
    consumer.waitForReadiness(
      // Without an answer of its threads, as on a machine that has no time for them, it says no more.
      (readiness) => readiness.status === status && readiness.checks.ingest?.ok === true,
    );

  async function makeAndRead(): Promise<void> {
    makeFifo(file());
    await until(isWell);
  }

  /** It is read again, and of what was wrong there is no word any more. */
  async function expectHealed(of = name): Promise<void> {
    const { lines } = await until(isWell, of);
    await writeFifo(file(of), event('healed'));
    await until((source) => source.lines === lines + 1, of);
    const readiness = await untilReadiness(200);
    expect(checkIn(readiness, of)).to.deep.equal({ ok: true });
    expect(readiness.checks.fifo_dir).to.deep.equal({ ok: true });
  }

  /** A piece after the other where pipes have less room, as many of one user may: pipe(7). */
  async function writeAll(writer: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += fs.writeSync(writer, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await nextTurn();
      }
    }
  }

  /** Puts something in its place in one step, so that its name is never missing. */
  function replaceBy(make: (file: string) => void): void {
    const beside = path.join(top, 'beside');
    make(beside);
    fs.renameSync(beside, file());
  }

  context('when it is removed', () => {
    it('is gone, which leaves the consumer ready, until there is one again', async () => {
      await makeAndRead();
      fs.rmSync(file());
      const { reason } = await untilState('gone');
      expect(reason).to.equal('its name is no longer in the folder');
      const readiness = await untilReadiness(200);
      expect(checkIn(readiness)).to.deep.equal({ ok: true, reason });
      makeFifo(file());
      await expectHealed();
    });
  });

  context('when another takes its place, in one step', () => {
    it('reads both, as long as somebody writes to the old one, and joins no lines', async () => {
      await makeAndRead();
      const old = hold();
      fs.writeSync(old, `${event('old')}{"event_type":`);
      await until(({ bytes }) => bytes > event('old').length);
      replaceBy(makeFifo);
      await writeFifo(file(), event('new'));
      await until(({ lines }) => lines === 2);
      fs.writeSync(old, '"ended","data":"","timestamp":1}\n');
      await until(({ lines }) => lines === 3);
      expect(await consumer.get('/events/countByEventType')).to.include({
        old: 1,
        new: 1,
        ended: 1,
      });
      leave(old);
      await expectHealed();
    });
  });

  context('when something else takes its place', () => {
    const notFifo = {
      state: 'not_a_fifo',
      reason: 'not a FIFO: remove it and start its producer again, which makes one',
    };
    const nowhere = { state: 'failed', reason: 'a symbolic link that leads nowhere' };
    const intruders: [what: string, make: (file: string) => void, expected: typeof notFifo][] = [
      ['file-of-a-redirect', (file) => fs.writeFileSync(file, event('lost')), notFifo],
      ['folder', (file) => fs.mkdirSync(file), notFifo],
      ['link-to-nothing', (file) => fs.symlinkSync('nothing', file), nowhere],
      ['link-to-itself', (file) => fs.symlinkSync(path.basename(file), file), nowhere],
    ];

    it('is told of and let go of, the consumer not ready, until a FIFO is there again', async () => {
      const names = intruders.map(([what]) => `events-${what}.fifo`);
      for (const each of names) makeFifo(file(each));
      for (const each of names) await until(isWell, each);
      for (const [i, [, make]] of intruders.entries()) {
        fs.rmSync(file(names[i]));
        make(file(names[i]));
      }
      for (const [i, [, , expected]] of intruders.entries()) {
        const { state, reason } = expected;
        expect((await until((each) => each.state === state, names[i])).reason).to.equal(reason);
        const readiness = await untilReadiness(503);
        expect(checkIn(readiness, names[i])).to.deep.equal({ ok: false, reason });
      }
      await pWaitFor(() => consumer.descriptors().join() === openAtFirst.join(), WAIT);
      for (const each of names) {
        fs.rmSync(file(each), { recursive: true });
        makeFifo(file(each));
      }
      for (const each of names) await expectHealed(each);
    });

    it('is told of also where its name was never missing', async () => {
      await makeAndRead();
      replaceBy((beside) => fs.writeFileSync(beside, ''));
      await untilState('not_a_fifo');
      replaceBy((beside) => fs.symlinkSync('nothing', beside));
      await untilState('failed');
      replaceBy(makeFifo);
      await expectHealed();
    });
  });

  context('when its rights are taken away', () => {
    it('is failed where it was not open yet, until they are given back', async () => {
      makeFifo(path.join(top, 'beside'));
      fs.chmodSync(path.join(top, 'beside'), 0);
      fs.renameSync(path.join(top, 'beside'), file());
      const { reason } = await untilState('failed');
      expect(reason).to.equal('EACCES: permission denied');
      expect(checkIn(await untilReadiness(503))).to.deep.equal({ ok: false, reason });
      fs.chmodSync(file(), 0o600);
      await expectHealed();
    });

    it('is read on where it was open, with a word of it, until they are given back', async () => {
      await makeAndRead();
      const writer = hold();
      fs.chmodSync(file(), 0);
      const { reason, lines } = await until((source) => isRead(source) && source.reason !== null);
      expect(reason).to.equal('EACCES: permission denied; it is read on for as long as it is open');
      expect(checkIn(await untilReadiness(200))).to.deep.equal({ ok: true, reason });
      fs.writeSync(writer, event('a'));
      await until((source) => source.lines === lines + 1);
      fs.chmodSync(file(), 0o600);
      await expectHealed();
    });
  });

  context('when the rights of its folder are taken away', () => {
    afterEach(() => fs.chmodSync(folder(), 0o700));

    const rows: [mode: number, what: string, ready: 200 | 503, reason: string][] = [
      [0, 'nothing', 503, 'the folder cannot be read: EACCES: permission denied'],
      [0o400, 'no more than the names in it', 200, 'EACCES: permission denied'],
    ];
    for (const [mode, what, ready, reason] of rows) {
      it(`is read on, with a word of it, where ${what} can be seen, until they are given back`, async () => {
        await makeAndRead();
        const writer = hold();
        fs.chmodSync(folder(), mode);
        const source = await until((each) => isRead(each) && each.reason !== null);
        expect(source.reason).to.equal(`${reason}; it is read on for as long as it is open`);
        const readiness = await untilReadiness(ready);
        expect(checkIn(readiness)).to.deep.equal({ ok: true, reason: source.reason });
        const fault = { ok: false, reason: 'EACCES: permission denied' };
        expect(readiness.checks.fifo_dir).to.deep.equal(ready === 503 ? fault : { ok: true });
        fs.writeSync(writer, event('a'));
        await until(({ lines }) => lines === source.lines + 1);
        fs.chmodSync(folder(), 0o700);
        await expectHealed();
      });
    }
  });

  /** A second consumer on the folder is refused, as the first has its lock. */
  async function expectLocked(by = consumer, fifoDir = folder()): Promise<void> {
    const { exitCode, stderr } = await execa(process.execPath, [MAIN], {
      env: { FIFO_DIR: fifoDir, PORT: '0', DURABILITY: 'none' },
      reject: false,
      timeout: 20_000,
    });
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(
      new RegExp(`^event-tally: another consumer has FIFO_DIR, .*: process ${by.pid} on`),
    );
  }

  context('when its folder is removed', () => {
    it('is gone, until there is one in the folder again, which is made and locked', async () => {
      await makeAndRead();
      fs.rmSync(folder(), { recursive: true });
      await untilState('gone');
      await pWaitFor(() => fs.existsSync(file(LOCK)), WAIT);
      await expectLocked();
      makeFifo(file());
      await expectHealed();
    });

    it('is not read while another consumer has the folder that is made again', async () => {
      await makeAndRead();
      process.kill(consumer.pid, 'SIGSTOP');
      fs.rmSync(folder(), { recursive: true });
      const other = await startConsumer(folder());
      makeFifo(file());
      process.kill(consumer.pid, 'SIGCONT');
      const { checks } = await untilReadiness(503);
      expect(checks.fifo_dir).to.deep.equal({
        ok: false,
        reason: 'another consumer has it, and the log says who: FIFOs that come are not read',
      });
      const isNamed = ({ reason }: Readonly<Record<string, unknown>>) =>
        `${reason}`.includes(`process ${other.pid} on`);
      await pWaitFor(() => consumer.log.some(isNamed), WAIT);
      await writeFifo(file(), event('theirs'));
      await other.waitFor(({ accepted }) => accepted === 1);
      await other.end('SIGTERM');
      await expectHealed();
      expect(await consumer.get('/events/countByEventType')).not.to.have.property('theirs');
    });
  });

  context('when its folder makes room for a file', () => {
    it('is read on, the consumer not ready, until there is a folder again', async () => {
      await makeAndRead();
      const writer = hold();
      const aside = path.join(top, 'aside');
      fs.renameSync(folder(), aside);
      fs.writeFileSync(folder(), '');
      const source = await until((each) => isRead(each) && each.reason !== null);
      expect(source.reason).to.equal(
        'the folder cannot be read: EEXIST: file already exists; it is read on for as long as it is open',
      );
      const { checks } = await untilReadiness(503);
      expect(checks.fifo_dir).to.deep.equal({ ok: false, reason: 'EEXIST: file already exists' });
      fs.writeSync(writer, event('a'));
      await until(({ lines }) => lines === source.lines + 1);
      fs.rmSync(folder());
      fs.renameSync(aside, folder());
      await expectHealed();
    });
  });

  context(
    'when another folder takes the place of its folder, as with a volume that is made anew',
    () => {
      it('is read with the old one, as long as somebody writes to that, and in the new one', async () => {
        await makeAndRead();
        const old = hold();
        const aside = path.join(top, 'aside');
        fs.renameSync(folder(), aside);
        fs.mkdirSync(folder());
        makeFifo(file());
        await pWaitFor(() => fs.existsSync(file(LOCK)), WAIT);
        fs.writeSync(old, event('a'));
        await until(({ lines }) => lines === 1);
        await expectHealed();
        await expectLocked();
        fs.rmSync(aside, { recursive: true });
      });
    },
  );

  describe('with a mount', () => {
    const isMounted = async (...args: string[]) => {
      const { failed, stderr } = await execa('mount', args, { reject: false });
      if (!failed) return true;
      if (process.env.CI) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
      process.stdout.write(`      skipped: nothing can be mounted: ${stderr}\n`);
      return false;
    };

    it('is gone while another file system covers its folder, and is then read on where it was', async function () {
      await makeAndRead();
      const writer = hold();
      fs.writeSync(writer, '{"event_type":"one",');
      await until(({ bytes }) => bytes > 0);
      if (!(await isMounted('-t', 'tmpfs', 'tmpfs', folder()))) return this.skip();
      try {
        await untilState('gone');
        fs.writeSync(writer, '"data":"line",');
        await until(({ bytes }) => bytes > '{"event_type":"one",'.length);
      } finally {
        execaSync('umount', ['--lazy', folder()]);
      }
      await until(isWell);
      fs.writeSync(writer, '"timestamp":1}\n');
      await until(({ lines }) => lines === 1);
      expect(await consumer.get('/events/countByEventType')).to.include({ one: 1 });
      await expectHealed();
    });

    it('is read where the file system is read-only, with a word of it, until it is not', async function () {
      const readOnly = path.join(top, 'read-only');
      const readOnlyFifo = path.join(readOnly, name);
      fs.mkdirSync(readOnly);
      makeFifo(readOnlyFifo);
      if (!(await isMounted('--bind', readOnly, readOnly))) return this.skip();
      try {
        execaSync('mount', ['-o', 'remount,bind,ro', readOnly]);
        const other = await startConsumer(readOnly, {}, BOUND_BY_RIGHTS);
        const untilChecks = (isFine: boolean) =>
          other.waitForReadiness(
            ({ status, checks }) =>
              status === 200 && (checks.fifo_dir?.reason === undefined) === isFine,
          );
        const { checks } = await untilChecks(false);
        expect(checks.fifo_dir).to.deep.equal({
          ok: true,
          reason: 'it cannot be locked against a second consumer: EROFS: read-only file system',
        });
        await writeFifo(readOnlyFifo, event('a'));
        await other.waitFor(({ lines }) => lines === 1);

        execaSync('mount', ['-o', 'remount,bind,rw', readOnly]);
        await untilChecks(true);
        await expectLocked(other, readOnly);

        execaSync('mount', ['-o', 'remount,bind,ro', readOnly]);
        await writeFifo(readOnlyFifo, event('b'));
        await other.waitFor(({ lines }) => lines === 2);
        await untilChecks(true);
        await other.end('SIGKILL');
      } finally {
        execaSync('umount', ['--lazy', readOnly]);
      }
    });
  });

  context('when there are more than are read', () => {
    const names = Array.from({ length: SOURCES_MAX + 1 }, (_, i) => `events-many-${i}.fifo`);

    it('reads a thousand and is not ready; once one of them is gone, reads all others', async () => {
      const { now } = consumer.residentMebibytes();
      execaSync('mkfifo', names.map(file));
      const { checks } = await untilReadiness(503);
      const reason = 'there are more than 1000 FIFOs: the further ones are not read';
      expect(checks.fifo_dir).to.deep.equal({ ok: false, reason });
      const { sources } = await consumer.waitFor((stats) => stats.sources.every(isWell));
      expect(sources).to.have.lengthOf(SOURCES_MAX);
      const unfinished = Buffer.alloc(LINE_BYTES_MAX - 1, 'x');
      for (const source of sources) {
        const writer = hold(source.name);
        await writeAll(writer, unfinished);
        leave(writer);
      }
      await consumer.waitFor((stats) =>
        stats.sources.every(({ bytes }) => bytes === unfinished.length),
      );
      const growth = consumer.residentMebibytes().peak - now;
      const bound = (SOURCES_MAX * UNFINISHED_BYTES_MAX) / 2 ** 20 + HEAP_MEBIBYTES;
      process.stdout.write(`      grew by ${growth.toFixed()} MiB of ${bound.toFixed()} MiB\n`);
      expect(growth).to.be.below(bound);

      const [first, ...others] = sources.map((source) => source.name) as [string, ...string[]];
      const last = names.find((each) => each !== first && !others.includes(each)) as string;
      fs.rmSync(file(first));
      await untilReadiness(200);
      await until(isWell, last);
      expect(consumer.descriptors()).to.have.lengthOf(openAtFirst.length + SOURCES_MAX);
    });
  });

  context('when many are removed while somebody holds them', () => {
    it('reads on the hundred that were removed last', async () => {
      const names = Array.from({ length: 120 }, (_, i) => `events-held-${i}.fifo`);
      execaSync('mkfifo', names.map(file));
      for (const each of names) hold(each);
      for (const each of names) await until(isWell, each);
      for (const each of names) fs.rmSync(file(each));
      await pWaitFor(() => consumer.descriptors().length === openAtFirst.length + 100, WAIT);
    });
  });
});
