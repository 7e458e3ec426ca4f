import type { ResourceLimits } from 'node:worker_threads';
import type { Log } from '../log.js';
import { reasonOf } from '../reason.js';
import { FifoDirectory } from '../sources/fifo-directory.js';
import type { SourceStatus } from '../sources/source.js';
import type { StandingLock } from '../sources/standing-lock.js';
import type { ThreadFolders } from '../state/state-directory.js';
import type { Recovery } from '../state/thread-folder.js';
import { EventTimeFront } from '../tally/event-time-front.js';
import {
  answerableSince,
  HOUR_SECONDS,
  type Interval,
  keptSeconds,
  MINUTE_SECONDS,
  resolveInterval,
  type WindowRequest,
} from '../tally/interval.js';
import type { KeyKind } from '../tally/key-table.js';
import type { RejectedLineReport } from '../tally/rejected-lines.js';
import { POST_SOURCE } from './ingest.js';
import {
  type Counts,
  type IngestClient,
  type IngestState,
  type IngestStats,
  IngestUnavailableError,
  SERIES_STEPS_MAX,
  type Series,
  type Snapshot,
  type SourceStats,
  StepTooFineError,
  WindowBeyondRetentionError,
} from './ingest-client.js';
import { IngestThread } from './ingest-thread.js';
import { KeyUnion } from './key-union.js';
import {
  type Keyed,
  mergeCounts,
  mergeIntervals,
  mergeMoments,
  mergeRejected,
  mergeScannerStats,
  mergeSeries,
  mergeSources,
  mergeStateStats,
  mergeTallyStats,
} from './merge.js';
import type {
  AnswerTo,
  CountedKind,
  CountsAnswer,
  CountsQuery,
  IngestOptions,
  PostAnswer,
  Query,
  Refusal,
  SeriesAnswer,
  SeriesQuery,
  SnapshotAnswer,
  SnapshotQuery,
  SourceCounts,
  StatsAnswer,
  ThreadStateOptions,
} from './protocol.js';

type Answered = CountsAnswer | SeriesAnswer | SnapshotAnswer;

/** An open source is idle when it gave no line for so long. */
const IDLE_AFTER_SECONDS = 10;
/** How often a window is asked for again when the front moved on between the threads' answers. */
const ATTEMPTS_MAX = 10;
/** Steps of a series for which no step was asked for. */
const STEPS = [1, MINUTE_SECONDS, HOUR_SECONDS] as const;
/** The name of standard input as a source. */
const STDIN = '-';
/** How often a start that the disk did not allow for is tried again. */
const BEGIN_RETRY_MS = 1000;
const POST_STATUS: SourceStatus = { state: 'open', reason: null };
const NO_COUNTS: SourceCounts = { lines: 0, bytes: 0, lastLineSecondsAgo: null, idleSeconds: 0 };

export interface IngestPoolOptions extends IngestOptions {
  /** Its FIFOs are read; null: none are. */
  readonly fifoDir: string | null;
  /** Holds it against a second consumer; missing: nothing does. */
  readonly fifoLock?: StandingLock | null;
  /** Whether standard input is read. */
  readonly readsStdin: boolean;
  readonly ingestWorkers: number;
}

/** Where the threads keep their state, and how. */
export interface PoolState extends Omit<ThreadStateOptions, 'folder' | 'from'> {
  /** One for each thread. */
  readonly threads: readonly ThreadFolders[];
  /** All threads have begun in their folders, and nothing is read yet. What it throws is tried again. */
  onBegun(): void;
  /** The state of a thread is damaged: it cannot be gone on with. */
  onDamaged(problem: string): void;
}

/**
 * The ingest threads as one: gives each source to the thread with the least to do, where it stays, and
 * asks all of them what is asked of it.
 *
 * A question goes to all threads at once, and each of them answers its questions in their order. So of
 * two answers one is the earlier in every thread, and the sum of the threads' batch numbers names one
 * moment, as a single thread's batch number does.
 */
