/**
 * What crosses between the main thread and the ingest thread, and nothing else does.
 *
 *   main ──▶ ingest   query (numbered), stop
 *   ingest ──▶ main   ready (once), answer (to each query, in their order), log
 *
 * The thread's exit is its last word: told to stop, it stops reading, counts what it has read and exits.
 *
 * An answer is made between two reads, so all that one answer says covers the same lines. Counts cross
 * as one column by key id, which is transferred, not copied; the keys themselves cross once: an answer
 * brings those that the main thread has not been given yet. So a query costs the ingest thread one copy
 * of a column, whatever is then sorted or written as JSON.
 */
import type { FieldMapping } from '@event-tally/shared/event.js';
import type { LogLevel } from '../log.js';
import type { SourceState } from '../sources/source.js';
import type { KeyKind, TallyStats } from '../tally/tally.js';

/** All that the ingest thread is told at its start. */
export interface IngestOptions {
  readonly fifoDir: string;
  readonly mapping: FieldMapping;
  readonly lineBytesMax: number;
  readonly eventTypesMax: number;
  readonly wordsMax: number;
  readonly keyBytesMax: number;
}

export interface CountsQuery {
  readonly kind: 'counts';
  readonly of: KeyKind;
}

export interface StatsQuery {
  readonly kind: 'stats';
}

export type Query = CountsQuery | StatsQuery;

export interface CountsAnswer {
  readonly of: KeyKind;
  /** Counts by key id; the overflow key's is the first. */
  readonly counts: Float64Array<ArrayBuffer>;
  /** Keys with the ids that follow those of all earlier answers of this thread about this kind. */
  readonly newKeys: readonly string[];
}

export interface SourceStats {
  readonly name: string;
  readonly state: SourceState;
  readonly reason: string | null;
  readonly lines: number;
}

export interface IngestStats extends TallyStats {
  /** Since the last line was read; null before the first. */
  readonly lastLineSecondsAgo: number | null;
  readonly sources: readonly SourceStats[];
  /** Why the folder of the FIFOs cannot be read; null when it can. */
  readonly fifoDirFault: string | null;
}

export type AnswerTo<Q extends Query> = Q extends CountsQuery ? CountsAnswer : IngestStats;

export type MessageToIngest =
  | { readonly kind: 'query'; readonly id: number; readonly query: Query }
  | { readonly kind: 'stop' };

export type MessageFromIngest =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: CountsAnswer | IngestStats }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
