import type { FieldMapping } from '@event-tally/shared/event.js';
import type { EventBatch } from '../tally/event-batch.js';
import type { KeyTable } from '../tally/key-table.js';

/** Bytes of one scan at most. */
export const SCAN_BYTES_MAX = 524_288;

export interface ScannerOptions {
  readonly mapping: FieldMapping;
  /** Bytes of a line at most, its LF not counted; a longer one is rejected as `too_long`. */
  readonly lineBytesMax: number;
  readonly types: KeyTable;
  readonly words: KeyTable;
}

/** What a scanner waits with: the bytes since the last LF, and what it has to know of those before. */
export interface Unfinished {
  /**
   * The bytes of the line that has no LF yet; of one that is too long already, its beginning, in UTF-8,
   * as it will be shown.
   */
  readonly tail: Uint8Array;
  /** Bytes of that line so far. */
  readonly bytes: number;
  /** The line is too long already. */
  readonly isSkipping: boolean;
  /** A byte order mark that comes now is no longer the first of all. */
  readonly contentSeen: boolean;
}

/**
 * Bytes of one source → the events in them. A scanner is a stream: a line may come in any number of
 * pieces, counts when its LF is scanned, and what follows the last LF waits for the next call.
 */
export interface Scanner {
  /**
   * Scans the bytes that the source gave next, at most SCAN_BYTES_MAX. `arrivalTime` (Unix seconds) is the
   * event time of its lines under the timestamp format `arrival`. No input makes it throw. The bytes may
   * be overwritten afterwards; the batch is valid until the next call of a scanner of the same thread.
   *
   * The text of a rejected line is all of it, its CR too, but not a byte order mark that was dropped; of one
   * that is too long, beginningOfTooLong says how much.
   */
  scan(bytes: Uint8Array, arrivalTime: number): EventBatch;

  /**
   * Ends the line that has no LF yet, if there is one, as its LF would. For a source that has an end.
   */
  finish(arrivalTime: number): EventBatch;

  /** What waits for the next call; the bytes are valid until then. */
  readonly unfinished: Unfinished;

  /** Goes on where another scanner of the same options stood. To be called before anything is scanned. */
  resume(unfinished: Unfinished): void;
}
