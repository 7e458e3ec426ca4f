import type Router from '@koa/router';
import type { Context } from 'koa';
import type { IngestClient } from '../ingest/ingest-client.js';
import { askSoon, isReady, readinessChecks } from './readiness.js';
import { jsonBody, sendJson } from './send-json.js';
import { SharedWork } from './shared-work.js';

/**
 * /livez: this process answers. /readyz, and by its older name /healthz: it also reads and counts; 503
 * otherwise, with what is wrong.
 */
export function addHealthRoutes(router: Router, ingest: IngestClient): void {
  router.get('/livez', (context) => {
    sendJson(context, jsonBody(JSON.stringify({ status: 'alive' })));
  });

  const looks = new SharedWork();
  const readiness = async (context: Context) => {
    // The limit is each asker's own: behind a look that hangs there would be another one.
    const checks = readinessChecks(
      await askSoon(ingest, () => looks.run('', context.req.socket, () => ingest.stats())),
    );
    const ready = isReady(checks);
    context.status = ready ? 200 : 503;
    sendJson(context, jsonBody(JSON.stringify({ status: ready ? 'ready' : 'not ready', checks })));
  };
  router.get('/readyz', readiness);
  router.get('/healthz', readiness);
}
