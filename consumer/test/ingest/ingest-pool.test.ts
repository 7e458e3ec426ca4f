import fs from 'node:fs';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { IngestUnavailableError } from '#consumer/ingest/ingest-client.js';
import { IngestPool } from '#consumer/ingest/ingest-pool.js';
import type { Log } from '#consumer/log.js';
import type { ScannerChoice } from '#consumer/scan/scanners.js';
import type { KeyKind } from '#consumer/tally/key-table.js';
import { event, holdFifo, makeFifo, writeFifo } from '../support/fifo-writer.js';
import { POOL_OPTIONS } from '../support/pool-options.js';
import { Service } from '../support/service.js';

/** A kind of key that does not exist: the ingest thread takes it for a broken invariant and ends. */
const POISON = 'nonsense' as KeyKind;

describe('IngestPool', () => {
  let service: Service;
  beforeEach(async () => {
    service = new Service({ started: false, eventTypesMax: 3, wordsMax: 3 });
    await service.open();
  });
  afterEach(() => service.close());

  const readiness = async () => (await service.fetch('/readyz')).status;
  const errors = () => service.log.filter(([level]) => level === 'error');
  const causes = () => errors().map(([, , fields]) => (fields as { cause: string }).cause);
  /** Ends the first thread. */
  const crash = async () => {
    const error = await service.ingest.counts(POISON, null).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(IngestUnavailableError);
  };

  it('is not ready before it is started, and refuses questions', async () => {
    expect(await readiness()).to.equal(503);
    expect(await service.ingest.stats().catch((error: unknown) => error)).to.be.instanceOf(
      IngestUnavailableError,
    );
  });

  it('gives keys with their counts, whichever answers brought the keys', async () => {
    service.ingest.start();
    await service.read(event('foo', 'x y x'));
    const [once, twice] = await Promise.all([
      service.ingest.counts('words', null),
      service.ingest.counts('words', null),
    ]);
    expect(once.keys).to.have.deep.members([
      { key: 'x', count: 2 },
      { key: 'y', count: 1 },
    ]);
    expect(once.overflow).to.equal(null);
    expect(twice).to.deep.equal(once);
    await service.read(event('bar', 'z z w v'));
    const { keys, overflow } = await service.ingest.counts('words', null);
    expect(keys).to.have.deep.members([
      { key: 'x', count: 2 },
      { key: 'y', count: 1 },
      { key: 'z', count: 2 },
    ]);
    expect(overflow, 'w and v are past the cap').to.include({ count: 2 });
  });

  it('has a moment that stays as long as nothing changes', async () => {
    const { ingest } = service;
    expect(ingest.moment).to.equal(null);
    ingest.start();
    await service.read(event('a'));
    const moments = [ingest.moment];
    await ingest.counts('types', null);
    expect(ingest.moment).to.be.a('string').and.to.equal(moments[0]);
    await service.read(event('b'));
    moments.push(ingest.moment);
    await crash();
    expect(ingest.moment).to.equal(null);
    await pWaitFor(() => ingest.state === 'running');
    moments.push(ingest.moment);
    expect(moments).not.to.include(null);
    expect(new Set(moments)).to.have.lengthOf(3);
  });

  it('tells how long threads have been answering', async () => {
    const { ingest } = service;
    ingest.start();
    await service.read(event('a'));
    const before = ingest.answeringMs;
    await ingest.counts('types', null);
    expect(ingest.answeringMs).to.be.above(before);
  });

  context('when the thread ends by an exception', () => {
    it('fails readiness, logs the cause once, and starts it again', async () => {
      service.ingest.start();
      await pWaitFor(async () => (await readiness()) === 200);
      await crash();
      expect(service.ingest.state).to.equal('restarting');
      expect(await readiness()).to.equal(503);
      await pWaitFor(async () => (await readiness()) === 200);
      expect(causes()).to.have.lengthOf(1);
      expect(causes()[0]).to.match(/^TypeError/);
      expect(service.ingest.lastEnd).to.equal(causes()[0]);
    });

    it('waits longer each time', async () => {
      service.ingest.start();
      for (const _ of [1, 2, 3]) {
        await pWaitFor(() => service.ingest.state === 'running');
        await crash();
      }
      const delays = errors().map(([, , fields]) => (fields as { delayMs: number }).delayMs);
      expect(delays).to.deep.equal([100, 200, 400]);
    });

    it('goes on reading the FIFO afterwards, and leaves no descriptor behind', async () => {
      const fifo = service.file('a.fifo');
      makeFifo(fifo);
      service.ingest.start();
      for (const _ of [1, 2]) {
        await pWaitFor(() => service.ingest.state === 'running');
        await crash();
      }
      await pWaitFor(() => service.ingest.state === 'running');
      await writeFifo(fifo, event('after'));
      await pWaitFor(async () => (await service.ingest.stats()).accepted === 1);
      const open = fs
        .readdirSync('/proc/self/fd')
        .filter((descriptor) => linkOf(descriptor) === fifo);
      expect(open).to.have.lengthOf(1);
    });
  });

  context('when the thread runs out of memory', () => {
    it('is started again', async () => {
      const { directory } = service;
      const log: [level: string, ...unknown[]][] = [];
      const options = {
        ...POOL_OPTIONS,
        fifoDir: directory,
        wordsMax: 5_000_000,
        keyBytesMax: 1000,
      };
      const ingest = new IngestPool(options, (...line) => log.push(line), null, {
        maxOldGenerationSizeMb: 24,
      });
      const fifo = service.file('a.fifo');
      makeFifo(fifo);
      ingest.start();
      const held = holdFifo(fifo); // or the writer would die with the thread
      for (let round = 0; !log.some(([level]) => level === 'error'); round++) {
        const words = Array.from({ length: 100 }, (_, i) => `${'w'.repeat(900)}${round}-${i}`);
        await writeFifo(fifo, words.map((word) => event('a', word)).join(''));
      }
      fs.closeSync(held);
      expect(log.find(([level]) => level === 'error')?.[2])
        .to.have.property('cause')
        .that.match(/memory/i);
      await pWaitFor(() => ingest.state === 'running');
      await ingest.stop();
    });
  });

  context('when there is no memory for the SIMD scanner', () => {
    // Tables of more than the 4 GiB that a WebAssembly module can have.
    const bounds = { eventTypesMax: 15_000_000, wordsMax: 15_000_000 };
    const start = (scanner: ScannerChoice) => {
      const log: Parameters<Log>[] = [];
      const options = { ...POOL_OPTIONS, ...bounds, scanner };
      const ingest = new IngestPool(options, (...line) => log.push(line), null);
      ingest.start();
      return { ingest, log };
    };

    it('has the reference scanner where SCANNER is auto, as the log and the statistics tell', async () => {
      const { ingest, log } = start('auto');
      await pWaitFor(() => ingest.state === 'running');
      expect((await ingest.stats()).scanner.name).to.equal('reference');
      await ingest.stop();
      expect(log.map(([level]) => level)).to.deep.equal(['warn']);
      expect(log[0]?.[1]).to.match(/no memory for the SIMD scanner/);
    });

    it('says what to do where SCANNER is simd', async () => {
      const { ingest, log } = start('simd');
      await pWaitFor(() => log.length > 0);
      await ingest.stop();
      expect(log[0]?.[2])
        .to.have.property('cause')
        .that.matches(/lower WORDS_MAX.*SCANNER to auto/);
    });
  });

  context('when it is told to stop', () => {
    it('answers what was asked before', async () => {
      service.ingest.start();
      await pWaitFor(() => service.ingest.state === 'running');
      const answer = service.ingest.stats();
      await service.ingest.stop();
      expect((await answer).lines).to.equal(0);
      expect(await service.ingest.stats().catch((error: unknown) => error)).to.be.instanceOf(
        IngestUnavailableError,
      );
    });

    it('does not start the thread again', async () => {
      service.ingest.start();
      await pWaitFor(() => service.ingest.state === 'running');
      await crash();
      await service.ingest.stop();
      expect(service.ingest.state).to.equal('stopped');
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
