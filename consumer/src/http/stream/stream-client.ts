import type { ServerResponse } from 'node:http';
import { type Frame, HEARTBEAT } from './stream-frame.js';

/** No proxy is to keep, gather or compress what is to come. */
export const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
  // Its end is the connection's.
  Connection: 'close',
} as const;

/** Heartbeats that a client did not take, in a row, before it is given up: its place is another's. */
const HEARTBEATS_MISSED_MAX = 4;

/**
 * One client's stream. While its socket has not taken the last frame, the next ones are skipped, and the
 * newest is written once it has: what is buffered is one frame, whatever the client does.
 */
export class StreamClient {
  readonly #response: ServerResponse;
  readonly #onSkipped: () => void;
  readonly #onSent: () => void;
  #sent = '';
  #waiting: Frame | null = null;
  #heartbeatsMissed = 0;

  constructor(
    response: ServerResponse,
    { onSent, onSkipped }: { onSent: () => void; onSkipped: () => void },
  ) {
    this.#response = response;
    this.#onSent = onSent;
    this.#onSkipped = onSkipped;
    response.writeHead(200, STREAM_HEADERS);
    response.flushHeaders();
    response.on('drain', () => this.#drained());
    response.on('error', () => {}); // its 'close' tells the hub
  }

  /** Gives the client the newest frame, unless it was sent the same already. */
  deliver(frame: Frame): void {
    if (this.#response.destroyed) return;
    if (frame.content === (this.#waiting?.content ?? this.#sent)) return;
    if (this.#response.writableNeedDrain) {
      if (this.#waiting !== null) this.#onSkipped();
      this.#waiting = frame;
      return;
    }
    this.#sent = frame.content;
    this.#response.write(frame.bytes);
    this.#onSent();
  }

  heartbeat(): void {
    if (this.#response.destroyed) return;
    if (!this.#response.writableNeedDrain) this.#response.write(HEARTBEAT);
    else if (++this.#heartbeatsMissed >= HEARTBEATS_MISSED_MAX) this.#response.destroy();
  }

  /** Ends the stream, after a last frame if there is one and the client takes it. */
  end(last?: Uint8Array): void {
    // What the client has not taken by now it would have to be waited for.
    if (this.#response.writableNeedDrain) this.#response.destroy();
    else this.#response.end(last);
  }

  #drained(): void {
    this.#heartbeatsMissed = 0;
    const frame = this.#waiting;
    this.#waiting = null;
    if (frame !== null) this.deliver(frame);
  }
}
