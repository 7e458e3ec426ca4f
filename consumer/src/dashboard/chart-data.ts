import type { SeriesDocument } from './documents.js';

/** Seconds of a bar: divisors of minutes and hours, so that the bars of a minute stay the same. */
const BAR_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
const BARS_MAX = 120;
/** What is cut off at the start leaves so much. */
const TRIMMED_SECONDS_MIN = 60;

export interface ChartData {
  /** Unix seconds at which the bars begin. */
  readonly starts: readonly number[];
  readonly barSeconds: number;
  /** Events a second; a row for each key, largest first, and one for all others. */
  readonly rates: readonly (readonly number[])[];
}

export const NO_CHART_DATA: ChartData = { starts: [], barSeconds: 1, rates: [] };

/**
 * Counts of steps as the rates of at most about BARS_MAX bars. What is not over yet has no part in a
 * rate: `until`, Unix seconds, is how far events can have come.
 */
export function chartData(
  { step, starts, series, other }: SeriesDocument,
  until: number,
): ChartData {
  const fits = (seconds: number) =>
    seconds % step === 0 && (starts.length * step) / seconds <= BARS_MAX;
  const barSeconds = BAR_SECONDS.find(fits) ?? step;
  const rows = [...series.map(({ counts }) => counts), other];

  const bars = new Map<number, { seconds: number; counts: number[] }>();
  for (const [i, start] of starts.entries()) {
    const seconds = Math.min(step, Math.floor(until) - start);
    if (seconds < 1) continue;
    const barStart = Math.floor(start / barSeconds) * barSeconds;
    const bar = bars.get(barStart) ?? { seconds: 0, counts: rows.map(() => 0) };
    bar.seconds += seconds;
    for (const [row, counts] of rows.entries()) bar.counts[row]! += counts[i]!;
    bars.set(barStart, bar);
  }
  const all = [...bars.values()];
  return {
    starts: [...bars.keys()],
    barSeconds,
    rates: rows.map((_, row) => all.map(({ seconds, counts }) => counts[row]! / seconds)),
  };
}

/** Without the bars before the first event, but for a minute. */
export function trimStart({ starts, barSeconds, rates }: ChartData): ChartData {
  const first = starts.findIndex((_, i) => rates.some((row) => row[i]! > 0));
  const shortest = starts.length - Math.ceil(TRIMMED_SECONDS_MIN / barSeconds);
  const from = Math.max(0, Math.min(first === -1 ? shortest : first, shortest));
  return { starts: starts.slice(from), barSeconds, rates: rates.map((row) => row.slice(from)) };
}

/** Each row on top of those after it: the first is the sum of all. */
export function stack(rates: ChartData['rates']): number[][] {
  const stacked = rates.map((row) => [...row]);
  for (let row = stacked.length - 2; row >= 0; row--) {
    const below = stacked[row + 1]!;
    for (let i = 0; i < below.length; i++) stacked[row]![i]! += below[i]!;
  }
  return stacked;
}
