/**
 * What one batch changes, counted: the step between EventBatch and everything that keeps counts. Totals
 * and windows add it, the journal writes it down, and what is read back from a journal is added by the
 * same code. Most events of a batch are of one second and of few keys, so it is much smaller than they.
 */
import { doubled } from './columns.js';
import type { EventBatch, LineAccount } from './event-batch.js';
import { RunCounts } from './run-counts.js';
import { RunningSum } from './running-sum.js';

/** What a run can have instead of a second; negative, which no second is. */
export const LATE = -1;
export const AHEAD = -2;

/** So few ids are not worth the search for those that are the same. */
const SHORT_RUN_IDS_MAX = 16;

/**
 * Counts by id, run after run: those of run r are at offsets[r] up to, not including, offsets[r + 1]. In a
 * short run an id may come more than once.
 */
export interface RunCells {
  readonly offsets: Uint32Array;
  readonly ids: Uint32Array;
  readonly counts: Float64Array;
}

/**
 * Columns may be longer than their content, and belong to whoever made them: they are valid until the
 * next are made there.
 */
export interface Changes extends LineAccount {
  /** Events, late ones and those ahead among them. */
  readonly accepted: number;
  /** The front of what was counted before: lower than it was, where the clock was set back. */
  readonly frontBefore: number;
  /** The largest event time among these that is not ahead; -Infinity when there is none. */
  readonly front: number;
  /** Runs of events that followed each other and are of one second. */
  readonly runs: number;
  /** Unix seconds, or LATE, or AHEAD. A second may have several runs. */
  readonly seconds: Float64Array;
  readonly types: RunCells;
  readonly words: RunCells;
  /** By type id: for each, the three parts of a RunningSum, end to end. */
  readonly sums: {
    readonly offsets: Uint32Array;
    readonly ids: Uint32Array;
    readonly parts: Float64Array;
  };
}

export interface ClassifyOptions {
  /** The front of what was counted before. */
  readonly frontBefore: number;
  /** Events before this are late, and those that an event in the batch makes so. */
  readonly lateBefore: number;
  /** Events after this are ahead. */
  readonly aheadAfter: number;
  readonly retentionSeconds: number;
}

/** Makes the changes of one batch after another, in columns that are used again. */
export class ChangesBuilder {
  readonly #changes = {
    bytes: 0,
    lines: 0,
    blank: 0,
    rejected: { too_long: 0, not_json: 0, not_an_event: 0 } as LineAccount['rejected'],
    accepted: 0,
    frontBefore: Number.NEGATIVE_INFINITY,
    front: Number.NEGATIVE_INFINITY,
    runs: 0,
    seconds: new Float64Array(16),
    types: {
      offsets: new Uint32Array(17),
      ids: new Uint32Array(256),
      counts: new Float64Array(256),
    },
    words: {
      offsets: new Uint32Array(17),
      ids: new Uint32Array(256),
      counts: new Float64Array(256),
    },
    sums: { offsets: new Uint32Array(17), ids: new Uint32Array(16), parts: new Float64Array(48) },
  };
  /** Empty between runs. */
  readonly #counts = { types: new RunCounts(), words: new RunCounts() };
  readonly #sums = new Map<number, RunningSum>();

  /** `sizes` are those of the key tables that gave the batch its ids. */
  build(
    batch: EventBatch,
    { frontBefore, aheadAfter, retentionSeconds, ...rest }: ClassifyOptions,
    sizes: { readonly types: number; readonly words: number },
  ): Changes {
    const changes = this.#changes;
    changes.bytes = batch.bytes;
    changes.lines = batch.lines;
    changes.blank = batch.blank;
    changes.rejected = batch.rejected;
    changes.accepted = batch.length;
    changes.frontBefore = frontBefore;
    changes.runs = 0;
    let { lateBefore } = rest;
    let front = Number.NEGATIVE_INFINITY;
    let second = Number.NaN;
    let start = 0;
    let timeBefore = Number.NaN;
    for (let i = 0; i < batch.length; i++) {
      const time = batch.eventTimes[i] as number;
      if (time === timeBefore) continue;
      timeBefore = time;
      let next: number;
      if (time > aheadAfter) {
        next = AHEAD;
      } else if (time < lateBefore) {
        next = LATE;
      } else {
        if (time > front) {
          front = time;
          lateBefore = Math.max(lateBefore, time - retentionSeconds);
        }
        next = Math.floor(time);
      }
      if (next !== second) {
        if (i > start) this.#addRun(second, batch, start, i, sizes);
        second = next;
        start = i;
      }
    }
    if (batch.length > start) this.#addRun(second, batch, start, batch.length, sizes);
    changes.front = front;
    return changes;
  }

  #addRun(
    second: number,
    batch: EventBatch,
    from: number,
    to: number,
    sizes: { readonly types: number; readonly words: number },
  ): void {
    const { wordOffsets, values, typeIds, wordIds } = batch;
    const changes = this.#changes;
    const run = changes.runs++;
    if (run === changes.seconds.length) {
      changes.seconds = doubled(changes.seconds);
      for (const part of [changes.types, changes.words, changes.sums]) {
        const offsets = new Uint32Array(2 * run + 1);
        offsets.set(part.offsets);
        part.offsets = offsets;
      }
    }
    changes.seconds[run] = second;
    const [firstWord, endOfWords] = [wordOffsets[from] as number, wordOffsets[to] as number];
    addCounts(changes.types, run, typeIds, from, to, this.#counts.types, sizes.types);
    addCounts(changes.words, run, wordIds, firstWord, endOfWords, this.#counts.words, sizes.words);
    for (let i = from; i < to; i++) {
      const value = values[i] as number;
      if (!Number.isNaN(value)) sumOf(this.#sums, typeIds[i] as number).add(value);
    }
    this.#drainSums(run);
  }

  #drainSums(run: number): void {
    const { sums } = this.#changes;
    let at = sums.offsets[run] as number;
    if (this.#sums.size === 0) {
      sums.offsets[run + 1] = at;
      return;
    }
    for (const [id, sum] of this.#sums) {
      if (at === sums.ids.length) {
        sums.ids = doubled(sums.ids);
        sums.parts = doubled(sums.parts);
      }
      sums.ids[at] = id;
      sums.parts.set(sum.toParts(), 3 * at);
      at++;
    }
    sums.offsets[run + 1] = at;
    this.#sums.clear();
  }
}

/** Counts ids[from … to - 1] as the cells of a run, by way of `counts`, which is empty before and after. */
function addCounts(
  cells: { offsets: Uint32Array; ids: Uint32Array; counts: Float64Array },
  run: number,
  ids: Uint32Array,
  from: number,
  to: number,
  counts: RunCounts,
  size: number,
): void {
  const first = cells.offsets[run] as number;
  const isShort = to - from <= SHORT_RUN_IDS_MAX;
  if (!isShort) counts.addEach(ids, from, to, size);
  const end = first + (isShort ? to - from : counts.size);
  while (cells.ids.length < end) {
    cells.ids = doubled(cells.ids);
    cells.counts = doubled(cells.counts);
  }
  if (isShort) {
    for (let i = from; i < to; i++) {
      cells.ids[first + i - from] = ids[i] as number;
      cells.counts[first + i - from] = 1;
    }
  } else counts.drainInto(cells.ids, cells.counts, first);
  cells.offsets[run + 1] = end;
}

/** The sum of an id, a new one where there is none yet. */
export function sumOf(sums: Map<number, RunningSum>, id: number): RunningSum {
  let sum = sums.get(id);
  if (sum === undefined) {
    sum = new RunningSum();
    sums.set(id, sum);
  }
  return sum;
}
