/**
 * Answers as the JSON that clients see: a schema of each, which the OpenAPI document is made of, and the
 * function that makes it, typed by the schema.
 */
import { REJECTION_REASONS } from '@event-tally/shared/line.js';
import { z } from 'zod';
import type { Counts, IngestStats, Series } from '../ingest/ingest-client.js';
import type { CountedKind, PostAnswer } from '../ingest/protocol.js';
import { SCANNER_NAMES } from '../scan/scanners.js';
import { SOURCE_STATES } from '../sources/source.js';
import { DURABILITIES } from '../state/durability.js';
import { firstStepOf } from '../tally/interval.js';
import { KEY_KINDS, type KeyKind } from '../tally/key-table.js';
import type { KeyTotal } from '../tally/ranking.js';
import { REJECTED_LINES_MAX, type RejectedLineReport } from '../tally/rejected-lines.js';
import { RunningSum } from '../tally/running-sum.js';

const count = z.int().nonnegative();
const total = z
  .number()
  .nullable()
  .describe('A sum; null where it has left the range of double-precision numbers.');
const seconds = z.number().nonnegative();

const moment = {
  batch: count.describe('Answers of the same batch speak of the same lines.'),
  since: z
    .number()
    .nullable()
    .describe('Event time from which on windows are answered; null before the first event.'),
};

export const intervalSchema = z
  .object({
    start: z.int(),
    end: z.int(),
    resolution: z.int().positive().describe('Seconds of its coarsest bucket.'),
  })
  .describe('What was counted: event time from start on and before end, Unix seconds.');

const windowMember = intervalSchema.nullable().describe('null: since the start.');

export const flatCountsSchema = z
  .record(z.string(), count)
  .describe('Key to count, largest first; ties by key, in the order of code points.');
export const flatSumsSchema = z
  .record(z.string(), total)
  .describe('Type to sum, largest first; ties by type, in the order of code points.');

export const countListSchema = z
  .object({
    of: z.enum(KEY_KINDS),
    batch: moment.batch,
    window: windowMember,
    since: moment.since,
    total: count.describe('Of all keys, whatever the limit, overflow among them.'),
    distinct: count.describe('Keys, without those that overflowed.'),
    overflow: count.describe('What was counted past a bound on keys.'),
    counts: z.array(z.object({ key: z.string(), count })).describe('Largest first.'),
  })
  .describe('Counts with what was counted.');

export const sumListSchema = z
  .object({
    of: z.literal('sums'),
    batch: moment.batch,
    window: windowMember,
    since: moment.since,
    total,
    distinct: count.describe('Types that had a value, without those that overflowed.'),
    overflow: total,
    counts: z
      .array(z.object({ key: z.string(), sum: total, count: count.describe('Values.') }))
      .describe('Largest sum first.'),
  })
  .describe('Sums with what was summed.');

export type ListDocument = z.output<typeof countListSchema> | z.output<typeof sumListSchema>;

export const seriesSchema = z
  .object({
    of: z.enum(KEY_KINDS),
    batch: moment.batch,
    window: intervalSchema,
    since: moment.since,
    step: z.int().positive().describe('Seconds of a step.'),
    starts: z.array(z.int()).describe('Where each step starts, Unix seconds.'),
    series: z
      .array(z.object({ key: z.string(), counts: z.array(count) }))
      .describe('The largest keys, a count a step each.'),
    other: z.array(count).describe('All other keys together, a count a step.'),
  })
  .describe('Counts step by step.');

const rejected = z
  .object(
    Object.fromEntries(REJECTION_REASONS.map((reason) => [reason, count])) as Record<
      (typeof REJECTION_REASONS)[number],
      typeof count
    >,
  )
  .describe('Lines that were no event, by reason.');

const keysMember = z.object({
  distinct: count,
  overflow: count.describe('Occurrences that were counted together, past a bound on keys.'),
});