export class IngestPool implements IngestClient {
  readonly retentionSeconds: number;
  /** Resolves when standard input has come to its end and is counted; null once it did so well. */
  readonly stdinEnded: Promise<string | null>;
  readonly #options: IngestPoolOptions;
  readonly #threads: readonly IngestThread[];
  readonly #fifos: FifoDirectory | null;
  readonly #front = new EventTimeFront();
  readonly #unions = { types: new KeyUnion(), words: new KeyUnion() };
  /** The thread of each source that ever was: a source that comes again goes on where it was. */
  readonly #threadOf = new Map<string, IngestThread>();
  readonly #identityOf = new Map<string, string>();
  #stdinStatus: SourceStatus = { state: 'open', reason: null };
  #endStdin: (reason: string | null) => void = () => {};
  readonly #log: Log;
  /** null: nothing outlasts the threads. */
  readonly #state: PoolState | null;
  #hasBegun = false;
  #setBegun: () => void = () => {};
  readonly #begun = new Promise<void>((resolve) => {
    this.#setBegun = resolve;
  });
  /** Why nothing is read yet; null when nothing is wrong. */
  #beginFault: string | null = null;

  constructor(
    options: IngestPoolOptions,
    log: Log,
    state: PoolState | null = null,
    resourceLimits: ResourceLimits = {},
  ) {
    const { fifoDir, ingestWorkers, retentionSeconds } = options;
    this.#options = options;
    this.#log = log;
    this.#state = state;
    this.retentionSeconds = retentionSeconds;
    this.stdinEnded = new Promise((resolve) => {
      this.#endStdin = resolve;
    });
    this.#threads = Array.from({ length: ingestWorkers }, (_, i): IngestThread => {
      const thread: IngestThread = new IngestThread(
        {
          options: toIngestOptions(options),
          state: state === null ? null : toThreadState(state, i),
          frontBuffer: this.#front.buffer,
          // The address space that the warm-up takes is another thread's, where there is little of it.
          warmsUp: ingestWorkers === 1,
        },
        log,
        {
          onReady: (recoveries, sources) => {
            this.#recovered(thread, recoveries, sources);
            this.#ready();
          },
          onDamaged: (problem) => state?.onDamaged(problem),
          onFault: (fault) => this.#reportFault(fault),
          onOpened: (name, identity) => this.#fifos?.opened(name, identity),
          onEnded: (name, reason) => this.#sourceEnded(name, reason),
          onDown: () => this.#down(thread),
        },
        resourceLimits,
      );
      return thread;
    });
    const host = {
      open: (name: string, path: Uint8Array, identity: string) => this.#open(name, path, identity),
      release: (name: string) => this.#threadOf.get(name)?.release(name),
      forget: (name: string) => this.#forget(name),
    };
    this.#fifos =
      fifoDir === null
        ? null
        : new FifoDirectory({ directory: fifoDir, lock: options.fifoLock ?? null, host, log });
  }

  /** The least of the threads' states: running when all are. */
  get state(): IngestState {
    const states = this.#threads.map((thread) => thread.state);
    return states.find((state) => state !== 'running') ?? 'running';
  }

  get lastEnd(): string | null {
    return this.#threads.map((thread) => thread.lastEnd).find((cause) => cause !== null) ?? null;
  }

  get moment(): string | null {
    const { value: front, droppedBefore, changes } = this.#front;
    // With a clock that was set back the front follows when a thread looks at it.
    const followsClock = front > Date.now() / 1000 + this.#options.maxClockSkewSeconds;
    if (this.state !== 'running' || followsClock) return null;
    return `${changes} ${front} ${droppedBefore}`;
  }

  get answeringMs(): number {
    return Math.max(...this.#threads.map((thread) => thread.answeringMs));
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

  async counts(of: CountedKind, request: WindowRequest | null): Promise<Counts> {
    const parts = await this.#askForWindow(request, (window) => ({ kind: 'counts', of, window }));
    return mergeCounts(this.#keyed(of, parts));
  }

  async series(
    of: KeyKind,
    request: WindowRequest,
    askedStep: number | null,
    limit: number,
  ): Promise<Series> {
    let stepSeconds = askedStep ?? finestStep((await this.#resolve(request)).resolution, request);
    for (;;) {
      try {
        const parts = await this.#askForWindow({ ...request, stepSeconds }, (window) => ({
          kind: 'series',
          of,
          window: window as Interval,
          stepSeconds,
        }));
        return mergeSeries(this.#keyed(of, parts), limit);
      } catch (error) {
        // The buckets may have become coarser meanwhile.
        if (askedStep !== null || !(error instanceof StepTooFineError)) throw error;
        stepSeconds = error.resolution;
      }
    }
  }

  async stats(): Promise<IngestStats> {
    return this.#mergeStats(await this.#askAll({ kind: 'stats' }));
  }

  async snapshot(kinds: readonly CountedKind[], request: WindowRequest | null): Promise<Snapshot> {
    const parts = await this.#askForWindow(request, (window) => ({
      kind: 'snapshot',
      kinds,
      window,
    }));
    const counts = kinds.map((of, i) =>
      mergeCounts(
        this.#keyed(
          of,
          parts.map((part) => part.counts[i] as CountsAnswer),
        ),
      ),
    );
    return { stats: this.#mergeStats(parts.map(({ stats }) => stats)), counts };
  }

  async rejected(): Promise<RejectedLineReport[]> {
    return mergeRejected((await this.#askAll({ kind: 'rejected' })).map(({ lines }) => lines));
  }

  loopUtilizations(): (number | null)[] {
    return this.#threads.map((thread) => thread.loopUtilization());
  }

  async post(lines: Uint8Array<ArrayBuffer>): Promise<PostAnswer> {
    // What a thread counted before would not count, if the process were killed now.
    if (this.#state !== null) await this.#begun;
    const running = this.#threads.filter((thread) => thread.state === 'running');
    const thread = leastOf(running.length === 0 ? this.#threads : running, (each) => each.waiting);
    const answer = await thread.ask({ kind: 'post', lines }, [lines.buffer]);
    if (answer.kind === 'held') throw new IngestUnavailableError(answer.reason);
    return answer;
  }

  #askAll<Q extends Query>(query: Q): Promise<AnswerTo<Q>[]> {
    return Promise.all(this.#threads.map((thread) => thread.ask(query)));
  }

  /**
   * Asks all threads for the same interval. Where the buckets of one are coarser than those of another,
   * all are asked for the interval that suits all; where the front has moved past it, it is resolved
   * again.
   */
  async #askForWindow<Q extends CountsQuery | SeriesQuery | SnapshotQuery>(
    request: WindowRequest | null,
    toQuery: (window: Interval | null) => Q,
  ): Promise<Exclude<AnswerTo<Q>, Refusal>[]> {
    let window = request === null ? null : await this.#resolve(request);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const answers: (Answered | Refusal)[] = await this.#askAll(toQuery(window));
      const refusal = answers.find((answer) => answer.kind === 'moved' || answer.kind === 'coarse');
      if (refusal?.kind === 'coarse') throw new StepTooFineError(refusal.resolution);
      if (refusal === undefined) {
        const intervals = (answers as Answered[]).flatMap(intervalsOf);
        const common = intervals.length === 0 ? null : mergeIntervals(intervals);
        const isCommon = ({ start, end }: Interval) =>
          start === common?.start && end === common.end;
        if (intervals.every(isCommon)) return answers as Exclude<AnswerTo<Q>, Refusal>[];
        window = common;
      } else if (request !== null) {
        window = await this.#resolve(request);
      }
    }
    throw new IngestUnavailableError('event time moves on faster than the threads can be asked');
  }

  /** The threads' answers, in the order of the threads, with the keys of their ids. */
  #keyed<A>(of: CountedKind, answers: readonly A[]): Keyed<A>[] {
    const kind = of === 'sums' ? 'types' : of;
    return this.#threads.map((thread, i) => ({ answer: answers[i] as A, keys: thread.keys(kind) }));
  }

  /** Rejects with WindowBeyondRetentionError. */
  async #resolve(request: WindowRequest): Promise<Interval> {
    const { retentionSeconds, maxClockSkewSeconds } = this.#options;
    const now = Date.now() / 1000;
    // The clock was set back: every thread has to look at it, which any question makes it do.
    if (this.#front.value > now + maxClockSkewSeconds) await this.#askAll({ kind: 'stats' });
    const front = this.#front.value;
    const kept = answerableSince(front, keptSeconds(retentionSeconds, maxClockSkewSeconds));
    const since = Math.max(kept, this.#front.droppedBefore);
    const result = resolveInterval(request, { now, front, since, retentionSeconds });
    if (!result.ok) throw new WindowBeyondRetentionError(result.since);
    return result.interval;
  }

  #mergeStats(answers: readonly StatsAnswer[]): IngestStats {
    const sources = mergeSources(answers.map((answer) => answer.sources));
    const ages = Array.from(sources.values())
      .map(({ lastLineSecondsAgo }) => lastLineSecondsAgo)
      .filter((age) => age !== null);
    // Not the front, which other lines may have moved on since the threads answered.
    const newest = Math.max(...answers.map(({ lastEventTime }) => lastEventTime ?? -1));
    return {
      ...mergeTallyStats(answers, {
        types: this.#distinct('types'),
        words: this.#distinct('words'),
      }),
      ...mergeMoments(answers),
      lastEventTime: newest < 0 ? null : newest,
      lastLineSecondsAgo: ages.length === 0 ? null : Math.min(...ages),
      sources: this.#sourceStats(sources),
      scanner: mergeScannerStats(answers.map(({ scanner }) => scanner)),
      state: this.#stateStats(answers),
      fifoDir: this.#fifos?.status ?? { ok: true, reason: null },
    };
  }

  #stateStats(answers: readonly StatsAnswer[]): IngestStats['state'] {
    const merged = mergeStateStats(answers.map(({ state }) => state));
    return merged && { ...merged, fault: this.#beginFault ?? merged.fault };
  }

  /** Keys of all threads, each once. All of them are known once every thread has answered. */
  #distinct(of: KeyKind): number {
    const [first, ...others] = this.#threads.map((thread) => thread.keys(of));
    if (others.length === 0) return (first as readonly string[]).length - 1;
    return this.#unions[of].size([first as readonly string[], ...others]) - 1;
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

  #open(name: string, path: Uint8Array | null, identity: string): boolean {
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

  /**
   * The thread with the fewest sources to read. One that starts counts too, or the first to come up
   * would get all; one that has ended has its own to come back to, and may never be back.
   */
  #leastBusy(): IngestThread {
    const gone = new Set<string>();
    for (const [name, { state }] of this.#fifos?.statuses() ?? [])
      if (state === 'gone') gone.add(name);
    const sources = new Map<IngestThread, number>();
    for (const [name, thread] of this.#threadOf) {
      if (!gone.has(name)) sources.set(thread, (sources.get(thread) ?? 0) + 1);
    }
    const candidates = this.#threads.filter((thread) => thread.state !== 'restarting');
    const threads = candidates.length === 0 ? this.#threads : candidates;
    return leastOf(threads, (thread) => sources.get(thread) ?? 0);
  }

  #ready(): void {
    // Once all run: the first thread to come up must not get all sources that are there already.
    if (this.state !== 'running' || !this.#begin()) return;
    if (this.#options.readsStdin && !this.#threadOf.has(STDIN)) this.#open(STDIN, null, STDIN);
    this.#fifos?.look();
  }

  /** False where the state cannot be begun with yet: it is tried again. */
  #begin(): boolean {
    if (this.#hasBegun) return true;
    try {
      this.#state?.onBegun();
      this.#hasBegun = true;
      this.#beginFault = null;
      this.#setBegun();
    } catch (error) {
      this.#beginFault = reasonOf(error as Error);
      this.#reportFault(this.#beginFault);
      setTimeout(() => this.#ready(), BEGIN_RETRY_MS).unref();
    }
    return this.#hasBegun;
  }

  /** A source that a thread has counted before stays with it: what is unfinished of it is there. */
  #recovered(
    thread: IngestThread,
    recoveries: readonly Recovery[],
    sources: readonly string[],
  ): void {
    for (const name of sources) this.#threadOf.set(name, thread);
    for (const { checkpoint, journalRecords, journalBytes, cutBytes, skipped } of recoveries) {
      this.#log('info', 'state read', { checkpoint, journalRecords, journalBytes });
      if (cutBytes > 0) this.#log('warn', 'the torn end of the journal was cut', { cutBytes });
      if (skipped.length > 0) this.#log('warn', 'checkpoints that are not whole', { skipped });
    }
  }

  #reportFault(fault: string | null): void {
    if (fault === null) this.#log('info', 'the state can be kept again: reading goes on');
    else this.#log('error', 'the state cannot be kept: nothing is read until it can', { fault });
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
    this.#front.change();
    for (const [name, owner] of this.#threadOf) {
      if (owner === thread) this.#sourceEnded(name, name === STDIN ? 'its thread ended' : null);
    }
  }
}

