import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { createApp } from '#consumer/http/app.js';
import { type HttpServer, listen } from '#consumer/http/server.js';
import type { IngestClient } from '#consumer/ingest/ingest-client.js';
import { IngestSupervisor } from '#consumer/ingest/supervisor.js';
import { event, makeFifo, writeFifo } from '../support/fifo-writer.js';

const COUNTS_PATHS = ['/events/countByEventType', '/events/countWords'];
const PATHS = [...COUNTS_PATHS, '/stats', '/livez', '/readyz'];

/** The whole consumer but for its process: thread, FIFO folder, HTTP; one for the enclosing describe. */
class Service {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-'));
  readonly ingest = new IngestSupervisor(
    {
      fifoDir: this.directory,
      mapping: DEFAULT_MAPPING,
      lineBytesMax: 1000,
      eventTypesMax: 5,
      wordsMax: 5,
      keyBytesMax: 16,
    },
    () => {},
  );
  server!: HttpServer;

  static use({ started = true } = {}): () => Service {
    let service: Service;
    before(async () => {
      service = new Service();
      service.server = await listen(
        createApp({ ingest: service.ingest, log: () => {} }).callback(),
        '127.0.0.1',
        0,
      );
      if (!started) return;
      service.ingest.start();
      await pWaitFor(() => service.ingest.state === 'running');
    });
    after(async () => {
      await service.ingest.stop();
      await service.server.close();
      fs.rmSync(service.directory, { recursive: true });
    });
    return () => service;
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.server.port}${path}`, init);
  }

  /** Writes lines to a FIFO of its own and waits until they are counted. */
  async read(text: string): Promise<void> {
    makeFifo(this.file('events-a.fifo'));
    await writeFifo(this.file('events-a.fifo'), text);
    await pWaitFor(async () => (await this.ingest.stats()).bytes === Buffer.byteLength(text));
  }

  /** Waits until /readyz has a status; resolves to its body. */
  waitForReadiness(status: number): Promise<Readiness> {
    return pWaitFor(async () => {
      const response = await this.fetch('/readyz');
      const body = (await response.json()) as Readiness;
      return response.status === status && pWaitFor.resolveWith(body);
    });
  }
}

interface Readiness {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly reason?: string }>>;
}

async function expectProblem(
  response: Response,
  { status, type, title }: { status: number; type: string; title: string },
): Promise<Record<string, unknown>> {
  expect(response.status).to.equal(status);
  expect(response.headers.get('content-type')).to.match(/^application\/problem\+json(;|$)/);
  expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).to.include({ status, title, type: `urn:event-tally:problem:${type}` });
  expect(problem.detail).to.be.a('string').and.not.equal('');
  return problem;
}

const NOT_FOUND = { status: 404, type: 'not-found', title: 'Not Found' };
const NOT_ALLOWED = { status: 405, type: 'method-not-allowed', title: 'Method Not Allowed' };
const BAD_PARAMETER = { status: 400, type: 'bad-parameter', title: 'Bad Request' };
const UNAVAILABLE = { status: 503, type: 'unavailable', title: 'Service Unavailable' };
const INTERNAL = { status: 500, type: 'internal', title: 'Internal Server Error' };

describe('the HTTP application', () => {
  context('when nothing was read', () => {
    const service = Service.use();

    for (const path of COUNTS_PATHS) {
      it(`answers GET ${path} with an empty object`, async () => {
        expect(await (await service().fetch(path)).json()).to.deep.equal({});
      });
    }

    it('tells in /stats that nothing was read', async () => {
      expect(await (await service().fetch('/stats')).json()).to.deep.equal({
        batch: 0,
        lines: 0,
        bytes: 0,
        accepted: 0,
        blank: 0,
        rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
        event_types: { distinct: 0, overflow: 0 },
        words: { distinct: 0, overflow: 0 },
        last_event_time: null,
        last_line_seconds_ago: null,
        sources: [],
      });
    });
  });

  context('when events were read', () => {
    const service = Service.use();
    const lines = [
      event('b', 'x 10 10 10 __proto__ constructor', 7),
      event('b', '"\\ "\\', 1509604913.5),
      event('10', '', 3),
      event('a', 'x much-too-long-for-a-key'),
      event('a', 'x'),
      event('a', 'x past'),
      event('__proto__'),
      event('9'),
      event('past-the-cap'),
      event('past-the-cap-too'),
      '\n \t\r\n',
      '{ "corrupt\n[]\n{}\n',
      `${'x'.repeat(1001)}\n`,
      '{"event_type":"unfinished',
    ];
    before(() => service().read(lines.join('')));

    it('counts events by type, largest first, flat', async () => {
      const response = await service().fetch('/events/countByEventType');
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal('application/json; charset=utf-8');
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
      expect((await response.text()).trimEnd()).to.equal(
        '{"a":3,"b":2,"10":1,"9":1,"__proto__":1}',
      );
    });

    it('counts words, largest first, flat', async () => {
      const response = await service().fetch('/events/countWords');
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal('application/json; charset=utf-8');
      expect((await response.text()).trimEnd()).to.equal(
        '{"x":4,"10":3,"\\"\\\\":2,"__proto__":1,"constructor":1}',
      );
    });

    it('gives __proto__ as a key of the object', async () => {
      const counts: object = JSON.parse(
        await (await service().fetch('/events/countByEventType')).text(),
      );
      expect(Object.getOwnPropertyDescriptor(counts, '__proto__')?.value).to.equal(1);
    });

    it('tells in /stats what became of every line', async () => {
      const stats = (await (await service().fetch('/stats')).json()) as Record<string, unknown>;
      const { batch, last_line_seconds_ago, ...rest } = stats;
      expect(rest).to.deep.equal({
        lines: 16,
        bytes: Buffer.byteLength(lines.join('')),
        accepted: 10,
        blank: 2,
        rejected: { too_long: 1, not_json: 1, not_an_event: 2 },
        event_types: { distinct: 5, overflow: 2 },
        words: { distinct: 5, overflow: 2 },
        last_event_time: 1509604913.5,
        sources: [{ name: 'events-a.fifo', state: 'open', reason: null, lines: 16 }],
      });
      expect(batch).to.be.a('number').and.to.be.at.least(1);
      expect(last_line_seconds_ago).to.be.a('number').and.to.be.at.least(0);
    });

    for (const path of ['/EVENTS/COUNTBYEVENTTYPE', '/events/CountByEventType']) {
      it(`answers ${path} as it does /events/countByEventType`, async () => {
        expect(await (await service().fetch(path)).json()).to.include({ a: 3, b: 2 });
      });
    }

    for (const path of ['/Events/CountWords', '/Stats', '/LIVEZ', '/ReadyZ']) {
      it(`answers ${path} whatever its case`, async () => {
        expect((await service().fetch(path)).status).to.equal(200);
      });
    }

    for (const path of COUNTS_PATHS) {
      it(`answers HEAD ${path} as GET, without the body`, async () => {
        const get = await service().fetch(path);
        const head = await service().fetch(path, { method: 'HEAD' });
        expect(head.status).to.equal(200);
        expect(await head.text()).to.equal('');
        expect(Number(head.headers.get('content-length'))).to.equal((await get.text()).length);
        expect(head.headers.get('content-type')).to.equal(get.headers.get('content-type'));
      });
    }
  });

  context('when a request is wrong', () => {
    const service = Service.use();

    for (const path of [
      '/',
      '/events',
      '/events/countWords/more',
      '/stats.json',
      '/%',
      '//stats',
    ]) {
      it(`answers GET ${path} with 404`, async () => {
        await expectProblem(await service().fetch(path), NOT_FOUND);
      });
    }

    it('answers POST to an unknown path with 404', async () => {
      await expectProblem(await service().fetch('/nowhere', { method: 'POST' }), NOT_FOUND);
    });

    it('answers HEAD of an unknown path with 404 and no body', async () => {
      const response = await service().fetch('/nowhere', { method: 'HEAD' });
      expect(response.status).to.equal(404);
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
      expect(await response.text()).to.equal('');
    });

    for (const path of PATHS) {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        it(`answers ${method} ${path} with 405 and what it allows`, async () => {
          const response = await service().fetch(path, { method });
          expect(response.headers.get('allow')?.split(', ')).to.have.members(['GET', 'HEAD']);
          await expectProblem(response, NOT_ALLOWED);
        });
      }

      it(`answers OPTIONS ${path} with what it allows`, async () => {
        const response = await service().fetch(path, { method: 'OPTIONS' });
        expect(response.status).to.equal(200);
        expect(response.headers.get('allow')?.split(', ')).to.have.members(['GET', 'HEAD']);
        expect(await response.text()).to.equal('');
      });
    }

    const parameters: [query: string, parameter: string, value: string | string[]][] = [
      ['window=60s', 'window', '60s'],
      ['limit=', 'limit', ''],
      ['limit', 'limit', ''],
      ['limit=1&limit=2', 'limit', ['1', '2']],
      ['__proto__=1', '__proto__', '1'],
      ['a%20b=%22%C3%A9', 'a b', '"\u00e9'],
    ];
    for (const path of [...COUNTS_PATHS, '/stats']) {
      for (const [query, parameter, value] of parameters) {
        it(`answers GET ${path}?${query} with 400 that names the parameter`, async () => {
          const response = await service().fetch(`${path}?${query}`);
          const problem = await expectProblem(response, BAD_PARAMETER);
          expect(problem.parameter).to.equal(parameter);
          expect(problem.value).to.deep.equal(value);
          expect(problem.expected).to.equal('no parameters');
        });
      }
    }
  });

  context('when the ingest thread answers what nobody expects', () => {
    const logged: unknown[][] = [];
    const fail = () => Promise.reject(new Error('an inner secret'));
    const ingest: IngestClient = { state: 'running', lastEnd: null, counts: fail, stats: fail };
    let server: HttpServer;
    before(async () => {
      const app = createApp({ ingest, log: (...line) => logged.push(line) });
      server = await listen(app.callback(), '127.0.0.1', 0);
    });
    after(() => server.close());

    for (const path of [...COUNTS_PATHS, '/stats', '/readyz']) {
      it(`answers GET ${path} with 500, and logs why instead of telling it`, async () => {
        logged.length = 0;
        const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
        const problem = await expectProblem(response, INTERNAL);
        expect(JSON.stringify(problem)).not.to.include('secret');
        expect(logged).to.have.lengthOf(1);
        expect(JSON.stringify(logged)).to.include('an inner secret');
      });
    }
  });
});

describe('/livez', () => {
  const service = Service.use({ started: false });

  it('is 200 whatever the ingest thread does', async () => {
    const response = await service().fetch('/livez');
    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal({ status: 'alive' });
  });
});

describe('/readyz', () => {
  context('when the ingest thread reads', () => {
    const service = Service.use();

    it('is 200 without a FIFO', async () => {
      const response = await service().fetch('/readyz');
      expect(response.status).to.equal(200);
      expect(response.headers.get('cache-control')).to.equal('no-store');
      expect(await response.json()).to.deep.equal({
        status: 'ready',
        checks: { ingest: { ok: true }, fifo_dir: { ok: true } },
      });
    });

    it('is 200 with a FIFO that is open, and with one that is gone', async () => {
      const fifo = service().file('events-b.fifo');
      const check = async () => (await service().waitForReadiness(200)).checks;
      makeFifo(fifo);
      await pWaitFor(async () => 'source events-b.fifo' in (await check()));
      expect((await check())['source events-b.fifo']).to.deep.equal({ ok: true });
      fs.rmSync(fifo);
      await pWaitFor(async () => (await check())['source events-b.fifo']?.reason !== undefined);
      expect((await check())['source events-b.fifo']?.ok).to.equal(true);
    });
  });

  context('when a regular file has the name of a FIFO', () => {
    const service = Service.use();

    it('is 503 and names it, until it is gone', async () => {
      fs.writeFileSync(service().file('events-x.fifo'), event('a'));
      const { status, checks } = await service().waitForReadiness(503);
      expect(status).to.equal('not ready');
      expect(checks).to.deep.include({ ingest: { ok: true }, fifo_dir: { ok: true } });
      expect(checks['source events-x.fifo']?.ok).to.equal(false);
      expect(checks['source events-x.fifo']?.reason).to.match(/^not a FIFO/);

      fs.rmSync(service().file('events-x.fifo'));
      await service().waitForReadiness(200);
    });
  });

  context('when the folder cannot be read', () => {
    const service = Service.use();

    it('is 503 and tells why, until it can', async () => {
      const { directory } = service();
      fs.rmdirSync(directory);
      fs.writeFileSync(directory, 'in its place');
      const { checks } = await service().waitForReadiness(503);
      expect(checks.ingest).to.deep.equal({ ok: true });
      expect(checks.fifo_dir?.ok).to.equal(false);
      expect(checks.fifo_dir?.reason).to.include(directory);

      fs.rmSync(directory);
      await service().waitForReadiness(200);
    });
  });

  context('when the ingest thread was not started', () => {
    const service = Service.use({ started: false });

    it('is 503 and tells so', async () => {
      const response = await service().fetch('/readyz');
      expect(response.status).to.equal(503);
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
      expect(await response.json()).to.deep.equal({
        status: 'not ready',
        checks: { ingest: { ok: false, reason: 'the ingest thread is starting' } },
      });
    });
  });

  context('when the ingest thread was stopped', () => {
    const service = Service.use();

    it('is 503 and tells so', async () => {
      await service().ingest.stop();
      const { checks } = await service().waitForReadiness(503);
      expect(checks).to.deep.equal({
        ingest: { ok: false, reason: 'the ingest thread is stopped' },
      });
    });
  });
});

describe('a question that the ingest thread cannot answer', () => {
  const rows: [when: string, started: boolean, prepare: (service: Service) => unknown][] = [
    ['before it is started', false, () => {}],
    ['while it stops', true, (service) => void service.ingest.stop()],
    ['after it has stopped', true, (service) => service.ingest.stop()],
  ];
  for (const [when, started, prepare] of rows) {
    context(`when it comes ${when}`, () => {
      const service = Service.use({ started });
      before(() => prepare(service()));

      for (const path of [...COUNTS_PATHS, '/stats']) {
        it(`gets 503 with Retry-After from ${path}`, async () => {
          const response = await service().fetch(path);
          expect(response.headers.get('retry-after')).to.match(/^[1-9]\d*$/);
          await expectProblem(response, UNAVAILABLE);
        });
      }

      it('leaves /livez at 200', async () => {
        expect((await service().fetch('/livez')).status).to.equal(200);
      });
    });
  }
});
