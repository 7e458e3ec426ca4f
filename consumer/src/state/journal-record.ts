/**
 * What one read has changed, as a journal record: the keys that were new, the changes, and what the
 * source's scanner waits with. Read back in order, the records of a journal make the state again.
 */
import { REJECTION_REASONS } from '@event-tally/shared/line.js';
import type { Unfinished } from '../scan/scanner.js';
import type { Changes, RunCells } from '../tally/changes.js';
import { KEY_KINDS, type KeyKind } from '../tally/key-table.js';
import type { ByteReader, ByteWriter } from './bytes.js';

export interface SourceChange {
  readonly name: string;
  /** Of the pipe that the source was read from. */
  readonly identity: string;
  readonly unfinished: Unfinished;
  /** How many bytes of the unfinished line the source's record before this one has given. */
  readonly knownBytes: number;
}

export interface JournalRecord {
  /** The tally's after these changes: one more than that of the record before. */
  readonly batch: number;
  readonly newKeys: Readonly<Record<KeyKind, readonly string[]>>;
  readonly changes: Changes;
  readonly source: SourceChange;
}

/** Seconds are written with this added: what stands for late and ahead is negative. */
const SECOND_OFFSET = 2;

export function writeJournalRecord(
  writer: ByteWriter,
  { batch, newKeys, changes, source }: JournalRecord,
): void {
  writer.uint(batch);
  for (const of of KEY_KINDS) writeTexts(writer, newKeys[of]);
  writer.uint(changes.bytes);
  writer.uint(changes.lines);
  writer.uint(changes.blank);
  for (const reason of REJECTION_REASONS) writer.uint(changes.rejected[reason]);
  writer.uint(changes.accepted);
  writer.double(changes.frontBefore);
  writer.double(changes.front);
  const { runs, seconds, types, words, sums } = changes;
  writer.uint(runs);
  for (let run = 0; run < runs; run++) {
    writer.uint((seconds[run] as number) + SECOND_OFFSET);
    writeCells(writer, types, run);
    writeCells(writer, words, run);
    const [from, to] = [sums.offsets[run] as number, sums.offsets[run + 1] as number];
    writer.uint(to - from);
    for (let i = from; i < to; i++) {
      writer.uint(sums.ids[i] as number);
      for (let part = 3 * i; part < 3 * i + 3; part++) writer.double(sums.parts[part] as number);
    }
  }
  writer.text(source.name);
  writer.text(source.identity);
  writeUnfinished(writer, source.unfinished, source.knownBytes);
}

/** In the record's unfinished line the bytes that were known before are missing. */
export function readJournalRecord(reader: ByteReader): JournalRecord {
  const batch = reader.uint();
  const newKeys = { types: readTexts(reader), words: readTexts(reader) };
  const bytes = reader.uint();
  const lines = reader.uint();
  const blank = reader.uint();
  const rejected = { too_long: 0, not_json: 0, not_an_event: 0 };
  for (const reason of REJECTION_REASONS) rejected[reason] = reader.uint();
  const accepted = reader.uint();
  const frontBefore = reader.double();
  const front = reader.double();
  const runs = reader.uint();
  const seconds = new Float64Array(runs);
  const types = new CellsReader(runs);
  const words = new CellsReader(runs);
  const sums = { offsets: new Uint32Array(runs + 1), ids: [] as number[], parts: [] as number[] };
  for (let run = 0; run < runs; run++) {
    seconds[run] = reader.uint() - SECOND_OFFSET;
    types.read(reader, run);
    words.read(reader, run);
    for (let left = reader.uint(); left > 0; left--) {
      sums.ids.push(reader.uint());
      for (let part = 0; part < 3; part++) sums.parts.push(reader.double());
    }
    sums.offsets[run + 1] = sums.ids.length;
  }
  const changes: Changes = {
    bytes,
    lines,
    blank,
    rejected,
    accepted,
    frontBefore,
    front,
    runs,
    seconds,
    types: types.cells(),
    words: words.cells(),
    sums: {
      offsets: sums.offsets,
      ids: new Uint32Array(sums.ids),
      parts: new Float64Array(sums.parts),
    },
  };
  const name = reader.text();
  const identity = reader.text();
  return { batch, newKeys, changes, source: { name, identity, ...readUnfinished(reader) } };
}

export function writeTexts(writer: ByteWriter, texts: readonly string[]): void {
  writer.uint(texts.length);
  for (const text of texts) writer.text(text);
}

export function readTexts(reader: ByteReader): string[] {
  return Array.from({ length: reader.uint() }, () => reader.text());
}

/** The bytes from `knownBytes` on: those before are known to whoever reads it. */
export function writeUnfinished(
  writer: ByteWriter,
  { tail, bytes, isSkipping, contentSeen }: Unfinished,
  knownBytes: number,
): void {
  writer.uint((isSkipping ? 1 : 0) + (contentSeen ? 2 : 0));
  writer.uint(bytes);
  writer.uint(knownBytes);
  writer.blob(tail.subarray(knownBytes));
}

export function readUnfinished(reader: ByteReader): { unfinished: Unfinished; knownBytes: number } {
  const flags = reader.uint();
  const bytes = reader.uint();
  const knownBytes = reader.uint();
  const tail = reader.blob().slice();
  const isSkipping = (flags & 1) !== 0;
  const contentSeen = (flags & 2) !== 0;
  return { unfinished: { tail, bytes, isSkipping, contentSeen }, knownBytes };
}

function writeCells(writer: ByteWriter, { offsets, ids, counts }: RunCells, run: number): void {
  const [from, to] = [offsets[run] as number, offsets[run + 1] as number];
  writer.uint(to - from);
  writer.uintPairs(ids, counts, from, to);
}

class CellsReader {
  readonly #offsets: Uint32Array;
  readonly #ids: number[] = [];
  readonly #counts: number[] = [];

  constructor(runs: number) {
    this.#offsets = new Uint32Array(runs + 1);
  }

  read(reader: ByteReader, run: number): void {
    for (let left = reader.uint(); left > 0; left--) {
      this.#ids.push(reader.uint());
      this.#counts.push(reader.uint());
    }
    this.#offsets[run + 1] = this.#ids.length;
  }

  cells(): RunCells {
    return {
      offsets: this.#offsets,
      ids: new Uint32Array(this.#ids),
      counts: new Float64Array(this.#counts),
    };
  }
}
