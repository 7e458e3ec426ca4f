import type { Frame } from './frames.js';

/** A rate is that of the last so many seconds. */
const SPAN_SECONDS = 5;

export interface Rates {
  /** A second. */
  readonly accepted: number;
  readonly rejected: number;
}

interface Totals extends Rates {
  readonly at: number;
}

/** Rates from the totals of frames. */
export class RateMeter {
  #totals: Totals[] = [];

  add({ at, stats }: Frame): void {
    const { accepted } = stats;
    const rejected = rejectedOf(stats);
    const last = this.#totals.at(-1);
    // Totals that fall, or a time that does, are those of a consumer that began anew.
    if (last !== undefined && (accepted < last.accepted || at < last.at)) this.#totals = [];
    this.#totals.push({ at, accepted, rejected });
    const base = this.#totals.findLastIndex((totals) => at - totals.at >= SPAN_SECONDS);
    if (base > 0) this.#totals = this.#totals.slice(base);
  }

  /**
   * At a time by the server's clock: frames come only when something has changed. Null while there was
   * but one.
   */
  rates(now: number): Rates | null {
    const last = this.#totals.at(-1);
    const first = this.#totals.findLast(({ at }) => now - at >= SPAN_SECONDS) ?? this.#totals[0];
    if (last === undefined || first === undefined) return null;
    const seconds = Math.max(now, last.at) - first.at;
    if (seconds <= 0) return null;
    return {
      accepted: (last.accepted - first.accepted) / seconds,
      rejected: (last.rejected - first.rejected) / seconds,
    };
  }
}

export function rejectedOf({ rejected }: Frame['stats']): number {
  return Object.values(rejected).reduce((sum, count) => sum + count, 0);
}
