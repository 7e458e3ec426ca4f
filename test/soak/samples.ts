/** What is looked at at intervals, and whether it grew; pure. */

export interface Sample {
  /** Since the soak began. */
  readonly seconds: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  readonly linesPerSecond: number;
  /** Milliseconds of the answers since the sample before. */
  readonly livez: readonly number[];
  readonly queries: readonly number[];
}

/** How much more resident memory may be in the last third than in the first. */
export const RESIDENT_GROWTH_BYTES_MAX = 16 * 1_048_576;
/** How many times as long the slowest answers may take. */
export const LATENCY_GROWTH_MAX = 2;
/** Below it a latency is no matter. */
const LATENCY_MS_FLOOR = 20;
/**
 * What comes before it is no part of the comparison, a share of the whole time: windows keep seconds for
 * ten minutes, so that there are more of them until a third of half an hour is over.
 */
const WARM_UP = 1 / 3;

/** The value that a share of all values is not above; 0 where there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

export interface Comparison {
  readonly what: string;
  readonly first: number;
  readonly last: number;
  readonly max: number;
  readonly isFlat: boolean;
}

/** Compares the first third of the time after the warm-up with the last: medians of what was seen. */
export function compareThirds(samples: readonly Sample[]): Comparison[] {
  const warm = samples.slice(Math.ceil(samples.length * WARM_UP));
  const third = Math.floor(warm.length / 3);
  const compare = (
    what: string,
    value: (sample: Sample) => number,
    maxOf: (first: number) => number,
  ): Comparison => {
    const first = quantile(warm.slice(0, third).map(value), 0.5);
    const last = quantile(warm.slice(warm.length - third).map(value), 0.5);
    const max = maxOf(first);
    return { what, first, last, max, isFlat: last <= max };
  };
  const latencyMax = (first: number) => Math.max(LATENCY_MS_FLOOR, LATENCY_GROWTH_MAX * first);
  const mebibytes = (bytes: number) => bytes / 1_048_576;
  return [
    compare(
      'resident memory, MiB',
      ({ residentBytes }) => mebibytes(residentBytes),
      (first) => first + mebibytes(RESIDENT_GROWTH_BYTES_MAX),
    ),
    compare('/livez p99, ms', ({ livez }) => quantile(livez, 0.99), latencyMax),
    compare('queries p99, ms', ({ queries }) => quantile(queries, 0.99), latencyMax),
  ];
}
