import type Router from '@koa/router';
import type { IngestClient } from '../ingest/ingest-client.js';
import { rejectedDocument } from './documents.js';
import { readParameters } from './parameters.js';
import { jsonBody, sendJson } from './send-json.js';
import { SharedWork } from './shared-work.js';

/** /events/rejected: the last lines that became no event, and why. */
export function addRejectedRoutes(router: Router, ingest: IngestClient): void {
  const rejected = new SharedWork();
  router.get('/events/rejected', async (context) => {
    readParameters(context.query, []);
    const body = await rejected.run('', context.req.socket, async () =>
      jsonBody(JSON.stringify(rejectedDocument(await ingest.rejected()))),
    );
    sendJson(context, body);
  });
}
