import type { RejectionReason } from '@event-tally/shared/line.js';
import type { RejectedLine } from './rejected-lines.js';

/** What became of lines that were no event, and how many lines and bytes there were in all. */
export interface LineAccount {
  /** Bytes read, those of a line that is not yet ended among them. */
  readonly bytes: number;
  readonly lines: number;
  /** Lines of white space only. */
  readonly blank: number;
  readonly rejected: Readonly<Record<RejectionReason, number>>;
}

/**
 * What one scan found: the one thing that passes from scan to tally. Events are columns, not objects,
 * so that a scanner may write them from anywhere (WebAssembly memory too) without an object an event.
 *
 * Row `i` of `length` is one event. Its words are `wordIds[wordOffsets[i]]` up to, not including,
 * `wordIds[wordOffsets[i + 1]]`. Ids mean nothing without the KeyTables that gave them. Columns may be
 * longer than their content, and belong to the scanner: they are valid until its next scan.
 *
 * A batch accounts for every line whose LF it saw: lines = length + blank + all of `rejected`.
 */
export interface EventBatch extends LineAccount {
  readonly length: number;
  /** Unix seconds. */
  readonly eventTimes: Float64Array;
  readonly typeIds: Uint32Array;
  /** NaN where the event has none. */
  readonly values: Float64Array;
  /** `length + 1` offsets into `wordIds`, the first 0. */
  readonly wordOffsets: Uint32Array;
  readonly wordIds: Uint32Array;
  /**
   * Gives the last rejected lines away, at most REJECTED_LINES_MAX, oldest first. To be taken before the
   * next scan; the batch keeps none of what it has given.
   */
  takeRejectedLines(): RejectedLine[];
}
