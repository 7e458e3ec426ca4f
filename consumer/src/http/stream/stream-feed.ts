import pTimeout from 'p-timeout';
import { type IngestClient, IngestUnavailableError } from '../../ingest/ingest-client.js';
import { statsDocument } from '../documents.js';
import type { Pace } from '../pace.js';
import { INTERVAL_MS_MIN } from '../parameters.js';
import { stillHolds } from './still-holds.js';
import {
  type Frame,
  problemFrame,
  type StreamManner,
  type StreamSnapshot,
  type StreamSubject,
  toStreamSnapshot,
} from './stream-frame.js';
import { StreamGroup } from './stream-group.js';

/** A stream whose first frame takes longer is opened without it: silent, it would be taken for dead. */
const FIRST_FRAME_MS_MAX = 1000;

export interface StreamFeedOptions {
  readonly ingest: IngestClient;
  /** Of all feeds. */
  readonly pace: Pace;
  readonly subject: StreamSubject;
  /** The document that tells of an error which ends the streams. */
  readonly toProblem: (error: unknown) => string;
}

/**
 * What all clients that ask for the same counts are given: one snapshot for all groups that are due. It
 * looks no more often than the shortest interval, whatever the intervals of the groups are.
 */
export class StreamFeed {
  isStopped = false;
  readonly #options: StreamFeedOptions;
  readonly #groups = new Map<string, StreamGroup>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #newest: StreamSnapshot | null = null;
  #newestAt = Number.NEGATIVE_INFINITY;

  constructor(options: StreamFeedOptions) {
    this.#options = options;
  }

  /** Takes a place in the group of that manner, which is to be left again. */
  enter(manner: StreamManner): StreamGroup {
    const key = keyOf(manner);
    const group = this.#groups.get(key) ?? new StreamGroup(manner);
    this.#groups.set(key, group);
    group.places++;
    return group;
  }

  leave(group: StreamGroup): void {
    if (--group.places > 0) return;
    this.#groups.delete(keyOf(group.manner));
    if (this.#groups.size === 0) this.stop();
  }

  /**
   * Resolves with null where the first frame is late, or no ingest thread is there to be asked. Rejects
   * with WindowBeyondRetentionError.
   */
  firstFrame(group: StreamGroup): Promise<Frame | null> {
    const frame = group.firstFrame(this.#fresh());
    this.#schedule();
    return pTimeout(frame, { milliseconds: FIRST_FRAME_MS_MAX, fallback: () => null });
  }

  heartbeat(): void {
    for (const client of this.#clients()) client.heartbeat();
  }

  end(last?: Uint8Array): void {
    this.stop();
    for (const client of this.#clients()) client.end(last);
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.#timer);
  }

  refuse(error: unknown): void {
    for (const group of this.#groups.values()) group.refuse(error);
  }

  #clients() {
    return [...this.#groups.values()].flatMap(({ clients }) => [...clients]);
  }

  #schedule(): void {
    if (this.isStopped || this.#isLooking) return;
    clearTimeout(this.#timer);
    const groups = [...this.#groups.values()];
    const now = performance.now();
    const dueAt = Math.min(...groups.map((group) => group.dueAt));
    const at = groups.some(({ hasNewcomers }) => hasNewcomers)
      ? now
      : Math.max(dueAt, this.#lookedAt + INTERVAL_MS_MIN);
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, at - now));
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      await this.#update();
    } catch (error) {
      if (error instanceof IngestUnavailableError) {
        // The streams go on, or begin, once the ingest thread is back.
        for (const group of this.#groups.values()) group.admit();
      } else {
        this.refuse(error);
        this.stop();
        if (this.#clients().length > 0) this.end(problemFrame(this.#options.toProblem(error)));
      }
    }
    this.#isLooking = false;
    this.#schedule();
  }

  async #update(): Promise<void> {
    const { pace } = this.#options;
    const others = await pace.run(async () => {
      if (this.isStopped) return [];
      const now = performance.now();
      this.#lookedAt = now;
      const groups = [...this.#groups.values()].filter(
        ({ dueAt, hasNewcomers }) => hasNewcomers || dueAt <= now,
      );
      const limit = Math.max(0, ...groups.map(({ manner }) => manner.limit));
      const isFresh = (this.#fresh()?.limit ?? 0) >= limit;
      const hasNews = isFresh || (await this.#hasNews(groups));
      if (hasNews && !isFresh) await this.#renew();
      for (const group of groups) group.dueAt = now + group.manner.intervalMs;
      // Who came meanwhile is not to be told what was counted long ago.
      const [first, ...rest] = hasNews ? groups : [];
      if (first !== undefined) this.#tell(first);
      return rest;
    });
    // Each on its own: to write the longest lists takes as long as to count.
    for (const group of others) await pace.run(() => this.#tell(group));
  }

  #tell(group: StreamGroup): void {
    const newest = this.#newest;
    if (newest === null || this.isStopped) return;
    if (group.places > 0 && !group.wasTold(newest)) group.tell(newest);
  }

  /** The newest snapshot if it is young enough to serve others than those that it was made for. */
  #fresh(): StreamSnapshot | null {
    return performance.now() - this.#newestAt < INTERVAL_MS_MIN ? this.#newest : null;
  }

  /** Whether there is something to tell to these groups; asks for no counts. */
  async #hasNews(groups: readonly StreamGroup[]): Promise<boolean> {
    const newest = this.#newest;
    if (newest === null || !groups.every((group) => group.wasTold(newest))) return true;
    const at = Date.now() / 1000;
    return !stillHolds(newest, statsDocument(await this.#options.ingest.stats()), at);
  }

  async #renew(): Promise<void> {
    const { ingest, subject } = this.#options;
    // For all of them: whoever is due next may find it fresh.
    const limits = [...this.#groups.values()].map(({ manner }) => manner.limit);
    const limit = Math.max(...limits);
    const askedAt = Date.now() / 1000;
    const snapshot = await ingest.snapshot(subject.kinds, subject.window);
    this.#newest = toStreamSnapshot(subject, snapshot, { limit, askedAt });
    this.#newestAt = performance.now();
  }
}

function keyOf({ limit, intervalMs }: StreamManner): string {
  return `${limit} ${intervalMs}`;
}
