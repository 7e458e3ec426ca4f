// How many lines are due, told from the time that has passed and not from the number of timer
// ticks: timers come late, and a sum of late ticks is a lower rate.

/** After a block (a full pipe, a suspended machine) at most this much is caught up. */
export const CATCH_UP_SECONDS_MAX = 1;

export class Pace {
  readonly #rate: number;
  readonly #burst: number;
  #startMs: number;
  #spent = 0;

  /**
   * `rate`: per second, `Infinity` for no limit. `burst`: that many become due together, at the same
   * mean rate; the first of them at once. `nowMs` here and below: any clock that never goes back.
   */
  constructor(rate: number, burst: number, nowMs: number) {
    this.#rate = rate;
    this.#burst = burst;
    this.#startMs = nowMs;
  }

  /** How many may go now, above those that were spent. */
  due(nowMs: number): number {
    if (this.#rate === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    const bursts = Math.floor(((nowMs - this.#startMs) * this.#rate) / 1000 / this.#burst) + 1;
    const due = bursts * this.#burst - this.#spent;
    const dueMax = Math.max(this.#burst, Math.ceil(this.#rate * CATCH_UP_SECONDS_MAX));
    if (due <= dueMax) return due;
    // Whole bursts only, so that the beat stays what it was.
    const forgone = Math.floor((due - dueMax) / this.#burst) * this.#burst;
    this.#startMs += (forgone / this.#rate) * 1000;
    return due - forgone;
  }

  spend(count: number): void {
    this.#spent += count;
  }

  /** Until the next is due; 0 or less when it is due already. */
  waitMs(nowMs: number): number {
    if (this.#rate === Number.POSITIVE_INFINITY) return 0;
    const burstsSpent = Math.floor(this.#spent / this.#burst);
    return this.#startMs + ((burstsSpent * this.#burst) / this.#rate) * 1000 - nowMs;
  }
}

/**
 * What to sleep before looking again. At least a millisecond: at a high rate lines then go in a few
 * large writes instead of a busy loop of small ones. At most what a timer can hold, past which
 * Node's fires at once.
 */
export function sleepMs(waitMs: number): number {
  return Math.min(Math.max(Math.ceil(waitMs), 1), 2 ** 31 - 1);
}
