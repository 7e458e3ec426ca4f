import { REJECTION_REASONS, type RejectionReason } from '@event-tally/shared/line.js';
import type { EventBatch } from './event-batch.js';
import { GrowableCounts } from './growable-counts.js';
import { type KeyTable, OVERFLOW_ID } from './key-table.js';

export const KEY_KINDS = ['types', 'words'] as const;
/** What is counted: events by their type, or the words in their text. */
export type KeyKind = (typeof KEY_KINDS)[number];

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
  /** The largest event time accepted, Unix seconds; null before the first event. */
  readonly lastEventTime: number | null;
}

/** Counts since the start, by key id, and an account of every line. */
export class Tally {
  readonly #tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly #totals = { types: new GrowableCounts(), words: new GrowableCounts() };
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
  #lastEventTime = -1;

  /** The tables must be those whose ids the batches hold. */
  constructor(tables: Readonly<Record<KeyKind, KeyTable>>) {
    this.#tables = tables;
  }

  add(batch: EventBatch): void {
    this.#batch++;
    this.#bytes += batch.bytes;
    this.#lines += batch.lines;
    this.#accepted += batch.length;
    this.#blank += batch.blank;
    for (const reason of REJECTION_REASONS) this.#rejected[reason] += batch.rejected[reason];

    const words = batch.wordOffsets[batch.length] as number;
    this.#totals.types.addEach(batch.typeIds, batch.length, this.#tables.types.size);
    this.#totals.words.addEach(batch.wordIds, words, this.#tables.words.size);
    for (let i = 0; i < batch.length; i++) {
      const time = batch.eventTimes[i] as number;
      if (time > this.#lastEventTime) this.#lastEventTime = time;
    }
  }

  /** Counts by id, the overflow key's at index 0; a copy that the caller may give away. */
  counts(of: KeyKind): Float64Array<ArrayBuffer> {
    return this.#totals[of].snapshot(this.#tables[of].size);
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
      lastEventTime: this.#lastEventTime < 0 ? null : this.#lastEventTime,
    };
  }

  #keyStats(of: KeyKind): KeyStats {
    return { distinct: this.#tables[of].distinct, overflow: this.#totals[of].at(OVERFLOW_ID) };
  }
}
