import { setTimeout as delay } from 'node:timers/promises';

export interface PaceClock {
  /** Milliseconds. */
  now(): number;
  rest(ms: number): Promise<void>;
}

const CLOCK: PaceClock = {
  now: () => performance.now(),
  rest: (ms) => delay(ms, undefined, { ref: false }),
};

/** How long to rest, in milliseconds, after work that took so many. */
export type Rest = (tookMs: number) => number;

/** Does one thing after another, and rests in between. */
export class Pace {
  readonly #rest: Rest;
  readonly #clock: PaceClock;
  #last: Promise<void> = Promise.resolve();

  constructor(rest: Rest, clock: PaceClock = CLOCK) {
    this.#rest = rest;
    this.#clock = clock;
  }

  /** Resolves and rejects as the work does, which begins when all before it is done. */
  run<T>(work: () => Promise<T> | T): Promise<T> {
    const done = this.#last.then(async () => {
      const startedAt = this.#clock.now();
      const result = await work();
      return { result, tookMs: this.#clock.now() - startedAt };
    });
    // What failed has waited for an answer, and made nothing of it.
    this.#last = done.then(
      ({ tookMs }) => this.#clock.rest(this.#rest(tookMs)),
      () => {},
    );
    return done.then(({ result }) => result);
  }
}
