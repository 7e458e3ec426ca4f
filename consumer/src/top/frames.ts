/** Frames of GET /events/stream, and how they are received. */
import { setTimeout as delay } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { z } from 'zod';
import {
  countListSchema,
  intervalSchema,
  statsSchema,
  streamFrameSchema,
} from '../http/documents.js';
import { problemSchema } from '../http/problem.js';

/** Of each document no more than is shown. */
const list = countListSchema
  .pick({ total: true, distinct: true, overflow: true, counts: true })
  .extend({ window: intervalSchema.pick({ start: true, end: true }).nullable() });
const source = statsSchema.shape.sources.element.pick({ state: true });
const stats = statsSchema
  .pick({
    accepted: true,
    rejected: true,
    late: true,
    ahead: true,
    last_event_time: true,
    last_line_seconds_ago: true,
  })
  .extend({ sources: z.array(source) });
const frame = streamFrameSchema.pick({ at: true }).extend({ stats, types: list, words: list });

const problem = problemSchema.pick({ detail: true, status: true });

export type Frame = z.output<typeof frame>;
export type List = Frame['types'];

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** It will be tried again. Refused: what is asked for is wrong. */
  | { readonly state: 'lost'; readonly reason: string; readonly refused: boolean };

export interface FrameHandlers {
  onConnection(connection: Connection): void;
  onFrame(frame: Frame): void;
}

/** Until the server says otherwise. */
const RETRY_MS = 2000;
/** Two heartbeats and a bit: a stream that is silent for longer is none any more. */
const SILENCE_MS_MAX = 35_000;
/** Characters of one frame: two lists of long keys; past it the stream is not what it should be. */
const FRAME_CHARACTERS_MAX = 64 * 1024 * 1024;

/** Receives frames until the signal aborts; connects again whenever the stream ends. */
export async function receiveFrames(
  url: URL,
  { onConnection, onFrame }: FrameHandlers,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = RETRY_MS;
  while (!signal.aborted) {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
    let lost: Connection;
    try {
      const response = await fetch(url, {
        headers: { Accept: 'text/event-stream' },
        signal: AbortSignal.any([signal, silence.signal]),
      });
      if (!response.ok || response.body === null) {
        lost = await refusalOf(response);
      } else {
        onConnection({ state: 'live' });
        const events = response.body
          .pipeThrough(
            new TransformStream<Uint8Array, Uint8Array>({
              transform(bytes, controller) {
                timer.refresh();
                controller.enqueue(bytes);
              },
            }),
          )
          .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
          .pipeThrough(
            new EventSourceParserStream({
              maxBufferSize: FRAME_CHARACTERS_MAX,
              onRetry: (ms) => {
                retryMs = ms;
              },
            }),
          );
        lost = { state: 'lost', reason: 'the stream has ended', refused: false };
        for await (const { event, data } of events) {
          if (event === 'counts') onFrame(frame.parse(JSON.parse(data)));
          if (event === 'problem') lost = toLost(data);
        }
      }
    } catch (error) {
      const reason = silence.signal.aborted ? 'no sign of life' : messageOf(error as Error);
      lost = { state: 'lost', reason, refused: false };
    } finally {
      clearTimeout(timer);
    }
    if (signal.aborted) return;
    onConnection(lost);
    await delay(retryMs, undefined, { signal }).catch(() => {});
  }
}

async function refusalOf(response: Response): Promise<Connection> {
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('application/problem+json')) {
    return toLost(text);
  }
  const reason = `the answer is ${response.status} ${response.statusText}`.trimEnd();
  return { state: 'lost', reason, refused: response.status < 500 };
}

function toLost(text: string): Connection {
  const { detail, status } = problem.parse(JSON.parse(text));
  return { state: 'lost', reason: detail, refused: status < 500 };
}

/** fetch hides why it failed in the cause. */
function messageOf(error: Error): string {
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    return 'it sends something else than event-tally does';
  }
  const { message, cause } = error;
  const { code, message: inner } = (cause ?? {}) as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  return inner ?? code ?? message;
}
