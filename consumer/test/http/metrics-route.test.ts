import fs from 'node:fs';
import { expect } from 'chai';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';
import { event, makeFifo } from '../support/fifo-writer.js';
import { requirePromtool, samples } from '../support/metrics.js';
import { TESTED_SCANNER } from '../support/pool-options.js';
import { Service } from '../support/service.js';
import { closeStreams, StreamReader } from '../support/stream-reader.js';

const AWKWARD = ['quo"te', 'back\\slash', 'line\nfeed', 'nul\0', '🦔 and }', '{le="1"} 7', 'ثلاثة'];
const NOW = Date.now() / 1000;
const LINES = [
  event('b', 'x y', NOW).repeat(2),
  event('a', 'x', NOW - 9000),
  event('c', '', NOW + 9000).repeat(3),
  event('d', 'much-too-long-for-a-key', NOW),
  ' \n{ "corrupt\n[]\n{}\n',
  `${'x'.repeat(1001)}\n`,
].join('');

async function scrape(service: Service): Promise<ReadonlyMap<string, number>> {
  const response = await service.fetch('/metrics');
  expect(response.status).to.equal(200);
  return samples(await response.text());
}

function countsByRoute(metrics: ReadonlyMap<string, number>): [route: string, count: number][] {
  return [...metrics].flatMap(([name, count]) => {
    const route = /^event_tally_query_duration_seconds_count\{route="(.*)"\}$/.exec(name)?.[1];
    return route === undefined ? [] : [[route, count]];
  });
}

