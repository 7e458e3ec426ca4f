import { REJECTION_REASONS, type RejectionReason } from '@event-tally/shared/line.js';
import type { EventBatch } from './event-batch.js';
import { GrowableCounts } from './growable-counts.js';
import { type KeyKind, type KeyTable, OVERFLOW_ID } from './key-table.js';
import type { CountColumns } from './run-counts.js';
import { RunningSum } from './running-sum.js';
import { type WindowStats, Windows, type WindowsOptions } from './windows.js';

export interface KeyStats {
  /** Keys counted under their own name. */
  readonly distinct: number;
  /** How often the overflow key was counted. */
  readonly overflow: number;
}

/** What became of all that was read; every count covers the same lines. */
export interface TallyStats {
  /** Batches added: the number of the moment that an answer speaks of. */
  readonly batch: number;
  readonly bytes: number;
  readonly lines: number;
  readonly accepted: number;
  readonly blank: number;
  readonly rejected: Readonly<Record<RejectionReason, number>>;
  readonly types: KeyStats;
  readonly words: KeyStats;
  readonly windows: WindowStats;
}

/** Counts since the start and by window, by key id, and an account of every line. */
export class Tally {
  readonly windows: Windows;
  readonly #tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly #totals = { types: new GrowableCounts(), words: new GrowableCounts() };
  readonly #sums = new Map<number, RunningSum>();
  readonly #rejected: Record<RejectionReason, number> = {
    too_long: 0,
    not_json: 0,
    not_an_event: 0,
  };
  #batch = 0;
  #bytes = 0;
  #lines = 0;
  #accepted = 0;
  #blank = 0;

  /** The tables must be those whose ids the batches hold. */
  constructor(tables: Readonly<Record<KeyKind, KeyTable>>, windowsOptions: WindowsOptions) {
    this.#tables = tables;
    this.windows = new Windows(windowsOptions, tables);
  }

  /** Number of the batch that was added last; 0 before the first. */
  get batch(): number {
    return this.#batch;
  }

  /** `now` is the clock when the batch was read, Unix seconds. */
  add(batch: EventBatch, now: number): void {
    this.#batch++;
    this.#bytes += batch.bytes;
    this.#lines += batch.lines;
    this.#accepted += batch.length;
    this.#blank += batch.blank;
    for (const reason of REJECTION_REASONS) this.#rejected[reason] += batch.rejected[reason];

    const words = batch.wordOffsets[batch.length] as number;
    this.#totals.types.addEach(batch.typeIds, batch.length, this.#tables.types.size);
    this.#totals.words.addEach(batch.wordIds, words, this.#tables.words.size);
    this.#addValues(batch);
    this.windows.add(batch, now);
  }

  /** Counts since the start, by id. */
  counts(of: KeyKind): CountColumns {
    return this.#totals[of].columns(this.#tables[of].size);
  }

  /** Sums of values since the start, by type id. */
  sums(): ReadonlyMap<number, RunningSum> {
    return this.#sums;
  }

  stats(): TallyStats {
    return {
      batch: this.#batch,
      bytes: this.#bytes,
      lines: this.#lines,
      accepted: this.#accepted,
      blank: this.#blank,
      rejected: { ...this.#rejected },
      types: this.#keyStats('types'),
      words: this.#keyStats('words'),
      windows: this.windows.stats(),
    };
  }

  #addValues({ values, typeIds, length }: EventBatch): void {
    for (let i = 0; i < length; i++) {
      const value = values[i] as number;
      if (Number.isNaN(value)) continue;
      const id = typeIds[i] as number;
      let sum = this.#sums.get(id);
      if (sum === undefined) {
        sum = new RunningSum();
        this.#sums.set(id, sum);
      }
      sum.add(value);
    }
  }

  #keyStats(of: KeyKind): KeyStats {
    return { distinct: this.#tables[of].distinct, overflow: this.#totals[of].at(OVERFLOW_ID) };
  }
}
