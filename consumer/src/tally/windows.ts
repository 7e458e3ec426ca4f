/**
 * Counts by event time: a bucket a second for the last ten minutes and some, a bucket a minute before
 * that, up to the retention.
 *
 *   Changes: runs of events of one second ── long ──▶ RunCounts (dense, one second at a time)
 *                    │ short, and of another second         │ when another second comes, or a query
 *                    ▼                                      ▼
 *   minutes: Map<start, Bucket> ◀── old seconds ── seconds: Map<start, Bucket of sparse cells>
 *
 * Streams are mostly in the order of time, so a second's events fall into the dense run and its cells
 * are written once. A bucket holds a cell for each key it has seen, whatever the input does `cellsMax`
 * bounds all of them together: past it, a key that is new to a bucket is counted as the bucket's
 * overflow key, which always has a cell.
 *
 * The front follows the clock back when that is set back. What is kept then ahead of the front stays
 * where it is, minutes among it, and counts for the windows that reach it.
 */
import { CellMap } from './cell-map.js';
import { AHEAD, type Changes, type ClassifyOptions, LATE, sumOf } from './changes.js';
import type { EventTimeFront } from './event-time-front.js';
import {
  answerableSince,
  type Interval,
  keptSeconds,
  MINUTE_SECONDS,
  secondsFrom,
} from './interval.js';
import { type KeyKind, type KeyTable, OVERFLOW_ID } from './key-table.js';
import { type CountColumns, RunCounts } from './run-counts.js';
import { RunningSum, type SumColumns } from './running-sum.js';
import { SumMap } from './sum-map.js';

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

/** A bucket as it was when saving began. */
export interface SavedBucket {
  /** One minute long, not one second. */
  readonly isMinute: boolean;
  /** Event time, Unix seconds. */
  readonly start: number;
  readonly lastSecond: number;
  readonly types: CountColumns;
  readonly words: CountColumns;
  readonly sums: SumColumns;
}

/** What windows know besides their buckets. */
export interface SavedWindowState {
  readonly late: number;
  readonly ahead: number;
  readonly folded: number;
  /** The largest event time that was counted; -Infinity before the first event. */
  readonly front: number;
  /** Of events before this, some were dropped; -Infinity where none were. */
  readonly droppedBefore: number;
  /** Event time from which on there were buckets. */
  readonly since: number;
}

interface Bucket {
  readonly isMinute: boolean;
  readonly start: number;
  /** The latest second that it holds events of. */
  lastSecond: number;
  readonly types: CellMap;
  readonly words: CellMap;
  readonly sums: SumMap;
}

/** What there is instead of the open second when there is none. */
const NONE = -3;
/**
 * A run of fewer cells goes straight into its bucket: where events are not in order, each is a run of its
 * own, and would be moved from here to there at once.
 */
const OPEN_CELLS_MIN = 64;
/** Of two buckets: one for types, one for words, one for sums. */
const OVERFLOW_CELLS = 6;

export class Windows {
  readonly #options: WindowsOptions;
  readonly #tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly #seconds = new Map<number, Bucket>();
  readonly #minutes = new Map<number, Bucket>();
  /** The second whose events are in the runs below. */
  #runSecond = NONE;
  readonly #run = { types: new RunCounts(), words: new RunCounts() };
  readonly #runSums = new Map<number, RunningSum>();
  /** While a batch is added: where those runs of it go that go straight into their buckets. */
  readonly #bucketOfRun: (Bucket | null)[] = [];
  /** The largest event time that was counted here; by another thread's events the front is further. */
  #ownFront = Number.NEGATIVE_INFINITY;
  /** Empty between queries. */
  readonly #answer = new RunCounts();
  /** While buckets are saved: those of which the saver has no copy yet, and copies that it has to take. */
  #unsaved: Set<Bucket> | null = null;
  #saved: SavedBucket[] = [];
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

  /** What events that are read now are to be told apart by. */
  classification(now: number): ClassifyOptions {
    const { front, retentionSeconds, maxClockSkewSeconds } = this.#options;
    return {
      frontBefore: this.#ownFront,
      lateBefore: front.value - retentionSeconds,
      aheadAfter: now + maxClockSkewSeconds,
      retentionSeconds,
    };
  }

