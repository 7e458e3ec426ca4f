/**
 * The reference scanner: split2 → JSON.parse → zod. It is the definition of what a line means, and is
 * written to be read; a faster scanner has to agree with it on every input.
 *
 *   bytes ──▶ lengths of the lines that end here (in bytes, which decoded text no longer tells)
 *     └────▶ split2: decodes UTF-8 across reads, cuts lines, drops a tail that grows too long
 *                └──▶ blank? too long? JSON? an event? ──▶ columns
 *
 * split2 is a stream, but its mapper is called for each line before `write` returns. The mapper here
 * collects the line and returns undefined, which pushes nothing: so the stream's output stays empty,
 * its back pressure never sets in, and `scan` can answer at once. A mapper that throws or returns null
 * would end the stream.
 */
import { createEventParser, type Event } from '@event-tally/shared/event.js';
import split2 from 'split2';
import type { EventBatch } from '../tally/event-batch.js';
import type { KeyTable } from '../tally/key-table.js';
import { EventBatchBuilder } from './event-batch-builder.js';
import type { Scanner, ScannerOptions } from './scanner.js';

const LF = 0x0a;
const BYTE_ORDER_MARK = '\ufeff';
const WHITE_SPACE = /\s+/;
const NOT_WHITE_SPACE = /\S/;

export class ReferenceScanner implements Scanner {
  readonly #lineBytesMax: number;
  readonly #types: KeyTable;
  readonly #words: KeyTable;
  readonly #parseEvent: (json: unknown, arrivalTime: number) => Event | null;
  readonly #batch = new EventBatchBuilder();
  readonly #splitter: NodeJS.WritableStream;
  /** Lines that split2 gave out in this scan, and how many bytes each line that ended in it had. */
  readonly #lines: string[] = [];
  readonly #lineBytes: number[] = [];
  /** Bytes since the last LF. */
  #unfinishedBytes = 0;
  #contentSeen = false;

  constructor({ mapping, lineBytesMax, types, words }: ScannerOptions) {
    this.#lineBytesMax = lineBytesMax;
    this.#types = types;
    this.#words = words;
    this.#parseEvent = createEventParser(mapping);
    // maxLength bounds the unfinished tail, in UTF-16 units, of which a line has no more than bytes.
    const options = { maxLength: lineBytesMax, skipOverflow: true };
    this.#splitter = split2('\n', (line: string) => void this.#lines.push(line), options);
  }

  scan(bytes: Uint8Array, arrivalTime: number): EventBatch {
    const batch = this.#batch;
    batch.clear();
    batch.bytes = bytes.length;
    this.#measureLines(bytes);
    // Only an unfinished tail keeps anything of these bytes, and it keeps them decoded.
    this.#splitter.write(bytes);

    // split2 drops a tail past maxLength without a word: then the first LF here ended no line of its.
    const dropped = this.#lineBytes.length - this.#lines.length;
    if (dropped !== 0 && dropped !== 1) {
      throw new Error(`split2 gave ${this.#lines.length} lines for ${this.#lineBytes.length} LFs`);
    }
    batch.lines = this.#lineBytes.length;
    batch.rejected.too_long = dropped;
    if (dropped > 0) this.#contentSeen = true;

    // A corrupt line costs 30 times a good one, nearly all of it the stack trace of JSON.parse's error.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    for (let i = 0; i < this.#lines.length; i++) {
      this.#scanLine(this.#lines[i] as string, this.#lineBytes[i + dropped] as number, arrivalTime);
    }
    Error.stackTraceLimit = stackTraceLimit;

    this.#lines.length = 0;
    this.#lineBytes.length = 0;
    return batch;
  }

  #measureLines(bytes: Uint8Array): void {
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      this.#lineBytes.push(this.#unfinishedBytes + end - start);
      this.#unfinishedBytes = 0;
      start = end + 1;
    }
    this.#unfinishedBytes += bytes.length - start;
  }

  #scanLine(line: string, lineBytes: number, arrivalTime: number): void {
    if (lineBytes > this.#lineBytesMax) {
      this.#contentSeen = true;
      this.#batch.rejected.too_long++;
      return;
    }
    if (!NOT_WHITE_SPACE.test(line)) {
      this.#batch.blank++;
      return;
    }
    const text = !this.#contentSeen && line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
    this.#contentSeen = true;

    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      this.#batch.rejected.not_json++;
      return;
    }
    const event = this.#parseEvent(json, arrivalTime);
    if (event === null) {
      this.#batch.rejected.not_an_event++;
      return;
    }
    for (const word of event.data.split(WHITE_SPACE)) {
      if (word !== '') this.#batch.addWord(this.#words.idOf(word));
    }
    this.#batch.addEvent(event.time, this.#types.idOf(event.type), event.value ?? Number.NaN);
  }
}