export const statsSchema = z
  .object({
    batch: moment.batch,
    lines: count.describe('lines = accepted + blank + rejected'),
    bytes: count,
    accepted: count.describe('Events.'),
    blank: count,
    rejected,
    late: count.describe('Accepted, but too old for windows.'),
    ahead: count.describe('Accepted, but too far ahead of the clock for windows.'),
    event_types: keysMember,
    words: keysMember,
    window_cells: z
      .object({ used: count, max: count, folded: count })
      .describe('Pairs of a key and a bucket of time; folded: counted together, past max.'),
    last_event_time: z
      .number()
      .nullable()
      .describe('The largest event time that was not too far ahead; null before the first.'),
    since: moment.since,
    last_line_seconds_ago: seconds.nullable(),
    scanner: z
      .object({
        name: z.enum(SCANNER_NAMES),
        lines: count.describe('Scanned since the start.'),
        fallback_lines: count.describe('Of them, handed to the reference scanner.'),
      })
      .describe('What reads the lines; simd where all threads have that scanner.'),
    state: z
      .object({
        durability: z.enum(DURABILITIES).exclude(['none']),
        journal_bytes: count.describe('Of the journals since the newest checkpoint.'),
        checkpoints: count.describe('Taken since the start, by each ingest thread at least.'),
        last_checkpoint_seconds: seconds
          .nullable()
          .describe('How long the last one took; null before the first.'),
        last_checkpoint_pause_seconds: seconds
          .nullable()
          .describe('How long reading stood still for it at a time, at most.'),
        fault: z.string().nullable().describe('Why the counts cannot be kept; null when they can.'),
      })
      .nullable()
      .describe('What outlasts the process; null: nothing does.'),
    sources: z.array(
      z.object({
        name: z.string(),
        state: z.enum(SOURCE_STATES),
        reason: z.string().nullable().describe('What is wrong; null when nothing is.'),
        lines: count,
        bytes: count,
        last_line_seconds_ago: seconds.nullable(),
      }),
    ),
  })
  .describe('What was read and what became of it.');

export const postedSchema = z
  .object({ accepted: count, blank: count, rejected })
  .describe('What became of the lines of a body.');

export const rejectedSchema = z
  .object({
    rejected: z
      .array(
        z.object({
          reason: z.enum(REJECTION_REASONS),
          at: z.number().describe('When it was read, Unix seconds.'),
          source: z.string(),
          bytes: count,
          text: z.string().describe('Its first 200 characters; control characters are escaped.'),
          field: z.string().optional().describe('not_an_event: the field that is at fault.'),
          problem: z.string().optional().describe('not_an_event: what is wrong with that field.'),
          fields: z
            .array(z.string())
            .optional()
            .describe('The top-level names that the line had, where it was a JSON object.'),
        }),
      )
      .max(REJECTED_LINES_MAX)
      .describe('Newest first.'),
  })
  .describe('The lines that were rejected last.');

export const streamFrameSchema = z
  .object({
    batch: moment.batch,
    at: z.number().describe('Unix seconds.'),
    stats: statsSchema,
    types: countListSchema.optional(),
    words: countListSchema.optional(),
    sums: sumListSchema.optional(),
  })
  .describe('The data of one `counts` event of the stream: all of one batch.');

export const livenessSchema = z.object({ status: z.literal('alive') });

export const readinessSchema = z
  .object({
    status: z.enum(['ready', 'not ready']),
    checks: z
      .record(z.string(), z.object({ ok: z.boolean(), reason: z.string().optional() }))
      .describe('Each with the reason where there is one.'),
  })
  .describe('Whether it reads and counts.');

export type CountListDocument = z.output<typeof countListSchema>;
/** One of the rejected lines. */
export type RejectedDocument = z.output<typeof rejectedSchema>['rejected'][number];
export type SeriesDocument = z.output<typeof seriesSchema>;
export type StatsDocument = z.output<typeof statsSchema>;

/**
 * Key to count or sum, in the order of the ranking, piece by piece. Written as text because an object would
 * not keep the order: JavaScript puts keys that look like integers first, and loses `__proto__`.
 */
