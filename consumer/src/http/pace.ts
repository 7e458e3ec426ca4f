import { setTimeout as delay } from 'node:timers/promises';
import { IngestUnavailableError } from '../ingest/ingest-client.js';

export interface PaceClock {
  /** Milliseconds. */
  now(): number;
  rest(ms: number): Promise<void>;
}

const CLOCK: PaceClock = {
  now: () => performance.now(),
  rest: (ms) => delay(ms, undefined, { ref: false }),
};

/** Shorter rests are put off until they come to this: a timer has whole milliseconds, and most have passed by then. */
const REST_MS_MIN = 5;

/** How long to rest, in milliseconds, after work that took so many. */
export type Rest = (tookMs: number) => number;

/** Does one thing after another, and rests in between. Time in which there is nothing to do is rest as well. */
export class Pace {
  readonly #rest: Rest;
  readonly #clock: PaceClock;
  #last: Promise<void> = Promise.resolve();
  /** When all rests would be over. */
  #restedAt = 0;

  constructor(rest: Rest, clock: PaceClock = CLOCK) {
    this.#rest = rest;
    this.#clock = clock;
  }

  /** Resolves and rejects as the work does, which begins when all before it is done. */
  run<T>(work: () => Promise<T> | T): Promise<T> {
    let startedAt = 0;
    const done = this.#last.then(() => {
      startedAt = this.#clock.now();
      return work();
    });
    const rest = async () => {
      const now = this.#clock.now();
      const putOffMs = Math.max(0, this.#restedAt - startedAt);
      const restMs = putOffMs + this.#rest(now - startedAt);
      this.#restedAt = now + restMs;
      if (restMs >= REST_MS_MIN) await this.#clock.rest(restMs);
    };
    this.#last = done.then(rest, async (error) => {
      // Nobody has worked for this one: it was waited for, or not begun.
      if (!(error instanceof IngestUnavailableError)) await rest();
    });
    return done;
  }
}
