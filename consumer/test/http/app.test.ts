import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { expect } from 'chai';
import { createApp } from '#consumer/http/app.js';
import { Connections } from '#consumer/http/connections.js';
import { type HttpServer, listen } from '#consumer/http/server.js';
import { StreamHub } from '#consumer/http/stream/stream-hub.js';
import type { IngestClient } from '#consumer/ingest/ingest-client.js';
import { event } from '../support/fifo-writer.js';
import { TESTED_SCANNER } from '../support/pool-options.js';
import { expectProblem, INTERNAL, NOT_ALLOWED, NOT_FOUND } from '../support/problem.js';
import { Service } from '../support/service.js';

const COUNTS_PATHS = ['/events/countByEventType', '/events/countWords', '/events/sumByEventType'];
const PATHS = [
  ...COUNTS_PATHS,
  '/events/series',
  '/events/rejected',
  '/events/stream',
  '/stats',
  '/livez',
  '/readyz',
  '/healthz',
  '/metrics',
];

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
        late: 0,
        ahead: 0,
        event_types: { distinct: 0, overflow: 0 },
        words: { distinct: 0, overflow: 0 },
        window_cells: { used: 0, max: 100_000, folded: 0 },
        last_event_time: null,
        since: null,
        last_line_seconds_ago: null,
        scanner: { name: TESTED_SCANNER, lines: 0, fallback_lines: 0 },
        state: null,
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
      const { batch, last_line_seconds_ago, sources, ...rest } = stats;
      const bytes = Buffer.byteLength(lines.join(''));
      expect(rest).to.deep.equal({
        lines: 16,
        bytes,
        accepted: 10,
        blank: 2,
        rejected: { too_long: 1, not_json: 1, not_an_event: 2 },
        late: 8,
        ahead: 0,
        event_types: { distinct: 5, overflow: 2 },
        words: { distinct: 5, overflow: 2 },
        window_cells: { used: 2, max: 100_000, folded: 0 },
        last_event_time: 1509604913.5,
        scanner: { name: TESTED_SCANNER, lines: 16, fallback_lines: 0 },
        state: null,
        since: 1509597600, // the first whole minute of the two hours, the clock skew and a minute before
      });
      expect(batch).to.be.a('number').and.to.be.at.least(1);
      expect(last_line_seconds_ago).to.be.a('number').and.to.be.at.least(0);
      expect(sources).to.have.lengthOf(1);
      const [{ last_line_seconds_ago: age, ...source }] = sources as [Record<string, unknown>];
      expect(source).to.deep.equal({
        name: 'events-a.fifo',
        state: 'open',
        reason: null,
        lines: 16,
        bytes,
      });
      expect(age)
        .to.be.at.least(0)
        .and.at.most(last_line_seconds_ago as number);
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

    for (const path of ['/events', '/events/countWords/more', '/stats.json', '/%', '//stats']) {
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
  });

  context('when the ingest thread answers what nobody expects', () => {
    const logged: unknown[][] = [];
    const fail = () => Promise.reject(new Error('an inner secret'));
    const ingest: IngestClient = {
      state: 'running',
      lastEnd: null,
      retentionSeconds: 7200,
      moment: null,
      answeringMs: 0,
      counts: fail,
      series: fail,
      stats: fail,
      snapshot: fail,
      rejected: fail,
      loopUtilizations: () => [],
      post: fail,
    };
    const config = {
      mapping: DEFAULT_MAPPING,
      ingestToken: 'token',
      postBytesMax: 100,
      postQueueBytesMax: 100,
      corsOrigins: [],
      allowedHosts: [],
      host: '127.0.0.1',
      eventTypesMax: 100,
      wordsMax: 100,
      ingestWorkers: 1,
      metricsTopTypes: 0,
    };
    let server: HttpServer;
    before(async () => {
      const app = createApp({
        ingest,
        streams: new StreamHub(ingest, { clientsMax: 1 }),
        connections: new Connections(),
        log: (...line) => logged.push(line),
        config,
      });
      server = await listen(app.callback(), '127.0.0.1', 0);
    });
    after(() => server.close());

    for (const path of [
      ...COUNTS_PATHS,
      '/events/series?window=60s',
      '/events/rejected',
      '/events/stream',
      '/stats',
      '/readyz',
      '/metrics',
      '/',
    ]) {
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
