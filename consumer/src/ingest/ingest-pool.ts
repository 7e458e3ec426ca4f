import type { ResourceLimits } from 'node:worker_threads';
import type { Log } from '../log.js';
import { FifoDirectory } from '../sources/fifo-directory.js';
import type { SourceStatus } from '../sources/source.js';
import { EventTimeFront } from '../tally/event-time-front.js';
import type { WindowRequest } from '../tally/interval.js';
import type { KeyKind } from '../tally/key-table.js';
import { POST_SOURCE } from './ingest.js';
import {
  type Counts,
  type IngestClient,
  type IngestState,
  type IngestStats,
  IngestUnavailableError,
  type Series,
  type SourceStats,
  StepTooFineError,
  WindowBeyondRetentionError,
} from './ingest-client.js';
import { IngestThread } from './ingest-thread.js';
import {
  type Keyed,
  mergeCounts,
  mergeMoments,
  mergeSeries,
  mergeSources,
  mergeTallyStats,
} from './merge.js';
import type {
  AnswerTo,
  CountedKind,
  CountsQuery,
  IngestOptions,
  PostAnswer,
  Refusal,
  SeriesQuery,
  SourceCounts,
} from './protocol.js';

/** An open source is idle when it gave no line for so long. */
const IDLE_AFTER_SECONDS = 10;
/** How often a window is asked for again when the front moved on between the threads' answers. */
const ATTEMPTS_MAX = 10;
/** The name of standard input as a source. */
const STDIN = '-';
const POST_STATUS: SourceStatus = { state: 'open', reason: null };
const NO_COUNTS: SourceCounts = { lines: 0, bytes: 0, lastLineSecondsAgo: null, idleSeconds: 0 };

export interface IngestPoolOptions extends IngestOptions {
  /** Its FIFOs are read; null: none are. */
  readonly fifoDir: string | null;
  /** Whether standard input is read. */
  readonly readsStdin: boolean;
  readonly ingestWorkers: number;
}

/**
 * The ingest threads as one: gives each source to the thread with the least to do, where it stays, and
 * asks all of them what is asked of it.
 */
export class IngestPool implements IngestClient {
  readonly retentionSeconds: number;
  /** Resolves when standard input has come to its end and is counted; null once it did so well. */
  readonly stdinEnded: Promise<string | null>;
  readonly #options: IngestPoolOptions;
  readonly #threads: readonly IngestThread[];
  readonly #fifos: FifoDirectory | null;
  readonly #front = new EventTimeFront();
  /** The thread of each source that ever was: a source that comes again goes on where it was. */
  readonly #threadOf = new Map<string, IngestThread>();
  readonly #identityOf = new Map<string, string>();
  #stdinStatus: SourceStatus = { state: 'open', reason: null };
  #endStdin: (reason: string | null) => void = () => {};

