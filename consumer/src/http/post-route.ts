import { createHash, timingSafeEqual } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type Router from '@koa/router';
import type { Context } from 'koa';
import getRawBody from 'raw-body';
import type { IngestClient } from '../ingest/ingest-client.js';
import { postedDocument } from './documents.js';
import { readParameters } from './parameters.js';
import { ProblemError } from './problem.js';
import { jsonBody, sendJson } from './send-json.js';

export const LINE_TYPES = ['application/x-ndjson', 'application/jsonl', 'text/plain'];
export const JSON_TYPE = 'application/json';
/** UTF-8 and what is part of it; none said is UTF-8. */
const CHARSETS = ['', 'utf-8', 'utf8', 'us-ascii'];
/** The second is the first's older name (RFC 9110, section 8.4.1.3). */
const GZIP_ENCODINGS = ['gzip', 'x-gzip'];

export interface PostOptions {
  readonly token: string;
  /** Bytes of a body, also once decompressed. */
  readonly bodyBytesMax: number;
  /** Bytes of all bodies that are received or wait to be counted. */
  readonly queueBytesMax: number;
}

/** POST /events: the lines of a body are counted as those of a FIFO are, all of them or none. */
export function addPostRoute(router: Router, ingest: IngestClient, options: PostOptions): void {
  const expectedToken = digest(options.token);
  let queuedBytes = 0;

  router.post('/events', async (context) => {
    authorize(context, expectedToken);
    readParameters(context.query, []);
    const toLines = bodyReader(context);
    // Taken up front: what is being received has to find room as well as what waits.
    const reservedBytes = Math.min(declaredBytes(context), options.bodyBytesMax);
    if (queuedBytes + reservedBytes > options.queueBytesMax) {
      throw new ProblemError('unavailable', 'Too many bodies wait to be counted.', {
        headers: { 'Retry-After': '1' },
      });
    }
    queuedBytes += reservedBytes;
    try {
      const lines = toLines(await receive(context, options.bodyBytesMax));
      const posted = await ingest.post(lines);
      sendJson(context, jsonBody(JSON.stringify(postedDocument(posted))));
    } finally {
      queuedBytes -= reservedBytes;
    }
  });
}

/** Digests are of one length, so that comparing them takes one time, whatever was sent. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function authorize(context: Context, expectedToken: Buffer): void {
  const [, token] = /^Bearer +(\S+) *$/i.exec(context.get('Authorization')) ?? [];
  if (token !== undefined && timingSafeEqual(digest(token), expectedToken)) return;
  throw new ProblemError('unauthorized', 'The bearer token is missing or not the right one.', {
    headers: { 'WWW-Authenticate': 'Bearer' },
  });
}

/** Infinity where the request does not say, or where what it says is not what will be kept. */
function declaredBytes(context: Context): number {
  const isWhole = context.get('Content-Encoding') === '' && context.get('Content-Length') !== '';
  return isWhole ? Number(context.get('Content-Length')) : Number.POSITIVE_INFINITY;
}

function bodyReader(context: Context): (body: Buffer) => Uint8Array<ArrayBuffer> {
  if (CHARSETS.includes(context.request.charset.toLowerCase())) {
    if (context.is(LINE_TYPES)) return (body) => new Uint8Array(body);
    if (context.is(JSON_TYPE)) return jsonToLines;
  }
  const accepted = [...LINE_TYPES, JSON_TYPE].join(', ');
  throw new ProblemError(
    'unsupported-media-type',
    `The body must be one of ${accepted}, in UTF-8.`,
    {
      headers: { Accept: accepted },
    },
  );
}

async function receive(context: Context, bytesMax: number): Promise<Buffer> {
  const { req } = context;
  const encoding = context.get('Content-Encoding').toLowerCase();
  const isGzip = GZIP_ENCODINGS.includes(encoding);
  let stream: Readable = req;
  if (isGzip) {
    const gunzip = createGunzip();
    // Not pipeline: where the body is not gzip it would destroy the connection with it, and the answer.
    req.once('close', () => {
      if (!req.complete) gunzip.destroy(new Error('aborted'));
    });
    stream = req.pipe(gunzip);
  } else if (encoding !== '' && encoding !== 'identity') {
    throw new ProblemError('unsupported-media-type', `${encoding} is not decoded; gzip is.`, {
      headers: { 'Accept-Encoding': 'gzip' },
    });
  }
  const declared = isGzip ? undefined : req.headers['content-length'];
  try {
    return await getRawBody(stream, { limit: bytesMax, length: declared ?? null });
  } catch (error) {
    throw bodyProblem(error as NodeJS.ErrnoException & { type?: string }, bytesMax);
  } finally {
    // What is still on its way is read and dropped: a connection closed on it would lose the answer.
    req.unpipe();
    if (stream !== req) stream.destroy();
    req.resume();
  }
}

function bodyProblem(error: NodeJS.ErrnoException & { type?: string }, bytesMax: number): Error {
  if (error.type === 'entity.too.large') {
    return new ProblemError('body-too-large', `The body must be at most ${bytesMax} bytes.`);
  }
  if (error.code === 'Z_BUF_ERROR') {
    return new ProblemError('bad-body', 'The body is gzip that breaks off.');
  }
  if (error.code?.startsWith('Z_')) return new ProblemError('bad-body', 'The body is not gzip.');
  return new ProblemError('bad-body', 'The body broke off.');
}

/** An object is one line, an array as many as it has elements; one that is no object is no event. */
function jsonToLines(body: Buffer): Uint8Array<ArrayBuffer> {
  let json: unknown;
  try {
    // A TextDecoder drops the byte order mark, which a line may have as well.
    json = JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new ProblemError('bad-body', 'The body is not JSON.');
  }
  const lines = (Array.isArray(json) ? json : [json]).map(toLine);
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
}

function toLine(element: unknown): string {
  try {
    return JSON.stringify(element);
  } catch {
    return 'null'; // nested deeper than can be written again
  }
}
