/** So long back a rate is an average over. */
const RATE_SECONDS = 5;
/** A rate over less says nothing. */
const RATE_SECONDS_MIN = 0.5;

/**
 * So many a second "now", for each of several counts, which arrive at odd times, or stop arriving because
 * nothing changes.
 */
export class RateMeter<Name extends string> {
  #samples: { readonly at: number; readonly counts: Readonly<Record<Name, number>> }[] = [];

  /** `at`: seconds. Where it goes back, or a count falls, the counts began anew. */
  add(at: number, counts: Readonly<Record<Name, number>>): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && (at < last.at || hasFallen(last.counts, counts))) this.#samples = [];
    this.#samples.push({ at, counts });
    // The newest of those that are old enough is where the average begins.
    while (this.#samples.length > 2 && this.#samples[1]!.at <= at - RATE_SECONDS) {
      this.#samples.shift();
    }
  }

  /** At a time that may be later than the last counts'. Null as long as it cannot be told. */
  rates(now: number): Readonly<Record<Name, number>> | null {
    const last = this.#samples.at(-1);
    const base = this.#samples.findLast(({ at }) => at <= now - RATE_SECONDS) ?? this.#samples[0];
    if (last === undefined || base === undefined) return null;
    const seconds = Math.max(now, last.at) - base.at;
    if (seconds < RATE_SECONDS_MIN) return null;
    const names = Object.keys(last.counts) as Name[];
    const rates = names.map((name) => [name, (last.counts[name] - base.counts[name]) / seconds]);
    return Object.fromEntries(rates);
  }
}

function hasFallen<Name extends string>(
  before: Readonly<Record<Name, number>>,
  after: Readonly<Record<Name, number>>,
): boolean {
  return (Object.keys(after) as Name[]).some((name) => after[name] < before[name]);
}