  apply(changes: Changes): void {
    const { front } = this.#options;
    if (this.#ownFront > changes.frontBefore) {
      this.#ownFront = changes.frontBefore;
      front.retreatTo(this.#ownFront, this.#ownFront);
      this.#flushRun();
      this.#age();
    }
    this.#ownFront = Math.max(this.#ownFront, changes.front);
    if (this.#ownFront >= 0) front.advanceTo(this.#ownFront);
    this.#age(); // first: what is dropped makes room for what is added
    this.#addRuns(changes);
  }

  /**
   * Moves the front back when the clock was set back so far that the front is too far ahead of it: to the
   * largest event time that is not, in whole seconds.
   */
  followClock(now: number): void {
    const { front, maxClockSkewSeconds } = this.#options;
    const limit = now + maxClockSkewSeconds;
    if (this.#ownFront > limit) this.#ownFront = this.#newestUpTo(limit);
    front.retreatTo(this.#ownFront, limit);
    if (this.#ownFront >= 0) front.advanceTo(this.#ownFront);
    // What is added next is kept by where the front is now, not by where it was.
    this.#age();
  }

  /**
   * The largest event time that was counted here and is not too far ahead of the clock; -Infinity before
   * the first event. The front is that of all threads, and of what they have read meanwhile.
   */
  get newest(): number {
    return this.#ownFront;
  }

  /** Event time from which on there are buckets. */
  get since(): number {
    this.#age();
    return this.#since;
  }

  /**
   * The smallest interval that covers this one and in which every bucket lies whole; null when there are
   * no longer buckets for it. It is answered until the front moves on.
   */
  fit({ start, end }: Interval): Interval | null {
    this.#age();
    this.#flushRun();
    if (start < this.#since) return null;
    const from = Math.max(this.#since, this.#isInsideBucket(start) ? minuteOf(start) : start);
    const to = this.#isInsideBucket(end) ? minuteOf(end) + MINUTE_SECONDS : end;
    const [minute] = bucketsBetween(this.#minutes, MINUTE_SECONDS, from, to);
    const isCoarse = from < this.#secondsFrom || minute !== undefined;
    return { start: from, end: to, resolution: isCoarse ? MINUTE_SECONDS : 1 };
  }

  /** Counts of an interval that `fit` has given. */
  counts(of: KeyKind, interval: Interval): CountColumns {
    // Not aged: the edges are those that fit saw, wherever other threads have moved the front.
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
      bucket.sums.visit((id, sum) => sumOf(sums, id).merge(sum));
    }
    return sums;
  }

  stats(): WindowStats {
    this.#age();
    this.#flushRun();
    return {
      late: this.#late,
      ahead: this.#ahead,
      cells: { used: this.#cells, max: this.#options.cellsMax, folded: this.#folded },
    };
  }

  /**
   * All buckets as they are now, a copy of one at each step. Counting may go on between the steps: a
   * bucket is copied before it changes or goes. A later call ends this one.
   */
  save(): Iterable<SavedBucket> {
    this.#flushRun();
    const unsaved = new Set([...this.#minutes.values(), ...this.#seconds.values()]);
    this.#unsaved = unsaved;
    this.#saved = [];
    return this.#saving(unsaved);
  }

  /** Adds what was saved, in another process maybe. Its ids must be those of the tables here. */
  restore({ isMinute, start, lastSecond, types, words, sums }: SavedBucket): void {
    const bucket = isMinute
      ? bucketOf(this.#minutes, start, true)
      : bucketOf(this.#seconds, start, false);
    bucket.lastSecond = Math.max(bucket.lastSecond, lastSecond);
    for (const [cells, saved] of [
      [bucket.types, types],
      [bucket.words, words],
    ] as const) {
      cells.reserve(saved.ids.length);
      for (let i = 0; i < saved.ids.length; i++) {
        this.#addCell(cells, saved.ids[i] as number, saved.counts[i] as number);
      }
    }
    for (let i = 0; i < sums.ids.length; i++) {
      this.#addSum(bucket, sums.ids[i] as number, RunningSum.at(sums.parts, i));
    }
  }

  /** What there is besides the buckets. */
  saveState(): SavedWindowState {
    return {
      late: this.#late,
      ahead: this.#ahead,
      folded: this.#folded,
      front: this.#ownFront,
      droppedBefore: this.#options.front.droppedBefore,
      since: this.#since,
    };
  }

  /** Adds to what there is besides the buckets; to be called after all buckets are restored. */
  restoreState({ late, ahead, folded, front, droppedBefore, since }: SavedWindowState): void {
    const { front: sharedFront } = this.#options;
    this.#late += late;
    this.#ahead += ahead;
    this.#folded += folded;
    this.#ownFront = Math.max(this.#ownFront, front);
    if (droppedBefore >= 0) sharedFront.dropBefore(droppedBefore);
    if (this.#ownFront >= 0) sharedFront.advanceTo(this.#ownFront);
    // A minute that began before it holds none of before it: it stays. Another thread's may hold some.
    if (this.#since === Number.NEGATIVE_INFINITY) this.#since = since;
    else this.#dropOld();
    this.#age();
  }

  *#saving(unsaved: Set<Bucket>): Generator<SavedBucket> {
    while (this.#unsaved === unsaved) {
      const copy = this.#saved.pop();
      const [bucket] = unsaved;
      if (copy !== undefined) yield copy;
      else if (bucket !== undefined) {
        unsaved.delete(bucket);
        yield savedBucket(bucket);
      } else this.#unsaved = null;
    }
  }

  /** To be called before a bucket changes or goes. */
  #keepForSaver(bucket: Bucket): void {
    if (this.#unsaved?.delete(bucket)) this.#saved.push(savedBucket(bucket));
  }

  #addRuns(changes: Changes): void {
    const { runs, seconds, types, words, sums } = changes;
    const sumsCount = sums.offsets[runs] as number;
    const cells = (types.offsets[runs] as number) + (words.offsets[runs] as number) + sumsCount;
    if (!this.#hasRoomFor(cells)) {
      for (let run = 0; run < runs; run++) this.#addRun(changes, run);
      return;
    }
    // All cells have room, whatever their order. What takes time is to get at the memory of one bucket after another:
    // the processor does so for several at once where little else is done in between.
    const buckets = this.#bucketOfRun;
    for (let run = 0; run < runs; run++) {
      const second = seconds[run] as number;
      const isShort =
        second >= 0 && second !== this.#runSecond && cellsOfRun(changes, run) < OPEN_CELLS_MIN;
      buckets[run] = isShort ? this.#bucketFor(second) : null;
      if (!isShort) this.#addRun(changes, run);
    }
    for (let run = 0; run < runs; run++) {
      const bucket = buckets[run];
      if (bucket) this.#cells += bucket.types.addCells(types, run);
    }
    for (let run = 0; run < runs; run++) {
      const bucket = buckets[run];
      if (bucket) this.#cells += bucket.words.addCells(words, run);
    }
    for (let run = 0; run < runs; run++) {
      const bucket = buckets[run];
      if (bucket && sumsCount > 0) this.#addSums(bucket, changes, run);
      buckets[run] = null; // it may be dropped
    }
  }

  #addRun(changes: Changes, run: number): void {
    const { seconds, types, words, sums } = changes;
    const second = seconds[run] as number;
    const [from, to] = [types.offsets[run] as number, types.offsets[run + 1] as number];
    if (second === LATE || second === AHEAD) {
      let events = 0;
      for (let i = from; i < to; i++) events += types.counts[i] as number;
      if (second === LATE) this.#late += events;
      else this.#ahead += events;
      return;
    }
    const firstWord = words.offsets[run] as number;
    const endOfWords = words.offsets[run + 1] as number;
    if (second !== this.#runSecond) {
      if (cellsOfRun(changes, run) < OPEN_CELLS_MIN) {
        this.#addToBucket(changes, run);
        return;
      }
      this.#flushRun();
      this.#runSecond = second;
    }
    this.#run.types.addCells(types, from, to, this.#tables.types.size);
    this.#run.words.addCells(words, firstWord, endOfWords, this.#tables.words.size);
    const endOfSums = sums.offsets[run + 1] as number;
    for (let i = sums.offsets[run] as number; i < endOfSums; i++) {
      sumOf(this.#runSums, sums.ids[i] as number).merge(RunningSum.at(sums.parts, i));
    }
  }

  /** Adds a short run of another second than the open one, which stays open. */
  #addToBucket(changes: Changes, run: number): void {
    const { seconds, types, words, sums } = changes;
    const sumsCount = (sums.offsets[run + 1] as number) - (sums.offsets[run] as number);
    if (!this.#hasRoomFor(cellsOfRun(changes, run) + sumsCount)) this.#flushRun();
    const bucket = this.#bucketFor(seconds[run] as number);
    if (bucket === null) return;
    for (const [cells, { offsets, ids, counts }] of [
      [bucket.types, types],
      [bucket.words, words],
    ] as const) {
      for (let i = offsets[run] as number; i < (offsets[run + 1] as number); i++) {
        this.#addCell(cells, ids[i] as number, counts[i] as number);
      }
    }
    this.#addSums(bucket, changes, run);
  }

  #addSums(bucket: Bucket, { sums }: Changes, run: number): void {
    const end = sums.offsets[run + 1] as number;
    for (let i = sums.offsets[run] as number; i < end; i++) {
      this.#addSum(bucket, sums.ids[i] as number, RunningSum.at(sums.parts, i));
    }
  }

  /**
   * Whether there are cells for the open second and so many more. Then it makes no difference which of them have
   * theirs first; where not all have one, those have that came first, whatever is asked in between.
   */
  #hasRoomFor(cells: number): boolean {
    const { types, words } = this.#run;
    const open = types.size + words.size + this.#runSums.size;
    return this.#cells + open + cells + OVERFLOW_CELLS <= this.#options.cellsMax;
  }

  /** Moves the open second's counts into its bucket, if that is still kept. */
  #flushRun(): void {
    const second = this.#runSecond;
    if (second === NONE) return;
    this.#runSecond = NONE;
    const bucket = this.#bucketFor(second);
    if (bucket === null) {
      this.#run.types.take();
      this.#run.words.take();
    } else {
      this.#run.types.drain((id, count) => this.#addCell(bucket.types, id, count));
      this.#run.words.drain((id, count) => this.#addCell(bucket.words, id, count));
      for (const [id, sum] of this.#runSums) this.#addSum(bucket, id, sum);
    }
    this.#runSums.clear();
  }

  /** Where events of a second are about to be added; null, and told as dropped, where they are no longer kept. */
  #bucketFor(second: number): Bucket | null {
    if (second < this.#since) {
      this.#options.front.dropBefore(second + 1);
      return null;
    }
    const isMinute = second < this.#secondsFrom || this.#minutes.has(minuteOf(second));
    const bucket = isMinute
      ? bucketOf(this.#minutes, minuteOf(second), true)
      : bucketOf(this.#seconds, second, false);
    this.#keepForSaver(bucket);
    bucket.lastSecond = Math.max(bucket.lastSecond, second);
    return bucket;
  }

  /** Whether counts of before this time cannot be told from those of after it. */
  #isInsideBucket(time: number): boolean {
    const minute = minuteOf(time);
    return time !== minute && (time < this.#secondsFrom || this.#minutes.has(minute));
  }

  /** The latest second up to a limit that events were counted in. */
  #newestUpTo(limit: number): number {
    this.#flushRun();
    let newest = this.#options.front.droppedBefore - 1;
    for (const [start, { lastSecond }] of [...this.#seconds, ...this.#minutes]) {
      if (start <= limit) newest = Math.max(newest, lastSecond);
    }
    // Which second of a minute that goes beyond the limit was the last before it is not known.
    return Math.min(newest, Math.floor(limit));
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
    bucket.sums.merge(keptId, sum);
  }

  /** Drops what is no longer kept, then folds seconds that are no longer recent into minutes. */
  #age(): void {
    const { front: sharedFront, retentionSeconds, maxClockSkewSeconds } = this.#options;
    const front = sharedFront.value;
    const kept = answerableSince(front, keptSeconds(retentionSeconds, maxClockSkewSeconds));
    let since = Math.max(kept, sharedFront.droppedBefore);
    while (since !== this.#since) {
      this.#since = since;
      this.#dropOld();
      since = Math.max(kept, sharedFront.droppedBefore); // to drop a bucket may have moved it on
    }
    const exactFrom = secondsFrom(front);
    if (exactFrom === this.#secondsFrom) return;
    this.#secondsFrom = exactFrom;
    for (const [second, bucket] of this.#seconds) {
      if (second < exactFrom) this.#foldIntoMinute(second, bucket);
    }
  }

  #foldIntoMinute(second: number, bucket: Bucket): void {
    this.#seconds.delete(second);
    this.#cells -= cellsOf(bucket); // before they are counted again, so that there is room for them
    const minute = bucketOf(this.#minutes, minuteOf(second), true);
    this.#keepForSaver(bucket);
    this.#keepForSaver(minute);
    minute.lastSecond = Math.max(minute.lastSecond, bucket.lastSecond);
    minute.types.reserve(bucket.types.size);
    minute.words.reserve(bucket.words.size);
    minute.sums.reserve(bucket.sums.size);
    bucket.types.visit((id, count) => this.#addCell(minute.types, id, count));
    bucket.words.visit((id, count) => this.#addCell(minute.words, id, count));
    bucket.sums.visit((id, sum) => this.#addSum(minute, id, sum));
  }

  #dropOld(): void {
    this.#drop(this.#seconds);
    this.#drop(this.#minutes);
  }

  /** A bucket that begins before `since` cannot be part of an answer. */
  #drop(buckets: Map<number, Bucket>): void {
    for (const [start, bucket] of buckets) {
      if (start >= this.#since) continue;
      buckets.delete(start);
      this.#keepForSaver(bucket);
      this.#cells -= cellsOf(bucket);
      this.#options.front.dropBefore(bucket.lastSecond + 1);
    }
  }

  *#bucketsIn({ start, end }: Interval): Iterable<Bucket> {
    // A minute that some events were dropped of holds none of before `since`.
    const from = start === this.#since ? minuteOf(start) : start;
    yield* bucketsBetween(this.#minutes, MINUTE_SECONDS, from, end);
    yield* bucketsBetween(this.#seconds, 1, start, end);
  }
}

/** Of types and words. */
function cellsOfRun({ types, words }: Changes, run: number): number {
  const typesCount = (types.offsets[run + 1] as number) - (types.offsets[run] as number);
  return typesCount + (words.offsets[run + 1] as number) - (words.offsets[run] as number);
}

function minuteOf(second: number): number {
  return MINUTE_SECONDS * Math.floor(second / MINUTE_SECONDS);
}

/** A short interval is looked up bucket by bucket; a long one is cheaper by what there is. */
function* bucketsBetween(
  buckets: ReadonlyMap<number, Bucket>,
  bucketSeconds: number,
  start: number,
  end: number,
): Iterable<Bucket> {
  if ((end - start) / bucketSeconds < buckets.size) {
    const first = Math.ceil(start / bucketSeconds) * bucketSeconds;
    for (let time = first; time < end; time += bucketSeconds) {
      const bucket = buckets.get(time);
      if (bucket !== undefined) yield bucket;
    }
  } else {
    for (const [time, bucket] of buckets) {
      if (time >= start && time < end) yield bucket;
    }
  }
}

function savedBucket({ isMinute, start, lastSecond, types, words, sums }: Bucket): SavedBucket {
  return {
    isMinute,
    start,
    lastSecond,
    types: types.columns(),
    words: words.columns(),
    sums: sums.columns(),
  };
}

function bucketOf(buckets: Map<number, Bucket>, start: number, isMinute: boolean): Bucket {
  let bucket = buckets.get(start);
  if (bucket === undefined) {
    bucket = {
      isMinute,
      start,
      lastSecond: start,
      types: new CellMap(),
      words: new CellMap(),
      sums: new SumMap(),
    };
    buckets.set(start, bucket);
  }
  return bucket;
}

function cellsOf({ types, words, sums }: Bucket): number {
  return types.size + words.size + sums.size;
}