  constructor(options: IngestPoolOptions, log: Log, resourceLimits: ResourceLimits = {}) {
    const { fifoDir, ingestWorkers, retentionSeconds } = options;
    this.#options = options;
    const data = { options: toIngestOptions(options), frontBuffer: this.#front.buffer };
    this.retentionSeconds = retentionSeconds;
    this.stdinEnded = new Promise((resolve) => {
      this.#endStdin = resolve;
    });
    this.#threads = Array.from({ length: ingestWorkers }, (): IngestThread => {
      const thread: IngestThread = new IngestThread(
        data,
        log,
        {
          onReady: () => this.#ready(),
          onOpened: (name, identity) => this.#fifos?.opened(name, identity),
          onEnded: (name, reason) => this.#sourceEnded(name, reason),
          onDown: () => this.#down(thread),
        },
        resourceLimits,
      );
      return thread;
    });
    const host = {
      open: (name: string, path: string, identity: string) => this.#open(name, path, identity),
      release: (name: string) => this.#threadOf.get(name)?.release(name),
      forget: (name: string) => this.#forget(name),
    };
    this.#fifos = fifoDir === null ? null : new FifoDirectory({ directory: fifoDir, host, log });
  }

  /** The least of the threads' states: running when all are. */
  get state(): IngestState {
    const states = this.#threads.map((thread) => thread.state);
    return states.find((state) => state !== 'running') ?? 'running';
  }

  get lastEnd(): string | null {
    return this.#threads.map((thread) => thread.lastEnd).find((cause) => cause !== null) ?? null;
  }

  start(): void {
    for (const thread of this.#threads) thread.start();
    this.#fifos?.start();
  }

  /** Resolves when all threads have counted what they read and have ended. */
  async stop(): Promise<void> {
    this.#fifos?.stop();
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }

  async counts(of: CountedKind, window: WindowRequest | null): Promise<Counts> {
    const query: CountsQuery = { kind: 'counts', of, window };
    return mergeCounts(await this.#askForKeys(query, of === 'sums' ? 'types' : of));
  }

  async series(
    of: KeyKind,
    window: WindowRequest,
    stepSeconds: number | null,
    limit: number,
  ): Promise<Series> {
    const query: SeriesQuery = { kind: 'series', of, window, stepSeconds };
    return mergeSeries(await this.#askForKeys(query, of), limit);
  }

  async stats(): Promise<IngestStats> {
    const answers = await Promise.all(this.#threads.map((thread) => thread.ask({ kind: 'stats' })));
    const sources = mergeSources(answers.map((answer) => answer.sources));
    const ages = Array.from(sources.values())
      .map(({ lastLineSecondsAgo }) => lastLineSecondsAgo)
      .filter((age) => age !== null);
    const front = this.#front.value;
    return {
      ...mergeTallyStats(answers, {
        types: this.#distinct('types'),
        words: this.#distinct('words'),
      }),
      ...mergeMoments(answers),
      lastEventTime: front < 0 ? null : front,
      lastLineSecondsAgo: ages.length === 0 ? null : Math.min(...ages),
      sources: this.#sourceStats(sources),
      fifoDirFault: this.#fifos?.fault ?? null,
    };
  }

  post(lines: Uint8Array<ArrayBuffer>): Promise<PostAnswer> {
    return this.#leastBusy().ask({ kind: 'post', lines }, [lines.buffer]);
  }

  /**
   * Asks every thread for the same keys. A window is resolved by the first thread, against the clock and
   * the front as they are between two of its reads; the others are asked for just that interval, and if
   * one of them has moved past it meanwhile, all are asked again.
   */
  async #askForKeys<Q extends CountsQuery | SeriesQuery>(
    query: Q,
    of: KeyKind,
  ): Promise<Keyed<Exclude<AnswerTo<Q>, Refusal>>[]> {
    type Part = Keyed<Exclude<AnswerTo<Q>, Refusal>>;
    const ask = async (thread: IngestThread, asked: CountsQuery | SeriesQuery) => {
      const answer = await thread.ask(asked);
      return { answer, keys: thread.keys(of) };
    };
    const [first, ...others] = this.#threads as [IngestThread, ...IngestThread[]];
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const resolved = await ask(first, query);
      if ('interval' in resolved.answer) {
        const { interval: window, ...answer } = resolved.answer;
        const asked = { ...query, window } as CountsQuery | SeriesQuery;
        const same =
          'stepSeconds' in answer ? { ...asked, stepSeconds: answer.stepSeconds } : asked;
        const parts = await Promise.all(
          others.map((thread) => ask(thread, same as CountsQuery | SeriesQuery)),
        );
        parts.unshift(resolved);
        if (parts.every(({ answer }) => 'interval' in answer)) return parts as Part[];
      } else if (resolved.answer.kind !== 'moved') {
        throw toError(resolved.answer);
      }
    }
    throw new IngestUnavailableError('event time moves on faster than the threads can be asked');
  }

  /** Keys of all threads, each once. All of them are known once every thread has answered. */
  #distinct(of: KeyKind): number {
    const [first, ...others] = this.#threads.map((thread) => thread.keys(of));
    if (others.length === 0) return (first as readonly string[]).length - 1;
    return new Set([first, ...others].flat()).size - 1;
  }

  #sourceStats(counts: ReadonlyMap<string, SourceCounts>): SourceStats[] {
    const statuses = new Map<string, SourceStatus>(this.#fifos?.statuses());
    if (this.#options.readsStdin) statuses.set(STDIN, this.#stdinStatus);
    if (counts.has(POST_SOURCE)) statuses.set(POST_SOURCE, POST_STATUS);
    return Array.from(statuses, ([name, { state, reason }]) => {
      const { idleSeconds, ...rest } = counts.get(name) ?? NO_COUNTS;
      const isIdle = state === 'open' && idleSeconds > IDLE_AFTER_SECONDS;
      return { name, state: isIdle ? 'idle' : state, reason, ...rest };
    });
  }

  #open(name: string, path: string | null, identity: string): boolean {
    const thread =
      this.#threadOf.get(name) ?? this.#threadByIdentity(identity) ?? this.#leastBusy();
    if (thread.state !== 'running') return false;
    this.#threadOf.set(name, thread);
    this.#identityOf.set(name, identity);
    thread.open(name, path);
    return true;
  }

  /** The thread that reads, or read, this very pipe under another name: it alone can end that reading. */
  #threadByIdentity(identity: string): IngestThread | undefined {
    for (const [name, known] of this.#identityOf) {
      if (known === identity) return this.#threadOf.get(name);
    }
    return undefined;
  }

  #forget(name: string): void {
    this.#threadOf.get(name)?.forget(name);
    this.#threadOf.delete(name);
    this.#identityOf.delete(name);
  }

  /** The thread with the fewest sources. */
  #leastBusy(): IngestThread {
    const sources = (thread: IngestThread) =>
      [...this.#threadOf.values()].filter((owner) => owner === thread).length;
    const [first, ...others] = this.#threads as [IngestThread, ...IngestThread[]];
    return others.reduce(
      (least, thread) => (sources(thread) < sources(least) ? thread : least),
      first,
    );
  }

  #ready(): void {
    // Once all run: the first thread to come up must not get all sources that are there already.
    if (this.state !== 'running') return;
    if (this.#options.readsStdin && !this.#threadOf.has(STDIN)) this.#open(STDIN, null, STDIN);
    this.#fifos?.look();
  }

  #sourceEnded(name: string, reason: string | null): void {
    if (name !== STDIN) {
      this.#fifos?.ended(name, reason);
      return;
    }
    this.#stdinStatus = { state: reason === null ? 'ended' : 'failed', reason };
    this.#endStdin(reason);
  }

  /** What a thread read is to be opened again, but for standard input, which its end has closed. */
  #down(thread: IngestThread): void {
    for (const [name, owner] of this.#threadOf) {
      if (owner === thread) this.#sourceEnded(name, name === STDIN ? 'its thread ended' : null);
    }
  }
}

/** What a thread is told: no more than it needs, and no secrets. */
function toIngestOptions(options: IngestOptions): IngestOptions {
  const { mapping, lineBytesMax, eventTypesMax, wordsMax, keyBytesMax } = options;
  const { retentionSeconds, maxClockSkewSeconds, windowCellsMax } = options;
  return {
    mapping,
    lineBytesMax,
    eventTypesMax,
    wordsMax,
    keyBytesMax,
    retentionSeconds,
    maxClockSkewSeconds,
    windowCellsMax,
  };
}

function toError(refusal: Exclude<Refusal, { kind: 'moved' }>): Error {
  return refusal.kind === 'beyond'
    ? new WindowBeyondRetentionError(refusal.since)
    : new StepTooFineError(refusal.resolution);
}