export function* flatTexts(ranking: readonly KeyTotal[]): Iterable<string> {
  let before = '{';
  for (const { key, count, sum } of ranking) {
    yield `${before}${JSON.stringify(key)}:${JSON.stringify(sum?.total ?? count)}`;
    before = ',';
  }
  yield ranking.length === 0 ? '{}\n' : '}\n';
}

/** A list document as JSON, piece by piece. */
export function* listTexts(document: ListDocument): Iterable<string> {
  const { counts, ...others } = document;
  yield `${JSON.stringify(others).slice(0, -1)},"counts":[`;
  let before = '';
  for (const each of counts) {
    yield `${before}${JSON.stringify(each)}`;
    before = ',';
  }
  yield ']}\n';
}

export function listDocument(
  of: KeyKind,
  counts: Counts,
  ranking: readonly KeyTotal[],
): CountListDocument;
export function listDocument(
  of: CountedKind,
  counts: Counts,
  ranking: readonly KeyTotal[],
): ListDocument;
export function listDocument(
  of: CountedKind,
  counts: Counts,
  ranking: readonly KeyTotal[],
): ListDocument {
  const { interval, batch, since, keys, overflow } = counts;
  const all = overflow === null ? keys : [...keys, overflow];
  const distinct = keys.length;
  if (of === 'sums') {
    return {
      of,
      batch,
      window: interval,
      since,
      total: totalSum(all),
      distinct,
      overflow: overflow === null ? 0 : sumOf(overflow),
      counts: ranking.map((each) => ({ key: each.key, sum: sumOf(each), count: each.count })),
    };
  }
  return {
    of,
    batch,
    window: interval,
    since,
    total: all.reduce((sum, each) => sum + each.count, 0),
    distinct,
    overflow: overflow?.count ?? 0,
    counts: ranking.map((each) => ({ key: each.key, count: each.count })),
  };
}

function sumOf({ sum }: KeyTotal): number {
  return (sum as RunningSum).total;
}

function totalSum(totals: readonly KeyTotal[]): number {
  const total = new RunningSum();
  for (const { sum } of totals) if (sum !== undefined) total.merge(sum);
  return total.total;
}

export function seriesDocument(of: KeyKind, series: Series): z.output<typeof seriesSchema> {
  const { interval, stepSeconds, batch, since, rows, other } = series;
  return {
    of,
    batch,
    window: interval,
    since,
    step: stepSeconds,
    starts: Array.from(other, (_, step) => firstStepOf(interval, stepSeconds) + step * stepSeconds),
    series: rows.map(({ key, counts }) => ({ key, counts: [...counts] })),
    other: [...other],
  };
}

export function statsDocument(stats: IngestStats): z.output<typeof statsSchema> {
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
    scanner: {
      name: stats.scanner.name,
      lines: stats.scanner.lines,
      fallback_lines: stats.scanner.fallbackLines,
    },
    state: stateMember(stats.state),
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

function stateMember(state: IngestStats['state']): StatsDocument['state'] {
  if (state === null) return null;
  const { durability, journalBytes, checkpoints, fault } = state;
  return {
    durability,
    journal_bytes: journalBytes,
    checkpoints,
    last_checkpoint_seconds: milliseconds(state.lastCheckpointSeconds),
    last_checkpoint_pause_seconds: milliseconds(state.lastCheckpointPauseSeconds),
    fault,
  };
}

export function rejectedDocument(
  lines: readonly RejectedLineReport[],
): z.output<typeof rejectedSchema> {
  return {
    rejected: lines.map(({ reason, at, source, bytes, text, fault, fields }) => ({
      reason,
      at: milliseconds(at),
      source,
      bytes,
      text,
      ...(fault !== null && { field: fault.field, problem: fault.problem }),
      ...(fields !== null && { fields: [...fields] }),
    })),
  };
}

export function postedDocument({
  accepted,
  blank,
  rejected,
}: PostAnswer): z.output<typeof postedSchema> {
  return { accepted, blank, rejected };
}

function milliseconds(seconds: number): number;
function milliseconds(seconds: number | null): number | null;
function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : Number(seconds.toFixed(3));
}
