import type { KeyKind } from '../tally/tally.js';
import type { IngestStats } from './protocol.js';

export const INGEST_STATES = ['starting', 'running', 'restarting', 'stopped'] as const;
export type IngestState = (typeof INGEST_STATES)[number];

/** There is no ingest thread to answer just now; there may be one again in a second. */
export class IngestUnavailableError extends Error {
  override readonly name = 'IngestUnavailableError';
}

export interface KeyCounts {
  /** By id; the overflow key, the first, has no name. May be longer than `counts`. */
  readonly keys: readonly string[];
  readonly counts: Float64Array;
}

/** What may be asked of the ingest thread. Both questions reject with IngestUnavailableError. */
export interface IngestClient {
  readonly state: IngestState;
  /** Why the thread ended last; null if it never did. */
  readonly lastEnd: string | null;
  /** Counts since the start, by key. */
  counts(of: KeyKind): Promise<KeyCounts>;
  stats(): Promise<IngestStats>;
}
