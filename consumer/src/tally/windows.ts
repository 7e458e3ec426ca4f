/**
 * Counts by event time: a bucket a second for the last ten minutes and some, a bucket a minute before
 * that, up to the retention.
 *
 *   EventBatch ──▶ runs of events of one second ──▶ RunCounts (dense, one second at a time)
 *                                                      │ when another second comes, or a query
 *                                                      ▼
 *   minutes: Map<start, Bucket> ◀── old seconds ── seconds: Map<start, Bucket of sparse cells>
 *
 * Streams are mostly in the order of time, so a second's events fall into the dense run and its cells
 * are written once. A bucket holds a cell for each key it has seen, whatever the input does `cellsMax`
 * bounds all of them together: past it, a key that is new to a bucket is counted as the bucket's
 * overflow key, which always has a cell.
 */
import { CellMap } from './cell-map.js';
import type { EventBatch } from './event-batch.js';
import type { EventTimeFront } from './event-time-front.js';
import { answerableSince, type Interval, MINUTE_SECONDS, secondsFrom } from './interval.js';
import { type KeyKind, type KeyTable, OVERFLOW_ID } from './key-table.js';
import { type CountColumns, RunCounts } from './run-counts.js';
import { RunningSum } from './running-sum.js';

export interface WindowsOptions {
  readonly retentionSeconds: number;
  /** An event time further ahead of the clock than this is not in windows. */
  readonly maxClockSkewSeconds: number;
  /** Bucket–key pairs at most, all buckets together. */
  readonly cellsMax: number;
  readonly front: EventTimeFront;
}

export interface WindowStats {
  /** Events older than the front by more than the retention, when they were read: not in windows. */
  readonly late: number;
  /** Events too far ahead of the clock when they were read: not in windows. */
  readonly ahead: number;
  readonly cells: {
    readonly used: number;
    readonly max: number;
    /** Occurrences that were counted as the overflow key because no cell was free for theirs. */
    readonly folded: number;
  };
}

interface Bucket {
  readonly types: CellMap;
  readonly words: CellMap;
  readonly sums: Map<number, RunningSum>;
}

// What an event's time can be instead of a second; negative, which no second is.
const LATE = -1;
const AHEAD = -2;
const NONE = -3;

export class Windows {
  readonly #options: WindowsOptions;
  readonly #tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly #seconds = new Map<number, Bucket>();
  readonly #minutes = new Map<number, Bucket>();
  /** The second whose events are in the runs below. */
  #runSecond = NONE;
  readonly #run = { types: new RunCounts(), words: new RunCounts() };
  readonly #runSums = new Map<number, RunningSum>();
  /** Empty between queries. */
  readonly #answer = new RunCounts();
  #secondsFrom = Number.NEGATIVE_INFINITY;
  #since = Number.NEGATIVE_INFINITY;
  #cells = 0;
  #folded = 0;
  #late = 0;
  #ahead = 0;

  constructor(options: WindowsOptions, tables: Readonly<Record<KeyKind, KeyTable>>) {
    this.#options = options;
    this.#tables = tables;
  }

  /** `now` is the clock when the batch was read, Unix seconds. */
  add(batch: EventBatch, now: number): void {
    const { front: sharedFront, retentionSeconds, maxClockSkewSeconds } = this.#options;
    const aheadAfter = now + maxClockSkewSeconds;
    let front = sharedFront.value;
    let lateBefore = front - retentionSeconds;
    let target = NONE;
    let start = 0;
    for (let i = 0; i < batch.length; i++) {
      const time = batch.eventTimes[i] as number;
      let next: number;
      if (time > aheadAfter) {
        next = AHEAD;
      } else {
        if (time > front) {
          front = time;
          lateBefore = time - retentionSeconds;
        }
        next = time < lateBefore ? LATE : Math.floor(time);
      }
      if (next !== target) {
        this.#addRun(target, batch, start, i);
        target = next;
        start = i;
      }
    }
    this.#addRun(target, batch, start, batch.length);
    if (front >= 0) sharedFront.advanceTo(front);
    this.#age();
  }

  /**
   * Whether all events of an interval are in buckets that do not reach beyond it. Once true, it stays so
   * until the front moves on.
   */
  canAnswer({ start, end }: Interval): boolean {
    this.#settle();
    const isEdge = (time: number) => time >= this.#secondsFrom || time % MINUTE_SECONDS === 0;
    return start >= this.#since && isEdge(start) && isEdge(end);
  }

