import fs from 'node:fs';
import path from 'node:path';
import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { createApp } from '#consumer/http/app.js';
import { type HttpServer, listen } from '#consumer/http/server.js';
import { IngestUnavailableError } from '#consumer/ingest/ingest-client.js';
import { IngestSupervisor } from '#consumer/ingest/supervisor.js';
import type { KeyKind } from '#consumer/tally/tally.js';
import { event, holdFifo, makeFifo, writeFifo } from '../support/fifo-writer.js';
import { useTempDir } from '../support/temp-dir.js';

/** A kind of key that does not exist: the ingest thread takes it for a broken invariant and ends. */
const POISON = 'nonsense' as KeyKind;

describe('IngestSupervisor', () => {
  const dir = useTempDir();
  const log: {
    level: string;
    message: string;
    fields?: Readonly<Record<string, unknown>> | undefined;
  }[] = [];
  let ingest: IngestSupervisor;
  let server: HttpServer;

  beforeEach(async () => {
    log.length = 0;
    ingest = new IngestSupervisor(
      {
        fifoDir: dir.path,
        mapping: DEFAULT_MAPPING,
        lineBytesMax: 1000,
        eventTypesMax: 3,
        wordsMax: 3,
        keyBytesMax: 16,
      },
      (level, message, fields) => log.push({ level, message, fields }),
    );
    server = await listen(createApp({ ingest, log: () => {} }).callback(), '127.0.0.1', 0);
  });
  afterEach(async () => {
    await ingest.stop();
    await server.close();
  });

  const readiness = async () => (await fetch(`http://127.0.0.1:${server.port}/readyz`)).status;
  const crash = async () => {
    const error = await ingest.counts(POISON).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(IngestUnavailableError);
  };

  it('is not ready before it is started, and refuses questions', async () => {
    expect(await readiness()).to.equal(503);
    expect(await ingest.stats().catch((error: unknown) => error)).to.be.instanceOf(
      IngestUnavailableError,
    );
  });

  it('gives keys with their counts, whichever answers brought the keys', async () => {
    makeFifo(path.join(dir.path, 'a.fifo'));
    ingest.start();
    const send = async (text: string, lines: number) => {
      await writeFifo(path.join(dir.path, 'a.fifo'), text);
      await pWaitFor(async () => (await ingest.stats()).lines === lines);
    };
    await send(event('foo', 'x y x'), 1);
    const [once, twice] = await Promise.all([ingest.counts('words'), ingest.counts('words')]);
    expect([...once.counts]).to.deep.equal([0, 2, 1]);
    expect(twice).to.deep.equal(once);
    await send(event('bar', 'z z w v'), 2);
    const { keys, counts } = await ingest.counts('words');
    expect(keys).to.deep.equal(['', 'x', 'y', 'z']);
    expect([...counts], 'w and v are past the cap').to.deep.equal([2, 2, 1, 2]);
  });

  context('when the thread ends by an exception', () => {
    it('fails readiness, logs the cause once, and starts it again', async () => {
      ingest.start();
      await pWaitFor(async () => (await readiness()) === 200);
      await crash();
      expect(ingest.state).to.equal('restarting');
      expect(await readiness()).to.equal(503);
      await pWaitFor(async () => (await readiness()) === 200);
      const ends = log.filter(({ level }) => level === 'error');
      expect(ends).to.have.lengthOf(1);
      expect(ends[0]?.fields?.cause).to.match(/^TypeError/);
      expect(ingest.lastEnd).to.equal(ends[0]?.fields?.cause);
    });

    it('waits longer each time', async () => {
      ingest.start();
      for (const _ of [1, 2, 3]) {
        await pWaitFor(() => ingest.state === 'running');
        await crash();
      }
      const delays = log
        .map(({ fields }) => fields?.delayMs)
        .filter((delay) => delay !== undefined);
      expect(delays).to.deep.equal([100, 200, 400]);
    });

    it('goes on reading the FIFO afterwards, and leaves no descriptor behind', async () => {
      const fifo = path.join(dir.path, 'a.fifo');
      makeFifo(fifo);
      ingest.start();
      for (const _ of [1, 2]) {
        await pWaitFor(() => ingest.state === 'running');
        await crash();
      }
      await pWaitFor(() => ingest.state === 'running');
      await writeFifo(fifo, event('after'));
      await pWaitFor(async () => (await ingest.stats()).accepted === 1);
      const open = fs
        .readdirSync('/proc/self/fd')
        .filter((descriptor) => linkOf(descriptor) === fifo);
      expect(open).to.have.lengthOf(1);
    });
  });

  context('when the thread runs out of memory', () => {
    it('is started again', async () => {
      await ingest.stop();
      ingest = new IngestSupervisor(
        {
          fifoDir: dir.path,
          mapping: DEFAULT_MAPPING,
          lineBytesMax: 1000,
          eventTypesMax: 3,
          wordsMax: 5_000_000,
          keyBytesMax: 1000,
        },
        (level, message, fields) => log.push({ level, message, fields }),
        { maxOldGenerationSizeMb: 24 },
      );
      const fifo = path.join(dir.path, 'a.fifo');
      makeFifo(fifo);
      ingest.start();
      const held = holdFifo(fifo); // or the writer would die with the thread
      for (let round = 0; !log.some(({ level }) => level === 'error'); round++) {
        const words = Array.from({ length: 100 }, (_, i) => `${'w'.repeat(900)}${round}-${i}`);
        await writeFifo(fifo, words.map((word) => event('a', word)).join(''));
      }
      fs.closeSync(held);
      expect(log.find(({ level }) => level === 'error')?.fields?.cause).to.match(/memory/i);
      await pWaitFor(() => ingest.state === 'running');
    });
  });

  context('when it is told to stop', () => {
    it('answers what was asked before', async () => {
      ingest.start();
      await pWaitFor(() => ingest.state === 'running');
      const answer = ingest.stats();
      await ingest.stop();
      expect((await answer).lines).to.equal(0);
      expect(await ingest.stats().catch((error: unknown) => error)).to.be.instanceOf(
        IngestUnavailableError,
      );
    });

    it('does not start the thread again', async () => {
      ingest.start();
      await pWaitFor(() => ingest.state === 'running');
      await crash();
      await ingest.stop();
      expect(ingest.state).to.equal('stopped');
      expect(await readiness()).to.equal(503);
    });
  });
});

function linkOf(descriptor: string): string | null {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return null; // closed since it was listed
  }
}
