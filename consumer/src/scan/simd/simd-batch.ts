import { REJECTION_REASONS, type RejectionReason } from '@event-tally/shared/line.js';
import type { EventBatch } from '../../tally/event-batch.js';
import {
  beginningOfTooLong,
  REJECTED_LINES_MAX,
  type RejectedLine,
  TOO_LONG_BYTES_KEPT,
} from '../../tally/rejected-lines.js';
import { type Addresses, BLANK, EVENTS, LINES, REJECTED } from './simd-module.js';

/** What the module notes of a rejected line: its reason, where it begins, where its text does, its LF. */
const NOTE_NUMBERS = 4;

/** What the module found in one scan. Its columns are views of the module's memory. */
export class SimdBatch implements EventBatch {
  readonly eventTimes: Float64Array;
  readonly typeIds: Uint32Array;
  readonly values: Float64Array;
  readonly wordOffsets: Uint32Array;
  readonly wordIds: Uint32Array;
  length = 0;
  bytes = 0;
  lines = 0;
  blank = 0;
  readonly rejected: Record<RejectionReason, number> = {
    too_long: 0,
    not_json: 0,
    not_an_event: 0,
  };
  readonly #memory: Buffer;
  readonly #account: Uint32Array;
  readonly #notes: Uint32Array;
  readonly #lineBytesMax: number;
  /** How many lines are noted; of so many that the ring does not hold them, the last. */
  #noted = 0;
  /** A line that ended in these bytes, but was too long before they came. */
  #skipped: RejectedLine | null = null;

  constructor(memory: Buffer, addresses: Addresses, lineBytesMax: number) {
    const { buffer } = memory;
    const { eventsMax, wordsMax } = addresses;
    this.eventTimes = new Float64Array(buffer, addresses.eventTimes, eventsMax);
    this.typeIds = new Uint32Array(buffer, addresses.typeIds, eventsMax);
    this.values = new Float64Array(buffer, addresses.values, eventsMax);
    this.wordOffsets = new Uint32Array(buffer, addresses.wordOffsets, eventsMax + 1);
    this.wordIds = new Uint32Array(buffer, addresses.wordIds, wordsMax);
    this.#memory = memory;
    this.#account = new Uint32Array(buffer, addresses.account, EVENTS + 1);
    this.#notes = new Uint32Array(
      buffer,
      addresses.rejectedLines,
      NOTE_NUMBERS * REJECTED_LINES_MAX,
    );
    this.#lineBytesMax = lineBytesMax;
  }

  /** Takes over what was scanned. `skipped`: a line that ended before what the module scanned. */
  fill(bytes: number, skipped: RejectedLine | null): void {
    const account = this.#account;
    const { rejected } = this;
    this.bytes = bytes;
    this.length = account[EVENTS] as number;
    this.lines = account[LINES] as number;
    this.blank = account[BLANK] as number;
    this.#noted = 0;
    for (const [i, reason] of REJECTION_REASONS.entries()) {
      rejected[reason] = account[REJECTED + i] as number;
      this.#noted += rejected[reason];
    }
    this.#skipped = skipped;
    if (skipped !== null) {
      rejected.too_long++;
      this.lines++;
    }
  }

  takeRejectedLines(): RejectedLine[] {
    const lines: RejectedLine[] = [];
    const first = Math.max(0, this.#noted - REJECTED_LINES_MAX);
    if (this.#skipped !== null && first === 0) lines.push(this.#skipped);
    for (let i = first; i < this.#noted; i++) lines.push(this.#rejectedLine(i));
    this.#noted = 0;
    this.#skipped = null;
    return lines.slice(-REJECTED_LINES_MAX);
  }

  #rejectedLine(index: number): RejectedLine {
    const at = NOTE_NUMBERS * (index % REJECTED_LINES_MAX);
    const reason = REJECTION_REASONS[this.#notes[at] as number] as RejectionReason;
    const start = this.#notes[at + 1] as number;
    const textStart = this.#notes[at + 2] as number;
    const lf = this.#notes[at + 3] as number;
    const isTooLong = reason === 'too_long';
    const textEnd = isTooLong ? Math.min(lf, textStart + TOO_LONG_BYTES_KEPT) : lf;
    const text = this.#memory.toString('utf8', textStart, textEnd);
    return {
      reason,
      bytes: lf - start,
      text: isTooLong ? beginningOfTooLong(text, this.#lineBytesMax) : text,
    };
  }
}
