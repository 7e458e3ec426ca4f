import { SCAN_BYTES_MAX } from '#consumer/scan/scanner.js';

/** What bounds memory: the consumer's variables of the same names. */
export interface MemoryBounds {
  readonly lineBytesMax: number;
  readonly typesMax: number;
  readonly wordsMax: number;
  readonly keyBytesMax: number;
  readonly cellsMax: number;
}

const MEBIBYTE = 2 ** 20;
/** Three semi-spaces of 16 MiB, of the main thread and of an ingest thread. */
const YOUNG_GENERATIONS = 2 * 3 * 16 * MEBIBYTE;
/** Garbage among what is in use. With a heap limit of 300 MiB V8 lets a heap grow by less than half. */
const GARBAGE_FACTOR = 1.5;
/** At most three quarters of a table's slots are in use, and just after it has grown half as many. */
const SLOTS_PER_ENTRY = 8 / 3;
/** V8's Map: 28 bytes an entry, twice as much after it has grown, and what it has grown out of. */
const MAP_ENTRY = 3 * 28;
/** A place in an array, half as many again for it to grow into, and what it has grown out of. */
const ARRAY_PLACE = 20;
const ANSWER_BYTES_MAX = 32 * MEBIBYTE;
const KEPT_ANSWERS_BYTES_MAX = 32 * MEBIBYTE;
const REJECTED_LINES_MAX = 20;

/**
 * The most that a consumer with one ingest thread and one source, and with a heap limit of 300 MiB a thread,
 * may take in bytes beyond what it takes when it is idle, whatever comes: all keys as long as may be and of
 * characters past U+00FF, all cells in use, each bucket just grown and held by a checkpoint, all keys asked
 * for at once.
 */
export function memoryBytesMax(bounds: MemoryBounds): number {
  const { lineBytesMax, typesMax, wordsMax, keyBytesMax, cellsMax } = bounds;
  const keys = typesMax + wordsMax;
  const text = 24 + 2 * keyBytesMax; // a header, padding, two bytes a character

  // The table and the list of names of the ingest thread, and the sums of types.
  const ingestHeap = keys * (text + MAP_ENTRY + ARRAY_PLACE) + typesMax * (MAP_ENTRY + 96);
  // The list of names of the main thread; for an answer a Map of all, an object for each and the ranking,
  // beside the objects that are kept for other answers.
  const mainHeap = keys * (text + ARRAY_PLACE + MAP_ENTRY + 2 * (48 + 8) + 24);
  // Columns as long as the key tables, doubled and what they grew out of: totals, three runs; copies of
  // totals for a checkpoint and for an answer.
  const columns = keys * (24 + 3 * 36 + 2 * 12);
  // The SIMD scanner's tables: all sizes that a table has had lie one behind the other.
  const scannerKeys = keys * (2 * 32 * SLOTS_PER_ENTRY + keyBytesMax);
  // Counts are cells of 12 bytes, sums of 28; a bucket that changes while a checkpoint is written is copied.
  // Where there is a sum there is a count.
  const count = 12 * SLOTS_PER_ENTRY + 12;
  const sum = 28 * SLOTS_PER_ENTRY + 28;
  const cells = cellsMax * Math.max(count, (count + sum) / 2);
  // In pieces, then whole; and those that are kept.
  const largest = Math.min(ANSWER_BYTES_MAX, keys * (6 * keyBytesMax + 24));
  const answers = 2 * largest + Math.min(KEPT_ANSWERS_BYTES_MAX, 3 * largest);
  // The unfinished line, what is scanned with its columns, what JSON.parse makes of a line, and the
  // rejected ones with what they were cut from, in two bytes a character.
  const scan = lineBytesMax + SCAN_BYTES_MAX;
  const lines = (2 + 100) * lineBytesMax + 6 * scan + 2 * REJECTED_LINES_MAX * scan;
  // Records of the journal and of a checkpoint: a bucket of all keys is one.
  const records = 2 * keys * 16 + 4 * MEBIBYTE;

  const heaps = YOUNG_GENERATIONS + GARBAGE_FACTOR * (ingestHeap + mainHeap);
  return Math.ceil(heaps + columns + scannerKeys + cells + answers + lines + records);
}
