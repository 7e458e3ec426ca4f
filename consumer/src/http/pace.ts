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

/**
 * Does one thing after another, and rests in between: whatever is asked, all of it together takes no more
 * than 1 / (1 + restFactor) of the time.
 */
export class Pace {
  readonly #restFactor: number;
  readonly #clock: PaceClock;
  #last: Promise<void> = Promise.resolve();

  /** Nothing is begun for so many times as long as the last work took. */
  constructor(restFactor: number, clock: PaceClock = CLOCK) {
    this.#restFactor = restFactor;
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
      ({ tookMs }) => this.#clock.rest(this.#restFactor * tookMs),
      () => {},
    );
    return done.then(({ result }) => result);
  }
}
