import type { ParsedUrlQuery } from 'node:querystring';
import type Router from '@koa/router';
import type { Context } from 'koa';
import {
  type IngestClient,
  StepTooFineError,
  WindowBeyondRetentionError,
} from '../ingest/ingest-client.js';
import type { CountedKind } from '../ingest/protocol.js';
import { rank } from '../tally/ranking.js';
import { ACCEPTED_CSV_TYPES, sendCsv } from './csv.js';
import { flatText, listDocument, seriesDocument, statsDocument } from './documents.js';
import { badParameter, readParameters, toWindowRequest } from './parameters.js';
import { revalidation } from './revalidation.js';
import { sendJson } from './send-json.js';

export const COUNTS_PARAMETERS = ['window', 'until', 'align', 'limit', 'format'] as const;
export const SERIES_PARAMETERS = ['of', 'window', 'until', 'align', 'step', 'limit'] as const;
export const SERIES_LIMIT = 5;
/** Keys of a series at most: each is as long as the series. */
export const SERIES_LIMIT_MAX = 100;

export function addCountsRoutes(router: Router, ingest: IngestClient): void {
  const counts = (of: CountedKind) => async (context: Context) => {
    const parameters = readParameters(context.query, COUNTS_PARAMETERS);
    const window = toWindowRequest(context.query, parameters, ingest.retentionSeconds);
    const answer = await refusalsAsProblems(context, ingest.counts(of, window));
    const ranking = rank(answer.keys, parameters.limit);
    const format = parameters.format ?? acceptedFormat(context);
    if (format === 'csv') sendCsv(context, of, ranking);
    else if (format === 'list') {
      sendJson(context, JSON.stringify(listDocument(of, answer, ranking)));
    } else sendJson(context, flatText(ranking));
  };
  router.get('/events/countByEventType', revalidation, counts('types'));
  router.get('/events/countWords', revalidation, counts('words'));
  router.get('/events/sumByEventType', revalidation, counts('sums'));

  router.get('/events/series', revalidation, async (context) => {
    const parameters = readParameters(context.query, SERIES_PARAMETERS);
    const { of = 'types', limit = SERIES_LIMIT, step } = parameters;
    if (limit > SERIES_LIMIT_MAX) {
      const expected = `a whole number from 1 to ${SERIES_LIMIT_MAX}`;
      throw badParameter('limit', context.query.limit, expected);
    }
    const window = toWindowRequest(context.query, parameters, ingest.retentionSeconds);
    if (window === null) throw badParameter('window', undefined, 'given', 'is missing');
    const series = await refusalsAsProblems(
      context,
      ingest.series(of, window, step?.seconds ?? null, limit),
    );
    sendJson(context, JSON.stringify(seriesDocument(of, series)));
  });

  router.get('/stats', async (context) => {
    readParameters(context.query, []);
    sendJson(context, JSON.stringify(statsDocument(await ingest.stats())));
  });
}

/** What Accept prefers. One that names neither gets JSON, as it did before: RFC 9110 leaves that open. */
function acceptedFormat(context: Context): 'flat' | 'csv' {
  context.vary('Accept');
  const type = context.accepts('application/json', ...ACCEPTED_CSV_TYPES) || '';
  return ACCEPTED_CSV_TYPES.includes(type) ? 'csv' : 'flat';
}

/** What the ingest threads refuse, as the problem that clients see. */
export async function refusalsAsProblems<T>(context: Context, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw refusalAsProblem(context.query, error);
  }
}

/** The problem that tells which parameter was refused; an error that is no refusal as it is. */
export function refusalAsProblem(query: ParsedUrlQuery, error: unknown): unknown {
  if (error instanceof WindowBeyondRetentionError) {
    const { since } = error;
    const expected = `such that the window begins at ${since} or later, event time`;
    const name = query.until === undefined ? 'window' : 'until';
    return badParameter(name, query[name], expected, 'reaches back too far');
  }
  if (error instanceof StepTooFineError) {
    const expected = `a multiple of ${error.resolution}s for a window that reaches back so far`;
    return badParameter('step', query.step, expected);
  }
  return error;
}
