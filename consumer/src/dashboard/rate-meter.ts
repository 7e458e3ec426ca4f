/** So long back the rate is an average over. */
const RATE_SECONDS = 5;
/** A rate over less says nothing. */
const RATE_SECONDS_MIN = 0.5;

/** Events a second "now", from counts that arrive at odd times, or stop arriving because nothing changes. */
export class RateMeter {
  #samples: { readonly at: number; readonly count: number }[] = [];

  /** `at`: seconds on a clock that only goes forward. A count that fell is one that began anew. */
  add(at: number, count: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && (count < last.count || at < last.at)) this.#samples = [];
    this.#samples.push({ at, count });
    // The newest of those that are old enough is where the average begins.
    while (this.#samples.length > 2 && this.#samples[1]!.at <= at - RATE_SECONDS) {
      this.#samples.shift();
    }
  }

  /** Null as long as it cannot be told. */
  rate(now: number): number | null {
    const last = this.#samples.at(-1);
    if (last === undefined) return null;
    const base =
      this.#samples.findLast(({ at }) => at <= now - RATE_SECONDS) ?? this.#samples[0] ?? last;
    const seconds = now - base.at;
    return seconds < RATE_SECONDS_MIN ? null : (last.count - base.count) / seconds;
  }
}
