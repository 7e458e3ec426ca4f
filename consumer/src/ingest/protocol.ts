/**
 * What crosses between the main thread and an ingest thread, and nothing else does.
 *
 *   main ──▶ ingest   query (numbered), open, release and forget (a source), stop
 *   ingest ──▶ main   ready or damaged (once), fault (of the disk), answer (to each query, in their order;
 *                     to posted lines when they are counted), opened and ended (a source)
 *
 * The thread's exit is its last word: told to stop, it stops reading, counts what it has read and exits.
 *
 * An answer is made between two reads, so all that one answer says covers the same lines. Counts cross
 * as columns, which are transferred, not copied; the keys themselves cross once: an answer brings those
 * that the main thread has not been given yet. Ranking and writing JSON are the main thread's.
 *
 * The front of event time, which all ingest threads have in common, is in shared memory. The main thread
 * resolves windows against it, so that all threads can be asked for the same interval at once.
 */
import type { FieldMapping } from '@event-tally/shared/event.js';
import type { RejectionReason } from '@event-tally/shared/line.js';
import type { ScannerChoice, ScannerStats } from '../scan/scanners.js';
import type { StateStats } from '../state/state-writer.js';
import type { Recovery } from '../state/thread-folder.js';
import type { Interval } from '../tally/interval.js';
import type { KeyKind } from '../tally/key-table.js';
import type { RejectedLineReport } from '../tally/rejected-lines.js';
import type { CountColumns } from '../tally/run-counts.js';
import type { TallyStats } from '../tally/tally.js';

/** All that an ingest thread is told at its start. */
export interface IngestOptions {
  readonly scanner: ScannerChoice;
  readonly mapping: FieldMapping;
  readonly lineBytesMax: number;
  readonly eventTypesMax: number;
  readonly wordsMax: number;
  readonly keyBytesMax: number;
  readonly retentionSeconds: number;
  readonly maxClockSkewSeconds: number;
  readonly windowCellsMax: number;
}

/** Where an ingest thread keeps its state, and how. */
export interface ThreadStateOptions {
  readonly folder: string;
  /** Folders whose state it begins with: its own, or, when the number of threads has changed, others. */
  readonly from: readonly string[];
  readonly hasJournal: boolean;
  readonly checkpointIntervalMs: number;
  readonly journalSyncIntervalMs: number;
  readonly journalBytesMax: number;
}

export interface IngestWorkerData {
  readonly options: IngestOptions;
  /** null: nothing outlasts the thread. */
  readonly state: ThreadStateOptions | null;
  /** Of the EventTimeFront. */
  readonly frontBuffer: SharedArrayBuffer;
  /** Before it opens sources, it counts lines of its own (see warm-up). */
  readonly warmsUp: boolean;
}

/** What is counted: events by type, words, or values summed by type. */
export type CountedKind = KeyKind | 'sums';

export interface CountsQuery {
  readonly kind: 'counts';
  readonly of: CountedKind;
  /** null: since the start. */
  readonly window: Interval | null;
}

/** Counts over time: a bucket a step of the window. */
export interface SeriesQuery {
  readonly kind: 'series';
  readonly of: KeyKind;
  /** A whole number of steps. */
  readonly window: Interval;
  readonly stepSeconds: number;
}

/** Counts of several kinds, and stats, all of the same lines. */
export interface SnapshotQuery {
  readonly kind: 'snapshot';
  readonly kinds: readonly CountedKind[];
  readonly window: Interval | null;
}

export interface StatsQuery {
  readonly kind: 'stats';
}

/** The last lines that were rejected. */
export interface RejectedQuery {
  readonly kind: 'rejected';
}

/** Lines that came whole by another way than a source; counted before the answer. */
export interface PostQuery {
  readonly kind: 'post';
  readonly lines: Uint8Array<ArrayBuffer>;
}

export type Query =
  | CountsQuery
  | SeriesQuery
  | SnapshotQuery
  | StatsQuery
  | RejectedQuery
  | PostQuery;

/** Keys that the main thread does not know yet: their ids follow those of all earlier answers. */
export interface NewKeys {
  readonly of: KeyKind;
  readonly keys: readonly string[];
}

export interface Moment {
  /** Number of the batch after which the answer was made. */
  readonly batch: number;
  /** Event time from which on windows are answered; null before the first event. */
  readonly since: number | null;
}

