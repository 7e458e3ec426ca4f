import type Router from '@koa/router';
import type { Context } from 'koa';
import type { IngestClient } from '../ingest/ingest-client.js';
import { askSoon, isReady, readinessChecks } from './readiness.js';
import { sendJson } from './send-json.js';

/**
 * /livez: this process answers. /readyz, and by its older name /healthz: it also reads and counts; 503
 * otherwise, with what is wrong.
 */
export function addHealthRoutes(router: Router, ingest: IngestClient): void {
  router.get('/livez', (context) => {
    sendJson(context, JSON.stringify({ status: 'alive' }));
  });

  const readiness = async (context: Context) => {
    const checks = readinessChecks(await askSoon(ingest, () => ingest.stats()));
    const ready = isReady(checks);
    context.status = ready ? 200 : 503;
    sendJson(context, JSON.stringify({ status: ready ? 'ready' : 'not ready', checks }));
  };
  router.get('/readyz', readiness);
  router.get('/healthz', readiness);
}
