import type { EventLoopUtilization } from 'node:perf_hooks';

/** A reading looks back at least so far, where there was one so long ago. */
const SPAN_MS = 10_000;
/** Readings closer to each other than this keep the earlier one: so there are few. */
const SPACING_MS = 1000;

interface Reading {
  readonly at: number;
  readonly total: EventLoopUtilization;
}

/**
 * How busy an event loop is between readings. Each looks back to the newest reading that is at least
 * 10 s old: with one reader that is its own last one, and several that read at any times each get the
 * truth about a span of their reading interval at most, none less than 10 s.
 */
export class LoopMeter {
  readonly #read: () => EventLoopUtilization;
  readonly #nowMs: () => number;
  /** Oldest first: the one to look back to, then those of the last 10 s. */
  #readings: Reading[];

  constructor(read: () => EventLoopUtilization, nowMs: () => number = () => performance.now()) {
    this.#read = read;
    this.#nowMs = nowMs;
    this.#readings = [{ at: nowMs(), total: read() }];
  }

  /** From 0, always idle, to 1, never. */
  utilization(): number {
    const at = this.#nowMs();
    const total = this.#read();
    const base = this.#readings.findLastIndex((reading) => at - reading.at >= SPAN_MS);
    if (base > 0) this.#readings = this.#readings.slice(base);
    const { total: before } = this.#readings[0] as Reading;
    if (at - (this.#readings.at(-1) as Reading).at >= SPACING_MS)
      this.#readings.push({ at, total });
    const active = total.active - before.active;
    const idle = total.idle - before.idle;
    return active + idle > 0 ? active / (active + idle) : 0;
  }
}
