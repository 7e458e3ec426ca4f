import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { CONNECTION_LIMITS } from '#consumer/http/connections.js';
import { type ConsumerProcess, endConsumers, startConsumer } from '../support/consumer-process.js';
import { event, makeFifo, writeFifo } from '../support/fifo-writer.js';
import { samples } from '../support/metrics.js';
import { useTempDir } from '../support/temp-dir.js';

const WAIT = { interval: 20, timeout: 60_000 };
const SOCKETS = 10_000;
/** Opened before the event loop has its turn: fewer than the kernel lets wait for the server. */
const AT_ONCE = 100;
/** The one that listens, and some to spare. */
const OTHER_SOCKETS = 8;
const REQUEST = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n';

/** Over a connection of its own, as a client that comes now. */
function ask({ port }: ConsumerProcess, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      response
        .setEncoding('utf8')
        .toArray()
        .then((parts) => resolve(parts.join('')), reject);
    });
    request.on('error', reject);
  });
}

/** Sockets that a process has open. It stands still meanwhile: a list that changes has more than there are. */
async function openSockets(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  process.kill(pid, 'SIGSTOP');
  try {
    await pWaitFor(() => stateOf(pid) === 'T', { interval: 1 });
    return fs.readdirSync(folder).filter((name) => {
      try {
        return fs.readlinkSync(`${folder}/${name}`).startsWith('socket:');
      } catch {
        return false; // another thread had not stopped yet, and closed it
      }
    }).length;
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Of its main thread: proc(5). */
function stateOf(pid: number): string | undefined {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2)[0];
}

describe('10,000 connections', function () {
  this.timeout(300_000);
  const dir = useTempDir();
  let consumer: ConsumerProcess;
  let sockets: Set<net.Socket>;
  beforeEach(async () => {
    makeFifo(`${dir.path}/a.fifo`);
    consumer = await startConsumer(dir.path);
    sockets = new Set();
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await endConsumers();
  });

  for (const [what, text] of [
    ['send nothing', ''],
    ['never end their headers', REQUEST],
    ['ask once and stay', `${REQUEST}\r\n`],
  ] as const) {
    it(`that ${what} keep nobody out, and are no more than ${CONNECTION_LIMITS.connectionsMax} at once`, async () => {
      let served = 0;
      for (let opened = 0; opened < SOCKETS; opened += AT_ONCE) {
        for (let i = 0; i < AT_ONCE; i++) {
          const socket = net.connect(consumer.port, '127.0.0.1');
          sockets.add(socket);
          socket.on('error', () => {});
          socket.on('close', () => sockets.delete(socket));
          if (text !== '') socket.write(text);
        }
        await nextTurn();
        if (opened % 1000 === 0) {
          expect(JSON.parse(await ask(consumer, '/livez'))).to.deep.equal({ status: 'alive' });
          served++;
        }
        expect(await openSockets(consumer.pid)).to.be.at.most(
          CONNECTION_LIMITS.connectionsMax + OTHER_SOCKETS,
        );
      }
      expect(served).to.equal(10);
      await writeFifo(`${dir.path}/a.fifo`, event('counted'));
      await pWaitFor(
        async () => (await ask(consumer, '/events/countByEventType')).includes('counted'),
        WAIT,
      );
      const metrics = samples(await ask(consumer, '/metrics'));
      expect(metrics.get('event_tally_http_connections')).to.be.at.most(
        CONNECTION_LIMITS.connectionsMax,
      );
      const closed = metrics.get('event_tally_http_connections_closed_total{reason="full"}');
      expect(closed).to.be.at.least(1);
    });
  }
});
