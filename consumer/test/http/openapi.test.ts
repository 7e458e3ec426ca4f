import { once } from 'node:events';
import http from 'node:http';
import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import type Router from '@koa/router';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { createApp } from '#consumer/http/app.js';
import { Connections } from '#consumer/http/connections.js';
import { openApiDocument } from '#consumer/http/openapi/document.js';
import { StreamHub } from '#consumer/http/stream/stream-hub.js';
import { IngestPool } from '#consumer/ingest/ingest-pool.js';
import { event } from '../support/fifo-writer.js';
import { Description, type OpenApi } from '../support/openapi.js';
import { POOL_OPTIONS } from '../support/pool-options.js';
import { Service, type ServiceOptions } from '../support/service.js';

const TOKEN = 'token';
const OPTIONS: ServiceOptions = { ingestToken: TOKEN, postBytesMax: 200 };

const fetchDocument = async (service: Service) =>
  new Description(await service.get<OpenApi>('/openapi.json'));

interface Request {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const NDJSON = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/x-ndjson' };
const CSV = { Accept: 'text/csv' };
const counts: readonly (readonly [status: number, request: Request])[] = [
  [200, {}],
  [200, { query: '?format=list' }],
  [200, { query: '?format=list&window=60s&until=latest&limit=1' }],
  [200, { query: '?format=csv' }],
  [200, { headers: CSV }],
  [304, { headers: { 'If-None-Match': '*' } }],
  [400, { query: '?limit=0' }],
  [400, { query: '?limit=1&limit=2' }],
  [400, { query: '?until=now' }],
  [503, {}],
];
const readiness = [
  [200, {}],
  [503, {}],
] as const;

/** A request of each operation for each status that is described. 503: before the threads are started, with no place for a stream. */
const REQUESTS: Readonly<Record<string, typeof counts>> = {
  'GET /events/countByEventType': counts,
  'GET /events/countWords': counts,
  'GET /events/sumByEventType': counts,
  'GET /events/series': [
    [200, { query: '?window=10s&until=latest' }],
    [200, { query: '?window=2h&of=words&step=1m' }],
    [304, { query: '?window=10s&until=2', headers: { 'If-None-Match': '*' } }],
    [400, {}],
    [503, { query: '?window=10s' }],
  ],
  'GET /events/stream': [
    [200, {}],
    [200, { query: '?of=types,words,sums&window=60s' }],
    [400, { query: '?of=everything' }],
    [503, {}],
  ],
  'GET /events/rejected': [
    [200, {}],
    [400, { query: '?limit=1' }],
    [503, {}],
  ],
  'POST /events': [
    [200, { headers: NDJSON, body: event('a') }],
    [400, { headers: { ...NDJSON, 'Content-Type': 'application/json' }, body: '{' }],
    [401, { headers: { 'Content-Type': 'application/x-ndjson' }, body: event('a') }],
    [413, { headers: NDJSON, body: 'x'.repeat(201) }],
    [415, { headers: { ...NDJSON, 'Content-Type': 'image/png' }, body: 'x' }],
    [415, { headers: { ...NDJSON, 'Content-Encoding': 'br' }, body: 'x' }],
    [503, { headers: NDJSON, body: event('a') }],
  ],
  'GET /stats': [
    [200, {}],
    [400, { query: '?window=1s' }],
    [503, {}],
  ],
  'GET /livez': [[200, {}]],
  'GET /readyz': readiness,
  'GET /healthz': readiness,
  'GET /metrics': [[200, {}]],
  'GET /openapi.json': [
    [200, {}],
    [304, { headers: { 'If-None-Match': '*' } }],
  ],
  'GET /docs': [[200, {}]],
  'GET /': [
    [200, { query: '?window=60s' }],
    [400, { query: '?window=soon' }],
    [503, {}],
  ],
};

/** Every operation of an application that has all turned on. */
const SERVED = servedOperations();

function servedOperations(): string[] {
  const log = () => {};
  const bounds = { postBytesMax: 1, postQueueBytesMax: 1 };
  const rest = { ingestToken: TOKEN, corsOrigins: [], metricsTopTypes: 0 };
  const names = { host: '127.0.0.1', allowedHosts: [] };
  const config = { ...POOL_OPTIONS, ...bounds, ...rest, ...names };
  const ingest = new IngestPool(POOL_OPTIONS, log);
  const streams = new StreamHub(ingest, { clientsMax: 1 });
  const connections = new Connections();
  const app = createApp({ ingest, streams, connections, log, config });
  const { router } = app.middleware.find((each) => 'router' in each) as unknown as {
    router: Router;
  };
  return router.stack
    .map(({ path, methods }) => ({ path: String(path), methods }))
    .filter(({ path }) => !/:|\.(js|css|svg|txt)$/.test(path))
    .flatMap(({ path, methods }) =>
      methods.filter((method) => method !== 'HEAD').map((method) => `${method} ${path}`),
    );
}

/** As far as it goes; of a stream, the data of its first event. */
async function bodyOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    return await response.text();
  }
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body as ReadableStream<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    const data = /^data: (.*)$/m.exec(text);
    if (data !== null && text.includes('\n\n', data.index)) return data[1] as string;
  }
  throw new Error(`no event came: ${text}`);
}

