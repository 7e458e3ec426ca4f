import type { Changes } from '../tally/changes.js';
import { KEY_KINDS, type KeyKind, type KeyTable } from '../tally/key-table.js';
import type { CountColumns } from '../tally/run-counts.js';
import type { Tally } from '../tally/tally.js';
import { ByteReader, ByteWriter } from './bytes.js';
import {
  type CheckpointContent,
  checkpointRecords,
  readCheckpointRecord,
  type SavedSource,
} from './checkpoint-records.js';
import { readJournalRecord } from './journal-record.js';

/** A record does not follow the one before it. */
export class RecordGapError extends Error {
  override readonly name = 'RecordGapError';
}

/**
 * Adds the state of one folder, record by record, to a tally: the ids in it are those of the key tables
 * that it was written with, so keys are looked up anew in those that are there now.
 */
export class Restorer {
  readonly #tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly #tally: Tally;
  /** By id in the files: the id here. The overflow key is 0 everywhere. */
  readonly #idsHere: Record<KeyKind, number[]> = { types: [0], words: [0] };
  readonly #sources = new Map<string, SavedSource>();
  /** Number of the batch that was added last. */
  #batch = 0;

  constructor(tables: Readonly<Record<KeyKind, KeyTable>>, tally: Tally) {
    this.#tables = tables;
    this.#tally = tally;
  }

  get sources(): SavedSource[] {
    return [...this.#sources.values()];
  }

  /** Whether the ids in the files are those here, so that a journal may go on with them. */
  get keepsIds(): boolean {
    return KEY_KINDS.every((of) => {
      const ids = this.#idsHere[of];
      return ids.length === this.#tables[of].size && ids.every((here, id) => here === id);
    });
  }

  /** Adds all of a state that was restored elsewhere. */
  addContent(content: CheckpointContent): void {
    const writer = new ByteWriter();
    for (const write of checkpointRecords(content)) {
      writer.clear();
      write(writer);
      this.addCheckpointRecord(writer.bytes);
    }
  }

  addCheckpointRecord(payload: Uint8Array): void {
    const record = readCheckpointRecord(new ByteReader(payload));
    switch (record.kind) {
      case 'keys':
        this.#addKeys(record.of, record.keys);
        break;
      case 'bucket': {
        const { bucket } = record;
        for (const of of KEY_KINDS) this.#translateIds(of, bucket[of]);
        this.#translateIds('types', bucket.sums);
        this.#tally.windows.restore(bucket);
        break;
      }
      case 'source':
        this.#sources.set(record.source.name, record.source);
        break;
      case 'totals': {
        const { totals } = record;
        for (const of of KEY_KINDS) this.#translateIds(of, totals[of]);
        this.#translateIds('types', totals.sums);
        this.#tally.restore(totals);
        this.#batch = totals.batch;
        break;
      }
      case 'end':
        break;
    }
  }

  addJournalRecord(payload: Uint8Array): void {
    const { batch, newKeys, changes, source } = readJournalRecord(new ByteReader(payload));
    if (batch !== this.#batch + 1) {
      throw new RecordGapError(`a record is of batch ${batch}, and follows batch ${this.#batch}`);
    }
    this.#batch = batch;
    for (const of of KEY_KINDS) this.#addKeys(of, newKeys[of]);
    this.#translateChanges(changes);
    this.#tally.apply(changes);

    const { name, identity, unfinished, knownBytes } = source;
    const before = this.#sources.get(name);
    const known = before?.unfinished.tail.subarray(0, knownBytes) ?? new Uint8Array(0);
    this.#sources.set(name, {
      name,
      identity,
      lines: (before?.lines ?? 0) + changes.lines,
      bytes: (before?.bytes ?? 0) + changes.bytes,
      unfinished: { ...unfinished, tail: Buffer.concat([known, unfinished.tail]) },
    });
  }

  #addKeys(of: KeyKind, keys: readonly string[]): void {
    for (const key of keys) this.#idsHere[of].push(this.#tables[of].idOf(key));
  }

  #translateIds(of: KeyKind, { ids }: Pick<CountColumns, 'ids'>): void {
    const idsHere = this.#idsHere[of];
    for (let i = 0; i < ids.length; i++) ids[i] = idHere(idsHere, ids[i] as number);
  }

  #translateChanges({ types, words, sums }: Changes): void {
    for (const [of, { ids }] of [
      ['types', types],
      ['words', words],
      ['types', sums],
    ] as const) {
      const idsHere = this.#idsHere[of];
      for (let i = 0; i < ids.length; i++) ids[i] = idHere(idsHere, ids[i] as number);
    }
  }
}

function idHere(idsHere: readonly number[], id: number): number {
  const here = idsHere[id];
  if (here === undefined) throw new RangeError(`there is no key with id ${id}`);
  return here;
}
