/**
 * Where the numbers come from: the stream while there is one, otherwise questions a second apart. Some
 * proxies keep a stream to themselves, so one that says nothing at its start is given up; it is tried
 * again now and then.
 */

import { type View, viewQuery } from '../../views/view.js';
import type { CountsFrame, ProblemDocument } from '../documents.js';
import { LIST_ROWS_MAX } from '../page-limits.js';
import { getFrame, Refusal, withQuery } from './api.js';

/** So long a stream may take to its first event. */
const FIRST_EVENT_MS_MAX = 4000;
/** A stream that says nothing for so long is quiet, or dead: a question tells, and brings what has aged. */
const QUIET_MS = 5000;
/** Answers in a row that are ahead of a stream which says nothing: it is dead. */
const AHEAD_MAX = 2;
const CHECK_MS = 500;
const POLL_MS = 1000;
/** A view that is refused now is refused for a while. */
const REFUSED_POLL_MS = 10_000;
const STREAM_AGAIN_MS = 30_000;

export interface FeedHandlers {
  onFrame(frame: CountsFrame): void;
  /** The view cannot be answered. */
  onProblem(problem: ProblemDocument): void;
  /** Nothing can be had just now. */
  onLost(): void;
}

export class Feed {
  readonly #handlers: FeedHandlers;
  /** Ends whatever is under way: a stream, questions, timers. */
  #current = new AbortController();

  constructor(handlers: FeedHandlers) {
    this.#handlers = handlers;
  }

  watch(view: View): void {
    this.#openStream(view, this.#begin());
  }

  stop(): void {
    this.#current.abort();
  }

  #begin(): AbortSignal {
    this.stop();
    this.#current = new AbortController();
    return this.#current.signal;
  }

  #openStream(view: View, signal: AbortSignal): void {
    const path = withQuery('/events/stream', viewQuery(view), `limit=${LIST_ROWS_MAX}`);
    const stream = new EventSource(path);
    let heardAt = performance.now();
    let lastBatch: number | null = null;
    let ahead = 0;
    stream.addEventListener('counts', ({ data }) => {
      const frame = JSON.parse(data) as CountsFrame;
      heardAt = performance.now();
      lastBatch = frame.batch;
      ahead = 0;
      this.#handlers.onFrame(frame);
    });
    stream.addEventListener('problem', () => this.#poll(view, this.#begin()));
    stream.addEventListener('error', () => {
      // Refused, or not a stream: an EventSource does not tell why. The counts do.
      if (stream.readyState === EventSource.CLOSED) this.#poll(view, this.#begin());
      else this.#handlers.onLost();
    });

    const check = async () => {
      const silentMs = performance.now() - heardAt;
      if (lastBatch === null) {
        if (silentMs > FIRST_EVENT_MS_MAX) this.#poll(view, this.#begin());
        return;
      }
      if (silentMs < QUIET_MS || stream.readyState !== EventSource.OPEN) return;
      heardAt = performance.now();
      // A refusal is the stream's to tell.
      const frame = await this.#ask(view, signal).catch(() => null);
      if (frame !== null && frame.batch !== lastBatch && ++ahead === AHEAD_MAX) {
        this.#poll(view, this.#begin());
      }
    };
    const timer = setInterval(check, CHECK_MS);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
      stream.close();
    });
  }

  #poll(view: View, signal: AbortSignal): void {
    let isLost = false;
    const next = async () => {
      let pauseMs = POLL_MS;
      try {
        const frame = await this.#ask(view, signal);
        // Who comes back may have a stream again.
        if (frame !== null && isLost) return this.watch(view);
        isLost = frame === null;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.#handlers.onProblem(error.problem);
        pauseMs = REFUSED_POLL_MS;
      }
      if (!signal.aborted) timer = setTimeout(next, pauseMs);
    };
    let timer = setTimeout(next);
    const again = setTimeout(() => this.watch(view), STREAM_AGAIN_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      clearTimeout(again);
    });
  }

  /** Tells the handlers; null when nothing could be had, or is wanted any more. Throws a refusal of the view. */
  async #ask(view: View, signal: AbortSignal): Promise<CountsFrame | null> {
    try {
      const frame = await getFrame(view, signal);
      if (signal.aborted) return null;
      this.#handlers.onFrame(frame);
      return frame;
    } catch (error) {
      if (signal.aborted) return null;
      if (error instanceof Refusal && error.problem.status === 400) throw error;
      this.#handlers.onLost();
      return null;
    }
  }
}
