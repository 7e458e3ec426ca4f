/** Writers that are slow, endless, many or of strange names, and two on one FIFO. */
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import pWaitFor from 'p-wait-for';
import {
  type ConsumerProcess,
  endConsumers,
  isRead,
  type StatsDocument,
  startConsumer,
} from '../support/consumer-process.js';
import { event, holdFifo, makeFifo, writeFifo } from '../support/fifo-writer.js';
import { samples } from '../support/metrics.js';
import { useTempDir } from '../support/temp-dir.js';

const MEBIBYTE = 2 ** 20;
const ENDLESS_BYTES = 256 * MEBIBYTE;

const rejectedIn = ({ rejected }: StatsDocument) =>
  rejected.too_long + rejected.not_json + rejected.not_an_event;

describe('writers to FIFOs', () => {
  const dir = useTempDir();
  const fifo = (name = 'events-a.fifo') => path.join(dir.path, name);
  const held = new Set<number>();
  let consumer: ConsumerProcess;
  let openAtFirst: readonly string[];

  beforeEach(async () => {
    consumer = await startConsumer(dir.path);
    await consumer.waitFor(() => true);
    openAtFirst = consumer.descriptors();
  });
  afterEach(endConsumers);
  afterEach(() => {
    for (const descriptor of held) fs.closeSync(descriptor);
    held.clear();
  });

  const hold = (name?: string) => {
    const descriptor = holdFifo(fifo(name));
    held.add(descriptor);
    return descriptor;
  };

  async function expectNoDescriptorLeft(): Promise<void> {
    for (const descriptor of held) fs.closeSync(descriptor);
    held.clear();
    execaSync('find', [dir.path, '-name', '*.fifo', '-delete']);
    await pWaitFor(() => consumer.descriptors().join() === openAtFirst.join(), {
      interval: 20,
      timeout: 20_000,
    });
  }

  it('that write byte by byte are read byte by byte, and an event counts with its LF', async () => {
    makeFifo(fifo());
    const writer = hold();
    const line = event('slow', 'ly');
    for (const [i, byte] of Buffer.from(line).entries()) {
      fs.writeSync(writer, Uint8Array.of(byte));
      const { lines, accepted } = await consumer.waitFor(({ bytes }) => bytes === i + 1);
      const isWhole = i + 1 === line.length;
      expect([lines, accepted]).to.deep.equal(isWhole ? [1, 1] : [0, 0]);
    }
    expect(await consumer.get('/events/countWords')).to.deep.equal({ ly: 1 });
    await expectNoDescriptorLeft();
  });

  it('that never write an LF are read on, and take no memory; the line is one that is too long', async () => {
    makeFifo(fifo());
    await writeFifo(fifo(), event('before'));
    await consumer.waitFor(({ lines }) => lines === 1);
    const { now } = consumer.residentMebibytes();
    await execa('sh', ['-c', 'exec head -c "$1" /dev/zero > "$0"', fifo(), `${ENDLESS_BYTES}`]);
    const read = await consumer.waitFor(
      ({ bytes }) => bytes === event('before').length + ENDLESS_BYTES,
    );
    expect(read.lines).to.equal(1);
    await writeFifo(fifo(), `\n${event('after')}`);
    const { accepted, rejected } = await consumer.waitFor(({ lines }) => lines === 3);
    expect(accepted).to.equal(2);
    expect(rejected).to.deep.equal({ too_long: 1, not_json: 0, not_an_event: 0 });
    const { peak } = consumer.residentMebibytes();
    expect((peak - now) * MEBIBYTE, 'growth').to.be.below(ENDLESS_BYTES / 2);
    await expectNoDescriptorLeft();
  });

  it('that are two hundred at once, on a FIFO each, are all read and all counted', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `events-${i}.fifo`);
    execaSync('mkfifo', names.map(fifo));
    await consumer.waitFor(({ sources }) => sources.length === 200 && sources.every(isRead));
    expect(consumer.descriptors()).to.have.lengthOf(openAtFirst.length + 200);
    const writers = names.map((name) => hold(name));
    for (const [i, writer] of writers.entries()) fs.writeSync(writer, event(`${i}`).repeat(i + 1));
    const stats = await consumer.waitFor(({ lines }) => lines === (200 * 201) / 2);
    for (const { name, lines } of stats.sources) expect(names.indexOf(name) + 1).to.equal(lines);
    const counts = await consumer.get('/events/countByEventType');
    for (const i of names.keys()) expect(counts[i]).to.equal(i + 1);
    await expectNoDescriptorLeft();
  });

  context('when names are not UTF-8', () => {
    const names: [octal: string, shown: string][] = [
      ['events-\\377.fifo', 'events-\\xff.fifo'],
      ['events-\\376.fifo', 'events-\\xfe.fifo'],
      ['events-\\303\\274-\\377.fifo', 'events-\\xc3\\xbc-\\xff.fifo'],
      ['events-\\303\\274.fifo', 'events-ü.fifo'],
      ['events-\\\\xff.fifo', 'events-\\\\xff.fifo'],
    ];

    it('reads each as itself, and shows an escape for what is no text', async () => {
      const script = 'f="$0/$(printf "$1")" && mkfifo "$f" && printf "$2\\n" > "$f"';
      for (const [i, [octal]] of names.entries()) {
        await execa('sh', ['-c', script, dir.path, octal, event(`${i}`).trim()]);
      }
      const stats = await consumer.waitFor(({ lines }) => lines === names.length);
      const shown = names.map(([, name]) => name).sort();
      expect(stats.sources.map(({ name }) => name).sort()).to.deep.equal(shown);
      expect(stats.sources.map(({ lines }) => lines)).to.deep.equal(names.map(() => 1));
      expect(stats.accepted).to.equal(names.length);
      const { checks } = await consumer.waitForReadiness(({ status }) => status === 200);
      for (const name of shown) expect(checks[`source ${name}`]).to.deep.equal({ ok: true });
      const response = await fetch(`http://127.0.0.1:${consumer.port}/metrics`);
      const metrics = samples(await response.text());
      const label = 'events-\\\\xff.fifo';
      expect(metrics.get(`event_tally_lines_total{source="${label}"}`)).to.equal(1);
      await expectNoDescriptorLeft();
      await consumer.waitFor(({ sources }) => sources.every(({ state }) => state === 'gone'));
    });
  });

  context('when two write to one FIFO', () => {
    const isWholeAccount = (stats: StatsDocument) =>
      expect(stats.lines).to.equal(stats.accepted + stats.blank + rejectedIn(stats));

    it('every LF is one line, whatever is torn', async () => {
      makeFifo(fifo());
      const write = (type: string) =>
        execa('sh', [
          '-c',
          'yes "$1" | head -n 20000 > "$0"',
          fifo(),
          event(type, 'some words that make a line of sixty bytes').trim(),
        ]);
      await Promise.all([write('a'), write('b')]);
      const stats = await consumer.waitFor(({ lines }) => lines === 40_000);
      isWholeAccount(stats);
      await expectNoDescriptorLeft();
    });

    it('counts a line in a line as two that are rejected, and the next as what it is', async () => {
      makeFifo(fifo());
      const [one, other] = [hold(), hold()];
      fs.writeSync(one, '{"event_type":"torn","data":"');
      fs.writeSync(other, event('in between'));
      fs.writeSync(one, `words","timestamp":1}\n`);
      fs.writeSync(other, event('whole'));
      const stats = await consumer.waitFor(({ lines }) => lines === 3);
      expect(stats).to.include({ accepted: 1, blank: 0 });
      expect(stats.rejected).to.deep.equal({ too_long: 0, not_json: 2, not_an_event: 0 });
      expect(await consumer.get('/events/countByEventType')).to.deep.equal({ whole: 1 });
      await expectNoDescriptorLeft();
    });

    it('cannot tell an event from one that is made of two halves', async () => {
      makeFifo(fifo());
      const [one, other] = [hold(), hold()];
      fs.writeSync(one, '{"event_type":"one","data":"half ');
      fs.writeSync(other, 'of another","timestamp":1}\n');
      fs.writeSync(one, 'left over","timestamp":1}\n');
      const stats = await consumer.waitFor(({ lines }) => lines === 2);
      expect(stats).to.include({ accepted: 1, blank: 0 });
      expect(stats.rejected).to.deep.equal({ too_long: 0, not_json: 1, not_an_event: 0 });
      await expectNoDescriptorLeft();
    });
  });
});
