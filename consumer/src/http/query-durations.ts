import type { Middleware } from 'koa';
import { Histogram, type Registry } from 'prom-client';

/** Seconds; a window of long retention takes the longest, an ingest thread's limit is 5 s. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Paths that are nobody's: what clients make up is no label. */
const OTHER = 'other';

/**
 * Measures how long answers take to be made, by the pattern of their route; the time that they, or a
 * stream, take to be sent is not in it. To be the outermost middleware.
 */
export function queryDurations(registry: Registry): Middleware {
  const durations = new Histogram({
    name: 'event_tally_query_duration_seconds',
    help: 'Time to make an answer to an HTTP request, by route; other: no route.',
    labelNames: ['route'],
    buckets: BUCKETS,
    registers: [registry],
  });
  return async (context, next) => {
    const end = durations.startTimer();
    try {
      await next();
    } finally {
      end({ route: context._matchedRoute?.toString() ?? OTHER });
    }
  };
}
