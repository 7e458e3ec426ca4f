import type { ScannerStats } from '../scan/scanners.js';
import type { FolderStatus, SourceState } from '../sources/source.js';
import type { StateStats } from '../state/state-writer.js';
import type { Interval, WindowRequest } from '../tally/interval.js';
import type { KeyKind } from '../tally/key-table.js';
import type { KeyTotal } from '../tally/ranking.js';
import type { RejectedLineReport } from '../tally/rejected-lines.js';
import type { TallyStats } from '../tally/tally.js';
import type { CountedKind, Moment, PostAnswer, SourceCounts } from './protocol.js';

/** Steps of one series at most. */
export const SERIES_STEPS_MAX = 10_000;

export const INGEST_STATES = ['starting', 'running', 'restarting', 'stopped'] as const;
export type IngestState = (typeof INGEST_STATES)[number];

/** No ingest thread can answer just now; one may in a second. */
export class IngestUnavailableError extends Error {
  override readonly name = 'IngestUnavailableError';
}

/** The window reaches back to before what buckets can answer. */
export class WindowBeyondRetentionError extends Error {
  override readonly name = 'WindowBeyondRetentionError';
  /** Event time, Unix seconds, from which on windows are answered. */
  readonly since: number;

  constructor(since: number) {
    super(`windows are answered from ${since} on`);
    this.since = since;
  }
}

/** The steps of a series are finer than the buckets that it reaches back to. */
export class StepTooFineError extends Error {
  override readonly name = 'StepTooFineError';
  readonly resolution: number;

  constructor(resolution: number) {
    super(`the buckets are of ${resolution} s`);
    this.resolution = resolution;
  }
}

export interface Counts extends Moment {
  readonly interval: Interval | null;
  /** In no particular order, each key once. */
  readonly keys: readonly KeyTotal[];
  /** The overflow key's, which has no name; null when it was not counted. */
  readonly overflow: KeyTotal | null;
}

export interface Series extends Moment {
  readonly interval: Interval;
  readonly stepSeconds: number;
  /** The keys with the most in the window, largest first; for each, a count a step. */
  readonly rows: readonly { readonly key: string; readonly counts: Float64Array }[];
  /** All other keys together, overflow too; a count a step. */
  readonly other: Float64Array;
}

export interface SourceStats extends Omit<SourceCounts, 'idleSeconds'> {
  readonly name: string;
  readonly state: SourceState;
  readonly reason: string | null;
}

export interface IngestStats extends TallyStats, Moment {
  /** Largest event time that was not too far ahead of the clock; null before the first. */
  readonly lastEventTime: number | null;
  /** Since the last line was read; null before the first. */
  readonly lastLineSecondsAgo: number | null;
  readonly sources: readonly SourceStats[];
  readonly scanner: ScannerStats;
  /** null where nothing is kept. */
  readonly state: StateStats | null;
  /** Of the folder of the FIFOs. */
  readonly fifoDir: FolderStatus;
}

/** Stats and counts of the same lines: the batch of all of them is the same. */
export interface Snapshot {
  readonly stats: IngestStats;
  /** One for each kind that was asked for, in their order. */
  readonly counts: readonly Counts[];
}

/**
 * What may be asked of the ingest threads, however many there are. Every question rejects with
 * IngestUnavailableError when one of them is not there.
 */
export interface IngestClient {
  readonly state: IngestState;
  /** Why a thread ended last; null if none ever did. */
  readonly lastEnd: string | null;
  readonly retentionSeconds: number;
  /**
   * Equal for as long as the counts of an interval are, and what goes with them; null where that cannot be
   * told. This asks no thread.
   */
  readonly moment: string | null;
  /** How long the thread that has been answering for longest has been doing so since its start. */
  readonly answeringMs: number;
  /** Counts of a window, or since the start. Rejects with WindowBeyondRetentionError as well. */
  counts(of: CountedKind, window: WindowRequest | null): Promise<Counts>;
  /**
   * Counts of a window step by step, of the `limit` largest keys; steps null: seconds, minutes or hours,
   * the finest that its buckets and a bound on their number allow for. Rejects with WindowBeyondRetentionError and StepTooFineError as well.
   */
  series(
    of: KeyKind,
    window: WindowRequest,
    stepSeconds: number | null,
    limit: number,
  ): Promise<Series>;
  stats(): Promise<IngestStats>;
  /** Stats and counts of one moment. Rejects with WindowBeyondRetentionError as well. */
  snapshot(kinds: readonly CountedKind[], window: WindowRequest | null): Promise<Snapshot>;
  /** The last lines that were rejected, newest first, at most REJECTED_LINES_MAX. */
  rejected(): Promise<readonly RejectedLineReport[]>;
  /**
   * How busy the event loop of each thread was between the last question and this one, from 0 to 1, as
   * LoopMeter tells it; null where a thread is not there. This asks no thread: it is told of one that
   * hangs, too.
   */
  loopUtilizations(): (number | null)[];
  /** Counts whole lines. The bytes are given away. */
  post(lines: Uint8Array<ArrayBuffer>): Promise<PostAnswer>;
}
