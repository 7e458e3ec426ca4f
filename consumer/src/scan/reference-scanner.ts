/**
 * The reference scanner: split2 → JSON.parse → zod. It is the definition of what a line means, and is
 * written to be read; a faster scanner has to agree with it on every input.
 *
 *   bytes ──▶ lengths of the lines that end here (in bytes, which decoded text no longer tells)
 *     └────▶ split2: decodes UTF-8 across reads, cuts lines
 *                └──▶ blank? too long? JSON? an event? ──▶ columns
 *
 * split2 is a stream, but its mapper is called for each line before `write` returns. The mapper here
 * collects the line and returns undefined, which pushes nothing: so the stream's output stays empty,
 * its back pressure never sets in, and `scan` can answer at once. A mapper that throws or returns null
 * would end the stream. Its maxLength is not used: it counts UTF-16 units, drops lines without a word,
 * and keeps what it has of them; a line that is too long before it has ended is cut short here.
 */
import { createEventParser, type Event } from '@event-tally/shared/event.js';
import split2 from 'split2';
import type { EventBatch } from '../tally/event-batch.js';
import type { KeyTable } from '../tally/key-table.js';
import { beginningOfTooLong } from '../tally/rejected-lines.js';
import { copyOf } from '../tally/shown-text.js';
import { EventBatchBuilder } from './event-batch-builder.js';
import type { Scanner, ScannerOptions, Unfinished } from './scanner.js';

const LF = 0x0a;
const BYTE_ORDER_MARK = '\ufeff';
const WHITE_SPACE = /\s+/;
const NOT_WHITE_SPACE = /\S/;

export class ReferenceScanner implements Scanner {
  readonly #lineBytesMax: number;
  readonly #types: KeyTable;
  readonly #words: KeyTable;
  readonly #parseEvent: (json: unknown, arrivalTime: number) => Event | null;
  readonly #counts: { lines: number };
  readonly #batch = new EventBatchBuilder();
  readonly #splitter: NodeJS.WritableStream;
  /** Lines that split2 gave out in this scan, and how many bytes each line that ended in it had. */
  readonly #lines: string[] = [];
  readonly #lineBytes: number[] = [];
  /** Bytes since the last LF. */
  #unfinishedBytes = 0;
  /** The unfinished line is too long already: no more than its beginning is kept, up to its LF. */
  #isSkipping = false;
  #skippedText = '';
  #contentSeen = false;
  /** The bytes since the last LF, of a line that may still be an event. */
  #tail = new Uint8Array(1024);

  /** Lines that came to their end are added to `counts`. */
  constructor(
    { mapping, lineBytesMax, types, words }: ScannerOptions,
    counts: { lines: number } = { lines: 0 },
  ) {
    this.#lineBytesMax = lineBytesMax;
    this.#types = types;
    this.#words = words;
    this.#counts = counts;
    this.#parseEvent = createEventParser(mapping);
    this.#splitter = split2('\n', (line: string) => void this.#lines.push(line));
  }

  scan(bytes: Uint8Array, arrivalTime: number): EventBatch {
    const batch = this.#batch;
    batch.clear();
    batch.bytes = bytes.length;
    const rest = this.#isSkipping ? this.#skipLine(bytes) : bytes;
    this.#measureLines(rest);
    // Only an unfinished tail keeps anything of these bytes, and it keeps them decoded.
    this.#splitter.write(rest);
    if (this.#lines.length !== this.#lineBytes.length) {
      throw new Error(`split2 gave ${this.#lines.length} lines for ${this.#lineBytes.length} LFs`);
    }
    batch.lines += this.#lines.length;
    for (const [i, line] of this.#lines.entries()) {
      this.#scanLine(line, this.#lineBytes[i] as number, arrivalTime);
    }
    this.#lines.length = 0;
    this.#lineBytes.length = 0;
    if (this.#unfinishedBytes > this.#lineBytesMax && !this.#isSkipping) this.#beginSkipping();
    this.#counts.lines += batch.lines;
    return batch;
  }

  finish(arrivalTime: number): EventBatch {
    this.scan(this.#unfinishedBytes > 0 ? Uint8Array.of(LF) : new Uint8Array(0), arrivalTime);
    this.#batch.bytes = 0;
    return this.#batch;
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
    if (isSkipping) {
      this.#isSkipping = true;
      this.#skippedText = Buffer.from(tail).toString();
      this.#unfinishedBytes = bytes;
    } else {
      this.#keepTail(tail);
      this.#unfinishedBytes = bytes;
      this.#splitter.write(tail);
    }
  }

  /** Adds to what is kept of the unfinished line. */
  #keepTail(bytes: Uint8Array): void {
    const length = this.#unfinishedBytes + bytes.length;
    if (length > this.#lineBytesMax) return; // its beginning is kept, as text
    if (length > this.#tail.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#tail.length));
      grown.set(this.#tail);
      this.#tail = grown;
    }
    this.#tail.set(bytes, this.#unfinishedBytes);
  }

  /** Has split2 give out what it holds of the line, so that it holds nothing. */
  #beginSkipping(): void {
    this.#splitter.write('\n');
    const line = this.#lines.pop() as string;
    this.#skippedText = copyOf(beginningOfTooLong(line, this.#lineBytesMax));
    this.#isSkipping = true;
  }

  /** What follows the line that is skipped. */
  #skipLine(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(LF);
    this.#unfinishedBytes += end === -1 ? bytes.length : end;
    if (end === -1) return bytes.subarray(bytes.length);
    this.#batch.lines++;
    this.#batch.addRejected('too_long', this.#unfinishedBytes, this.#skippedText);
    this.#contentSeen = true;
    this.#isSkipping = false;
    this.#skippedText = '';
    this.#unfinishedBytes = 0;
    return bytes.subarray(end + 1);
  }

  #measureLines(bytes: Uint8Array): void {
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      this.#lineBytes.push(this.#unfinishedBytes + end - start);
      this.#unfinishedBytes = 0;
      start = end + 1;
    }
    this.#keepTail(bytes.subarray(start));
    this.#unfinishedBytes += bytes.length - start;
  }

  #scanLine(line: string, lineBytes: number, arrivalTime: number): void {
    if (lineBytes > this.#lineBytesMax) {
      this.#contentSeen = true;
      const text = beginningOfTooLong(line, this.#lineBytesMax);
      this.#batch.addRejected('too_long', lineBytes, text);
      return;
    }
    if (!NOT_WHITE_SPACE.test(line)) {
      this.#batch.blank++;
      return;
    }
    const text = !this.#contentSeen && line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
    this.#contentSeen = true;

    let json: unknown;
    // A corrupt line costs 30 times a good one, nearly all of it the stack trace of JSON.parse's error.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      json = JSON.parse(text);
    } catch {
      this.#batch.addRejected('not_json', lineBytes, text);
      return;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    const event = this.#parseEvent(json, arrivalTime);
    if (event === null) {
      this.#batch.addRejected('not_an_event', lineBytes, text);
      return;
    }
    for (const word of event.data.split(WHITE_SPACE)) {
      if (word !== '') this.#batch.addWord(this.#words.idOf(word));
    }
    this.#batch.addEvent(event.time, this.#types.idOf(event.type), event.value ?? Number.NaN);
  }
}
