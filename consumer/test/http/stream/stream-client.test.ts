import { once } from 'node:events';
import http from 'node:http';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { type HttpServer, listen } from '#consumer/http/server.js';
import { StreamClient } from '#consumer/http/stream/stream-client.js';

const MEBIBYTE = 2 ** 20;

describe('StreamClient', () => {
  let server: HttpServer;
  let respond: (response: http.ServerResponse) => void;
  let request: http.ClientRequest;
  before(async () => {
    server = await listen((_, response) => respond(response), '127.0.0.1', 0);
  });
  after(() => server.close());
  afterEach(() => request.destroy());

  async function connect() {
    const counts = { sent: 0, skipped: 0 };
    const responded = new Promise<http.ServerResponse>((resolve) => {
      respond = resolve;
    });
    request = http.get({ port: server.port, host: '127.0.0.1', agent: false });
    const response = await responded;
    const client = new StreamClient(response, {
      onSent: () => counts.sent++,
      onSkipped: () => counts.skipped++,
    });
    const [received] = (await once(request, 'response')) as [http.IncomingMessage];
    return { client, response, received, counts };
  }
  const frame = (content: string, size = 10) => ({ content, bytes: Buffer.alloc(size, content) });

  it('buffers one frame, however many there are that the client does not take', async () => {
    const { client, response, received, counts } = await connect();
    received.pause();
    const largest = { length: 0 };
    for (let i = 0; i < 500; i++) {
      client.deliver(frame(String.fromCodePoint(1000 + i), MEBIBYTE));
      largest.length = Math.max(largest.length, response.writableLength);
      // As between two intervals: the kernel takes what it can.
      await new Promise(setImmediate);
    }
    expect(counts.skipped).to.be.above(100);
    expect(largest.length).to.be.below(1.1 * MEBIBYTE);
  });

  it('gives a client up that took none of several heartbeats, and writes nothing to it', async () => {
    const { client, response, received, counts } = await connect();
    received.pause();
    received.on('error', () => {});
    for (let i = 0; !response.writableNeedDrain; i++) {
      client.deliver(frame(`${i}`, MEBIBYTE));
      await new Promise(setImmediate);
    }
    const { sent } = counts;
    for (let i = 0; !response.destroyed; i++) {
      expect(i).to.be.below(10);
      client.heartbeat();
    }
    client.deliver(frame('after'));
    client.heartbeat();
    client.end();
    expect(counts).to.deep.equal({ sent, skipped: 0 });
  });

  it('does not write what the client was sent already', async () => {
    const { client, counts } = await connect();
    for (const content of ['a', 'a', 'b', 'b', 'a']) client.deliver(frame(content));
    expect(counts).to.deep.equal({ sent: 3, skipped: 0 });
  });

  it('lets a client that reads have its last frame before the end', async () => {
    const { client, received } = await connect();
    client.deliver(frame('a'));
    client.end(Buffer.from('z'));
    expect((await received.toArray()).join('')).to.equal('aaaaaaaaaaz');
  });

  it('does not wait for one that does not', async () => {
    const { client, response, received } = await connect();
    received.pause();
    received.on('error', () => {});
    for (let i = 0; i < 50 && !response.writableNeedDrain; i++) {
      client.deliver(frame(String.fromCodePoint(1000 + i), 8 * MEBIBYTE));
      await new Promise(setImmediate);
    }
    client.end(Buffer.from('z'));
    await pWaitFor(() => response.closed, { interval: 10, timeout: 10_000 });
  });
});
