/**
 * A checkpoint: all that an ingest thread knows at one moment, in records small enough that reading and
 * counting can go on between any two of them. The last one says how many there are: a file without it
 * is not whole.
 */
import { REJECTION_REASONS } from '@event-tally/shared/line.js';
import type { Unfinished } from '../scan/scanner.js';
import { KEY_KINDS, type KeyKind, type KeyTable } from '../tally/key-table.js';
import type { CountColumns } from '../tally/run-counts.js';
import type { SumColumns } from '../tally/running-sum.js';
import type { SavedTally, Tally } from '../tally/tally.js';
import type { SavedBucket } from '../tally/windows.js';
import type { ByteReader, ByteWriter } from './bytes.js';
import { readTexts, readUnfinished, writeTexts, writeUnfinished } from './journal-record.js';

/** Keys, or cells, of one record at most, but for those of a bucket, which are together. */
const SLICE = 4096;

const KEYS = 0;
const BUCKET = 1;
const TOTALS = 2;
const SOURCE = 3;
const END = 4;

export interface SavedSource {
  readonly name: string;
  /** Of the pipe that it was read from last. */
  readonly identity: string;
  readonly lines: number;
  readonly bytes: number;
  readonly unfinished: Unfinished;
}

export interface CheckpointContent {
  readonly tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly tally: Tally;
  readonly sources: readonly SavedSource[];
}

export type CheckpointRecord =
  | { readonly kind: 'keys'; readonly of: KeyKind; readonly first: number; readonly keys: string[] }
  | { readonly kind: 'bucket'; readonly bucket: SavedBucket }
  | { readonly kind: 'totals'; readonly totals: SavedTally }
  | { readonly kind: 'source'; readonly source: SavedSource }
  | { readonly kind: 'end'; readonly records: number };

type WriteRecord = (writer: ByteWriter) => void;

/**
 * The records of the state as it is now, one a step. Counting may go on between the steps. Another call
 * for the same tally ends this one.
 */
export function checkpointRecords({
  tables,
  tally,
  sources,
}: CheckpointContent): Iterable<WriteRecord> {
  const sizes = { types: tables.types.size, words: tables.words.size };
  const buckets = tally.windows.save();
  const totals = tally.save();
  // Those of an unfinished line belong to its scanner.
  const kept = sources.map((source) => {
    const { unfinished } = source;
    return { ...source, unfinished: { ...unfinished, tail: unfinished.tail.slice() } };
  });
  return records({ tables, sizes, buckets, totals, sources: kept });
}

function* records({
  tables,
  sizes,
  buckets,
  totals,
  sources,
}: {
  tables: CheckpointContent['tables'];
  sizes: Readonly<Record<KeyKind, number>>;
  buckets: Iterable<SavedBucket>;
  totals: SavedTally;
  sources: readonly SavedSource[];
}): Generator<WriteRecord> {
  let count = 0;
  for (const of of KEY_KINDS) {
    for (let first = 1; first < sizes[of]; first += SLICE) {
      const keys = tables[of].keysFrom(first, Math.min(first + SLICE, sizes[of]));
      count++;
      yield (writer) => {
        writer.uint(KEYS);
        writer.uint(KEY_KINDS.indexOf(of));
        writer.uint(first);
        writeTexts(writer, keys);
      };
    }
  }
  for (const bucket of buckets) {
    count++;
    yield (writer) => {
      writer.uint(BUCKET);
      writer.uint(bucket.isMinute ? 1 : 0);
      writer.uint(bucket.start);
      writer.uint(bucket.lastSecond);
      for (const of of KEY_KINDS) writeCounts(writer, bucket[of]);
      writeSums(writer, bucket.sums);
    };
  }
  for (const source of sources) {
    count++;
    yield (writer) => {
      writer.uint(SOURCE);
      writer.text(source.name);
      writer.text(source.identity);
      writer.uint(source.lines);
      writer.uint(source.bytes);
      writeUnfinished(writer, source.unfinished, 0);
    };
  }
  count++;
  yield (writer) => {
    writer.uint(TOTALS);
    writeTotals(writer, totals);
  };
  yield (writer) => {
    writer.uint(END);
    writer.uint(count);
  };
}