  /** Counts of an interval for which `canAnswer` is true. */
  counts(of: KeyKind, interval: Interval): CountColumns {
    // Not aged: the edges are those that canAnswer saw, wherever other threads have moved the front.
    this.#flushRun();
    const size = this.#tables[of].size;
    for (const bucket of this.#bucketsIn(interval)) {
      bucket[of].visit((id, count) => this.#answer.add(id, count, size));
    }
    return this.#answer.take();
  }

  /** Sums of the values in such an interval, by type id. */
  sums(interval: Interval): Map<number, RunningSum> {
    this.#flushRun();
    const sums = new Map<number, RunningSum>();
    for (const bucket of this.#bucketsIn(interval)) {
      for (const [id, sum] of bucket.sums) sumOf(sums, id).merge(sum);
    }
    return sums;
  }

  stats(): WindowStats {
    this.#settle();
    return {
      late: this.#late,
      ahead: this.#ahead,
      cells: { used: this.#cells, max: this.#options.cellsMax, folded: this.#folded },
    };
  }

  #addRun(target: number, batch: EventBatch, from: number, to: number): void {
    switch (target) {
      case NONE:
        return;
      case LATE:
        this.#late += to - from;
        return;
      case AHEAD:
        this.#ahead += to - from;
        return;
    }
    if (target !== this.#runSecond) {
      this.#flushRun();
      this.#runSecond = target;
    }
    const { wordOffsets } = batch;
    this.#run.types.addEach(batch.typeIds, from, to, this.#tables.types.size);
    this.#run.words.addEach(
      batch.wordIds,
      wordOffsets[from] as number,
      wordOffsets[to] as number,
      this.#tables.words.size,
    );
    for (let i = from; i < to; i++) {
      const value = batch.values[i] as number;
      if (!Number.isNaN(value)) sumOf(this.#runSums, batch.typeIds[i] as number).add(value);
    }
  }

  /** Moves the open second's counts into its bucket, if that is still kept. */
  #flushRun(): void {
    const second = this.#runSecond;
    if (second === NONE) return;
    this.#runSecond = NONE;
    if (second < this.#since) {
      this.#run.types.take();
      this.#run.words.take();
    } else {
      const bucket = this.#bucketAt(second);
      this.#run.types.drain((id, count) => this.#addCell(bucket.types, id, count));
      this.#run.words.drain((id, count) => this.#addCell(bucket.words, id, count));
      for (const [id, sum] of this.#runSums) this.#addSum(bucket, id, sum);
    }
    this.#runSums.clear();
  }

  #bucketAt(second: number): Bucket {
    if (second >= this.#secondsFrom) return bucketOf(this.#seconds, second);
    return bucketOf(this.#minutes, second - (second % MINUTE_SECONDS));
  }

  #addCell(cells: CellMap, id: number, count: number): void {
    if (this.#cells < this.#options.cellsMax || id === OVERFLOW_ID || cells.has(id)) {
      if (cells.add(id, count)) this.#cells++;
      return;
    }
    this.#folded += count;
    if (cells.add(OVERFLOW_ID, count)) this.#cells++;
  }

  #addSum(bucket: Bucket, id: number, sum: RunningSum): void {
    const hasCell = bucket.sums.has(id);
    const isFree = hasCell || id === OVERFLOW_ID || this.#cells < this.#options.cellsMax;
    const keptId = isFree ? id : OVERFLOW_ID;
    if (!isFree) this.#folded += sum.count;
    if (!bucket.sums.has(keptId)) this.#cells++;
    sumOf(bucket.sums, keptId).merge(sum);
  }

  /** All that was read is in buckets, and buckets are where the front wants them. */
  #settle(): void {
    this.#age();
    this.#flushRun();
  }

  /** Drops what is past the retention, then folds seconds that are no longer recent into minutes. */
  #age(): void {
    const front = this.#options.front.value;
    if (front < 0) return;
    const since = answerableSince(front, this.#options.retentionSeconds);
    if (since > this.#since) {
      this.#since = since;
      this.#drop(this.#seconds, 1);
      this.#drop(this.#minutes, MINUTE_SECONDS);
    }
    const exactFrom = secondsFrom(front);
    if (exactFrom > this.#secondsFrom) {
      this.#secondsFrom = exactFrom;
      for (const [second, bucket] of this.#seconds) {
        if (second < exactFrom) this.#foldIntoMinute(second, bucket);
      }
    }
  }

  #foldIntoMinute(second: number, bucket: Bucket): void {
    this.#seconds.delete(second);
    this.#cells -= cellsOf(bucket); // before they are counted again, so that there is room for them
    const minute = bucketOf(this.#minutes, second - (second % MINUTE_SECONDS));
    bucket.types.visit((id, count) => this.#addCell(minute.types, id, count));
    bucket.words.visit((id, count) => this.#addCell(minute.words, id, count));
    for (const [id, sum] of bucket.sums) this.#addSum(minute, id, sum);
  }

  #drop(buckets: Map<number, Bucket>, bucketSeconds: number): void {
    for (const [start, bucket] of buckets) {
      if (start + bucketSeconds > this.#since) continue;
      buckets.delete(start);
      this.#cells -= cellsOf(bucket);
    }
  }

  *#bucketsIn({ start, end }: Interval): Iterable<Bucket> {
    const exactFrom = this.#secondsFrom;
    if (start < exactFrom) {
      yield* bucketsBetween(this.#minutes, MINUTE_SECONDS, start, end);
    }
    yield* bucketsBetween(this.#seconds, 1, Math.max(start, exactFrom), end);
  }
}

/** A short interval is looked up bucket by bucket; a long one is cheaper by what there is. */
function* bucketsBetween(
  buckets: ReadonlyMap<number, Bucket>,
  bucketSeconds: number,
  start: number,
  end: number,
): Iterable<Bucket> {
  if ((end - start) / bucketSeconds < buckets.size) {
    for (let time = start; time < end; time += bucketSeconds) {
      const bucket = buckets.get(time);
      if (bucket !== undefined) yield bucket;
    }
  } else {
    for (const [time, bucket] of buckets) {
      if (time >= start && time < end) yield bucket;
    }
  }
}

function bucketOf(buckets: Map<number, Bucket>, start: number): Bucket {
  let bucket = buckets.get(start);
  if (bucket === undefined) {
    bucket = { types: new CellMap(), words: new CellMap(), sums: new Map() };
    buckets.set(start, bucket);
  }
  return bucket;
}

function sumOf(sums: Map<number, RunningSum>, id: number): RunningSum {
  let sum = sums.get(id);
  if (sum === undefined) {
    sum = new RunningSum();
    sums.set(id, sum);
  }
  return sum;
}

function cellsOf({ types, words, sums }: Bucket): number {
  return types.size + words.size + sums.size;
}