function toThreadState(
  { hasJournal, checkpointIntervalMs, journalSyncIntervalMs, journalBytesMax, threads }: PoolState,
  thread: number,
): ThreadStateOptions {
  const { folder, from } = threads[thread] as ThreadFolders;
  return {
    folder,
    from,
    hasJournal,
    checkpointIntervalMs,
    journalSyncIntervalMs,
    journalBytesMax,
  };
}

/** What a thread is told: no more than it needs, and no secrets. */
function toIngestOptions(options: IngestOptions): IngestOptions {
  const { scanner, mapping, lineBytesMax, eventTypesMax, wordsMax, keyBytesMax } = options;
  const { retentionSeconds, maxClockSkewSeconds, windowCellsMax } = options;
  return {
    scanner,
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

function leastOf<T>(items: readonly T[], measure: (item: T) => number): T {
  return items.reduce((least, item) => (measure(item) < measure(least) ? item : least));
}

function intervalsOf(answer: Answered): Interval[] {
  const intervals = answer.kind === 'snapshot' ? answer.counts : [answer];
  return intervals.map(({ interval }) => interval).filter((interval) => interval !== null);
}

function finestStep(resolution: number, { windowSeconds }: WindowRequest): number {
  const fits = (step: number) => step >= resolution && windowSeconds / step <= SERIES_STEPS_MAX;
  return STEPS.find(fits) ?? HOUR_SECONDS;
}
