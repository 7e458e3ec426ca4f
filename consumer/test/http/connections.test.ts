import { once } from 'node:events';
import type http from 'node:http';
import net from 'node:net';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { type ConnectionLimits, Connections } from '#consumer/http/connections.js';
import { type HttpServer, listen, type ServerLimits } from '#consumer/http/server.js';
import { parseAnswers } from '../support/raw-http.js';

const WAIT = { interval: 5, timeout: 20_000 };
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const MEBIBYTE = 2 ** 20;
/** More than the kernel takes for a client that does not read. */
const LARGE = 16 * MEBIBYTE;

/** A client that sends what it is told to, and reads only then. */
class Client {
  readonly socket: net.Socket;
  text = '';
  isClosed = false;

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1').setEncoding('latin1');
    this.socket.on('error', () => {}); // told by isClosed
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  send(text: string): this {
    this.socket.write(text);
    return this;
  }

  read(): this {
    this.socket.on('data', (text: string) => {
      this.text += text;
    });
    return this;
  }

  closed(): Promise<void> {
    return pWaitFor(() => this.isClosed, WAIT);
  }
}

describe('connections', function () {
  this.timeout(120_000);
  let connections: Connections;
  let server: HttpServer;
  let clients: Client[];
  /** Answers that are being made. */
  let asked: http.ServerResponse[];
  let handler: http.RequestListener;
  let added: number;

  async function start(
    limits: Partial<ConnectionLimits>,
    serverLimits: Partial<ServerLimits> = {},
  ): Promise<void> {
    connections = new Connections(limits);
    const add = connections.add.bind(connections);
    connections.add = (socket) => {
      add(socket);
      added++;
    };
    const listener: http.RequestListener = (request, response) => handler(request, response);
    server = await listen(listener, '127.0.0.1', 0, connections, serverLimits);
  }

  function connect(): Client {
    const client = new Client(server.port);
    clients.push(client);
    return client;
  }

  /** Resolves once the server knows of it. */
  async function accepted(client = connect()): Promise<Client> {
    const before = added;
    await pWaitFor(() => added > before, WAIT);
    return client;
  }

  /** Resolves once its answer is being made. */
  async function asking(text = REQUEST): Promise<Client> {
    const before = asked.length;
    const client = (await accepted()).read().send(text);
    await pWaitFor(() => asked.length > before, WAIT);
    return client;
  }

  const answerWith =
    (body: Uint8Array) => (request: http.IncomingMessage, response: http.ServerResponse) => {
      connections.send(request, response, body);
      response.end(body);
    };

  beforeEach(() => {
    clients = [];
    asked = [];
    added = 0;
    handler = (_, response) => asked.push(response);
  });
  afterEach(async () => {
    for (const { socket } of clients) socket.destroy();
    await server.close();
  });

  context('when there are as many as may be', () => {
    beforeEach(() => start({ connectionsMax: 3 }));

    it('are closed for a further one: first the one without a request for longest', async () => {
      const [first, second, third] = [await accepted(), await accepted(), await accepted()];
      await accepted();
      await first.closed();
      await accepted();
      await second.closed();
      expect(third.isClosed).to.equal(false);
      expect(connections.closed).to.deep.equal({ full: 2, pipelining: 0, unsent: 0 });
      expect(connections.size).to.equal(3);
    });

    it('are not those whose answer is being made, and what is unfinished is no request', async () => {
      const busy = await asking();
      const unfinished = (await accepted()).send(REQUEST.slice(0, -4));
      const idle = await accepted();
      await accepted();
      await unfinished.closed();
      await accepted();
      await idle.closed();
      expect(busy.isClosed).to.equal(false);
      asked[0]?.end('whole');
      await pWaitFor(() => busy.text.includes('whole'), WAIT);
    });

    it('are those whose answer was given last only when the others have gone', async () => {
      const old = await asking();
      const younger = await accepted();
      asked[0]?.end();
      await pWaitFor(() => old.text !== '', WAIT);
      await accepted();
      await accepted();
      await younger.closed();
      expect(old.isClosed).to.equal(false);
    });

    it('are those whose client does not take its answer, where all have one', async () => {
      await asking();
      handler = answerWith(new Uint8Array(LARGE));
      const untaken = (await accepted()).send(REQUEST);
      await once(untaken.socket, 'readable');
      handler = (_, response) => asked.push(response);
      await asking();
      const newest = await accepted();
      await untaken.read().closed();
      expect(newest.isClosed).to.equal(false);
    });

    it('are the new one, where all answers are being made', async () => {
      const busy = [await asking(), await asking(), await asking()];
      await (await accepted()).closed();
      expect(busy.map(({ isClosed }) => isClosed)).to.deep.equal([false, false, false]);
    });

    it('serve each new client that asks at once', async () => {
      handler = (_, response) => response.end('served');
      for (let i = 0; i < 10; i++) {
        for (let j = 0; j < 5; j++) await accepted();
        const client = connect().read().send(REQUEST);
        await pWaitFor(() => client.text.endsWith('served'), WAIT);
      }
      expect(connections.size).to.be.at.most(3);
    });
  });

  context('when requests come before the answers to others', () => {
    beforeEach(() => start({ pipelinedMax: 4 }));

    it('are answered in the order of the requests', async () => {
      const client = await asking(REQUEST.repeat(4));
      await pWaitFor(() => asked.length === 4, WAIT);
      for (const i of [2, 0, 3, 1]) asked[i]?.end(String(i));
      await pWaitFor(() => parseAnswers(client.text).length === 4, WAIT);
      expect(parseAnswers(client.text).map(({ body }) => body)).to.deep.equal(['0', '1', '2', '3']);
    });

    it('are closed when those are too many', async () => {
      const client = await asking(REQUEST.repeat(1000));
      await client.closed();
      expect(asked).to.have.lengthOf(4);
      expect(connections.closed).to.deep.equal({ full: 0, pipelining: 1, unsent: 0 });
      expect(connections.size).to.equal(0);
    });

    it('may be many, one after the other', async () => {
      handler = (_, response) => response.end('x');
      const client = (await accepted()).read();
      for (let i = 1; i <= 20; i++) {
        client.send(REQUEST.repeat(4));
        await pWaitFor(() => parseAnswers(client.text).length === 4 * i, WAIT);
      }
    });
  });

  context('when clients do not take their answers', () => {
    const bodies = Array.from({ length: 4 }, () => new Uint8Array(LARGE));
    beforeEach(() => start({ unsentBytesMax: 2 * LARGE }));

    /** Asks for a body and does not read it. */
    async function untaken(body: Uint8Array): Promise<Client> {
      handler = answerWith(body);
      const client = (await accepted()).send(REQUEST);
      await once(client.socket, 'readable');
      return client;
    }

    it('are closed, the one with the oldest answer first, once these are too large together', async () => {
      const [a, b, c] = bodies as [Uint8Array, Uint8Array, Uint8Array];
      const [first, second] = [await untaken(a), await untaken(b)];
      const third = await untaken(c);
      expect(connections.closed.unsent).to.equal(1);
      first.read();
      await first.closed();
      expect([second, third].map(({ isClosed }) => isClosed)).to.deep.equal([false, false]);
    });

    it('hold an answer once that is the same for many', async () => {
      const [a, b] = bodies as [Uint8Array, Uint8Array];
      for (let i = 0; i < 5; i++) await untaken(a);
      await untaken(b);
      expect(connections.closed.unsent).to.equal(0);
    });

    it('hold nothing once they have taken it, or have left', async () => {
      for (const body of bodies) {
        const client = (await untaken(body)).read();
        await pWaitFor(() => client.text.length > LARGE, WAIT);
      }
      for (const body of bodies) {
        const { socket } = await untaken(body);
        const before = connections.size;
        socket.destroy();
        await pWaitFor(() => connections.size < before, WAIT);
      }
      expect(connections.closed.unsent).to.equal(0);
    });

    it('are closed when they take nothing for too long', async () => {
      await server.close();
      await start({}, { sendTimeoutMs: 300 });
      const client = await untaken(bodies[0] as Uint8Array);
      await pWaitFor(() => connections.size === 0, WAIT);
      client.read();
      await client.closed();
      expect(client.text.length).to.be.below(LARGE);
    });
  });

  context('when requests do not come to their end', () => {
    const serverLimits = { headersTimeoutMs: 400, requestTimeoutMs: 600, checkIntervalMs: 20 };
    beforeEach(() => start({}, serverLimits));

    const rows: [what: string, text: string][] = [
      ['nothing', ''],
      ['half a request line', 'GET / HT'],
      ['headers without an end', 'GET / HTTP/1.1\r\nHost: localhost\r\nX: '],
      [
        'a body without an end',
        'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf',
      ],
      [
        'a chunk without an end',
        'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
      ],
    ];
    for (const [what, text] of rows) {
      it(`are told so with 408 and closed, while others are served: ${what}`, async () => {
        handler = (request, response) => {
          if (request.method === 'GET') response.end('served');
          else request.resume().on('end', () => response.end());
        };
        const slow = Array.from({ length: 20 }, () => connect().read().send(text));
        let served = 0;
        while (served === 0 || slow.some(({ isClosed }) => !isClosed)) {
          // This process may pause for longer than a request may take: its client asks again.
          const answer = await fetch(`http://127.0.0.1:${server.port}/`).catch(() => null);
          if (answer === null || answer.status === 408) continue;
          expect(await answer.text()).to.equal('served');
          served++;
        }
        for (const client of slow) {
          const [answer] = parseAnswers(client.text);
          expect(answer?.status).to.equal(408);
          expect(JSON.parse(answer?.body ?? '')).to.include({
            type: 'urn:event-tally:problem:request-timeout',
          });
        }
      });
    }

    it('are closed however slowly they come: a byte each 20 ms', async () => {
      const client = connect().read().send('GET / HTTP/1.1\r\nX: ');
      const timer = setInterval(() => client.send('x'), 20);
      await client.closed();
      clearInterval(timer);
      expect(parseAnswers(client.text)[0]?.status).to.equal(408);
    });
  });
});
