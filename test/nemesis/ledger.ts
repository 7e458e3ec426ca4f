import type { Progress } from './generator-files.js';
import { eventLine, numberOf } from './numbered-events.js';

/** What has become of the events since the ledger was settled before. */
export interface Settlement {
  /** They were written, and are not counted. */
  readonly lost: number;
  readonly lostBytes: number;
  /** Occurrences too many. */
  readonly doubled: number;
  /** Words that nobody wrote: two torn lines that have become one event. */
  readonly joined: number;
  /** Events that are counted although they were lost before, or not written. */
  readonly impossible: number;
}

/** Compares what a generator has written with what is counted, since a first number. */
export class Ledger {
  readonly #first: number;
  /** By number from the first on: how often it was counted when it was settled. */
  #before = new Uint8Array(0);
  /** Numbers that a run may have written when it ended: of each range a beginning is there. */
  readonly #unsure: Progress[] = [];
  #joinedBefore = 0;

  constructor(first: number) {
    this.#first = first;
  }

  /** What a run was writing when it ended. */
  addUnsure(range: Progress): void {
    if (range.doing > range.done) this.#unsure.push(range);
  }

  /**
   * `done`: all before this number is written, but for what is unsure; and nothing is being written.
   * `overflow`: words that are too long to be counted by themselves. None is written, but the beginning of
   * a word that goes on in another line's padding is one.
   */
  settle(done: number, words: Readonly<Record<string, number>>, overflow = 0): Settlement {
    const counts = new Uint8Array(done - this.#first);
    let joined = overflow;
    let impossible = 0;
    for (const [word, count] of Object.entries(words)) {
      const number = numberOf(word);
      if (number === null) joined += count;
      else if (number < this.#first || number >= done) impossible += count;
      else counts[number - this.#first] = Math.min(count, 255);
    }
    const wasWritten = this.#written(counts);
    let lost = 0;
    let lostBytes = 0;
    let doubled = 0;
    const before = this.#before;
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i] as number;
      const isSettled = i < before.length;
      const countBefore = isSettled ? (before[i] as number) : 0;
      if (count === 0 && wasWritten[i] === 1 && !(isSettled && countBefore === 0)) {
        lost++;
        lostBytes += eventLine(this.#first + i).length;
      }
      doubled += Math.max(0, count - Math.max(1, countBefore));
      if (isSettled && countBefore === 0 && count > 0) impossible += count;
    }
    this.#before = counts;
    const joinedNow = joined - this.#joinedBefore;
    this.#joinedBefore = joined;
    return { lost, lostBytes, doubled, joined: joinedNow, impossible };
  }

  /** By number from the first on: 1 where it is known to have been in the pipe. */
  #written(counts: Uint8Array): Uint8Array {
    const written = new Uint8Array(counts.length).fill(1);
    for (const { done, doing } of this.#unsure) {
      const [from, to] = [Math.max(0, done - this.#first), doing - this.#first];
      let end = to;
      while (end > from && counts[end - 1] === 0) end--;
      written.fill(0, end, to);
    }
    return written;
  }
}
