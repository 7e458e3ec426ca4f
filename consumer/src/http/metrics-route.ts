import type Router from '@koa/router';
import { Gauge, Registry } from 'prom-client';
import type { Config } from '../config.js';
import type { IngestClient, IngestStats } from '../ingest/ingest-client.js';
import { VERSION } from '../package-manifest.js';
import { rank } from '../tally/ranking.js';
import { ingestMetrics } from './ingest-metrics.js';
import { readParameters } from './parameters.js';
import { processMetrics } from './process-metrics.js';
import { type Asked, askSoon, isReady, readinessChecks } from './readiness.js';
import { SharedWork } from './shared-work.js';
import { TopTypes } from './top-types.js';

export type MetricsConfig = Pick<
  Config,
  'eventTypesMax' | 'wordsMax' | 'ingestWorkers' | 'metricsTopTypes'
>;

/** The registry of one application: a part of it that has numbers to show registers them there. */
export function createRegistry(): Registry {
  const registry = new Registry();
  new Gauge({
    name: 'event_tally_build_info',
    help: 'Always 1; the version is the label.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: VERSION }, 1);
  return registry;
}

/** GET /metrics: 200 whatever the ingest threads do, with what is known without them. */
export function addMetricsRoute(
  router: Router,
  ingest: IngestClient,
  registry: Registry,
  config: MetricsConfig,
): void {
  const { eventTypesMax, wordsMax, ingestWorkers } = config;
  const keysMax = { types: eventTypesMax * ingestWorkers, words: wordsMax * ingestWorkers };
  const topTypes = new TopTypes(config.metricsTopTypes);
  const ofProcess = processMetrics();
  const kinds = config.metricsTopTypes === 0 ? [] : (['types'] as const);

  const scrape = async (): Promise<Registry> => {
    const asked = await askSoon(ingest, () => ingest.snapshot(kinds, null));
    const stats: Asked<IngestStats> = asked.ok ? { ok: true, answer: asked.answer.stats } : asked;
    const types = asked.ok ? asked.answer.counts[0] : undefined;
    const scraped = ingestMetrics({
      now: Date.now() / 1000,
      ready: isReady(readinessChecks(stats)),
      stats: stats.ok ? stats.answer : null,
      loopUtilizations: ingest.loopUtilizations(),
      keysMax,
      topTypes:
        types === undefined ? [] : topTypes.update(rank(types.keys, 2 * config.metricsTopTypes)),
    });
    return Registry.merge([registry, scraped, ofProcess]);
  };

  const scrapes = new SharedWork();
  router.get('/metrics', async (context) => {
    readParameters(context.query, []);
    const { type, body } = await scrapes.run('', context.req.socket, async () => {
      const all = await scrape();
      return { type: all.contentType, body: Buffer.from(await all.metrics()) };
    });
    context.type = type;
    context.set('Cache-Control', 'no-cache');
    context.body = body;
  });
}
