import { ByteWriter } from '#consumer/state/bytes.js';
import {
  type CheckpointContent,
  checkpointRecords,
  type SavedSource,
} from '#consumer/state/checkpoint-records.js';
import { type SourceChange, writeJournalRecord } from '#consumer/state/journal-record.js';
import { Restorer } from '#consumer/state/restorer.js';
import type { EventBatch } from '#consumer/tally/event-batch.js';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';
import { KEY_KINDS, type KeyKind, KeyTable } from '#consumer/tally/key-table.js';
import { Tally } from '#consumer/tally/tally.js';
import { buildBatch, type PlainEvent } from './build-batch.js';

export const NOTHING_UNFINISHED = {
  tail: new Uint8Array(0),
  bytes: 0,
  isSkipping: false,
  contentSeen: false,
};

const A_SOURCE = { name: 's', identity: '1:1', unfinished: NOTHING_UNFINISHED, knownBytes: 0 };

export interface SubjectLimits {
  readonly typesMax?: number;
  readonly wordsMax?: number;
  readonly keyBytesMax?: number;
  readonly cellsMax?: number;
  readonly retentionSeconds?: number;
}

/** A tally with all that makes its state: what an ingest thread has, without its readers and files. */
export class StateSubject {
  readonly tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly front = new EventTimeFront();
  readonly tally: Tally;
  /** As a checkpoint has them. */
  sources: readonly SavedSource[] = [];
  readonly #journaled = { types: 1, words: 1 };

  constructor({
    typesMax = 100,
    wordsMax = 100,
    keyBytesMax = 100,
    cellsMax = 100_000,
    retentionSeconds = 600,
  }: SubjectLimits = {}) {
    this.tables = {
      types: new KeyTable({ keysMax: typesMax, keyBytesMax }),
      words: new KeyTable({ keysMax: wordsMax, keyBytesMax }),
    };
    this.tally = new Tally(this.tables, {
      retentionSeconds,
      maxClockSkewSeconds: 60,
      cellsMax,
      front: this.front,
    });
  }

  get content(): CheckpointContent {
    return { tables: this.tables, tally: this.tally, sources: this.sources };
  }

  /** Counts events that were read at a time; the record of the journal that tells of it. */
  add(events: readonly PlainEvent[], now: number): Uint8Array {
    return this.addBatch(buildBatch(events, this.tables), now, A_SOURCE);
  }

  /** The same of events that were scanned. */
  addBatch(scanned: EventBatch, now: number, source: SourceChange): Uint8Array {
    const changes = this.tally.add(scanned, now);
    const newKeys = { types: this.#newKeys('types'), words: this.#newKeys('words') };
    const { batch } = this.tally;
    return written((writer) => writeJournalRecord(writer, { batch, newKeys, changes, source }));
  }

  #newKeys(of: KeyKind): readonly string[] {
    const first = this.#journaled[of];
    this.#journaled[of] = this.tables[of].size;
    return this.tables[of].keysFrom(first);
  }

  /** All records of a checkpoint of now. */
  checkpoint(): Uint8Array[] {
    return Array.from(checkpointRecords(this.content), written);
  }

  /** Begins with a state: after this, and before anything else. */
  restore(checkpoint: readonly Uint8Array[], journal: readonly Uint8Array[]): this {
    const restorer = new Restorer(this.tables, this.tally);
    for (const record of checkpoint) restorer.addCheckpointRecord(record);
    for (const record of journal) restorer.addJournalRecord(record);
    this.sources = restorer.sources;
    for (const of of KEY_KINDS) this.#journaled[of] = this.tables[of].size;
    return this;
  }

  /** All that can be asked of it, by name. */
  answers(): object {
    const { batch, windows, ...stats } = this.tally.stats();
    const { since, newest } = this.tally.windows;
    const intervals = [60, 300, 900, 100_000].map((seconds) => {
      const end = Math.floor(this.front.value) + 1;
      return Number.isFinite(end) ? { start: Math.max(since, end - seconds), end } : null;
    });
    return {
      batch,
      stats,
      windows,
      since,
      newest,
      front: this.front.value,
      types: this.#named('types', this.tally.counts('types')),
      words: this.#named('words', this.tally.counts('words')),
      sums: this.#sums(this.tally.sums()),
      intervals: intervals.map((each) => each && this.#interval(each)),
    };
  }

  #interval(asked: { readonly start: number; readonly end: number }): object | null {
    const interval = this.tally.windows.fit({ ...asked, resolution: 1 });
    return (
      interval && {
        interval,
        types: this.#named('types', this.tally.windows.counts('types', interval)),
        words: this.#named('words', this.tally.windows.counts('words', interval)),
        sums: this.#sums(this.tally.windows.sums(interval)),
      }
    );
  }

  #named(
    of: KeyKind,
    { ids, counts }: { readonly ids: Uint32Array; readonly counts: Float64Array },
  ): Record<string, number> {
    const keys = this.tables[of].keysFrom(0);
    return Object.fromEntries(Array.from(ids, (id, i) => [`${keys[id]}`, counts[i] as number]));
  }

  #sums(
    sums: ReadonlyMap<number, { readonly total: number; readonly count: number }>,
  ): Record<string, readonly number[]> {
    const keys = this.tables.types.keysFrom(0);
    return Object.fromEntries(
      Array.from(sums, ([id, { total, count }]) => [`${keys[id]}`, [total, count]]),
    );
  }
}

export function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  write(writer);
  return writer.bytes.slice();
}
