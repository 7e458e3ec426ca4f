import { REJECTION_REASONS, type RejectionReason } from '@event-tally/shared/line.js';
import { type Changes, ChangesBuilder, sumOf } from './changes.js';
import type { EventBatch } from './event-batch.js';
import { GrowableCounts } from './growable-counts.js';
import { KEY_KINDS, type KeyKind, type KeyTable, OVERFLOW_ID } from './key-table.js';
import type { CountColumns } from './run-counts.js';
import { RunningSum, type SumColumns, sumColumns } from './running-sum.js';
import {
  type SavedWindowState,
  type WindowStats,
  Windows,
  type WindowsOptions,
} from './windows.js';

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

export interface SavedTally {
  readonly batch: number;
  readonly bytes: number;
  readonly lines: number;
  readonly accepted: number;
  readonly blank: number;
  readonly rejected: Readonly<Record<RejectionReason, number>>;
  readonly types: CountColumns;
  readonly words: CountColumns;
  readonly sums: SumColumns;
  readonly windows: SavedWindowState;
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
  readonly #builder = new ChangesBuilder();
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

  /** `now` is the clock when the batch was read, Unix seconds. The changes are valid until the next. */
  add(batch: EventBatch, now: number): Changes {
    this.windows.followClock(now);
    const changes = this.#builder.build(batch, this.windows.classification(now), {
      types: this.#tables.types.size,
      words: this.#tables.words.size,
    });
    this.apply(changes);
    return changes;
  }

  apply(changes: Changes): void {
    this.#batch++;
    this.#bytes += changes.bytes;
    this.#lines += changes.lines;
    this.#accepted += changes.accepted;
    this.#blank += changes.blank;
    for (const reason of REJECTION_REASONS) this.#rejected[reason] += changes.rejected[reason];

    const { runs, sums } = changes;
    for (const of of KEY_KINDS) {
      const cells = changes[of];
      this.#totals[of].addCells(cells, cells.offsets[runs] as number, this.#tables[of].size);
    }
    for (let i = 0; i < (sums.offsets[runs] as number); i++) {
      sumOf(this.#sums, sums.ids[i] as number).merge(RunningSum.at(sums.parts, i));
    }
    this.windows.apply(changes);
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

  /** All that was counted up to now besides the windows' buckets, which `windows.save` gives. */
  save(): SavedTally {
    return {
      batch: this.#batch,
      bytes: this.#bytes,
      lines: this.#lines,
      accepted: this.#accepted,
      blank: this.#blank,
      rejected: { ...this.#rejected },
      types: this.counts('types'),
      words: this.counts('words'),
      sums: sumColumns(this.#sums),
      windows: this.windows.saveState(),
    };
  }

  /** Adds what was saved. Its ids must be those of the tables here; buckets are restored before. */
  restore(saved: SavedTally): void {
    this.#batch += saved.batch;
    this.#bytes += saved.bytes;
    this.#lines += saved.lines;
    this.#accepted += saved.accepted;
    this.#blank += saved.blank;
    for (const reason of REJECTION_REASONS) this.#rejected[reason] += saved.rejected[reason];
    for (const of of KEY_KINDS) {
      this.#totals[of].addCells(saved[of], saved[of].ids.length, this.#tables[of].size);
    }
    const { ids, parts } = saved.sums;
    for (let i = 0; i < ids.length; i++) {
      sumOf(this.#sums, ids[i] as number).merge(RunningSum.at(parts, i));
    }
    this.windows.restoreState(saved.windows);
  }

  #keyStats(of: KeyKind): KeyStats {
    return { distinct: this.#tables[of].distinct, overflow: this.#totals[of].at(OVERFLOW_ID) };
  }
}
