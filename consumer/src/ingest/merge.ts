/** Answers of several ingest threads, each with key ids of its own, as one, by key. */
import type { ScannerStats } from '../scan/scanners.js';
import type { StateStats } from '../state/state-writer.js';
import { firstStepOf, type Interval } from '../tally/interval.js';
import { type KeyKind, OVERFLOW_ID } from '../tally/key-table.js';
import { type KeyTotal, rank } from '../tally/ranking.js';
import { REJECTED_LINES_MAX, type RejectedLineReport } from '../tally/rejected-lines.js';
import { RunningSum } from '../tally/running-sum.js';
import type { TallyStats } from '../tally/tally.js';
import type { Counts, Series } from './ingest-client.js';
import type { CountsAnswer, Moment, SeriesAnswer, SourceCounts } from './protocol.js';

/** An answer with the keys of its ids. */
export interface Keyed<A> {
  readonly answer: A;
  readonly keys: readonly string[];
}

export function mergeMoments(moments: readonly Moment[]): Moment {
  const since = moments.map((moment) => moment.since).filter((time) => time !== null);
  return {
    batch: moments.reduce((sum, { batch }) => sum + batch, 0),
    since: since.length === 0 ? null : Math.max(...since),
  };
}

/** The smallest interval that covers all; at least one. */
export function mergeIntervals(intervals: readonly Interval[]): Interval {
  return {
    start: Math.min(...intervals.map(({ start }) => start)),
    end: Math.max(...intervals.map(({ end }) => end)),
    resolution: Math.max(...intervals.map(({ resolution }) => resolution)),
  };
}

/** All of the same interval, or all since the start. */
export function mergeCounts(parts: readonly Keyed<CountsAnswer>[]): Counts {
  const totals = new Map<string, KeyTotal>();
  let overflow: KeyTotal | null = null;
  for (const { answer, keys } of parts) {
    for (let i = 0; i < answer.ids.length; i++) {
      const id = answer.ids[i] as number;
      const total = totalAt(answer, i, keys[id] as string);
      if (id === OVERFLOW_ID) overflow = addTotals(overflow, total);
      else totals.set(total.key, addTotals(totals.get(total.key), total));
    }
  }
  const intervals = parts.map(({ answer }) => answer.interval).filter((each) => each !== null);
  const interval = intervals.length === 0 ? null : mergeIntervals(intervals);
  const moment = mergeMoments(parts.map(({ answer }) => answer));
  return { ...moment, interval, keys: [...totals.values()], overflow };
}

function totalAt({ counts, sums }: CountsAnswer, i: number, key: string): KeyTotal {
  const count = counts[i] as number;
  if (sums === null) return { key, count };
  return { key, count, sum: RunningSum.at(sums, i) };
}

function addTotals(a: KeyTotal | null | undefined, b: KeyTotal): KeyTotal {
  if (a == null) return b;
  const count = a.count + b.count;
  if (a.sum === undefined || b.sum === undefined) return { key: a.key, count };
  a.sum.merge(b.sum);
  return { key: a.key, count, sum: a.sum };
}

/**
 * All of the same interval and step. Memory is by what is shown: a number a step for each of the `limit`
 * largest keys, one for each other key.
 */
export function mergeSeries(parts: readonly Keyed<SeriesAnswer>[], limit: number): Series {
  const { interval, stepSeconds } = (parts[0] as Keyed<SeriesAnswer>).answer;
  const steps = (interval.end - firstStepOf(interval, stepSeconds)) / stepSeconds;
  const totals = new Map<string, number>();
  for (const { answer, keys } of parts) {
    for (const [i, id] of answer.ids.entries()) {
      if (id === OVERFLOW_ID) continue;
      const key = keys[id] as string;
      totals.set(key, (totals.get(key) ?? 0) + (answer.counts[i] as number));
    }
  }
  const ranking = rank(
    Array.from(totals, ([key, count]) => ({ key, count })),
    limit,
  );
  const rowOf = new Map(ranking.map(({ key }) => [key, new Float64Array(steps)]));
  const other = new Float64Array(steps);
  for (const { answer, keys } of parts) {
    for (const [i, id] of answer.ids.entries()) {
      const row = (id === OVERFLOW_ID ? undefined : rowOf.get(keys[id] as string)) ?? other;
      row[answer.steps[i] as number]! += answer.counts[i] as number;
    }
  }
  const moment = mergeMoments(parts.map(({ answer }) => answer));
  const rows = Array.from(rowOf, ([key, counts]) => ({ key, counts }));
  return { ...moment, interval, stepSeconds, rows, other };
}

