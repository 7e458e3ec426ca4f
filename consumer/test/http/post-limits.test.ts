import { once } from 'node:events';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { event, makeFifo } from '../support/fifo-writer.js';
import { expectProblem, TOO_LARGE, UNAVAILABLE } from '../support/problem.js';
import { Service } from '../support/service.js';

const TOKEN = 'a-secret-token';
const BODY_MAX = 1000;
const OPTIONS = { ingestToken: TOKEN, postBytesMax: BODY_MAX, eventTypesMax: 100 };
const HEADERS = { 'Content-Type': 'application/x-ndjson', Authorization: `Bearer ${TOKEN}` };

function post(service: Service, body: string | Uint8Array, headers: object = {}) {
  return service.fetch('/events', { method: 'POST', headers: { ...HEADERS, ...headers }, body });
}

/** A body that is sent piece by piece, without Content-Length. */
function postChunks(service: Service, chunks: Iterable<Uint8Array>): Promise<Response> {
  const body = ReadableStream.from(chunks);
  const init = { method: 'POST', headers: HEADERS, body, duplex: 'half' };
  return service.fetch('/events', init as unknown as RequestInit);
}

/**
 * A request of which only so much is sent, over a connection that stays open. Resolves once the server
 * has taken it: the 100 that it answers goes out as it does.
 */
