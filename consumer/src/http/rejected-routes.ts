import type Router from '@koa/router';
import type { IngestClient } from '../ingest/ingest-client.js';
import { rejectedDocument } from './documents.js';
import { readParameters } from './parameters.js';
import { sendJson } from './send-json.js';

/** /events/rejected: the last lines that became no event, and why. */
export function addRejectedRoutes(router: Router, ingest: IngestClient): void {
  router.get('/events/rejected', async (context) => {
    readParameters(context.query, []);
    sendJson(context, JSON.stringify(rejectedDocument(await ingest.rejected())));
  });
}
