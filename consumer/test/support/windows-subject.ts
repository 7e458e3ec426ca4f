import { expect } from 'chai';
import { ChangesBuilder } from '#consumer/tally/changes.js';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';
import type { Interval } from '#consumer/tally/interval.js';
import { type KeyKind, KeyTable } from '#consumer/tally/key-table.js';
import { type KeyTotal, rank } from '#consumer/tally/ranking.js';
import { Windows } from '#consumer/tally/windows.js';
import { buildBatch, type PlainEvent } from './build-batch.js';
import type { Counted } from './plain-counts.js';

/** How far event times may be ahead of the clock. */
export const SKEW_SECONDS = 60;

interface SubjectOptions {
  readonly retentionSeconds?: number;
  readonly cellsMax?: number;
  /** That of another subject, if they are to be as two threads. */
  readonly front?: EventTimeFront;
}

/** Windows with their tables, asked by name. */
export class WindowsSubject {
  readonly front: EventTimeFront;
  readonly windows: Windows;
  readonly #tables = {
    types: new KeyTable({ keysMax: 1000, keyBytesMax: 100 }),
    words: new KeyTable({ keysMax: 1000, keyBytesMax: 100 }),
  };
  readonly #builder = new ChangesBuilder();

  constructor({
    retentionSeconds = 7200,
    cellsMax = 1_000_000,
    front = new EventTimeFront(),
  }: SubjectOptions = {}) {
    this.front = front;
    const options = { retentionSeconds, maxClockSkewSeconds: SKEW_SECONDS, cellsMax, front };
    this.windows = new Windows(options, this.#tables);
  }

  add(events: readonly PlainEvent[], now: number): void {
    const batch = buildBatch(events, this.#tables);
    const sizes = { types: this.#tables.types.size, words: this.#tables.words.size };
    this.windows.followClock(now);
    this.windows.apply(this.#builder.build(batch, this.windows.classification(now), sizes));
  }

  /** Of an interval that `fit` has given; the overflow key's name is ''. */
  totals(of: Counted, interval: Interval): KeyTotal[] {
    if (of === 'sums') {
      const types = this.#tables.types.keysFrom(0);
      const sums = [...this.windows.sums(interval)];
      return sums.map(([id, sum]) => ({ key: types[id] as string, count: sum.count, sum }));
    }
    const { ids, counts } = this.windows.counts(of, interval);
    const keys = this.#tables[of].keysFrom(0);
    return Array.from(ids, (id, i) => ({ key: keys[id] as string, count: counts[i] as number }));
  }

  /** Of an interval that needs no widening. */
  counts(of: KeyKind, start: number, end: number): Record<string, number> {
    const interval = { start, end, resolution: 1 };
    expect(this.windows.fit(interval)).to.include({ start, end });
    return Object.fromEntries(this.totals(of, interval).map(({ key, count }) => [key, count]));
  }

  sums(start: number, end: number): Record<string, number> {
    const interval = { start, end, resolution: 1 };
    expect(this.windows.fit(interval)).to.include({ start, end });
    return Object.fromEntries(
      this.totals('sums', interval).map(({ key, sum }) => [key, sum?.total as number]),
    );
  }
}

/** Totals in the order and the shape of a list answer. */
export function ranking(totals: readonly KeyTotal[], limit?: number): object[] {
  return rank(totals, limit).map(({ key, count, sum }) =>
    sum === undefined ? { key, count } : { key, sum: sum.total, count },
  );
}
