import { METHODS } from 'node:http';
import Router from '@koa/router';
import Koa from 'koa';
import type { Config } from '../config.js';
import type { IngestClient } from '../ingest/ingest-client.js';
import type { Log } from '../log.js';
import { addConnectionMetrics } from './connection-metrics.js';
import type { Connections } from './connections.js';
import { corsForReads } from './cors.js';
import { addCountsRoutes } from './counts-routes.js';
import { addDashboardRoutes } from './dashboard-routes.js';
import { addDescriptionRoutes } from './description-routes.js';
import { addHealthRoutes } from './health-routes.js';
import { allowedHosts } from './hosts.js';
import { addMetricsRoute, createRegistry, type MetricsConfig } from './metrics-route.js';
import { addPostRoute } from './post-route.js';
import { problems } from './problem.js';
import { queryDurations } from './query-durations.js';
import { addRejectedRoutes } from './rejected-routes.js';
import { securityHeaders } from './security-headers.js';
import { sentBodies } from './sent-bodies.js';
import { SharedAnswers } from './shared-answers.js';
import type { StreamHub } from './stream/stream-hub.js';
import { addStreamMetrics } from './stream/stream-metrics.js';
import { addStreamRoutes } from './stream/stream-routes.js';
import { targetLength } from './target-length.js';

export interface AppDependencies {
  readonly ingest: IngestClient;
  readonly streams: StreamHub;
  /** Of the server that the application is given to. */
  readonly connections: Connections;
  readonly log: Log;
  readonly config: Pick<
    Config,
    | 'mapping'
    | 'ingestToken'
    | 'postBytesMax'
    | 'postQueueBytesMax'
    | 'corsOrigins'
    | 'allowedHosts'
    | 'host'
  > &
    MetricsConfig;
}

/** The HTTP application, not listening. Paths match without regard to case. */
export function createApp({ ingest, streams, connections, log, config }: AppDependencies): Koa {
  const app = new Koa();
  // All methods that HTTP has: to the router's own list a further one is a 501 without Allow.
  const router = new Router({ methods: METHODS });
  const answers = new SharedAnswers(ingest);
  addCountsRoutes(router, ingest, answers);
  addRejectedRoutes(router, ingest);
  addStreamRoutes(router, ingest, streams, log);
  addHealthRoutes(router, ingest);
  const registry = createRegistry();
  addStreamMetrics(registry, streams);
  addConnectionMetrics(registry, connections);
  addMetricsRoute(router, ingest, registry, config);
  addDashboardRoutes(router, ingest, answers, config);
  if (config.ingestToken !== null) {
    addPostRoute(router, ingest, {
      token: config.ingestToken,
      bodyBytesMax: config.postBytesMax,
      queueBytesMax: config.postQueueBytesMax,
    });
  }
  addDescriptionRoutes(router, config.mapping);

  app.use(queryDurations(registry));
  app.use(sentBodies(connections));
  app.use(securityHeaders);
  if (config.corsOrigins.length > 0) app.use(corsForReads(config.corsOrigins));
  app.use(problems(log));
  app.use(targetLength);
  app.use(allowedHosts(config.allowedHosts, config.host));
  app.use(router.routes());
  app.use(router.allowedMethods());
  // What happens after the answer was made: a client that leaves in mid-answer, mostly.
  app.on('error', (error: NodeJS.ErrnoException) => {
    log('debug', 'an answer could not be sent', { code: error.code, error: error.message });
  });
  return app;
}
