import etag from 'etag';
import { LRUCache } from 'lru-cache';
import type { IngestClient } from '../ingest/ingest-client.js';
import type { WindowRequest } from '../tally/interval.js';
import { type Asker, SharedWork } from './shared-work.js';

/**
 * All answers of counts together have a quarter of the time. With the fifth that the streams have, an
 * ingest thread reads for at least half of its time, whatever is asked.
 */
const REST_FACTOR = 3;
/** Bytes of answers that are kept. */
const KEPT_BYTES_MAX = 33_554_432;

export interface Answer {
  readonly body: Buffer;
  readonly etag: string;
}

interface Kept {
  readonly moment: string;
  readonly answer: Answer;
}

/**
 * The answers that cost the most: made once for all who ask the same at the same time, and kept for as
 * long as nothing else is counted.
 */
export class SharedAnswers {
  readonly #ingest: IngestClient;
  readonly #work = new SharedWork({ restFactor: REST_FACTOR });
  readonly #kept: LRUCache<string, Kept>;

  constructor(ingest: IngestClient, keptBytesMax = KEPT_BYTES_MAX) {
    this.#ingest = ingest;
    this.#kept = new LRUCache({
      maxSize: keptBytesMax,
      sizeCalculation: ({ answer }) => answer.body.length,
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

  /** Other work that costs as much. */
  run<T>(name: string, asker: Asker, work: () => Promise<T>): Promise<T> {
    return this.#work.run(name, asker, work);
  }

  #momentOf(window: WindowRequest | null): string | null {
    const { moment } = this.#ingest;
    // The clock alone moves a window that ends now.
    const second = window?.until === 'now' ? Math.floor(Date.now() / 1000) : 0;
    return moment === null ? null : `${moment} ${second}`;
  }
}
