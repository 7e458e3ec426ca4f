import { Ingest } from '#consumer/ingest/ingest.js';
import type { StatsAnswer } from '#consumer/ingest/protocol.js';
import type { StateFiles } from '#consumer/state/state-files.js';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';
import { event } from './fifo-writer.js';
import { POOL_OPTIONS } from './pool-options.js';

/** Small: a checkpoint every few posts, and reading waits where several fail. */
const JOURNAL_BYTES_MAX = 250;

/** An ingest thread's content, without its thread. */
export class IngestSubject {
  fault: string | null = null;
  readonly #ingest: Ingest;

  constructor() {
    const clock = { now: () => 1000, monotonicSeconds: () => performance.now() / 1000 };
    this.#ingest = new Ingest({ ...POOL_OPTIONS, wordsMax: 1000 }, new EventTimeFront(), clock, {
      onOpened: () => {},
      onEnded: () => {},
      onFault: (fault) => {
        this.fault = fault;
      },
    });
  }

  async begin(folder: string, files: StateFiles): Promise<void> {
    const state = {
      folder,
      from: [folder],
      hasJournal: true,
      checkpointIntervalMs: 3_600_000,
      journalSyncIntervalMs: 5,
      journalBytesMax: JOURNAL_BYTES_MAX,
    };
    await this.#ingest.keepState(state, files);
  }

  /** False where it is refused. */
  async post(word: string): Promise<boolean> {
    const lines = new TextEncoder().encode(event('a', word));
    return (await this.#ingest.post({ kind: 'post', lines })).kind === 'post';
  }

  async stop(): Promise<void> {
    await this.#ingest.stop();
  }

  /** No checkpoint is being taken, or none can be. */
  get isSettled(): boolean {
    const answer = this.#ingest.answer({ kind: 'stats' });
    const { state } = answer as StatsAnswer;
    return state === null || state.fault !== null || state.journalBytes <= JOURNAL_BYTES_MAX;
  }

  words(): Readonly<Record<string, number>> {
    const answer = this.#ingest.answer({ kind: 'counts', of: 'words', window: null });
    if (answer.kind !== 'counts') throw new Error(answer.kind);
    const keys = ['', ...(answer.newKeys[0]?.keys ?? [])];
    return Object.fromEntries(
      Array.from(answer.ids, (id, i) => [keys[id], answer.counts[i] as number]),
    );
  }
}
