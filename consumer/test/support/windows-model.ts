import { expect } from 'chai';
import type { Interval, WindowRequest } from '#consumer/tally/interval.js';
import type { PlainEvent } from './build-batch.js';
import { SKEW_SECONDS } from './windows-subject.js';

const EXACT_SECONDS = 600;
const floorTo = (time: number, step: number) => Math.floor(time / step) * step;
const ceilTo = (time: number, step: number) => Math.ceil(time / step) * step;

/** What windows answer, by keeping every event, and what they may refuse. */
export class WindowsModel {
  readonly retentionSeconds: number;
  now: number;
  front = Number.NEGATIVE_INFINITY;
  late = 0;
  ahead = 0;
  /** The front has had to go back at least once. */
  wasSetBack = false;
  /** Neither late nor ahead, of each thread. */
  readonly #kept: PlainEvent[][];
  /** Of each thread, an event time that the front is not before. */
  readonly #newest: number[];
  /** Threads that have not looked at the clock since the front had to go back. */
  readonly #unaware = new Set<number>();
  /** Second of the newest event that a bucket may have been dropped with. */
  #newestDropped = Number.NEGATIVE_INFINITY;

  constructor(retentionSeconds: number, threads: number, now: number) {
    this.retentionSeconds = retentionSeconds;
    this.now = now;
    this.#kept = Array.from({ length: threads }, () => []);
    this.#newest = this.#kept.map(() => Number.NEGATIVE_INFINITY);
  }

  stepClock(seconds: number): void {
    this.now += seconds;
    if (this.front > this.now + SKEW_SECONDS) {
      this.wasSetBack = true;
      for (const thread of this.#kept.keys()) this.#unaware.add(thread);
    }
  }

  /**
   * A thread looks at the clock. Where the front is then, if that was set back, is checked and taken over:
   * which second of a minute was the last before the limit is not known to the second.
   */
  follow(thread: number, front: number): void {
    if (!this.#unaware.delete(thread)) {
      expect(front, 'the front stays').to.equal(this.front);
      return;
    }
    const limit = this.now + SKEW_SECONDS;
    if ((this.#newest[thread] as number) > limit) {
      const times = (this.#kept[thread] as PlainEvent[]).map(({ time }) => time);
      const newest = Math.max(...times.filter((time) => time <= limit));
      this.#newest[thread] = Math.floor(newest);
    }
    const atLeast = this.#newest[thread] as number;
    expect(front, 'the front is not before an event').to.be.at.least(
      this.front > limit ? atLeast : Math.max(this.front, atLeast),
    );
    expect(front, 'the front is not too far ahead of the clock').to.be.at.most(limit);
    this.front = front;
  }

  /** Another thread's event, of which these know no more than the front. */
  advanceFront(time: number): void {
    this.front = Math.max(this.front, time);
  }

  add(thread: number, events: readonly PlainEvent[]): void {
    for (const event of events) {
      if (event.time > this.now + SKEW_SECONDS) this.ahead++;
      else if (event.time < this.front - this.retentionSeconds) this.late++;
      else {
        this.front = Math.max(this.front, event.time);
        this.#kept[thread]?.push(event);
        this.#newest[thread] = Math.max(this.#newest[thread] as number, event.time);
      }
    }
  }

  /** To be called after each step: notes the events whose buckets may be gone from now on. */
  age(): void {
    const since = this.sinceAtMost();
    for (const { time } of this.#kept.flat()) {
      if (floorTo(time, 60) < since) {
        this.#newestDropped = Math.max(this.#newestDropped, Math.floor(time));
      }
    }
  }

  /** What is answered begins no later than this, retention, skew and a minute back from the front. */
  sinceAtMost(): number {
    const edge = ceilTo(this.front - this.retentionSeconds - SKEW_SECONDS - 60, 60);
    return Math.max(0, edge, this.#newestDropped + 1);
  }

  /** What is asked for, to the second. */
  asked({
    windowSeconds,
    until,
    alignSeconds,
    stepSeconds,
  }: WindowRequest): Omit<Interval, 'resolution'> {
    const seen = until === 'latest' && this.front >= 0 ? this.front : this.now;
    let end =
      typeof until === 'number' ? until : Math.floor(seen) + (alignSeconds === null ? 1 : 0);
    end = floorTo(end, alignSeconds ?? 1);
    const start = Math.max(0, floorTo(end - windowSeconds, stepSeconds));
    return { start, end: ceilTo(end, stepSeconds) };
  }

  /** Whether all of the interval is certainly as recent as buckets of a second are. */
  isExact(start: number): boolean {
    return !this.wasSetBack && start >= this.front - EXACT_SECONDS;
  }

  in({ start, end }: Omit<Interval, 'resolution'>): PlainEvent[] {
    return this.#kept.flat().filter(({ time }) => time >= start && time < end);
  }
}
