import { STATUS_CODES } from 'node:http';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import { IngestUnavailableError } from '../ingest/ingest-client.js';
import type { Log } from '../log.js';

/** Every problem by its name, the last part of its `type`. */
export const PROBLEMS = {
  'bad-request': {
    status: 400,
    meaning: 'what came is not HTTP, has no single `Host`, or its target is not a URL',
  },
  'bad-parameter': {
    status: 400,
    meaning:
      'a parameter is not known here, comes twice or is not what it may be; `parameter`, `value` and `expected` tell which',
  },
  'bad-body': { status: 400, meaning: 'the body broke off, is not whole gzip or is not JSON' },
  unauthorized: { status: 401, meaning: 'the bearer token is missing or not the right one' },
  'not-found': { status: 404, meaning: 'there is nothing at this path' },
  'method-not-allowed': { status: 405, meaning: 'the path takes other methods: `Allow`' },
  'request-timeout': { status: 408, meaning: 'the request did not come within the time for it' },
  'body-too-large': { status: 413, meaning: 'the body is larger than `POST_BYTES_MAX`' },
  'target-too-long': { status: 414, meaning: 'the request target is too long' },
  'unsupported-media-type': {
    status: 415,
    meaning: 'the body is of another type, charset or encoding: `Accept`, `Accept-Encoding`',
  },
  'host-not-allowed': {
    status: 421,
    meaning: '`Host` is a name that is not one of this server: `ALLOWED_HOSTS`',
  },
  'headers-too-large': { status: 431, meaning: 'the request line and headers are too large' },
  internal: { status: 500, meaning: 'a fault of event-tally; its log says more' },
  unavailable: {
    status: 503,
    meaning: 'not just now, for a reason that `detail` tells; again after `Retry-After` seconds',
  },
} as const;
export type ProblemName = keyof typeof PROBLEMS;
const PROBLEM_NAMES = Object.keys(PROBLEMS) as ProblemName[];

/** A URN: a name that stays, wherever a server stands. The README says what each means. */
export function problemType(name: ProblemName): `urn:event-tally:problem:${ProblemName}` {
  return `urn:event-tally:problem:${name}`;
}

export const problemSchema = z
  .object({
    type: z.enum(PROBLEM_NAMES.map(problemType)).describe('What kind of problem it is.'),
    title: z.string().describe('The name of the status.'),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What is wrong with this request, for people.'),
    parameter: z.string().optional().describe('bad-parameter: its name.'),
    value: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .describe('bad-parameter: what it was; missing if it was.'),
    expected: z.string().optional().describe('bad-parameter: what it must be.'),
  })
  .describe('An error (RFC 9457).');
export type ProblemDocument = z.output<typeof problemSchema>;
type Extension = Pick<ProblemDocument, 'parameter' | 'value' | 'expected'>;

/** An answer that is an error on purpose: thrown anywhere below, rendered by `problems`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ProblemName;
  /** Members of the document besides those that every problem has. */
  readonly extension: Extension;
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
  const document = problemDocument(error);
  context.status = document.status;
  context.set(error.headers);
  context.body = `${JSON.stringify(document)}\n`;
  context.type = 'application/problem+json';
}

/** As clients see it. */
export function problemDocument({ problem, message, extension }: ProblemError): ProblemDocument {
  const { status } = PROBLEMS[problem];
  return {
    type: problemType(problem),
    title: STATUS_CODES[status] as string,
    status,
    detail: message,
    ...extension,
  };
}
