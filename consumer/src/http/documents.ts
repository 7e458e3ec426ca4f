/** Answers as the JSON that clients see. */
import type { Counts, IngestStats, Series } from '../ingest/ingest-client.js';
import type { CountedKind } from '../ingest/protocol.js';
import type { KeyKind } from '../tally/key-table.js';
import type { KeyTotal } from '../tally/ranking.js';
import type { RejectedLineReport } from '../tally/rejected-lines.js';
import { RunningSum } from '../tally/running-sum.js';

/**
 * Key to count or sum, in the order of the ranking. Written as text because an object would not keep
 * the order: JavaScript puts keys that look like integers first, and loses `__proto__`.
 */
export function flatText(ranking: readonly KeyTotal[]): string {
  const members = ranking.map(
    ({ key, count, sum }) => `${JSON.stringify(key)}:${JSON.stringify(sum?.total ?? count)}`,
  );
  return `{${members.join(',')}}`;
}

export function listDocument(of: CountedKind, counts: Counts, ranking: readonly KeyTotal[]) {
  const { interval, batch, since, keys, overflow } = counts;
  const all = overflow === null ? keys : [...keys, overflow];
  return {
    of,
    batch,
    window: interval,
    since,
    total: of === 'sums' ? totalSum(all) : all.reduce((total, { count }) => total + count, 0),
    distinct: keys.length,
    overflow: overflow?.sum?.total ?? overflow?.count ?? 0,
    counts: ranking.map(({ key, count, sum }) =>
      sum === undefined ? { key, count } : { key, sum: sum.total, count },
    ),
  };
}

function totalSum(totals: readonly KeyTotal[]): number {
  const total = new RunningSum();
  for (const { sum } of totals) if (sum !== undefined) total.merge(sum);
  return total.total;
}

export function seriesDocument(of: KeyKind, series: Series) {
  const { interval, stepSeconds, batch, since, rows, other } = series;
  return {
    of,
    batch,
    window: interval,
    since,
    step: stepSeconds,
    starts: Array.from(other, (_, step) => interval.start + step * stepSeconds),
    series: rows.map(({ key, counts }) => ({ key, counts: [...counts] })),
    other: [...other],
  };
}

export function statsDocument(stats: IngestStats) {
  const { late, ahead, cells } = stats.windows;
  return {
    batch: stats.batch,
    lines: stats.lines,
    bytes: stats.bytes,
    accepted: stats.accepted,
    blank: stats.blank,
    rejected: stats.rejected,
    late,
    ahead,
    event_types: stats.types,
    words: stats.words,
    window_cells: cells,
    last_event_time: stats.lastEventTime,
    since: stats.since,
    last_line_seconds_ago: milliseconds(stats.lastLineSecondsAgo),
    sources: stats.sources.map(({ name, state, reason, lines, bytes, lastLineSecondsAgo }) => ({
      name,
      state,
      reason,
      lines,
      bytes,
      last_line_seconds_ago: milliseconds(lastLineSecondsAgo),
    })),
  };
}

export function rejectedDocument(lines: readonly RejectedLineReport[]) {
  return {
    rejected: lines.map(({ reason, at, source, bytes, text, fault, fields }) => ({
      reason,
      at: milliseconds(at),
      source,
      bytes,
      text,
      ...(fault !== null && { field: fault.field, problem: fault.problem }),
      ...(fields !== null && { fields }),
    })),
  };
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : Number(seconds.toFixed(3));
}
