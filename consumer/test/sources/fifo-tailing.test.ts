import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import {
  endConsumers,
  isRead,
  type StatsDocument,
  startConsumer,
} from '../support/consumer-process.js';
import { event, holdFifo, makeFifo, writeFifo } from '../support/fifo-writer.js';
import { useTempDir } from '../support/temp-dir.js';

const state = (stats: StatsDocument, name: string) =>
  stats.sources.find((source) => source.name === name)?.state;
const isTailed = ({ sources }: StatsDocument) =>
  sources.some((source) => source.name === 'events-a.fifo' && isRead(source));

describe('a consumer on real FIFOs', () => {
  const dir = useTempDir();
  const fifo = (name = 'events-a.fifo') => path.join(dir.path, name);
  afterEach(endConsumers);

  it('waits without a FIFO, and is ready', async () => {
    const consumer = await startConsumer(path.join(dir.path, 'made', 'by', 'the', 'consumer'));
    const stats = await consumer.waitFor(() => true);
    expect(stats.sources).to.deep.equal([]);
    expect(await consumer.get('/readyz')).to.include({ status: 'ready' });
    expect(fs.existsSync(path.join(dir.path, 'made/by/the/consumer'))).to.equal(true);
  });

  it('outlives any number of writers', async () => {
    makeFifo(fifo());
    const consumer = await startConsumer(dir.path);
    for (let i = 0; i < 5; i++) await writeFifo(fifo(), event('a', 'b c'));
    await consumer.waitFor(({ lines }) => lines === 5);
    expect(await consumer.get('/events/countByEventType')).to.deep.equal({ a: 5 });
    expect(await consumer.get('/events/countWords')).to.deep.equal({ b: 5, c: 5 });
  });

  it('tails a FIFO that comes later', async () => {
    const consumer = await startConsumer(dir.path);
    await consumer.waitFor(({ sources }) => sources.length === 0);
    makeFifo(fifo());
    await consumer.waitFor(isTailed);
    await writeFifo(fifo(), event('late'));
    await consumer.waitFor(({ accepted }) => accepted === 1);
  });

  it('leaves files of other names alone', async () => {
    makeFifo(fifo('events-a.fifo'));
    makeFifo(fifo('events-a.pipe'));
    const consumer = await startConsumer(dir.path);
    const { sources } = await consumer.waitFor((stats) => stats.sources.length > 0);
    expect(sources.map(({ name }) => name)).to.deep.equal(['events-a.fifo']);
  });

  it('tails two FIFOs at once and never mixes their lines', async () => {
    makeFifo(fifo('events-a.fifo'));
    makeFifo(fifo('events-b.fifo'));
    const consumer = await startConsumer(dir.path);
    const a = event('a').repeat(20_000);
    const b = event('b').repeat(20_000);
    await Promise.all([writeFifo(fifo('events-a.fifo'), a), writeFifo(fifo('events-b.fifo'), b)]);
    const stats = await consumer.waitFor(({ lines }) => lines === 40_000);
    expect(stats.accepted).to.equal(40_000);
    expect(stats.sources.map(({ lines }) => lines)).to.deep.equal([20_000, 20_000]);
  });

  it('counts the torn tail of a killed writer apart from the next first line', async () => {
    makeFifo(fifo());
    const consumer = await startConsumer(dir.path);
    const killed = execa(
      'sh',
      ['-c', 'exec > "$0"; printf %s "$1"; kill -9 $$', fifo(), `${event('a')}{"event_ty`],
      { reject: false },
    );
    expect((await killed).signal).to.equal('SIGKILL');
    await writeFifo(fifo(), `\n${event('b')}`); // the LF is the entrypoint's, before each run
    const stats = await consumer.waitFor(({ lines }) => lines === 3);
    expect(stats).to.deep.include({
      accepted: 2,
      rejected: { too_long: 0, not_json: 1, not_an_event: 0 },
    });
  });

  it('accounts for every LF of random bytes', async () => {
    makeFifo(fifo());
    const consumer = await startConsumer(dir.path);
    const bytes = await execa('head', ['-c', '2000000', '/dev/urandom'], { encoding: 'buffer' });
    await writeFifo(fifo(), bytes.stdout);
    const stats = await consumer.waitFor(({ bytes: read }) => read === 2_000_000);
    const { too_long, not_json, not_an_event } = stats.rejected;
    expect(stats.lines).to.equal(bytes.stdout.filter((byte) => byte === 10).length);
    expect(stats.lines).to.equal(stats.accepted + stats.blank + too_long + not_json + not_an_event);
  });

  it('loses nothing of what is in the pipe when it is killed, while a producer holds the pipe', async () => {
    makeFifo(fifo());
    const held = holdFifo(fifo());
    const first = await startConsumer(dir.path);
    await writeFifo(fifo(), event('before'));
    await first.waitFor(({ lines }) => lines === 1);
    await first.end('SIGKILL');

    // More than a pipe holds: the writer blocks until there is a reader again.
    const writer = writeFifo(fifo(), event('after').repeat(10_000));
    const second = await startConsumer(dir.path);
    await writer;
    await second.waitFor(({ lines }) => lines === 10_000);
    expect(await second.get('/events/countByEventType')).to.deep.equal({ after: 10_000 });
    fs.closeSync(held);
  });

  it('reads a quiet FIFO while another one is flooded', async () => {
    makeFifo(fifo('events-a.fifo'));
    makeFifo(fifo('events-b.fifo'));
    const consumer = await startConsumer(dir.path);
    const flood = execa(
      'sh',
      ['-c', 'exec yes "$1" > "$0"', fifo('events-a.fifo'), event('a').trim()],
      { reject: false },
    );
    const linesOf = (stats: StatsDocument, name: string) =>
      stats.sources.find((source) => source.name === name)?.lines ?? 0;
    await consumer.waitFor((stats) => linesOf(stats, 'events-a.fifo') > 10_000);
    for (let i = 1; i <= 5; i++) {
      await writeFifo(fifo('events-b.fifo'), event('b'));
      const before = await consumer.waitFor((stats) => linesOf(stats, 'events-b.fifo') === i);
      await consumer.waitFor((stats) => stats.lines > before.lines); // the flood goes on
    }
    flood.kill();
    await flood;
  });

  context('when a FIFO is removed', () => {
    it('reads what its writer still writes, then lets it go', async () => {
      makeFifo(fifo());
      const writer = holdFifo(fifo());
      const consumer = await startConsumer(dir.path);
      await consumer.waitFor(isTailed);
      fs.rmSync(fifo());
      await consumer.waitFor((stats) => state(stats, 'events-a.fifo') === 'gone');
      fs.writeSync(writer, event('still here'));
      await consumer.waitFor(({ accepted }) => accepted === 1);
      fs.closeSync(writer);
      await consumer.waitFor(() => pipeDescriptors(consumer.pid, fifo()).length === 0);
    });

    it('tails the one that takes its place', async () => {
      makeFifo(fifo());
      const consumer = await startConsumer(dir.path);
      await writeFifo(fifo(), event('old'));
      await consumer.waitFor(({ lines }) => lines === 1);
      fs.rmSync(fifo());
      makeFifo(fifo());
      // A writer that no reader is there for yet waits for one.
      await writeFifo(fifo(), event('new'));
      const stats = await consumer.waitFor(({ lines }) => lines === 2);
      expect(stats.sources).to.have.lengthOf(1);
    });
  });

  context('when a FIFO is renamed while it is written to', () => {
    it('reads it once, under its new name, and tears no line', async () => {
      makeFifo(fifo());
      const held = holdFifo(fifo());
      const consumer = await startConsumer(dir.path, { INGEST_WORKERS: '2' });
      await consumer.waitFor((stats) => state(stats, 'events-a.fifo') === 'open');
      fs.renameSync(fifo(), fifo('events-b.fifo'));
      await consumer.waitFor((stats) => state(stats, 'events-b.fifo') === 'open');
      await writeFifo(fifo('events-b.fifo'), event('a', 'b c d').repeat(50_000));
      const stats = await consumer.waitFor(
        ({ bytes }) => bytes === event('a', 'b c d').length * 50_000,
      );
      expect(stats.accepted).to.equal(50_000);
      fs.closeSync(held);
    });
  });

  context('when one FIFO has two names', () => {
    it('reads it under one, and tells so of the other', async () => {
      makeFifo(fifo());
      const consumer = await startConsumer(dir.path);
      await consumer.waitFor((stats) => state(stats, 'events-a.fifo') === 'open');
      fs.linkSync(fifo(), fifo('events-b.fifo'));
      const { sources } = await consumer.waitFor(
        (stats) => state(stats, 'events-b.fifo') === 'failed',
      );
      expect(sources[1])
        .to.have.property('reason')
        .that.matches(/same FIFO as events-a\.fifo/);
      await writeFifo(fifo('events-b.fifo'), event('a').repeat(10_000));
      const stats = await consumer.waitFor(({ lines }) => lines >= 10_000);
      expect(stats.accepted).to.equal(10_000);
    });
  });

  context('when something else has the name', () => {
    it('tells so, and heals once a FIFO is there', async () => {
      fs.writeFileSync(fifo(), event('lost'));
      const consumer = await startConsumer(dir.path);
      await consumer.waitFor((stats) => state(stats, 'events-a.fifo') === 'not_a_fifo');
      fs.rmSync(fifo());
      makeFifo(fifo());
      await consumer.waitFor(isTailed);
      expect(consumer.log.filter(({ msg }) => msg === 'not a FIFO')).to.have.lengthOf(1);
    });
  });
});

/** Open descriptors of a process that are this FIFO, removed or not. */
function pipeDescriptors(pid: number, file: string): string[] {
  const folder = `/proc/${pid}/fd`;
  return fs.readdirSync(folder).filter((descriptor) => {
    try {
      return fs.readlinkSync(path.join(folder, descriptor)).startsWith(file);
    } catch {
      return false; // closed since it was listed
    }
  });
}
