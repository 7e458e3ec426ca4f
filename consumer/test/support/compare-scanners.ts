import type { FieldMapping } from '@event-tally/shared/event.js';
import { expect } from 'chai';
import { createScanners } from '#consumer/ingest/create-scanners.js';
import { SCAN_BYTES_MAX, type Scanner } from '#consumer/scan/scanner.js';
import type { ScannerCounts, ScannerName, Scanners } from '#consumer/scan/scanners.js';
import type { EventBatch } from '#consumer/tally/event-batch.js';
import { KEY_KINDS, type KeyKind, KeyTable } from '#consumer/tally/key-table.js';
import type { Chance } from '../fuzz/chance.js';

export interface CompareOptions {
  readonly mapping: FieldMapping;
  readonly lineBytesMax?: number;
  readonly typesMax?: number;
  readonly wordsMax?: number;
  readonly keyBytesMax?: number;
}

type Tables = Readonly<Record<KeyKind, KeyTable>>;

export const ARRIVAL_TIME = 1_600_000_000.25;

/**
 * The SIMD scanner and the reference scanner side by side: what is scanned is scanned by both, and all
 * that they say of it, and all that they keep, must be the same to the bit.
 */
export class ScannerComparison {
  readonly #simd: Side;
  readonly #reference: Side;
  #scans = 0;

  constructor(options: CompareOptions) {
    this.#simd = new Side('simd', options);
    this.#reference = new Side('reference', options);
  }

  /** What the SIMD scanner has scanned, and what of it was handed over. */
  get counts(): ScannerCounts {
    return this.#simd.counts;
  }

  /** Every second time as a read into the scanners' own buffer gives it: behind it are bytes of earlier ones. */
  scan(bytes: Uint8Array, source = 0): void {
    const isReadInPlace = this.#scans++ % 2 === 1;
    this.#compare(source, (scanner, readBuffer) => {
      if (isReadInPlace && bytes.length <= readBuffer.length) {
        readBuffer.set(bytes);
        return scanner.scan(readBuffer.subarray(0, bytes.length), ARRIVAL_TIME);
      }
      const read = new Uint8Array(bytes);
      const batch = scanner.scan(read, ARRIVAL_TIME);
      read.fill(0x7d); // as the next read overwrites it
      return batch;
    });
  }

  /** Scans bytes in pieces; most often there is but one. */
  scanInPieces(chance: Chance, bytes: Uint8Array): void {
    let start = 0;
    while (start < bytes.length) {
      const left = Math.min(SCAN_BYTES_MAX, bytes.length - start);
      const end = start + (chance.oneIn(4) ? chance.int(1, left) : left);
      this.scan(bytes.subarray(start, end));
      start = end;
    }
  }

  finish(source = 0): void {
    this.#compare(source, (scanner) => scanner.finish(ARRIVAL_TIME));
  }

  /** Another source, whose keys are those of all before. */
  beginSource(): void {
    this.#simd.beginSource();
    this.#reference.beginSource();
  }

  /** Others go on, with the same keys, where these stand. */
  restart(): void {
    this.#simd.restart();
    this.#reference.restart();
  }

  /** Those of the SIMD scanner: of each kind, by id. */
  get keys(): string[][] {
    return this.#simd.keys;
  }

  /** Both must have the same keys under the same ids. */
  compareKeys(): void {
    expect(this.#simd.keys).to.deep.equal(this.#reference.keys);
  }

  #compare(source: number, scan: (scanner: Scanner, readBuffer: Uint8Array) => EventBatch): void {
    const [simd, reference] = [this.#simd, this.#reference].map((side) => {
      const scanner = side.scannerOf(source);
      const batch = plain(scan(scanner, side.readBuffer));
      const { tail, ...rest } = scanner.unfinished;
      return { batch, unfinished: { ...rest, tail: Buffer.from(tail).toString('latin1') } };
    });
    // Much faster than a deep comparison, which tells what the difference is.
    if (JSON.stringify(simd) === JSON.stringify(reference)) return;
    expect(simd).to.deep.equal(reference);
    throw new Error('the batches differ');
  }
}

/** One of the two: its scanners, a scanner for each source, and the keys of all. */
class Side {
  readonly #name: ScannerName;
  readonly #options: CompareOptions;
  #tables: Tables;
  #scanners: Scanners;
  #scannerOf = new Map<number, Scanner>();
  /** Of those before a restart. */
  #earlier: ScannerCounts = { lines: 0, fallbackLines: 0 };

  constructor(name: ScannerName, options: CompareOptions) {
    this.#name = name;
    this.#options = options;
    this.#tables = this.#newTables();
    this.#scanners = this.#newScanners();
  }

  get counts(): ScannerCounts {
    const { lines, fallbackLines } = this.#scanners.counts();
    return {
      lines: lines + this.#earlier.lines,
      fallbackLines: fallbackLines + this.#earlier.fallbackLines,
    };
  }

  get keys(): string[][] {
    return KEY_KINDS.map((of) => this.#tables[of].keysFrom(0));
  }

  get readBuffer(): Uint8Array {
    return this.#scanners.readBuffer;
  }

  scannerOf(source: number): Scanner {
    let scanner = this.#scannerOf.get(source);
    if (scanner === undefined) {
      scanner = this.#scanners.create();
      this.#scannerOf.set(source, scanner);
    }
    return scanner;
  }

  beginSource(): void {
    this.#scannerOf.clear();
  }

  restart(): void {
    this.#earlier = this.counts;
    const before = this.#tables;
    this.#tables = this.#newTables();
    this.#scanners = this.#newScanners();
    for (const of of KEY_KINDS) {
      for (const key of before[of].keysFrom(1)) this.#tables[of].idOf(key);
    }
    for (const [source, { unfinished }] of this.#scannerOf) {
      const scanner = this.#scanners.create();
      scanner.resume({ ...unfinished, tail: unfinished.tail.slice() });
      this.#scannerOf.set(source, scanner);
    }
  }

  #newTables(): Tables {
    const { typesMax = 10_000, wordsMax = 10_000, keyBytesMax = 256 } = this.#options;
    return {
      types: new KeyTable({ keysMax: typesMax, keyBytesMax }),
      words: new KeyTable({ keysMax: wordsMax, keyBytesMax }),
    };
  }

  #newScanners(): Scanners {
    const { mapping, lineBytesMax = 65_536 } = this.#options;
    return createScanners(this.#name, { mapping, lineBytesMax, ...this.#tables });
  }
}

/** All of a batch; doubles as their bits, which tell -0 from 0. */
function plain(batch: EventBatch) {
  const { length, bytes, lines, blank, rejected } = batch;
  const { too_long, not_json, not_an_event } = rejected;
  const words = batch.wordOffsets[length] as number;
  return {
    account: [length, bytes, lines, blank, too_long, not_json, not_an_event],
    times: bitsOf(batch.eventTimes.subarray(0, length)),
    values: bitsOf(batch.values.subarray(0, length)),
    typeIds: [...batch.typeIds.subarray(0, length)],
    wordOffsets: [...batch.wordOffsets.subarray(0, length + 1)],
    wordIds: [...batch.wordIds.subarray(0, words)],
    rejectedLines: batch.takeRejectedLines(),
  };
}

function bitsOf(doubles: Float64Array): number[] {
  const copy = doubles.slice();
  return [...new Uint32Array(copy.buffer, 0, 2 * copy.length)];
}
