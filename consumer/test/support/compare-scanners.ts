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
  readonly keysMax?: number;
  readonly keyBytesMax?: number;
}

/** Between two scans, so that a batch need not be compared at once. */
interface Side {
  readonly tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly scanners: Scanners;
  scanner: Scanner;
}

export const ARRIVAL_TIME = 1_600_000_000.25;

/**
 * The SIMD scanner and the reference scanner side by side: what is scanned is scanned by both, and all
 * that they say of it, and all that they keep, must be the same to the bit.
 */
export class ScannerComparison {
  readonly #simd: Side;
  readonly #reference: Side;

  constructor(options: CompareOptions) {
    this.#simd = sideOf('simd', options);
    this.#reference = sideOf('reference', options);
  }

  /** What the SIMD scanner has scanned itself, and what it has handed over. */
  get counts(): ScannerCounts {
    return this.#simd.scanners.counts();
  }

  scan(bytes: Uint8Array): void {
    this.#compare(({ scanner }) => scanner.scan(bytes, ARRIVAL_TIME));
  }

  /** Scans bytes in pieces, the first of which joins what came before; most often there is but one. */
  scanInPieces(chance: Chance, bytes: Uint8Array): void {
    let start = 0;
    while (start < bytes.length) {
      const left = Math.min(SCAN_BYTES_MAX, bytes.length - start);
      const end = start + (chance.oneIn(4) ? chance.int(1, left) : left);
      this.scan(bytes.subarray(start, end));
      start = end;
    }
  }

  finish(): void {
    this.#compare(({ scanner }) => scanner.finish(ARRIVAL_TIME));
  }

  /** Another source, whose keys are those of all before. */
  beginSource(): void {
    for (const side of [this.#simd, this.#reference]) side.scanner = side.scanners.create();
  }

  /** Other scanners go on where these stand. */
  handOver(): void {
    for (const side of [this.#simd, this.#reference]) {
      const { unfinished } = side.scanner;
      const copy = { ...unfinished, tail: unfinished.tail.slice() };
      side.scanner = side.scanners.create();
      side.scanner.resume(copy);
    }
  }

  /** Both must have the same keys under the same ids. */
  compareKeys(): void {
    for (const of of KEY_KINDS) {
      expect(this.#simd.tables[of].keysFrom(0)).to.deep.equal(
        this.#reference.tables[of].keysFrom(0),
      );
    }
  }

  #compare(scan: (side: Side) => EventBatch): void {
    const simd = plain(scan(this.#simd));
    const reference = plain(scan(this.#reference));
    // Much faster than a deep comparison, which tells what the difference is.
    if (JSON.stringify(simd) !== JSON.stringify(reference)) {
      expect(simd).to.deep.equal(reference);
      throw new Error('the batches differ');
    }
    const [a, b] = [this.#simd.scanner.unfinished, this.#reference.scanner.unfinished];
    if (JSON.stringify(plainUnfinished(a)) !== JSON.stringify(plainUnfinished(b))) {
      expect(plainUnfinished(a)).to.deep.equal(plainUnfinished(b));
    }
  }
}

function sideOf(name: ScannerName, options: CompareOptions): Side {
  const { mapping, lineBytesMax = 65_536, keysMax = 10_000, keyBytesMax = 256 } = options;
  const tables = {
    types: new KeyTable({ keysMax, keyBytesMax }),
    words: new KeyTable({ keysMax, keyBytesMax }),
  };
  const scanners = createScanners(name, { mapping, lineBytesMax, ...tables });
  return { tables, scanners, scanner: scanners.create() };
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

function plainUnfinished({ tail, ...rest }: Scanner['unfinished']) {
  return { ...rest, tail: Buffer.from(tail).toString('latin1') };
}