async function expectDescribed(
  description: Description,
  key: string,
  response: Response,
): Promise<void> {
  const operation = description.operations.get(key);
  if (operation === undefined) throw new Error(`${key} is not described`);
  const answer = description.answer(operation, response.status);
  if (answer === undefined) throw new Error(`${key}: ${response.status} is not described`);
  for (const name of Object.keys(answer.headers ?? {})) {
    // Those that go with some of the answers only.
    if (['Vary', 'Accept', 'Accept-Encoding'].includes(name)) continue;
    expect(response.headers.has(name), `${name} of ${key}, ${response.status}`).to.equal(true);
  }
  const body = await bodyOf(response);
  if (answer.content === undefined) {
    expect(body).to.equal('');
    return;
  }
  const type = (response.headers.get('content-type') ?? '').split(';')[0] as string;
  expect(Object.keys(answer.content)).to.include(type);
  const isFrame = type === 'text/event-stream';
  const schema = isFrame
    ? { $ref: '#/components/schemas/StreamFrame' }
    : (answer.content[type]?.schema ?? {});
  const value = isFrame || /json$/.test(type) ? JSON.parse(body) : body;
  expect(description.faults(schema, value), body).to.equal(null);
}

describe('the OpenAPI document', () => {
  const service = Service.use(OPTIONS);
  const unstarted = Service.use({ ...OPTIONS, started: false, clientsMax: 0 });
  const everything = new Description(openApiDocument(DEFAULT_MAPPING, () => true) as never);
  let description: Description;
  before(async () => {
    const lines = [event('a', 'lorem ipsum', 1), event('b', '', 2), '{"event_type":"c"}\n{ "\n'];
    await service().read(
      `${lines.join('')}${event('a').replace('}', ',"value":-1.5}')}${event('past-the-cap')}`,
    );
    description = await fetchDocument(service());
  });

  it('is valid OpenAPI 3.1, as it is and with all that can be turned on', async () => {
    for (const { document } of [description, everything]) {
      const result = await new Validator().validate(document as never);
      expect(result.errors ?? []).to.deep.equal([]);
      expect(document.openapi).to.match(/^3\.1\./);
    }
  });

  it('refers to nothing that is not there, and has nothing that nobody refers to', () => {
    const references = (document: OpenApi) =>
      new Set(
        Array.from(JSON.stringify(document).matchAll(/"#\/components\/([^"]+)"/g), (m) => m[1]),
      );
    for (const { document } of [description, everything]) {
      const { securitySchemes, ...components } = document.components;
      expect(securitySchemes).to.have.keys('token');
      const there = Object.entries(components).flatMap(([kind, members]) =>
        Object.keys(members).map((name) => `${kind}/${name}`),
      );
      expect(there).to.have.members([...references(document)]);
    }
  });

  it('describes every route but the files of pages', () => {
    expect(SERVED).to.include.members(['GET /stats', 'POST /events']);
    expect([...everything.operations.keys()]).to.have.members(SERVED);
  });

  it('names every operation once', () => {
    const ids = [...everything.operations.values()].map(({ operationId }) => operationId);
    expect(new Set(ids)).to.have.lengthOf(ids.length);
  });

  context('when nothing can be posted', () => {
    const readOnly = Service.use();

    it('does not describe it, nor a token', async () => {
      const { operations, document } = await fetchDocument(readOnly());
      expect([...operations.keys()])
        .to.include('GET /stats')
        .and.not.include('POST /events');
      expect(document.components).not.to.have.property('securitySchemes');
    });
  });

  context('when fields have other names', () => {
    const mapping = {
      ...DEFAULT_MAPPING,
      eventType: ['alert', 'signature'],
      data: null,
      timestamp: ['alert', 'at'],
      timestampFormat: 'iso8601',
    } as const;
    const mapped = Service.use({ ...OPTIONS, mapping });

    it('describes events with these, and shows one that is counted', async () => {
      const { operations, document } = await fetchDocument(mapped());
      expect(document.components.schemas?.Event).to.deep.include({ required: ['alert'] });
      const media = operations.get('POST /events')?.requestBody?.content['application/json'];
      const response = await mapped().fetch('/events', {
        method: 'POST',
        headers: { ...NDJSON, 'Content-Type': 'application/json' },
        body: JSON.stringify(media?.example),
      });
      expect(await response.json()).to.include({ accepted: 1 });
    });
  });

  for (const [key, operation] of everything.operations) {
    context(key, () => {
      it('has examples that are as described', () => {
        const answers = Object.values(operation.responses).map((each) => everything.resolve(each));
        const bodies = [...answers, ...(operation.requestBody ? [operation.requestBody] : [])];
        for (const { schema, example, examples } of bodies.flatMap((body) =>
          Object.values(body.content ?? {}),
        )) {
          const values = Object.values(examples ?? {}).map(({ value }) => value);
          if (example !== undefined) values.push(example);
          for (const value of values) expect(everything.faults(schema, value)).to.equal(null);
        }
        for (const { schema, example } of operation.parameters ?? []) {
          if (example !== undefined) expect(everything.faults(schema, example)).to.equal(null);
        }
      });

      it('is asked for each status that it describes', () => {
        const statuses = Object.keys(operation.responses).filter((status) => !/XX$/.test(status));
        const asked = (REQUESTS[key] ?? []).map(([status]) => String(status));
        expect([...new Set(asked)]).to.have.members(statuses);
      });

      if (!SERVED.includes(key)) return;
      for (const [status, { query = '', headers = {}, body }] of REQUESTS[key] ?? []) {
        const [method, path] = key.split(' ') as [string, string];
        it(`answers ${status} as described: ${path}${query} ${JSON.stringify(headers)}`, async () => {
          const target = status === 503 ? unstarted() : service();
          const init = { method, headers, ...(body === undefined ? {} : { body }) };
          const response = await target.fetch(path + query, init);
          expect(response.status).to.equal(status);
          await expectDescribed(description, key, response);
        });
      }

      it('answers another method as described', async () => {
        const [, path] = key.split(' ') as [string, string];
        const response = await service().fetch(path, { method: 'DELETE' });
        expect(response.status).to.equal(405);
        await expectDescribed(description, key, response);
      });
    });
  }

  it('describes the answer where there is nothing', async () => {
    const response = await service().fetch('/events/nothing');
    expect(response.status).to.equal(404);
    await expectDescribed(description, 'GET /stats', response);
  });

  it('describes the answer to what is no URL', async () => {
    const request = http.request({ port: service().port, host: '127.0.0.1', path: 'http://[' });
    const [answer] = (await once(request.end(), 'response')) as [http.IncomingMessage];
    const text = (await answer.setEncoding('utf8').toArray()).join('');
    const headers = { 'Content-Type': answer.headers['content-type'] as string };
    const response = new Response(text, { status: answer.statusCode as number, headers });
    expect(response.status).to.equal(400);
    await expectDescribed(description, 'GET /stats', response);
  });
});