async function begin(service: Service, body: string | Uint8Array, headers: object = {}) {
  const socket = net.connect(service.port, '127.0.0.1').on('error', () => {});
  const all = { Host: 'localhost', Expect: '100-continue', ...HEADERS, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /events HTTP/1.1\r\n${lines.join('')}\r\n`);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).to.equal('HTTP/1.1 100 Continue\r\n\r\n');
  socket.write(body);
  return socket;
}

/** Sends the same body `depth` times at once over one connection, and again when all are answered. */
async function pipeline(
  service: Service,
  body: string,
  rounds: number,
  depth: number,
): Promise<void> {
  const socket = net.connect(service.port, '127.0.0.1');
  const all = { Host: 'localhost', 'Content-Length': body.length, ...HEADERS };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = `POST /events HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
  for (let round = 0; round < rounds; round++) {
    socket.write(request.repeat(depth));
    let answers = '';
    while (answers.split('"accepted":1,').length <= depth) {
      answers += String((await once(socket, 'data'))[0]);
    }
  }
  socket.destroy();
}

describe('POST /events, at its limits:', () => {
  context('a body as long as may be', () => {
    const service = Service.use(OPTIONS);
    const exactly = `${event('a')
      .trimEnd()
      .padEnd(BODY_MAX - 1)}\n`;

    for (const [what, body] of [
      ['with its LF', exactly],
      ['without LF', exactly.replace('\n', ' ')],
    ] as const) {
      it(`is counted ${what}, however it comes`, async () => {
        const bytes = new TextEncoder().encode(body);
        const before = (await service().ingest.stats()).accepted;
        expect((await post(service(), body)).status).to.equal(200);
        expect((await postChunks(service(), [bytes])).status).to.equal(200);
        const gzip = { 'Content-Encoding': 'gzip' };
        expect((await post(service(), gzipSync(body), gzip)).status).to.equal(200);
        expect((await service().ingest.stats()).accepted).to.equal(before + 3);
      });
    }
  });

  context('a body that is too long', () => {
    const service = Service.use(OPTIONS);
    const tooLong = `${event('a').trimEnd().padEnd(BODY_MAX)}\n`;
    const bytes = new TextEncoder().encode(tooLong);
    const gzip = { 'Content-Encoding': 'gzip' };
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20, event('a')), { level: 9 });

    function* manyChunks() {
      for (let i = 0; i < 100; i++) yield new Uint8Array(BODY_MAX).fill(0x20);
    }
    const rows: [what: string, send: () => Promise<Response>][] = [
      ['by a byte', () => post(service(), tooLong)],
      ['by a byte, in one chunk', () => postChunks(service(), [bytes])],
      [
        'by a byte, in two chunks',
        () => postChunks(service(), [bytes.subarray(0, 500), bytes.subarray(500)]),
      ],
      ['in many chunks', () => postChunks(service(), manyChunks())],
      ['by a byte, once it is decompressed', () => post(service(), gzipSync(tooLong), gzip)],
      ['by far, once it is decompressed', () => post(service(), bomb, gzip)],
      ['by far', () => post(service(), new Uint8Array(100 * BODY_MAX))],
    ];
    for (const [what, send] of rows) {
      it(`is 413 where it is ${what}, and nothing of it counts`, async () => {
        await expectProblem(await send(), TOO_LARGE);
        const { bytes: counted } = await service().ingest.stats();
        expect(counted).to.equal(0);
      });
    }

    it('takes no room afterwards', async () => {
      const small = new Service({ ...OPTIONS, postQueueBytesMax: BODY_MAX });
      await small.open();
      for (let i = 0; i < 3; i++) {
        await expectProblem(await post(small, gzipSync(tooLong), gzip), TOO_LARGE);
        await expectProblem(await postChunks(small, [bytes]), TOO_LARGE);
      }
      expect((await post(small, event('a'))).status).to.equal(200);
      await small.close();
    });
  });

  context('a body that breaks off', () => {
    const service = Service.use({ ...OPTIONS, postQueueBytesMax: BODY_MAX });
    const some = event('broken').repeat(5);
    const length = { 'Content-Length': BODY_MAX };
    const chunk = `${some.length.toString(16)}\r\n${some}\r\n`;
    const rows: [what: string, body: string | Uint8Array, headers: object][] = [
      ['before its length', some, length],
      ['between chunks', chunk, { 'Transfer-Encoding': 'chunked' }],
      ['in gzip', gzipSync(some), { ...length, 'Content-Encoding': 'gzip' }],
      ['at its start', '', length],
    ];
    for (const [what, body, headers] of rows) {
      it(`counts nothing and gives its room back: ${what}`, async () => {
        const socket = await begin(service(), body, headers);
        await expectProblem(await post(service(), '\n'), UNAVAILABLE);
        socket.destroy();
        await pWaitFor(async () => (await post(service(), '\n')).status === 200);
        expect((await service().ingest.stats()).accepted).to.equal(0);
        expect(await service().get('/events/countByEventType')).to.deep.equal({});
      });
    }
  });

  context('a body that comes slowly', () => {
    const service = Service.use(OPTIONS);

    it('counts nothing until it is whole, and keeps nobody else from being served', async () => {
      const half = event('slow').repeat(5);
      const whole = half.repeat(2);
      const sockets = await Promise.all(
        Array.from({ length: 20 }, () =>
          begin(service(), half, { 'Content-Length': whole.length, Connection: 'close' }),
        ),
      );
      expect((await post(service(), event('fast'))).status).to.equal(200);
      expect((await service().fetch('/livez')).status).to.equal(200);
      expect(await service().get('/events/countByEventType')).to.deep.equal({ fast: 1 });

      const [first, ...others] = sockets as [net.Socket, ...net.Socket[]];
      first.write(half);
      const [answer] = await once(first, 'data');
      expect(String(answer)).to.match(/^HTTP\/1\.1 200 /);
      expect(await service().get('/events/countByEventType')).to.deep.equal({ slow: 10, fast: 1 });
      for (const socket of others) socket.destroy();
    });
  });

  context('when too many bytes wait', () => {
    const service = Service.use({ ...OPTIONS, postQueueBytesMax: 2 * BODY_MAX });

    it('is 503 with Retry-After, until there is room again', async () => {
      const bodies = [event('a'), event('b')];
      const sockets = await Promise.all(
        bodies.map((body) => begin(service(), body, { 'Content-Length': BODY_MAX })),
      );
      const response = await post(service(), '\n');
      expect(response.headers.get('retry-after')).to.match(/^[1-9]\d*$/);
      await expectProblem(response, UNAVAILABLE);

      const answers = sockets.map((socket) => once(socket, 'data'));
      for (const [i, socket] of sockets.entries()) {
        socket.write(' '.repeat(BODY_MAX - (bodies[i] as string).length));
      }
      for (const [answer] of await Promise.all(answers)) {
        expect(String(answer)).to.match(/^HTTP\/1\.1 200 /);
      }
      expect((await post(service(), event('c'))).status).to.equal(200);
      expect(await service().get('/events/countByEventType')).to.deep.equal({ a: 1, b: 1, c: 1 });
      for (const socket of sockets) socket.destroy();
    });
  });

  context('when there are 100,000 small bodies', () => {
    const service = Service.use({ ...OPTIONS, ingestWorkers: 2 });

    it('counts them all', async function () {
      this.timeout(240_000);
      const [clients, rounds, depth] = [4, 1000, 25];
      await Promise.all(
        Array.from({ length: clients }, (_, i) =>
          pipeline(service(), event(`t${i}`, 'w'), rounds, depth),
        ),
      );
      const each = rounds * depth;
      expect(await service().get('/events/countByEventType')).to.deep.equal({
        t0: each,
        t1: each,
        t2: each,
        t3: each,
      });
      expect(await service().get('/stats')).to.include({ lines: 100_000, accepted: 100_000 });
    });
  });

  context('when there are several threads', () => {
    const service = Service.use({ ...OPTIONS, ingestWorkers: 2 });

    it('tells in /stats of all that was posted, whichever of them counted it', async () => {
      let bytes = 0;
      const postOne = async () => {
        bytes += event('a').length;
        expect((await post(service(), event('a'))).status).to.equal(200);
      };
      await postOne();
      for (const name of ['a', 'b', 'c']) {
        makeFifo(service().file(`${name}.fifo`));
        await pWaitFor(async () => {
          const { sources } = await service().ingest.stats();
          return sources.some((source) => source.name === `${name}.fifo`);
        });
        await postOne();
      }
      const { sources } = await service().ingest.stats();
      const posted = sources.find(({ name }) => name === 'POST /events');
      expect(posted).to.include({ lines: 4, bytes });
    });
  });
});