export function readCheckpointRecord(reader: ByteReader): CheckpointRecord {
  const kind = reader.uint();
  switch (kind) {
    case KEYS: {
      const of = KEY_KINDS[reader.uint()] as KeyKind;
      return { kind: 'keys', of, first: reader.uint(), keys: readTexts(reader) };
    }
    case BUCKET: {
      const isMinute = reader.uint() === 1;
      const start = reader.uint();
      const lastSecond = reader.uint();
      const types = readCounts(reader);
      const words = readCounts(reader);
      const bucket = { isMinute, start, lastSecond, types, words, sums: readSums(reader) };
      return { kind: 'bucket', bucket };
    }
    case SOURCE: {
      const name = reader.text();
      const identity = reader.text();
      const lines = reader.uint();
      const bytes = reader.uint();
      const { unfinished } = readUnfinished(reader);
      return { kind: 'source', source: { name, identity, lines, bytes, unfinished } };
    }
    case TOTALS:
      return { kind: 'totals', totals: readTotals(reader) };
    case END:
      return { kind: 'end', records: reader.uint() };
    default:
      throw new RangeError(`there is no record of kind ${kind}`);
  }
}

function writeTotals(writer: ByteWriter, totals: SavedTally): void {
  writer.uint(totals.batch);
  writer.uint(totals.bytes);
  writer.uint(totals.lines);
  writer.uint(totals.accepted);
  writer.uint(totals.blank);
  for (const reason of REJECTION_REASONS) writer.uint(totals.rejected[reason]);
  for (const of of KEY_KINDS) writeCounts(writer, totals[of]);
  writeSums(writer, totals.sums);
  const { late, ahead, folded, front, droppedBefore, since } = totals.windows;
  writer.uint(late);
  writer.uint(ahead);
  writer.uint(folded);
  writer.double(front);
  writer.double(droppedBefore);
  writer.double(since);
}

function readTotals(reader: ByteReader): SavedTally {
  const batch = reader.uint();
  const bytes = reader.uint();
  const lines = reader.uint();
  const accepted = reader.uint();
  const blank = reader.uint();
  const rejected = { too_long: 0, not_json: 0, not_an_event: 0 };
  for (const reason of REJECTION_REASONS) rejected[reason] = reader.uint();
  const types = readCounts(reader);
  const words = readCounts(reader);
  const sums = readSums(reader);
  const late = reader.uint();
  const ahead = reader.uint();
  const folded = reader.uint();
  const front = reader.double();
  const droppedBefore = reader.double();
  const windows = { late, ahead, folded, front, droppedBefore, since: reader.double() };
  return { batch, bytes, lines, accepted, blank, rejected, types, words, sums, windows };
}

function writeCounts(writer: ByteWriter, { ids, counts }: CountColumns): void {
  writer.uint(ids.length);
  for (let i = 0; i < ids.length; i++) {
    writer.uint(ids[i] as number);
    writer.uint(counts[i] as number);
  }
}

function readCounts(reader: ByteReader): CountColumns {
  const length = reader.uint();
  const ids = new Uint32Array(length);
  const counts = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    ids[i] = reader.uint();
    counts[i] = reader.uint();
  }
  return { ids, counts };
}

function writeSums(writer: ByteWriter, { ids, parts }: SumColumns): void {
  writer.uint(ids.length);
  for (let i = 0; i < ids.length; i++) {
    writer.uint(ids[i] as number);
    for (let part = 3 * i; part < 3 * i + 3; part++) writer.double(parts[part] as number);
  }
}

function readSums(reader: ByteReader): SumColumns {
  const length = reader.uint();
  const ids = new Uint32Array(length);
  const parts = new Float64Array(3 * length);
  for (let i = 0; i < length; i++) {
    ids[i] = reader.uint();
    for (let part = 3 * i; part < 3 * i + 3; part++) parts[part] = reader.double();
  }
  return { ids, parts };
}
