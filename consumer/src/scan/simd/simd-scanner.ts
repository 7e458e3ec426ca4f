import type { EventBatch } from '../../tally/event-batch.js';
import {
  beginningOfTooLong,
  type RejectedLine,
  TOO_LONG_BYTES_KEPT,
} from '../../tally/rejected-lines.js';
import { SCAN_BYTES_MAX, type Scanner, type Unfinished } from '../scanner.js';
import type { SimdScanners } from './simd-scanners.js';

const LF = 0x0a;
const NOTHING = new Uint8Array(0);

/** A source's scanner: what it keeps between scans is here, what it scans by is its thread's. */
export class SimdScanner implements Scanner {
  readonly #scanners: SimdScanners;
  /** The bytes since the last LF, of a line that may still be an event. */
  #tail = new Uint8Array(1024);
  /** Bytes since the last LF. */
  #unfinishedBytes = 0;
  /** The unfinished line is too long already: no more than its beginning is kept, up to its LF. */
  #isSkipping = false;
  #skippedText = '';
  #contentSeen = false;

  constructor(scanners: SimdScanners) {
    this.#scanners = scanners;
  }

  scan(bytes: Uint8Array, arrivalTime: number): EventBatch {
    if (bytes.length > SCAN_BYTES_MAX) {
      throw new RangeError(`${bytes.length} bytes to scan: more than ${SCAN_BYTES_MAX}`);
    }
    const { batch } = this.#scanners;
    let start = 0;
    let skipped: RejectedLine | null = null;
    if (this.#isSkipping) {
      const lf = bytes.indexOf(LF);
      start = lf === -1 ? bytes.length : lf + 1;
      this.#unfinishedBytes += lf === -1 ? start : lf;
      if (lf !== -1) skipped = this.#endSkipping();
    }
    this.#scanners.begin(arrivalTime, this.#contentSeen);
    const end = bytes.lastIndexOf(LF) + 1;
    if (end > start) {
      const beginning = this.#tail.subarray(0, this.#unfinishedBytes);
      this.#scanners.scanLines(beginning, bytes.subarray(start, end), arrivalTime);
      this.#unfinishedBytes = 0;
      start = end;
    }
    batch.fill(bytes.length, skipped);
    this.#contentSeen ||= batch.lines > batch.blank;
    this.#keepTail(bytes.subarray(start));
    return batch;
  }

  finish(arrivalTime: number): EventBatch {
    const batch = this.scan(this.#unfinishedBytes > 0 ? Uint8Array.of(LF) : NOTHING, arrivalTime);
    this.#scanners.batch.bytes = 0;
    return batch;
  }

  get unfinished(): Unfinished {
    const isSkipping = this.#isSkipping;
    return {
      tail: isSkipping
        ? Buffer.from(this.#skippedText)
        : this.#tail.subarray(0, this.#unfinishedBytes),
      bytes: this.#unfinishedBytes,
      isSkipping,
      contentSeen: this.#contentSeen,
    };
  }

  resume({ tail, bytes, isSkipping, contentSeen }: Unfinished): void {
    this.#contentSeen = contentSeen;
    this.#isSkipping = isSkipping;
    if (isSkipping) {
      this.#skippedText = Buffer.from(tail).toString();
      this.#unfinishedBytes = bytes;
    } else this.#keepTail(tail);
  }

  /** Adds to what is kept of the unfinished line; of one that is too long by that, its beginning stays. */
  #keepTail(bytes: Uint8Array): void {
    if (this.#isSkipping) return;
    const length = this.#unfinishedBytes + bytes.length;
    if (length > this.#scanners.lineBytesMax) this.#beginSkipping(bytes);
    else {
      if (length > this.#tail.length) {
        const grown = new Uint8Array(Math.max(length, 2 * this.#tail.length));
        grown.set(this.#tail);
        this.#tail = grown;
      }
      this.#tail.set(bytes, this.#unfinishedBytes);
    }
    this.#unfinishedBytes = length;
  }

  #beginSkipping(bytes: Uint8Array): void {
    const beginning = Buffer.concat([this.#tail.subarray(0, this.#unfinishedBytes), bytes]);
    const text = beginning.toString('utf8', 0, TOO_LONG_BYTES_KEPT);
    this.#skippedText = beginningOfTooLong(text, this.#scanners.lineBytesMax);
    this.#isSkipping = true;
  }

  #endSkipping(): RejectedLine {
    const line = {
      reason: 'too_long',
      bytes: this.#unfinishedBytes,
      text: this.#skippedText,
    } as const;
    this.#scanners.countLine();
    this.#contentSeen = true;
    this.#isSkipping = false;
    this.#skippedText = '';
    this.#unfinishedBytes = 0;
    return line;
  }
}
