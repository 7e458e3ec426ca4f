import http from 'node:http';
import net from 'node:net';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { endConsumers, startConsumer } from '../../support/consumer-process.js';
import { event, makeFifo, writeFifo } from '../../support/fifo-writer.js';
import { samples } from '../../support/metrics.js';
import { closeStreams, StreamReader } from '../../support/stream-reader.js';
import { useTempDir } from '../../support/temp-dir.js';

const WAIT = { interval: 20, timeout: 60_000 };
const CLIENTS = 100;
const WORDS = 10_000;
const WORD_LENGTH = 100;
/** About as long as a frame of all words is. */
const FRAME_MEBIBYTES = (WORDS * (WORD_LENGTH + 20)) / 2 ** 20;
const SKIPPED = 500;

const statusOf = (port: number, path: string) =>
  new Promise<number>((resolve, reject) => {
    http
      .get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
        resolve(response.statusCode as number);
        response.destroy();
      })
      .on('error', reject);
  });

describe('as many streams as may be, none of which is read', function () {
  this.timeout(300_000);
  const dir = useTempDir();
  const sockets: net.Socket[] = [];
  afterEach(async () => {
    closeStreams();
    for (const socket of sockets.splice(0)) socket.destroy();
    await endConsumers();
  });

  it('hold a frame each at most, and nobody up', async () => {
    const fifo = `${dir.path}/a.fifo`;
    makeFifo(fifo);
    const consumer = await startConsumer(dir.path, { LINE_BYTES_MAX: '1048576' });
    const words = Array.from({ length: WORDS }, (_, i) => `${i}`.padEnd(WORD_LENGTH, 'x'));
    for (let i = 0; i < WORDS; i += 1000) {
      await writeFifo(fifo, event('a', words.slice(i, i + 1000).join(' ')));
    }
    await consumer.waitFor(({ accepted }) => accepted === WORDS / 1000);
    const reader = await StreamReader.open(consumer.port, '?of=types&interval=250ms');
    await reader.waitFor();
    const before = consumer.residentMebibytes().now;

    const target = `/events/stream?of=words&limit=${WORDS}&interval=250ms`;
    for (let i = 1; i < CLIENTS; i++) {
      const socket = net.connect(consumer.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      sockets.push(socket);
    }
    const metric = async (name: string) => {
      const response = await fetch(`http://127.0.0.1:${consumer.port}/metrics`);
      return samples(await response.text()).get(`event_tally_stream_${name}`) ?? 0;
    };
    await pWaitFor(async () => (await metric('clients')) === CLIENTS, WAIT);
    let accepted = WORDS / 1000;
    while ((await metric('frames_skipped_total')) < SKIPPED) {
      await writeFifo(fifo, event('a', words[0]));
      accepted++;
      await reader.waitFor(({ stats }) => stats.accepted === accepted);
      expect(await statusOf(consumer.port, '/events/stream')).to.equal(503);
      expect(await statusOf(consumer.port, '/events/countByEventType')).to.equal(200);
    }
    const growth = consumer.residentMebibytes().peak - before;
    expect(growth).to.be.below(CLIENTS * FRAME_MEBIBYTES);
    expect(reader.hasEnded).to.equal(false);
  });
});
