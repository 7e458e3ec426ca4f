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
import { ANSWER_BYTES_MAX, AnswerTooLargeError, bodyOf } from './body.js';
import { ACCEPTED_CSV_TYPES, csvTexts, sendCsv } from './csv.js';
import { flatTexts, listDocument, listTexts, seriesDocument, statsDocument } from './documents.js';
import { badParameter, readParameters, toWindowRequest } from './parameters.js';
import { revalidation } from './revalidation.js';
import { jsonBody, sendJson } from './send-json.js';
import type { SharedAnswers } from './shared-answers.js';
import { SharedWork } from './shared-work.js';

export const COUNTS_PARAMETERS = ['window', 'until', 'align', 'limit', 'format'] as const;
export const SERIES_PARAMETERS = ['of', 'window', 'until', 'align', 'step', 'limit'] as const;
export const SERIES_LIMIT = 5;
/** Keys of a series at most: each is as long as the series. */
export const SERIES_LIMIT_MAX = 100;

export function addCountsRoutes(
  router: Router,
  ingest: IngestClient,
  answers: SharedAnswers,
): void {
  const counts = (of: CountedKind) => async (context: Context) => {
    const parameters = readParameters(context.query, COUNTS_PARAMETERS);
    const window = toWindowRequest(context.query, parameters, ingest.retentionSeconds);
    const { limit, format = acceptedFormat(context) } = parameters;
    const name = JSON.stringify([of, window, limit, format]);
    const { socket } = context.req;
    const answer = answers.get(name, window, socket, async () => {
      const counted = await answers.counts(of, window);
      const ranking = rank(counted.keys, limit);
      if (format === 'csv') return bodyOf(csvTexts(of, ranking));
      if (format === 'list') return bodyOf(listTexts(listDocument(of, counted, ranking)));
      return bodyOf(flatTexts(ranking));
    });
    const { body, etag } = await refusalsAsProblems(context, answer);
    if (format === 'csv') sendCsv(context, of, body);
    else sendJson(context, body);
    context.set('ETag', etag);
  };
  router.get('/events/countByEventType', revalidation, counts('types'));
  router.get('/events/countWords', revalidation, counts('words'));
  router.get('/events/sumByEventType', revalidation, counts('sums'));

  router.get('/events/series', revalidation, async (context) => {
    const parameters = readParameters(context.query, SERIES_PARAMETERS);
    const { of = 'types', limit = SERIES_LIMIT } = parameters;
    if (limit > SERIES_LIMIT_MAX) {
      const expected = `a whole number from 1 to ${SERIES_LIMIT_MAX}`;
      throw badParameter('limit', context.query.limit, expected);
    }
    const window = toWindowRequest(context.query, parameters, ingest.retentionSeconds);
    if (window === null) throw badParameter('window', undefined, 'given', 'is missing');
    const step = parameters.step?.seconds ?? null;
    const name = JSON.stringify(['series', of, window, step, limit]);
    const answer = answers.get(name, window, context.req.socket, async () => {
      const series = await ingest.series(of, window, step, limit);
      return jsonBody(JSON.stringify(seriesDocument(of, series)));
    });
    const { body, etag } = await refusalsAsProblems(context, answer);
    sendJson(context, body);
    context.set('ETag', etag);
  });

  const stats = new SharedWork();
  router.get('/stats', async (context) => {
    readParameters(context.query, []);
    const body = await stats.run('', context.req.socket, async () =>
      jsonBody(JSON.stringify(statsDocument(await ingest.stats()))),
    );
    sendJson(context, body);
  });
}

/** What Accept prefers. One that names neither gets JSON: RFC 9110 leaves that open. */
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
  if (error instanceof AnswerTooLargeError) {
    const expected = `so small that the answer has at most ${ANSWER_BYTES_MAX.toLocaleString('en')} bytes`;
    const fault = query.limit === undefined ? 'is missing' : undefined;
    return badParameter('limit', query.limit, expected, fault);
  }
  if (error instanceof StepTooFineError) {
    const expected = `a multiple of ${error.resolution}s for a window that reaches back so far`;
    return badParameter('step', query.step, expected);
  }
  return error;
}
