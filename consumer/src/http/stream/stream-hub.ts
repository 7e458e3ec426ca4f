/**
 * All streams: one snapshot for all clients that ask for the same counts, one frame for all that also ask
 * for the same limit and interval, and one Pace for all of it.
 *
 *   IngestClient.snapshot ──▶ StreamFeed ──▶ StreamGroup ──▶ StreamClient (one a response)
 *                             one a kinds    one a limit     writes the frame, if it tells something
 *                             and window     and interval    new, or skips it while the last one is
 *                                                            not taken
 */
import type { ServerResponse } from 'node:http';
import type { IngestClient } from '../../ingest/ingest-client.js';
import { Pace } from '../pace.js';
import { StreamClient } from './stream-client.js';
import { StreamFeed } from './stream-feed.js';
import type { StreamRequest, StreamSubject } from './stream-frame.js';

/** So many times as long as a snapshot or frame took all streams rest: together they have a fifth of the time. */
const REST_FACTOR = 4;
/** How often each stream has a comment, so that nobody on the way takes it for dead. */
const HEARTBEAT_MS = 15_000;

/** No further client is taken. */
export class StreamsFullError extends Error {
  override readonly name = 'StreamsFullError';
}

export interface StreamHubOptions {
  readonly clientsMax: number;
  readonly heartbeatMs?: number;
}

export class StreamHub {
  readonly #ingest: IngestClient;
  readonly #options: StreamHubOptions;
  readonly #pace = new Pace((tookMs) => REST_FACTOR * tookMs);
  readonly #feeds = new Map<string, StreamFeed>();
  readonly #heartbeat: NodeJS.Timeout;
  #isClosed = false;
  #places = 0;
  #framesSent = 0;
  #framesSkipped = 0;
  #clientsRefused = 0;

  constructor(ingest: IngestClient, options: StreamHubOptions) {
    this.#ingest = ingest;
    this.#options = options;
    this.#heartbeat = setInterval(() => {
      for (const feed of this.#feeds.values()) feed.heartbeat();
    }, options.heartbeatMs ?? HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  /** Clients that have a stream, or wait for its first frame. */
  get clients(): number {
    return this.#places;
  }

  get clientsMax(): number {
    return this.#options.clientsMax;
  }

  /** Clients for which there was no place. */
  get clientsRefused(): number {
    return this.#clientsRefused;
  }

  get framesSent(): number {
    return this.#framesSent;
  }

  /** Frames that a client was not given because it had not taken the one before. */
  get framesSkipped(): number {
    return this.#framesSkipped;
  }

  /** Throws StreamsFullError where a client would not be taken. */
  assertPlace(): void {
    if (this.#isClosed) throw new StreamsFullError('the server is stopping');
    if (this.#places >= this.#options.clientsMax) {
      throw new StreamsFullError(`${this.#places} streams are open, and no more are taken`);
    }
  }

  /**
   * Begins a stream on a response; resolves once it has begun, with its first frame if that can be had
   * soon, or the client has left. Rejects, with the response untouched, with StreamsFullError and
   * WindowBeyondRetentionError.
   *
   * `toProblem` is asked for the document that tells of an error which ends the stream later.
   */
  async open(
    { subject, manner }: StreamRequest,
    response: ServerResponse,
    toProblem: (error: unknown) => string,
  ): Promise<void> {
    try {
      this.assertPlace();
    } catch (error) {
      this.#clientsRefused++;
      throw error;
    }
    const key = JSON.stringify(subject); // its members are always in the same order
    const feed = this.#feedOf(key, subject, toProblem);
    const group = feed.enter(manner);
    this.#places++;
    const leave = () => {
      this.#places--;
      feed.leave(group);
      if (feed.isStopped && this.#feeds.get(key) === feed) this.#feeds.delete(key);
    };
    try {
      const frame = await feed.firstFrame(group);
      if (this.#isClosed) throw new StreamsFullError('the server is stopping');
      // Its 'close' was before this, or will come now.
      if (response.destroyed) return leave();
      const client = new StreamClient(response, {
        onSent: () => this.#framesSent++,
        onSkipped: () => this.#framesSkipped++,
      });
      group.clients.add(client);
      response.once('close', () => {
        group.clients.delete(client);
        leave();
      });
      if (frame !== null) client.deliver(frame);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Ends all streams and takes no more. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#heartbeat);
    for (const feed of this.#feeds.values()) {
      feed.end();
      feed.refuse(new StreamsFullError('the server is stopping'));
    }
  }

  #feedOf(key: string, subject: StreamSubject, toProblem: (error: unknown) => string): StreamFeed {
    let feed = this.#feeds.get(key);
    // One that has ended waits for its clients to go.
    if (feed === undefined || feed.isStopped) {
      feed = new StreamFeed({ ingest: this.#ingest, pace: this.#pace, subject, toProblem });
      this.#feeds.set(key, feed);
    }
    return feed;
  }
}
