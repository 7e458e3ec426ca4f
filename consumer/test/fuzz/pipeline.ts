import type { Scanner, ScannerOptions } from '#consumer/scan/scanner.js';
import type { Scanners } from '#consumer/scan/scanners.js';
import { RejectedLines } from '#consumer/tally/rejected-lines.js';
import { StateSubject } from '../support/state-subject.js';
import { type FuzzCase, type Read, SOURCES } from './fuzz-case.js';

export type CreateScanners = (options: ScannerOptions) => Pick<Scanners, 'create'>;

interface Source {
  readonly name: string;
  readonly identity: string;
  scanner: Scanner;
  lines: number;
  bytes: number;
  /** How many bytes of its unfinished line are in the journal. */
  journaledBytes: number;
}

/** What an ingest thread does with what it reads, but for the reading and the files. */
export class Pipeline {
  readonly #case: FuzzCase;
  readonly #createScanners: CreateScanners;
  #scanners: Pick<Scanners, 'create'>;
  #checkpoint: readonly Uint8Array[] = [];
  #journal: Uint8Array[] = [];
  #sources: readonly Source[];
  subject: StateSubject;
  rejectedLines: RejectedLines;

  constructor(fuzzCase: FuzzCase, createScanners: CreateScanners) {
    this.#case = fuzzCase;
    this.#createScanners = createScanners;
    this.subject = new StateSubject(fuzzCase.bounds);
    this.#scanners = this.#newScanners();
    this.rejectedLines = new RejectedLines(fuzzCase.mapping);
    this.#sources = Array.from({ length: SOURCES }, (_, i) => ({
      name: `${i}.fifo`,
      identity: `1:${i}`,
      scanner: this.#scanners.create(),
      lines: 0,
      bytes: 0,
      journaledBytes: 0,
    }));
  }

  read({ source: index, bytes }: Read, now: number): void {
    const source = this.#sources[index] as Source;
    const { name, identity, scanner } = source;
    const read = new Uint8Array(bytes);
    const batch = scanner.scan(read, now);
    read.fill(0x7d); // as the next read overwrites it
    const { unfinished } = scanner;
    const isAddedTo = batch.lines === 0 && !unfinished.isSkipping;
    const knownBytes = isAddedTo ? source.journaledBytes : 0;
    source.journaledBytes = unfinished.isSkipping ? 0 : unfinished.tail.length;
    const change = { name, identity, unfinished, knownBytes };
    this.#journal.push(this.subject.addBatch(batch, now, change));
    source.lines += batch.lines;
    source.bytes += batch.bytes;
    this.rejectedLines.add(batch.takeRejectedLines(), name, now);
  }

  takeCheckpoint(): void {
    this.subject.sources = this.#sources.map(({ scanner: { unfinished }, ...source }) => ({
      ...source,
      unfinished,
    }));
    this.#checkpoint = this.subject.checkpoint();
    this.#journal = [];
  }

  /** All that is in memory is given up. */
  restart(): void {
    const { bounds, mapping } = this.#case;
    this.subject = new StateSubject(bounds).restore(this.#checkpoint, this.#journal);
    this.#scanners = this.#newScanners();
    this.rejectedLines = new RejectedLines(mapping);
    this.#sources = this.#sources.map(({ name, identity }) => {
      const scanner = this.#scanners.create();
      const saved = this.subject.sources.find((each) => each.name === name);
      if (saved === undefined) {
        return { name, identity, scanner, lines: 0, bytes: 0, journaledBytes: 0 };
      }
      const { lines, bytes, unfinished } = saved;
      scanner.resume(unfinished);
      const journaledBytes = unfinished.isSkipping ? 0 : unfinished.tail.length;
      return { name, identity, scanner, lines, bytes, journaledBytes };
    });
  }

  /** Of each source, by what it was restored from or has read. */
  get sources(): readonly { readonly lines: number; readonly bytes: number }[] {
    return this.#sources;
  }

  #newScanners(): Pick<Scanners, 'create'> {
    const { mapping, bounds } = this.#case;
    const { lineBytesMax } = bounds;
    return this.#createScanners({ mapping, lineBytesMax, ...this.subject.tables });
  }
}
