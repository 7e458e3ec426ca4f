import etag from 'etag';
import { LRUCache } from 'lru-cache';
import type { Counts, IngestClient } from '../ingest/ingest-client.js';
import type { CountedKind } from '../ingest/protocol.js';
import type { WindowRequest } from '../tally/interval.js';
import type { PaceClock } from './pace.js';
import { type Asker, SharedWork } from './shared-work.js';

/**
 * After each answer ingest threads read for so many times as long as all questions, those of streams too,
 * have taken them since the one before: they have two thirds of the time for it, whatever is asked.
 */
const READING_FACTOR = 2;
/** And the main thread has as long for others as it was busy while the answer was made, up to this: it may have waited longer. */
const OTHERS_MS_MAX = 250;
/** Bytes of answers that are kept. */
const KEPT_BYTES_MAX = 33_554_432;
/** What an answer takes besides its body. */
const KEPT_OVERHEAD_BYTES = 1024;

export interface Answer {
  readonly body: Buffer;
  readonly etag: string;
}

export interface SharedAnswersOptions {
  readonly keptBytesMax?: number;
  readonly clock?: PaceClock;
  /** For how many milliseconds the main thread has been busy. */
  readonly activeMs?: () => number;
}

interface Kept {
  readonly moment: string;
  readonly answer: Answer;
}

interface KeptCounts {
  readonly name: string;
  readonly moment: string;
  readonly counts: Counts;
}

/**
 * The answers that cost the most: made once for all who ask the same at the same time, and kept for as
 * long as nothing else is counted.
 */
export class SharedAnswers {
  readonly #ingest: IngestClient;
  readonly #activeMs: () => number;
  readonly #work: SharedWork;
  readonly #kept: LRUCache<string, Kept>;
  /** Those that were asked for last, as long as nothing else is counted. */
  #counts: KeptCounts | null = null;
  /** Of the ingest threads, when they were looked at last. */
  #answeringMs = 0;
  /** For how long the main thread was busy while the last answer was made. */
  #busyMs = 0;

  constructor(
    ingest: IngestClient,
    { keptBytesMax = KEPT_BYTES_MAX, clock, activeMs = loopActiveMs }: SharedAnswersOptions = {},
  ) {
    this.#ingest = ingest;
    this.#activeMs = activeMs;
    this.#work = new SharedWork({
      rest: () => this.#rest(),
      ...(clock !== undefined && { clock }),
    });
    this.#kept = new LRUCache({
      maxSize: keptBytesMax,
      sizeCalculation: ({ answer }) => answer.body.length + KEPT_OVERHEAD_BYTES,
    });
  }

  /** An answer whose body is the same as long as the counts of that window are. */
  async get(
    name: string,
    window: WindowRequest | null,
    asker: Asker,
    makeBody: () => Promise<Buffer>,
  ): Promise<Answer> {
    const kept = () => {
      const found = this.#kept.get(name);
      return found?.moment === this.#momentOf(window) ? found.answer : null;
    };
    return (
      kept() ??
      this.run(name, asker, async () => {
        const known = kept(); // made meanwhile
        if (known !== null) return known;
        const moment = this.#momentOf(window);
        const body = await makeBody();
        const answer = { body, etag: etag(body) };
        if (moment !== null && moment === this.#momentOf(window)) {
          this.#kept.set(name, { moment, answer });
        }
        return answer;
      })
    );
  }

  /** What answers are made from: asked for once, whatever their limits and formats are. Within such work only. */
  async counts(of: CountedKind, window: WindowRequest | null): Promise<Counts> {
    const name = JSON.stringify([of, window]);
    const moment = this.#momentOf(window);
    const kept = this.#counts;
    if (moment !== null && kept?.name === name && kept.moment === moment) return kept.counts;
    this.#counts = null; // not both at once in memory
    const counts = await this.#ingest.counts(of, window);
    if (moment !== null && moment === this.#momentOf(window)) {
      this.#counts = { name, moment, counts };
    }
    return counts;
  }

  /** Other work that costs as much. */
  run<T>(name: string, asker: Asker, work: () => Promise<T>): Promise<T> {
    return this.#work.run(name, asker, async () => {
      const begin = this.#activeMs();
      try {
        return await work();
      } finally {
        this.#busyMs = this.#activeMs() - begin;
      }
    });
  }

  #rest(): number {
    const { answeringMs } = this.#ingest;
    const spentMs = Math.max(0, answeringMs - this.#answeringMs); // a thread that was started again is at 0
    this.#answeringMs = answeringMs;
    return Math.max(READING_FACTOR * spentMs, Math.min(this.#busyMs, OTHERS_MS_MAX));
  }

  #momentOf(window: WindowRequest | null): string | null {
    const { moment } = this.#ingest;
    // The clock alone moves a window that ends now.
    const second = window?.until === 'now' ? Math.floor(Date.now() / 1000) : 0;
    return moment === null ? null : `${moment} ${second}`;
  }
}

function loopActiveMs(): number {
  return performance.eventLoopUtilization().active;
}