/** A window that cannot be counted. */
export type Refusal =
  /** The front has moved on: there are no longer buckets for it. */
  | { readonly kind: 'moved' }
  /** It reaches back to where buckets are of that many seconds, which the step is no multiple of. */
  | { readonly kind: 'coarse'; readonly resolution: number };

export interface CountsAnswer extends Moment, CountColumns {
  readonly kind: 'counts';
  readonly newKeys: readonly NewKeys[];
  /** What was asked for, or where buckets are coarser, the smallest that covers it. */
  readonly interval: Interval | null;
  /** The parts of each id's RunningSum, end to end; null unless sums were asked for. */
  readonly sums: Float64Array<ArrayBuffer> | null;
}

export interface SeriesAnswer extends Moment, CountColumns {
  readonly kind: 'series';
  readonly newKeys: readonly NewKeys[];
  readonly interval: Interval;
  readonly stepSeconds: number;
  /** Index of the step that each id and count belongs to. */
  readonly steps: Uint32Array<ArrayBuffer>;
}

export interface SourceCounts {
  readonly lines: number;
  readonly bytes: number;
  /** Since its last line; null before the first. */
  readonly lastLineSecondsAgo: number | null;
  /** Since its last line, or since it was opened. */
  readonly idleSeconds: number;
}

export interface StatsAnswer extends TallyStats {
  readonly kind: 'stats';
  readonly scanner: ScannerStats;
  readonly newKeys: readonly NewKeys[];
  readonly since: number | null;
  /** null where nothing is kept. */
  readonly state: StateStats | null;
  /** Largest event time that this thread counted in windows; null before the first. */
  readonly lastEventTime: number | null;
  /** Those that this thread reads or has read, by name. */
  readonly sources: Readonly<Record<string, SourceCounts>>;
}

export interface SnapshotAnswer {
  readonly kind: 'snapshot';
  /** One for each kind that was asked for, in their order. */
  readonly counts: readonly CountsAnswer[];
  readonly stats: StatsAnswer;
}

export interface RejectedAnswer {
  readonly kind: 'rejected';
  /** Newest first, at most REJECTED_LINES_MAX. */
  readonly lines: readonly RejectedLineReport[];
}

/** Nothing can be posted now. */
export interface Held {
  readonly kind: 'held';
  readonly reason: string;
}

export interface PostAnswer {
  readonly kind: 'post';
  readonly accepted: number;
  readonly blank: number;
  readonly rejected: Readonly<Record<RejectionReason, number>>;
}

export type AnswerTo<Q extends Query> = Q extends CountsQuery
  ? CountsAnswer | Refusal
  : Q extends SeriesQuery
    ? SeriesAnswer | Refusal
    : Q extends SnapshotQuery
      ? SnapshotAnswer | Refusal
      : Q extends StatsQuery
        ? StatsAnswer
        : Q extends RejectedQuery
          ? RejectedAnswer
          : PostAnswer | Held;

export type Answer =
  | CountsAnswer
  | SeriesAnswer
  | SnapshotAnswer
  | StatsAnswer
  | RejectedAnswer
  | PostAnswer
  | Held
  | Refusal;

export type MessageToIngest =
  | { readonly kind: 'query'; readonly id: number; readonly query: Query }
  | { readonly kind: 'open'; readonly name: string; readonly path: Uint8Array | null }
  | { readonly kind: 'release'; readonly name: string }
  | { readonly kind: 'forget'; readonly name: string }
  | { readonly kind: 'stop' };

export type MessageFromIngest =
  | {
      readonly kind: 'ready';
      /** Of the state that the thread begins with. */
      readonly recoveries: readonly Recovery[];
      /** Sources that it has counted before. */
      readonly sources: readonly string[];
    }
  /** The state that it was to begin with is damaged: it has not begun. */
  | { readonly kind: 'damaged'; readonly problem: string }
  /** The disk does not take what was counted, so that nothing is read; null: it does again. */
  | { readonly kind: 'fault'; readonly fault: string | null }
  /** It reads with the reference scanner, because there is no memory for the SIMD scanner. */
  | { readonly kind: 'scannerFallback'; readonly cause: string }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly answer: Answer;
      /** How long the thread has been answering since its start. */
      readonly answeringMs: number;
    }
  | { readonly kind: 'opened'; readonly name: string; readonly identity: string }
  | { readonly kind: 'ended'; readonly name: string; readonly reason: string | null };
