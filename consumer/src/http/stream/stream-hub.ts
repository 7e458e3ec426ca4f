/**
 * All streams: one timer and one snapshot an interval for all clients that ask the same.
 *
 *   IngestClient.snapshot ──▶ StreamFeed (one a request) ──▶ StreamClient (one a response)
 *      each interval             a frame, if it tells           writes it, or skips it while
 *                                something new                  the last one is not taken
 */
import type { ServerResponse } from 'node:http';
import { type IngestClient, IngestUnavailableError } from '../../ingest/ingest-client.js';
import { StreamClient } from './stream-client.js';
import { type Frame, problemFrame, type StreamRequest, toFrame } from './stream-frame.js';

/** How often each stream has a comment, so that nobody on the way takes it for dead. */
const HEARTBEAT_MS = 15_000;
/** A frame that is not older serves a client that comes, too: many come at once after a restart. */
const FRAME_FRESH_MS = 250;

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
  readonly #feeds = new Map<string, StreamFeed>();
  readonly #heartbeat: NodeJS.Timeout;
  #isClosed = false;
  #places = 0;
  #framesSent = 0;
  #framesSkipped = 0;

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

  get framesSent(): number {
    return this.#framesSent;
  }

  /** Frames that a client was not given because it had not taken the one before. */
  get framesSkipped(): number {
    return this.#framesSkipped;
  }

  /**
   * Begins a stream on a response; resolves once the first frame is written, or the client has left.
   * Rejects, with the response untouched, with StreamsFullError and as `IngestClient.snapshot` does.
   *
   * `toProblem` is asked for the document that tells of an error which ends the stream later.
   */
  async open(
    request: StreamRequest,
    response: ServerResponse,
    toProblem: (error: unknown) => string,
  ): Promise<void> {
    if (this.#isClosed) throw new StreamsFullError('the server is stopping');
    if (this.#places >= this.#options.clientsMax) {
      throw new StreamsFullError(`${this.#places} streams are open, and no more are taken`);
    }
    const key = JSON.stringify(request); // its members are always in the same order
    const feed = this.#feedOf(key, request, toProblem);
    feed.places++;
    this.#places++;
    const leave = () => {
      this.#places--;
      if (--feed.places > 0) return;
      feed.stop();
      if (this.#feeds.get(key) === feed) this.#feeds.delete(key);
    };
    try {
      const frame = await feed.freshFrame();
      if (this.#isClosed) throw new StreamsFullError('the server is stopping');
      // Its 'close' was before this, or will come now.
      if (response.destroyed) return leave();
      const client = new StreamClient(response, {
        onSent: () => this.#framesSent++,
        onSkipped: () => this.#framesSkipped++,
      });
      feed.clients.add(client);
      response.once('close', () => {
        feed.clients.delete(client);
        leave();
      });
      client.deliver(frame);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Ends all streams and takes no more. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#heartbeat);
    for (const feed of this.#feeds.values()) feed.end();
  }

  #feedOf(key: string, request: StreamRequest, toProblem: (error: unknown) => string): StreamFeed {
    let feed = this.#feeds.get(key);
    // One that has ended waits for its clients to go.
    if (feed === undefined || feed.isStopped) {
      feed = new StreamFeed(this.#ingest, request, toProblem);
      this.#feeds.set(key, feed);
    }
    return feed;
  }
}

/** What all clients that ask the same are given. */
class StreamFeed {
  readonly clients = new Set<StreamClient>();
  /** Clients that have a stream, or wait for its first frame. */
  places = 0;
  isStopped = false;
  readonly #ingest: IngestClient;
  readonly #request: StreamRequest;
  readonly #toProblem: (error: unknown) => string;
  readonly #timer: NodeJS.Timeout;
  #newest: Frame | null = null;
  #newestAt = Number.NEGATIVE_INFINITY;
  #computing: Promise<Frame> | null = null;

  constructor(ingest: IngestClient, request: StreamRequest, toProblem: (error: unknown) => string) {
    this.#ingest = ingest;
    this.#request = request;
    this.#toProblem = toProblem;
    this.#timer = setInterval(() => void this.#tick(), request.intervalMs);
  }

  async freshFrame(): Promise<Frame> {
    const isFresh = performance.now() - this.#newestAt < FRAME_FRESH_MS;
    return isFresh && this.#newest !== null ? this.#newest : this.#compute();
  }

  heartbeat(): void {
    for (const client of this.clients) client.heartbeat();
  }

  end(last?: Uint8Array): void {
    this.stop();
    for (const client of this.clients) client.end(last);
  }

  stop(): void {
    this.isStopped = true;
    clearInterval(this.#timer);
  }

  /** Never rejects. */
  async #tick(): Promise<void> {
    try {
      const frame = await this.#compute();
      for (const client of this.clients) client.deliver(frame);
    } catch (error) {
      // The streams go on once the ingest thread is back.
      if (error instanceof IngestUnavailableError) return;
      this.end(problemFrame(this.#toProblem(error)));
    }
  }

  #compute(): Promise<Frame> {
    this.#computing ??= this.#snapshot().finally(() => {
      this.#computing = null;
    });
    return this.#computing;
  }

  async #snapshot(): Promise<Frame> {
    const { kinds, window } = this.#request;
    const snapshot = await this.#ingest.snapshot(kinds, window);
    this.#newest = toFrame(this.#request, snapshot, Date.now() / 1000);
    this.#newestAt = performance.now();
    return this.#newest;
  }
}
