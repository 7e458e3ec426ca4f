import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import getPort from 'get-port';
import pWaitFor from 'p-wait-for';
import { event } from '../consumer/dist-test/support/fifo-writer.js';
import { requirePromtool, samples } from '../consumer/dist-test/support/metrics.js';
import { Service } from '../consumer/dist-test/support/service.js';
import { useTempDir } from '../consumer/dist-test/support/temp-dir.js';
import { README, ROOT } from './readme/readme.js';

const PROMETHEUS = `${ROOT}monitoring/prometheus`;
const GRAFANA = `${ROOT}monitoring/grafana`;

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly datasource: { readonly uid: string };
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets: readonly { readonly refId: string; readonly expr: string }[];
}

const read = (file: string) => fs.readFileSync(file, 'utf8');
const dashboard = JSON.parse(read(`${GRAFANA}/dashboards/event-tally.json`)) as {
  readonly uid: string;
  readonly panels: readonly Panel[];
};
/** As Grafana asks Prometheus. */
const expressions = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => ({ title, expr: expr.replaceAll('$__rate_interval', '1m') })),
);

/** Names of metrics of the consumer, as they stand in any text. */
function namesIn(text: string): string[] {
  return [...new Set(text.match(/\b(event_tally|process|nodejs)_[a-z0-9_]+\b/g))];
}

describe('monitoring', () => {
  // Each number of /metrics is there: lines of all kinds, a type by name, requests, a checkpoint.
  const service = Service.use({ metricsTopTypes: 1, keepsState: true });
  let names: string[];
  before(async () => {
    await service().read(`${event('a', 'b', Date.now() / 1000)}\n{}\n`);
    await service().fetch('/stats');
    await pWaitFor(
      async () => (await service().ingest.stats()).state?.lastCheckpointSeconds != null,
    );
    const text = await (await service().fetch('/metrics')).text();
    names = [...samples(text).keys()].map((name) => name.replace(/\{.*$/, ''));
  });

  const documents: [what: string, text: () => string][] = [
    ['the dashboard', () => JSON.stringify(expressions)],
    ['the alerts', () => read(`${PROMETHEUS}/alerts.yml`)],
    ['their tests', () => read(`${PROMETHEUS}/alerts.test.yml`)],
    ['the README', () => read(README).split('\n## Metrics\n')[1]?.split('\n## ')[0] as string],
  ];
  for (const [what, text] of documents) {
    it(`finds every metric that ${what} names in /metrics`, () => {
      const named = namesIn(text()).filter(
        (name) => !names.some((known) => known === name || known === `${name}_count`),
      );
      expect(named).to.deep.equal([]);
      expect(namesIn(text())).not.to.deep.equal([]);
    });
  }

  it('has every metric of the consumer’s own in the README', () => {
    const [, section] = read(README).split('\n## Metrics\n') as [string, string];
    const documented = namesIn(section);
    const own = names
      .filter((name) => name.startsWith('event_tally_'))
      .map((name) => name.replace(/_(bucket|sum|count)$/, ''));
    expect(documented).to.include.members(own);
  });

  describe('the dashboard', () => {
    it('has panels with ids of their own, side by side on its 24 columns', () => {
      const ids = dashboard.panels.map(({ id }) => id);
      expect(new Set(ids).size).to.equal(ids.length);
      const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
        expect(x + w).to.be.at.most(24);
        return Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`);
      });
      expect(new Set(cells).size).to.equal(cells.length);
    });

    it('asks the data source that is provisioned', () => {
      const [, uid] = /uid: (\w+)/.exec(read(`${GRAFANA}/datasources/prometheus.yml`)) as string[];
      expect(dashboard.panels.map(({ datasource }) => datasource.uid)).to.satisfy(
        (uids: string[]) => uids.every((asked) => asked === uid),
      );
    });

    it('names the parts of a panel apart', () => {
      for (const { targets } of dashboard.panels) {
        expect(new Set(targets.map(({ refId }) => refId)).size).to.equal(targets.length);
      }
    });
  });

  describe('to Prometheus', () => {
    requirePromtool();
    const dir = useTempDir();

    const checks: [what: string, args: string[]][] = [
      ['the configuration is valid', ['check', 'config', `${PROMETHEUS}/prometheus.yml`]],
      ['the alerts are valid', ['check', 'rules', `${PROMETHEUS}/alerts.yml`]],
      ['the alerts fire when they should', ['test', 'rules', `${PROMETHEUS}/alerts.test.yml`]],
    ];
    for (const [what, args] of checks) {
      it(what, async () => {
        const { stdout } = await execa('promtool', args);
        expect(stdout).to.include('SUCCESS').and.not.to.include('FAILED');
      });
    }

    it('every panel’s question has an answer, once the consumer was scraped', async () => {
      const config = read(`${PROMETHEUS}/prometheus.yml`);
      const file = path.join(dir.path, 'prometheus.yml');
      fs.writeFileSync(
        file,
        config
          .replace('consumer:5000', `127.0.0.1:${service().port}`)
          .replace('scrape_interval: 5s', 'scrape_interval: 1s'),
      );
      fs.copyFileSync(`${PROMETHEUS}/alerts.yml`, path.join(dir.path, 'alerts.yml'));
      const port = await getPort();
      const prometheus = execa(
        'prometheus',
        [
          `--config.file=${file}`,
          `--storage.tsdb.path=${path.join(dir.path, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
        ],
        { reject: false, stderr: 'ignore' },
      );
      const query = async (expr: string) => {
        const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
        const answer = await fetch(url).catch(() => null);
        if (answer === null || answer.status === 503) return []; // it is starting
        const body = (await answer.json()) as {
          readonly status: string;
          readonly error?: string;
          readonly data?: { readonly result: readonly unknown[] };
        };
        expect(body, expr).to.include({ status: 'success' });
        return body.data?.result ?? [];
      };
      try {
        for (const { title, expr } of expressions) {
          await pWaitFor(async () => (await query(expr)).length > 0, {
            interval: 100,
            timeout: { milliseconds: 20_000, message: `no answer for ${title}: ${expr}` },
          });
        }
      } finally {
        prometheus.kill();
        await prometheus;
      }
    });
  });
});