describe('GET /metrics', () => {
  context('when lines were read', () => {
    const service = Service.use();
    before(() => service().read(LINES));

    it('tells no version but event-tally’s own', async () => {
      const text = await (await service().fetch('/metrics')).text();
      expect(text).to.include('event_tally_build_info');
      expect(text).not.to.include(process.versions.node).and.not.include('nodejs_version');
    });

    it('is Prometheus’ text, not to be kept', async () => {
      const { headers } = await service().fetch('/metrics');
      expect(headers.get('content-type')).to.equal('text/plain; version=0.0.4; charset=utf-8');
      expect(headers.get('cache-control')).to.equal('no-cache');
    });

    it('tells what became of every line', async () => {
      const bytes = Buffer.byteLength(LINES);
      const expected = {
        'event_tally_lines_total{source="events-a.fifo"}': 12,
        'event_tally_bytes_total{source="events-a.fifo"}': bytes,
        event_tally_events_accepted_total: 7,
        event_tally_lines_blank_total: 1,
        'event_tally_lines_rejected_total{reason="too_long"}': 1,
        'event_tally_lines_rejected_total{reason="not_json"}': 1,
        'event_tally_lines_rejected_total{reason="not_an_event"}': 2,
        [`event_tally_scanner_lines_total{scanner="${TESTED_SCANNER}"}`]: 12,
        event_tally_scanner_fallback_lines_total: 0,
        event_tally_events_late_total: 1,
        event_tally_events_ahead_total: 3,
        'event_tally_keys_distinct{kind="types"}': 4,
        'event_tally_keys_distinct{kind="words"}': 2,
        'event_tally_keys_distinct_max{kind="types"}': 5,
        'event_tally_keys_distinct_max{kind="words"}': 5,
        'event_tally_keys_overflow_total{kind="types"}': 0,
        'event_tally_keys_overflow_total{kind="words"}': 1,
        event_tally_window_cells_max: 100_000,
        event_tally_window_cells_folded_total: 0,
        'event_tally_source_state{source="events-a.fifo",state="open"}': 1,
        'event_tally_source_state{source="events-a.fifo",state="gone"}': 0,
        event_tally_ready: 1,
        event_tally_ingest_running: 1,
      };
      const metrics = Object.fromEntries(await scrape(service()));
      expect(metrics).to.include(expected);
      const { window_cells } = await service().get<{ window_cells: { used: number } }>('/stats');
      expect(metrics.event_tally_window_cells).to.equal(window_cells.used).and.to.be.above(0);
      expect(metrics['event_tally_ingest_loop_utilization_ratio{thread="0"}']).to.be.within(0, 1);
      expect(metrics.event_tally_last_event_age_seconds).to.be.at.least(0);
      expect(metrics.event_tally_last_line_age_seconds).to.be.at.least(0);
    });

    it('tells of the process and the build', async () => {
      const metrics = await scrape(service());
      const { version } = JSON.parse(fs.readFileSync('consumer/package.json', 'utf8'));
      expect(metrics.get(`event_tally_build_info{version="${version}"}`)).to.equal(1);
      for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes']) {
        expect(metrics.get(name)).to.be.above(0);
      }
    });

    it('gives the same numbers to scrapers that ask at once', async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => scrape(service())));
      for (const metrics of answers) {
        expect(metrics.get('event_tally_events_accepted_total')).to.equal(7);
      }
    });

    it('has no type and no word of the stream', async () => {
      const metrics = await scrape(service());
      const labels = [...metrics.keys()].join('\n').matchAll(/(\w+)="([^"]*)"/g);
      const values = [...labels].map(([, , value]) => value);
      expect(values).to.include('events-a.fifo');
      for (const key of ['a', 'b', 'c', 'd', 'x', 'y']) expect(values).not.to.include(key);
    });

    it('refuses a parameter, as no other is taken', async () => {
      expect((await service().fetch('/metrics?name=up')).status).to.equal(400);
    });
  });

  context('when nothing was read', () => {
    const service = Service.use();

    it('leaves out the ages and the sources', async () => {
      const names = [...(await scrape(service())).keys()].join('\n');
      expect(names).not.to.match(/_age_seconds|source=/);
      expect(names).to.match(/^event_tally_events_accepted_total$/m);
    });

    it('has the requests of its own application alone', async () => {
      expect(countsByRoute(await scrape(service()))).to.deep.equal([['/metrics', 1]]);
    });
  });

  context('when requests were answered', () => {
    const service = Service.use();

    it('counts them by the pattern of their route, never by path', async () => {
      for (const path of ['/events/countWords', '/EVENTS/countWords?limit=1', '/stats', '/a/b']) {
        await service().fetch(path);
      }
      await service().fetch('/stats', { method: 'POST' });
      await service().fetch('/stats?what');
      const metrics = await scrape(service());
      expect(countsByRoute(metrics)).to.have.deep.members([
        ['/events/countWords', 2],
        ['/stats', 2],
        ['other', 2],
      ]);
    });

    it('measures them with buckets up to the longest that a query may take', async () => {
      const metrics = await scrape(service());
      expect(
        metrics.get('event_tally_query_duration_seconds_bucket{le="5",route="/stats"}'),
      ).to.equal(2);
    });
  });

  context('when two threads count', () => {
    const service = Service.use({ ingestWorkers: 2 });

    it('tells how many keys both have room for, as it tells the keys of both', async () => {
      await service().read(['a', 'b', 'c', 'd'].map((type) => event(type)).join(''), 'a.fifo');
      await service().read(['e', 'f', 'g', 'h'].map((type) => event(type)).join(''), 'b.fifo');
      const metrics = await scrape(service());
      expect(metrics.get('event_tally_keys_distinct{kind="types"}')).to.equal(8);
      expect(metrics.get('event_tally_keys_distinct_max{kind="types"}')).to.equal(10);
    });
  });

  context('when a source is gone', () => {
    const service = Service.use();

    it('tells so', async () => {
      await service().read(event('a'), 'b.fifo');
      fs.rmSync(service().file('b.fifo'));
      const state = (of: string) => `event_tally_source_state{source="b.fifo",state="${of}"}`;
      const metrics = await pWaitFor(async () => {
        const now = await scrape(service());
        return now.get(state('gone')) === 1 && pWaitFor.resolveWith(now);
      });
      expect(metrics.get(state('open'))).to.equal(0);
      expect(metrics.get('event_tally_lines_total{source="b.fifo"}')).to.equal(1);
      expect(metrics.get('event_tally_ready')).to.equal(1);
    });

    it('leaves it out once it had to be forgotten', async () => {
      const names = Array.from({ length: 1000 }, (_, i) => service().file(`${i}.fifo`));
      await execa('mkfifo', names);
      await pWaitFor(async () => {
        const lines = [...(await scrape(service())).keys()].filter((name) =>
          name.startsWith('event_tally_lines_total'),
        );
        expect(lines.length).to.be.at.most(1000);
        return lines.length === 1000 && lines.every((name) => !name.includes('"b.fifo"'));
      });
    });
  });

  context('when clients have streams', () => {
    const service = Service.use({ clientsMax: 2 });
    afterEach(closeStreams);

    it('tells how many, and what they were sent', async () => {
      const { port } = service();
      const reader = await StreamReader.open(port, '?interval=60s');
      await reader.waitFor();
      await (await StreamReader.open(port, '?interval=60s')).waitFor();
      const refused = await service().fetch('/events/stream');
      expect(refused.status).to.equal(503);
      const expected = {
        event_tally_stream_clients: 2,
        event_tally_stream_clients_max: 2,
        event_tally_stream_clients_refused_total: 1,
        event_tally_stream_frames_sent_total: 2,
        event_tally_stream_frames_skipped_total: 0,
      };
      for (const _ of ['first', 'second']) {
        expect(Object.fromEntries(await scrape(service()))).to.include(expected);
      }
      reader.close();
      await pWaitFor(async () => (await scrape(service())).get('event_tally_stream_clients') === 1);
    });
  });

  context('when METRICS_TOP_TYPES is set', () => {
    const service = Service.use({ metricsTopTypes: 2, eventTypesMax: 100 });
    before(() =>
      service().read(['a', 'b', 'b', 'c', 'c', 'c', 'd'].map((type) => event(type)).join('')),
    );

    it('counts so many types by name', async () => {
      const byType = [...(await scrape(service()))].filter(([name]) => /by_type/.test(name));
      expect(byType).to.deep.equal([
        ['event_tally_events_by_type_total{type="c"}', 3],
        ['event_tally_events_by_type_total{type="b"}', 2],
      ]);
    });

    it('keeps one that was overtaken', async () => {
      await service().read(event('a').repeat(5));
      const metrics = await scrape(service());
      for (const [type, count] of Object.entries({ a: 6, c: 3, b: 2 })) {
        expect(metrics.get(`event_tally_events_by_type_total{type="${type}"}`)).to.equal(count);
      }
      expect(metrics.has('event_tally_events_by_type_total{type="d"}')).to.equal(false);
    });
  });

  describe('to promtool', () => {
    requirePromtool();
    const service = Service.use({ metricsTopTypes: 10, eventTypesMax: 100 });

    it('is clean, whatever types and files are called', async () => {
      makeFifo(service().file('a"b\\c\n.fifo'));
      await service().read(LINES + AWKWARD.map((type) => event(type)).join(''));
      await service().fetch('/nowhere');
      const text = await (await service().fetch('/metrics')).text();
      expect(text).to.include('type="quo\\"te"');
      // The backslash is doubled in the name of the source, and each of both once more in the label.
      expect(text).to.include('source="a\\"b\\\\\\\\c\\n.fifo"');
      const { stdout, stderr } = await execa('promtool', ['check', 'metrics'], { input: text });
      expect(stdout + stderr).to.equal('');
    });
  });

  const rows: [when: string, started: boolean, prepare: (service: Service) => unknown][] = [
    ['was not started', false, () => {}],
    ['has stopped', true, (service) => service.ingest.stop()],
  ];
  for (const [when, started, prepare] of rows) {
    context(`when the ingest thread ${when}`, () => {
      const service = Service.use({ started, metricsTopTypes: 1 });
      before(() => prepare(service()));

      it('is 200 with what is known without it', async () => {
        const metrics = await scrape(service());
        expect(metrics.get('event_tally_ingest_running')).to.equal(0);
        expect(metrics.get('event_tally_ready')).to.equal(0);
        expect(metrics.get('process_cpu_seconds_total')).to.be.above(0);
        expect(metrics.has('event_tally_events_accepted_total')).to.equal(false);
      });
    });
  }
});