/** Newest first; of one thread, in the order that it gives. */
export function mergeRejected(
  parts: readonly (readonly RejectedLineReport[])[],
): RejectedLineReport[] {
  return parts
    .flat()
    .sort((a, b) => b.at - a.at)
    .slice(0, REJECTED_LINES_MAX);
}

/** Per source; posted lines may have been counted by any of the threads. */
export function mergeSources(
  parts: readonly Readonly<Record<string, SourceCounts>>[],
): Map<string, SourceCounts> {
  const merged = new Map<string, SourceCounts>();
  for (const [name, counts] of parts.flatMap((part) => Object.entries(part))) {
    const known = merged.get(name);
    merged.set(name, known === undefined ? counts : addSources(known, counts));
  }
  return merged;
}

function addSources(a: SourceCounts, b: SourceCounts): SourceCounts {
  const ages = [a.lastLineSecondsAgo, b.lastLineSecondsAgo].filter((age) => age !== null);
  return {
    lines: a.lines + b.lines,
    bytes: a.bytes + b.bytes,
    lastLineSecondsAgo: ages.length === 0 ? null : Math.min(...ages),
    idleSeconds: Math.min(a.idleSeconds, b.idleSeconds),
  };
}

/** null where nothing is kept. */
export function mergeStateStats(parts: readonly (StateStats | null)[]): StateStats | null {
  const kept = parts.filter((part) => part !== null);
  const [first] = kept;
  if (first === undefined) return null;
  const longest = (of: 'lastCheckpointSeconds' | 'lastCheckpointPauseSeconds') => {
    const seconds = kept.map((part) => part[of]).filter((each) => each !== null);
    return seconds.length === 0 ? null : Math.max(...seconds);
  };
  return {
    durability: first.durability,
    journalBytes: kept.reduce((sum, part) => sum + part.journalBytes, 0),
    checkpoints: Math.min(...kept.map((part) => part.checkpoints)),
    lastCheckpointSeconds: longest('lastCheckpointSeconds'),
    lastCheckpointPauseSeconds: longest('lastCheckpointPauseSeconds'),
    fault: kept.map((part) => part.fault).find((fault) => fault !== null) ?? null,
  };
}

/** The name is `simd` where all threads have that scanner. */
export function mergeScannerStats(parts: readonly ScannerStats[]): ScannerStats {
  return {
    name: parts.find(({ name }) => name === 'reference')?.name ?? 'simd',
    lines: parts.reduce((sum, { lines }) => sum + lines, 0),
    fallbackLines: parts.reduce((sum, { fallbackLines }) => sum + fallbackLines, 0),
  };
}

/** Numbers of distinct keys cannot be added: the union's are an argument. */
export function mergeTallyStats(
  parts: readonly TallyStats[],
  distinct: Readonly<Record<KeyKind, number>>,
): TallyStats {
  const sum = (value: (stats: TallyStats) => number) =>
    parts.reduce((total, stats) => total + value(stats), 0);
  return {
    batch: sum((stats) => stats.batch),
    bytes: sum((stats) => stats.bytes),
    lines: sum((stats) => stats.lines),
    accepted: sum((stats) => stats.accepted),
    blank: sum((stats) => stats.blank),
    rejected: {
      too_long: sum(({ rejected }) => rejected.too_long),
      not_json: sum(({ rejected }) => rejected.not_json),
      not_an_event: sum(({ rejected }) => rejected.not_an_event),
    },
    types: { distinct: distinct.types, overflow: sum(({ types }) => types.overflow) },
    words: { distinct: distinct.words, overflow: sum(({ words }) => words.overflow) },
    windows: {
      late: sum(({ windows }) => windows.late),
      ahead: sum(({ windows }) => windows.ahead),
      cells: {
        used: sum(({ windows }) => windows.cells.used),
        max: sum(({ windows }) => windows.cells.max),
        folded: sum(({ windows }) => windows.cells.folded),
      },
    },
  };
}
