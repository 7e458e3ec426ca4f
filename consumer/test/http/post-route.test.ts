import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { event } from '../support/fifo-writer.js';
import {
  BAD_BODY,
  expectProblem,
  NOT_FOUND,
  UNAUTHORIZED,
  UNSUPPORTED,
} from '../support/problem.js';
import { Service } from '../support/service.js';

const TOKEN = 'a-secret-token-0123456789';
const NDJSON = 'application/x-ndjson';
const OPTIONS = { ingestToken: TOKEN, eventTypesMax: 1000, wordsMax: 1000, lineBytesMax: 200 };

type Headers = Readonly<Record<string, string>>;

/** Posts with the right token, unless the headers say otherwise. */
function post(
  service: Service,
  body: string | Uint8Array,
  headers: Headers = {},
): Promise<Response> {
  return service.fetch('/events', {
    method: 'POST',
    headers: { 'Content-Type': NDJSON, Authorization: `Bearer ${TOKEN}`, ...headers },
    body,
  });
}

const counted = (accepted: number, others: Partial<Record<string, number>> = {}) => {
  const { blank = 0, ...rejected } = others;
  return { accepted, blank, rejected: { too_long: 0, not_json: 0, not_an_event: 0, ...rejected } };
};
const object = (type: string, fields: object = {}) => ({
  event_type: type,
  data: '',
  timestamp: 1,
  ...fields,
});
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('POST /events', () => {
  context('when there is no token', () => {
    const service = Service.use();

    it('is 404 for everyone', async () => {
      await expectProblem(await post(service(), event('a')), NOT_FOUND);
      expect((await service().ingest.stats()).lines).to.equal(0);
    });
  });

  context('when the token is not sent as it must be', () => {
    const service = Service.use(OPTIONS);
    const rows: [what: string, authorization: string][] = [
      ['nothing', ''],
      ['another token', 'Bearer another'],
      ['another token of the same length', `Bearer ${TOKEN.slice(0, -1)}X`],
      ['its beginning', `Bearer ${TOKEN.slice(0, -1)}`],
      ['more than it', `Bearer ${TOKEN}0`],
      ['another case', `Bearer ${TOKEN.toUpperCase()}`],
      ['the token without Bearer', TOKEN],
      ['another scheme', `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}`],
      ['Bearer without a token', 'Bearer '],
      ['two tokens', `Bearer ${TOKEN} ${TOKEN}`],
    ];
    for (const [what, Authorization] of rows) {
      it(`is 401 for ${what}, and counts nothing`, async () => {
        const response = await post(service(), event('a'), { Authorization });
        expect(response.headers.get('www-authenticate')).to.match(/^Bearer/);
        const problem = await expectProblem(response, UNAUTHORIZED);
        expect(JSON.stringify(problem)).not.to.include(TOKEN);
        expect((await service().ingest.stats()).lines).to.equal(0);
      });
    }

    it('is 401 before anything else is looked at', async () => {
      const headers = { Authorization: 'Bearer no', 'Content-Type': 'image/png' };
      await expectProblem(await post(service(), 'x', headers), UNAUTHORIZED);
    });

    it('takes the scheme in any case, and white space around', async () => {
      for (const Authorization of [`bearer ${TOKEN}`, `BEARER   ${TOKEN}  `]) {
        expect((await post(service(), '', { Authorization })).status).to.equal(200);
      }
    });
  });

  context('when a body is right', () => {
    const service = Service.use(OPTIONS);
    const lines = `${event('a')}${event('b')}`;
    const list = JSON.stringify([object('a'), object('b')]);

    const rows: [what: string, type: string, body: string | Uint8Array, answer: object][] = [
      ['application/x-ndjson', NDJSON, lines, counted(2)],
      ['application/jsonl', 'application/jsonl', lines, counted(2)],
      ['text/plain', 'text/plain', lines, counted(2)],
      ['a charset', 'text/plain; charset=UTF-8', lines, counted(2)],
      ['a charset in quotes', 'application/json;charset="utf-8"', list, counted(2)],
      ['a charset that is part of UTF-8', 'text/plain; charset=US-ASCII', lines, counted(2)],
      ['another case', 'Application/X-NDJSON', lines, counted(2)],
      ['a last line without LF', NDJSON, lines.trimEnd(), counted(2)],
      ['lines that end with CR LF', NDJSON, lines.replaceAll('\n', '\r\n'), counted(2)],
      ['blank lines', NDJSON, `\n \n${lines}\t\r\n`, counted(2, { blank: 3 })],
      ['no line', NDJSON, '', counted(0)],
      ['a byte order mark', NDJSON, `\ufeff${lines}`, counted(2)],
      ['JSON with a byte order mark', 'application/json', `\ufeff${list}`, counted(2)],
      ['one object', 'application/json', JSON.stringify(object('a')), counted(1)],
      [
        'one object over several lines',
        'application/json',
        JSON.stringify(object('a'), null, 2),
        counted(1),
      ],
      ['an array of objects', 'application/json', list, counted(2)],
      ['an empty array', 'application/json', '[]', counted(0)],
      [
        'an array within an array',
        'application/json',
        JSON.stringify([object('a'), [object('b')], [[]]]),
        counted(1, { not_an_event: 2 }),
      ],
      [
        'elements that are no objects',
        'application/json',
        '[null,1,"a",true,{}]',
        counted(0, { not_an_event: 5 }),
      ],
      ['JSON that is no event', 'application/json', '"a"', counted(0, { not_an_event: 1 })],
      [
        'an element nested very deep',
        'application/json',
        `[${nested(100_000)},${JSON.stringify(object('a'))}]`,
        counted(1, { not_an_event: 1 }),
      ],
      [
        'an element that is too long as a line',
        'application/json',
        JSON.stringify([object('a', { data: 'x'.repeat(300) })]),
        counted(0, { too_long: 1 }),
      ],
      [
        'a line of each kind',
        NDJSON,
        `${event('a')}{ "corrupt\n[]\n${'x'.repeat(201)}\n\n{}`,
        counted(1, { blank: 1, too_long: 1, not_json: 1, not_an_event: 2 }),
      ],
    ];
    for (const [what, type, body, answer] of rows) {
      for (const encoding of ['as it is', 'gzip']) {
        it(`counts ${what}, ${encoding}`, async () => {
          const isGzip = encoding === 'gzip';
          const headers = { 'Content-Type': type, ...(isGzip && { 'Content-Encoding': 'gzip' }) };
          const response = await post(service(), isGzip ? gzipSync(body) : body, headers);
          expect(response.status).to.equal(200);
          expect(response.headers.get('content-type')).to.equal('application/json; charset=utf-8');
          expect(await response.json()).to.deep.equal(answer);
        });
      }
    }

    it('takes x-gzip for gzip', async () => {
      const headers = { 'Content-Encoding': 'X-Gzip' };
      const response = await post(service(), gzipSync(lines), headers);
      expect(await response.json()).to.deep.equal(counted(2));
    });

    it('takes identity for an encoding', async () => {
      const response = await post(service(), lines, { 'Content-Encoding': 'identity' });
      expect(await response.json()).to.deep.equal(counted(2));
    });

    it('takes a body in chunks', async () => {
      const chunks = [lines.slice(0, 30), lines.slice(30)];
      const body = new ReadableStream({
        pull: (controller) => {
          const chunk = chunks.shift();
          if (chunk === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(chunk));
        },
      });
      const response = await service().fetch('/events', {
        method: 'POST',
        headers: { 'Content-Type': NDJSON, Authorization: `Bearer ${TOKEN}` },
        body,
        duplex: 'half',
      } as RequestInit);
      expect(await response.json()).to.deep.equal(counted(2));
    });

    it('takes the path in any case', async () => {
      const response = await service().fetch('/EVENTS', {
        method: 'POST',
        headers: { 'Content-Type': NDJSON, Authorization: `Bearer ${TOKEN}` },
        body: event('a'),
      });
      expect(response.status).to.equal(200);
    });
  });

  context('when a GET follows the answer', () => {
    const service = Service.use(OPTIONS);

    it('sees the events, and /stats tells of them as of a source', async () => {
      let bytes = 0;
      for (let i = 1; i <= 20; i++) {
        const body = event(`t${i}`, 'w w', 1000 + i);
        bytes += body.length;
        expect((await post(service(), body)).status).to.equal(200);
        const [types, words, window] = await Promise.all([
          service().get('/events/countByEventType'),
          service().get('/events/countWords'),
          service().get('/events/countByEventType?window=1s&until=latest'),
        ]);
        expect(types).to.have.property(`t${i}`, 1);
        expect(words).to.deep.equal({ w: 2 * i });
        expect(window).to.deep.equal({ [`t${i}`]: 1 });
      }
      const stats = await service().get('/stats');
      expect(stats).to.include({ accepted: 20, lines: 20, bytes });
      const [source] = stats.sources as [Record<string, unknown>];
      expect(source).to.include({ name: 'POST /events', state: 'open', reason: null });
      expect(source).to.include({ lines: 20, bytes });
    });
  });

  context('when a body is not what it should be', () => {
    const service = Service.use(OPTIONS);
    const whole = gzipSync(event('a').repeat(50));
    const gzip = { 'Content-Encoding': 'gzip' };
    const json = { 'Content-Type': 'application/json' };
    const rows: [
      what: string,
      body: string | Uint8Array,
      headers: Headers,
      problem: typeof BAD_BODY,
    ][] = [
      ['another type', '<a/>', { 'Content-Type': 'application/xml' }, UNSUPPORTED],
      ['no type', 'x', { 'Content-Type': '' }, UNSUPPORTED],
      ['a form', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }, UNSUPPORTED],
      ['another charset', 'x', { 'Content-Type': 'text/plain; charset=latin1' }, UNSUPPORTED],
      ['JSON in UTF-16', 'x', { 'Content-Type': 'application/json; charset=utf-16' }, UNSUPPORTED],
      ['another encoding', 'x', { 'Content-Encoding': 'br' }, UNSUPPORTED],
      ['two encodings', 'x', { 'Content-Encoding': 'gzip, gzip' }, UNSUPPORTED],
      ['what is not gzip', event('a'), gzip, BAD_BODY],
      ['nothing instead of gzip', '', gzip, BAD_BODY],
      ['gzip that ends too early', whole.subarray(0, -10), gzip, BAD_BODY],
      ['gzip with a wrong checksum', whole.with(-5, 0).with(-6, 0).with(-7, 0), gzip, BAD_BODY],
      ['broken JSON', '[{"event_type":"a"', json, BAD_BODY],
      ['no JSON', '', json, BAD_BODY],
      ['JSON lines as JSON', event('a').repeat(2), json, BAD_BODY],
    ];
    for (const [what, body, headers, problem] of rows) {
      it(`refuses ${what} with ${problem.status}, and counts nothing`, async () => {
        await expectProblem(await post(service(), body, headers), problem);
        expect((await service().ingest.stats()).bytes).to.equal(0);
      });
    }

    it('tells gzip that breaks off from what is none', async () => {
      for (const [body, detail] of [
        [whole.subarray(0, -10), 'The body is gzip that breaks off.'],
        [event('a'), 'The body is not gzip.'],
      ] as const) {
        expect(await (await post(service(), body, gzip)).json()).to.include({ detail });
      }
    });

    it('says with 415 what it takes', async () => {
      const type = await post(service(), 'x', { 'Content-Type': 'text/csv' });
      expect(type.headers.get('accept')).to.include(NDJSON).and.to.include('application/json');
      const encoding = await post(service(), 'x', { 'Content-Encoding': 'deflate' });
      expect(encoding.headers.get('accept-encoding')).to.equal('gzip');
    });

    it('refuses a parameter', async () => {
      const response = await service().fetch('/events?source=a', {
        method: 'POST',
        headers: { 'Content-Type': NDJSON, Authorization: `Bearer ${TOKEN}` },
        body: event('a'),
      });
      expect(response.status).to.equal(400);
    });

    it('takes no other method', async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const response = await service().fetch('/events', { method });
        expect(response.status).to.equal(405);
        expect(response.headers.get('allow')).to.equal('POST');
      }
      const options = await service().fetch('/events', { method: 'OPTIONS' });
      expect(options.headers.get('allow')).to.equal('POST');
    });
  });

  it('never has the token in the log', async () => {
    const service = new Service(OPTIONS);
    await service.open();
    await post(service, event('a'));
    await post(service, event('a'), { Authorization: `Bearer ${TOKEN}X` });
    await post(service, 'x', { 'Content-Encoding': 'gzip' });
    await service.fetch(`/events?${TOKEN}=1`, { method: 'POST' });
    await service.close();
    expect(JSON.stringify(service.log)).not.to.include(TOKEN);
  });
});
