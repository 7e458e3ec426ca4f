/** The consumer's process, stopped and killed, with real FIFOs and a real folder. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';
import {
  type ConsumerProcess,
  endConsumers,
  isRead,
  startConsumer,
} from '../support/consumer-process.js';
import { event, holdFifo, makeFifo, writeFifo } from '../support/fifo-writer.js';
import { useTempDir } from '../support/temp-dir.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const READ_BYTES = 65_536;

describe('a consumer with state', () => {
  const dir = useTempDir();
  afterEach(endConsumers);
  let held: number[];
  beforeEach(() => {
    held = [];
    fs.mkdirSync(fifoDir());
  });
  afterEach(() => {
    for (const descriptor of held) fs.closeSync(descriptor);
  });

  const fifoDir = () => path.join(dir.path, 'fifos');
  const stateDir = () => path.join(dir.path, 'state');
  const environment = (env: Readonly<Record<string, string>> = {}) => ({
    DURABILITY: 'journal',
    STATE_DIR: stateDir(),
    ...env,
  });
  const start = (env: Readonly<Record<string, string>> = {}) =>
    startConsumer(fifoDir(), environment(env));
  /** Makes a FIFO and holds it open, as a producer does. */
  const fifo = (name = 'events-a.fifo') => {
    const file = path.join(fifoDir(), name);
    makeFifo(file);
    held.push(holdFifo(file));
    return file;
  };
  /** Runs it to its end. */
  const run = (env: Readonly<Record<string, string>> = {}) =>
    execa(process.execPath, [MAIN], {
      env: { FIFO_DIR: fifoDir(), PORT: '0', ...environment(env) },
      reject: false,
      timeout: 20_000,
    });
  const types = (consumer: ConsumerProcess) => consumer.get('/events/countByEventType');
  const readAll = (consumer: ConsumerProcess, accepted: number) =>
    consumer.waitFor((stats) => stats.accepted >= accepted);
  /** All files of all threads, of a kind. */
  const files = (kind: string) =>
    fs
      .readdirSync(stateDir(), { recursive: true, encoding: 'utf8' })
      .filter((name) => path.basename(name).startsWith(kind))
      .sort()
      .map((name) => path.join(stateDir(), name));

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
    for (const durability of ['journal', 'checkpoint'] as const) {
      if (signal === 'SIGKILL' && durability === 'checkpoint') continue;
      it(`answers after ${signal} as before, with DURABILITY=${durability}`, async () => {
        const file = fifo();
        const first = await start({ DURABILITY: durability });
        const now = Date.now() / 1000;
        await writeFifo(file, `${event('a', 'x y', now) + event('b', 'x', now - 100)}no event\n\n`);
        await first.waitFor(({ lines }) => lines === 4);
        const paths = [
          '/events/countByEventType?format=list',
          '/events/countWords?format=list&window=60s&until=latest',
          '/events/sumByEventType',
        ];
        const before = await Promise.all(paths.map((each) => first.get(each)));
        const { lines, bytes, accepted, blank, rejected } = await first.waitFor(() => true);
        await first.end(signal);

        const second = await start({ DURABILITY: durability });
        const after = await second.waitFor(({ sources }) => sources.some(isRead));
        expect(after).to.deep.include({ lines, bytes, accepted, blank, rejected });
        expect(after.sources[0]).to.include({ name: 'events-a.fifo', lines, bytes });
        expect(await Promise.all(paths.map((each) => second.get(each)))).to.deep.equal(before);
        await writeFifo(file, event('a'));
        await readAll(second, 3);
        expect(await types(second)).to.deep.equal({ a: 2, b: 1 });
      });
    }
  }

  it('has after SIGKILL what the last checkpoint had, with DURABILITY=checkpoint', async () => {
    const file = fifo();
    const env = { DURABILITY: 'checkpoint', CHECKPOINT_INTERVAL: '1s' };
    const first = await start(env);
    await writeFifo(file, event('a'));
    await first.waitFor(({ state }) => (state?.checkpoints ?? 0) > 0);
    await first.end('SIGKILL');
    const second = await start({ ...env, CHECKPOINT_INTERVAL: '1h' });
    await second.waitFor(() => true);
    await writeFifo(file, event('b'));
    await readAll(second, 2);
    await second.end('SIGKILL');
    const third = await start(env);
    await third.waitFor(() => true);
    expect(await types(third)).to.deep.equal({ a: 1 });
  });

  it('begins at zero and writes nothing, with DURABILITY=none', async () => {
    const file = fifo();
    const env = { DURABILITY: 'none' };
    const first = await start(env);
    await writeFifo(file, event('a'));
    await readAll(first, 1);
    expect((await first.waitFor(() => true)).state).to.equal(null);
    await first.end('SIGTERM');
    const second = await start(env);
    expect(await second.waitFor(() => true)).to.include({ lines: 0 });
    expect(fs.existsSync(stateDir())).to.equal(false);
  });

  context('when events that each have a word of their own come as fast as they are read', () => {
    const EVENTS = 150_000;
    /** Its number twice, so that a word whose halves are of two lines, which a kill has torn, is none of these. */
    const line = (i: number) => event('n', `w${i}x${i}`, 1_509_604_913);
    const isWhole = (word: string) => /^w(\d+)x\1$/.test(word);

    for (const [signal, ends, lostMax] of [
      ['SIGTERM', 3, 0],
      // Of each kill the read that was in hand, with the line that it tears.
      ['SIGKILL', 5, Math.ceil(READ_BYTES / line(1).length) + 1],
    ] as const) {
      it(`loses ${lostMax === 0 ? 'none' : 'at most one read'} at each ${signal}, and counts none twice`, async () => {
        const file = fifo();
        const lines = Array.from({ length: EVENTS }, (_, i) => line(i));
        const writing = writeFifo(file, `${lines.join('')}${event('last')}`);
        let seen = 0;
        for (let i = 0; i < ends; i++) {
          const consumer = await start({ CHECKPOINT_INTERVAL: '1s', JOURNAL_BYTES_MAX: '65536' });
          const before = seen;
          seen = (await consumer.waitFor((stats) => stats.lines > before)).lines;
          await consumer.end(signal);
          if (seen >= EVENTS) break;
        }
        const consumer = await start();
        await writing;
        await pWaitFor(async () => (await types(consumer)).last === 1);
        const words = await consumer.get('/events/countWords');
        const whole = Object.entries(words).filter(([word]) => isWhole(word));
        expect(
          whole.filter(([, count]) => count > 1),
          'doubled events',
        ).to.deep.equal([]);
        const lost = EVENTS - whole.length;
        expect(lost, 'lost events').to.be.at.most(ends * lostMax);
        const stats = await consumer.waitFor(() => true);
        const joined = Object.values(words).reduce((sum, count) => sum + count, 0) - whole.length;
        expect(stats.accepted).to.equal(whole.length + joined + 1);
        const torn = stats.rejected.not_json + stats.rejected.not_an_event + joined;
        expect(torn, 'torn lines').to.be.at.most(lost === 0 ? 0 : ends);
      }).timeout(120_000);
    }
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`finishes the line that it had begun to read at ${signal}`, async () => {
      const file = fifo();
      const whole = event('whole', 'x'.repeat(500));
      const parts = [whole.slice(0, 20), whole.slice(20, 300), whole.slice(300)] as const;
      let bytes = 0;
      for (const part of parts.slice(0, 2)) {
        const consumer = await start();
        await writeFifo(file, part);
        bytes += part.length;
        await consumer.waitFor((stats) => stats.bytes === bytes);
        await consumer.end(signal);
      }
      const consumer = await start();
      await writeFifo(file, parts[2]);
      await readAll(consumer, 1);
      expect(await types(consumer)).to.deep.equal({ whole: 1 });
    });
  }

  it('does not join the beginning of a line with what another FIFO of that name brings', async () => {
    const file = fifo();
    const first = await start();
    await writeFifo(file, event('a').slice(0, 10));
    await first.waitFor(({ bytes }) => bytes === 10);
    await first.end('SIGTERM');
    fs.renameSync(file, `${file}.old`); // keeps its inode
    fifo();
    const second = await start();
    await writeFifo(file, event('b'));
    await readAll(second, 1);
    expect((await second.waitFor(() => true)).rejected).to.include({ not_json: 0 });
  });

  it('keeps all counts when INGEST_WORKERS changes', async () => {
    const names = ['a', 'b', 'c'];
    const fifos = names.map((name) => fifo(`events-${name}.fifo`));
    for (const [round, workers] of ['1', '2', '3', '1', '2'].entries()) {
      const consumer = await start({ INGEST_WORKERS: workers });
      for (const [i, file] of fifos.entries())
        await writeFifo(file, event(names[i] as string, `${i} all`));
      await readAll(consumer, 3 * (round + 1));
      const n = round + 1;
      expect(await types(consumer)).to.deep.equal({ a: n, b: n, c: n });
      expect(await consumer.get('/events/countWords')).to.deep.equal({
        all: 3 * n,
        0: n,
        1: n,
        2: n,
      });
      const { sources } = await consumer.waitFor(() => true);
      expect(sources.map(({ lines }) => lines)).to.deep.equal([n, n, n]);
      await consumer.end(round % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
    }
  }).timeout(60_000);

  it('goes on with other caps, says so, and does so again after that', async () => {
    const file = fifo();
    const caps = ['100', '2', '100', '2'];
    for (const [round, cap] of caps.entries()) {
      const consumer = await start({ WORDS_MAX: cap });
      const isChanged = consumer.log.some(
        ({ msg, name }) => /bound/.test(String(msg)) && name === 'WORDS_MAX',
      );
      expect(isChanged).to.equal(round > 0);
      await writeFifo(file, event('a', `w${round} same`));
      const stats = await readAll(consumer, round + 1);
      expect(stats.accepted).to.equal(round + 1);
      const words = await consumer.get('/events/countWords');
      expect(
        Object.values(words).reduce((sum, count) => sum + count, 0) + stats.words.overflow,
      ).to.equal(2 * (round + 1));
      await consumer.end('SIGKILL');
    }
  });

  describe('the files', () => {
    /** A state of two events in a journal and none in a checkpoint; killed. */
    const leave = async (env: Readonly<Record<string, string>> = {}) => {
      const file = fifo();
      const consumer = await start({ CHECKPOINT_INTERVAL: '1h', ...env });
      for (const [i, type] of ['a', 'b', 'c'].entries()) {
        await writeFifo(file, event(type));
        await readAll(consumer, i + 1);
      }
      await consumer.end('SIGKILL');
      return files('journal').at(-1) as string;
    };

    it('may have a torn end, which is cut and logged', async () => {
      const journal = await leave();
      fs.truncateSync(journal, fs.statSync(journal).size - 3);
      const consumer = await start();
      await consumer.waitFor(() => true);
      expect(await types(consumer)).to.deep.equal({ a: 1, b: 1 });
      const cut = await consumer.waitForLog(/torn end/);
      expect(cut.cutBytes).to.be.a('number').and.to.be.above(0);
      await consumer.end('SIGKILL');
      const again = await start();
      await again.waitFor(() => true);
      expect(await types(again)).to.deep.equal({ a: 1, b: 1 });
    });

    const damages: readonly [what: string, damage: (file: string) => void, message: RegExp][] = [
      [
        'a damaged middle',
        (file) => {
          const bytes = fs.readFileSync(file);
          bytes[40]! ^= 1;
          fs.writeFileSync(file, bytes);
        },
        /journal-000001: the record at byte 22 of \d+ is damaged/,
      ],
      [
        'an unknown version',
        (file) => {
          const bytes = fs.readFileSync(file);
          bytes[20] = '1'.charCodeAt(0);
          fs.writeFileSync(file, bytes);
        },
        /journal-000001: it is of version 1; this program reads version 2/,
      ],
    ];
    for (const [what, damage, message] of damages) {
      it(`with ${what} stop the start, with the way out, and stay as they are`, async () => {
        const journal = await leave();
        damage(journal);
        const bytes = fs.readFileSync(journal);
        const { exitCode, stderr } = await run();
        expect(exitCode).to.equal(1);
        expect(stderr).to.match(message);
        expect(stderr).to.include('node consumer/dist/state.js repair keeps all that is provably');
        expect(stderr).to.include(`removing STATE_DIR, ${stateDir()}, begins anew`);
        expect(fs.readFileSync(journal)).to.deep.equal(bytes);
      });
    }

    it('do without the newest checkpoint where that is damaged, and say so', async () => {
      const file = fifo();
      for (const [i, type] of ['a', 'b', 'c'].entries()) {
        const consumer = await start();
        await writeFifo(file, event(type));
        await readAll(consumer, i + 1);
        await consumer.end('SIGTERM');
      }
      const newest = files('checkpoint').at(-1) as string;
      const bytes = fs.readFileSync(newest);
      bytes[bytes.length >> 1]! ^= 1;
      fs.writeFileSync(newest, bytes);
      const consumer = await start();
      await consumer.waitFor(() => true);
      expect(await types(consumer)).to.deep.equal({ a: 1, b: 1, c: 1 });
      const told = await consumer.waitForLog(/not whole/);
      expect(told.skipped).to.deep.equal([newest]);
      await writeFifo(file, event('d'));
      await readAll(consumer, 4);
      await consumer.end('SIGKILL');
      const again = await start();
      await again.waitFor(() => true);
      expect(await types(again)).to.deep.equal({ a: 1, b: 1, c: 1, d: 1 });
    });

    it('without state.json are not taken for nothing', async () => {
      await leave();
      fs.rmSync(path.join(stateDir(), 'state.json'));
      const { exitCode, stderr } = await run();
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(/state\.json is missing, and there are counts/);
    });

    it('stay few, however often a consumer is started and killed', async () => {
      await leave();
      for (let i = 0; i < 3; i++) {
        const consumer = await start({ CHECKPOINT_INTERVAL: '1h' });
        await consumer.waitFor(() => true);
        await consumer.end('SIGKILL');
      }
      expect(files('journal')).to.have.lengthOf(1);
      expect(files('checkpoint')).to.have.lengthOf(0);
    });
  });

  describe('refuses', () => {
    it('counts of other fields, and says which', async () => {
      const first = await start();
      await first.waitFor(() => true);
      await first.end('SIGTERM');
      const { exitCode, stderr } = await run({ EVENT_TYPE_FIELD: 'kind.sort' });
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(/EVENT_TYPE_FIELD was event_type, is kind\.sort/);
      expect(stderr).to.include(stateDir());
      await start();
    });

    for (const [variable, other] of [
      ['STATE_DIR', () => ({ FIFO_DIR: path.join(dir.path, 'other') })],
      ['FIFO_DIR', () => ({ STATE_DIR: path.join(dir.path, 'other') })],
    ] as const) {
      it(`to be the second on ${variable}, naming the first, until that is killed`, async () => {
        const first = await start();
        const { exitCode, stderr } = await run(other());
        expect(exitCode).to.equal(1);
        expect(stderr).to.match(
          new RegExp(
            `^event-tally: another consumer has ${variable}, .*: process ${first.pid} on `,
          ),
        );
        await first.end('SIGKILL');
        const next = await startConsumer(fifoDir(), environment(other()));
        await next.waitFor(() => true);
      });
    }

    it('to be the second also where the first is halted', async () => {
      const first = await start();
      process.kill(first.pid, 'SIGSTOP');
      const { exitCode, stderr } = await run();
      process.kill(first.pid, 'SIGCONT');
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(/another consumer has FIFO_DIR, .*: a process that does not answer/);
    });
  });
});
