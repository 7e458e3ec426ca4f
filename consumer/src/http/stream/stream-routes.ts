import type Router from '@koa/router';
import { type IngestClient, IngestUnavailableError } from '../../ingest/ingest-client.js';
import type { Log } from '../../log.js';
import type { WindowRequest } from '../../tally/interval.js';
import { refusalAsProblem } from '../counts-routes.js';
import { readParameters, toWindowRequest } from '../parameters.js';
import { ProblemError, problemDocument, toProblem } from '../problem.js';
import { SharedWork } from '../shared-work.js';
import { STREAM_HEADERS } from './stream-client.js';
import { type StreamHub, StreamsFullError } from './stream-hub.js';

const STREAM_PARAMETERS = ['kinds', 'window', 'until', 'align', 'limit', 'interval'] as const;
const STREAM_LIMIT = 100;
const STREAM_INTERVAL_MS = 1000;
/** When a client that found no place may try again. */
const RETRY_AFTER_SECONDS = 5;

/** /events/stream: the counts as server-sent events, whenever they have changed. */
export function addStreamRoutes(
  router: Router,
  ingest: IngestClient,
  streams: StreamHub,
  log: Log,
): void {
  const looks = new SharedWork();
  router.get('/events/stream', async (context) => {
    const { query } = context;
    const parameters = readParameters(query, STREAM_PARAMETERS);
    const request = {
      subject: {
        kinds: parameters.kinds ?? (['types', 'words'] as const),
        window: toWindowRequest(query, parameters, ingest.retentionSeconds),
      },
      manner: {
        limit: parameters.limit ?? STREAM_LIMIT,
        intervalMs: parameters.interval ?? STREAM_INTERVAL_MS,
      },
    };
    try {
      if (context.method === 'HEAD') {
        streams.assertPlace();
        const { window } = request.subject;
        const { socket } = context.req;
        await looks.run(JSON.stringify(window), socket, () => assertAnswerable(ingest, window));
        context.status = 200;
        context.set(STREAM_HEADERS);
        return;
      }
      await streams.open(request, context.res, (error) =>
        JSON.stringify(problemDocument(toProblem(refusalAsProblem(query, error), log))),
      );
    } catch (error) {
      if (!(error instanceof StreamsFullError)) throw refusalAsProblem(query, error);
      const headers = { 'Retry-After': String(RETRY_AFTER_SECONDS) };
      throw new ProblemError('unavailable', `${error.message}.`, { headers });
    }
    // The stream is the hub's from here on.
    context.respond = false;
  });
}

/** Rejects with what would keep a stream from beginning; that no ingest thread is there would not. */
async function assertAnswerable(ingest: IngestClient, window: WindowRequest | null): Promise<void> {
  try {
    await ingest.snapshot([], window);
  } catch (error) {
    if (!(error instanceof IngestUnavailableError)) throw error;
  }
}
