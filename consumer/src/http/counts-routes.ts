import type Router from '@koa/router';
import type { Context } from 'koa';
import type { IngestClient } from '../ingest/ingest-client.js';
import type { IngestStats } from '../ingest/protocol.js';
import { type KeyCount, rank } from '../tally/ranking.js';
import type { KeyKind } from '../tally/tally.js';
import { ProblemError } from './problem.js';

export function addCountsRoutes(router: Router, ingest: IngestClient): void {
  const flatCounts = (of: KeyKind) => async (context: Context) => {
    refuseParameters(context);
    const { keys, counts } = await ingest.counts(of);
    sendJson(context, flatObject(rank(keys, counts)));
  };
  router.get('/events/countByEventType', flatCounts('types'));
  router.get('/events/countWords', flatCounts('words'));
  router.get('/stats', async (context) => {
    refuseParameters(context);
    sendJson(context, JSON.stringify(statsDocument(await ingest.stats())));
  });
}

/** A parameter that is not known is never ignored: its answer would be to another question. */
function refuseParameters(context: Context): void {
  const [parameter] = Object.keys(context.query);
  if (parameter === undefined) return;
  throw new ProblemError(
    'bad-parameter',
    `${context.path} takes no parameter ${JSON.stringify(parameter)}.`,
    {
      extension: { parameter, value: context.query[parameter], expected: 'no parameters' },
    },
  );
}

/**
 * Written as text because an object would not keep the order: JavaScript puts keys that look like
 * integers first, and loses `__proto__`.
 */
function flatObject(ranking: readonly KeyCount[]): string {
  return `{${ranking.map(({ key, count }) => `${JSON.stringify(key)}:${count}`).join(',')}}`;
}

function statsDocument(stats: IngestStats) {
  return {
    batch: stats.batch,
    lines: stats.lines,
    bytes: stats.bytes,
    accepted: stats.accepted,
    blank: stats.blank,
    rejected: stats.rejected,
    event_types: stats.types,
    words: stats.words,
    last_event_time: stats.lastEventTime,
    last_line_seconds_ago: stats.lastLineSecondsAgo && Number(stats.lastLineSecondsAgo.toFixed(3)),
    sources: stats.sources,
  };
}

function sendJson(context: Context, text: string): void {
  context.type = 'application/json';
  context.set('Cache-Control', 'no-cache');
  context.body = `${text}\n`;
}
