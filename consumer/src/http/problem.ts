import { STATUS_CODES } from 'node:http';
import type { Context, Middleware } from 'koa';
import { IngestUnavailableError } from '../ingest/ingest-client.js';
import type { Log } from '../log.js';

/** Every problem's name, the last part of its `type`, and its status. */
const PROBLEMS = {
  'bad-request': 400,
  'bad-parameter': 400,
  'bad-body': 400,
  unauthorized: 401,
  'not-found': 404,
  'method-not-allowed': 405,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  internal: 500,
  unavailable: 503,
} as const;
export type ProblemName = keyof typeof PROBLEMS;

/** An answer that is an error on purpose: thrown anywhere below, rendered by `problems`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ProblemName;
  /** Members of the document besides those that every problem has. */
  readonly extension: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    problem: ProblemName,
    detail: string,
    { extension = {}, headers = {} }: Partial<Pick<ProblemError, 'extension' | 'headers'>> = {},
  ) {
    super(detail);
    this.problem = problem;
    this.extension = extension;
    this.headers = headers;
  }
}

/**
 * The outermost middleware: every error leaves as application/problem+json (RFC 9457). Koa's own
 * handler never sees one; it would take away every header that was already set.
 */
export function problems(log: Log): Middleware {
  return async (context, next) => {
    try {
      await next();
    } catch (error) {
      renderProblem(context, toProblem(error, log));
      return;
    }
    if (context.status >= 400 && context.body == null) renderProblem(context, unanswered(context));
  };
}

/** Logs an error that is nobody's purpose. */
export function toProblem(error: unknown, log: Log): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof IngestUnavailableError) {
    return new ProblemError('unavailable', error.message, { headers: { 'Retry-After': '1' } });
  }
  if ((error as NodeJS.ErrnoException).code === 'ERR_INVALID_URL') {
    return new ProblemError('bad-request', 'The request target is not a URL.');
  }
  log('error', 'a request failed', { error: error instanceof Error ? error.stack : String(error) });
  return new ProblemError('internal', 'The request failed; the log says why.');
}

/** What the router left behind: a status without a body. */
function unanswered(context: Context): ProblemError {
  if (context.status !== 405)
    return new ProblemError('not-found', 'There is nothing at this path.');
  return new ProblemError(
    'method-not-allowed',
    `This path takes ${context.response.get('Allow')}.`,
  );
}

function renderProblem(context: Context, error: ProblemError): void {
  context.status = PROBLEMS[error.problem];
  context.set(error.headers);
  context.body = `${problemDocument(error)}\n`;
  context.type = 'application/problem+json';
}

export function problemDocument({ problem, message, extension }: ProblemError): string {
  const status = PROBLEMS[problem];
  return JSON.stringify({
    type: `urn:event-tally:problem:${problem}`,
    title: STATUS_CODES[status],
    status,
    detail: message,
    ...extension,
  });
}
