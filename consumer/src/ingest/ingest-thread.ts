import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { Log } from '../log.js';
import type { Recovery } from '../state/thread-folder.js';
import type { KeyKind } from '../tally/key-table.js';
import { type IngestState, IngestUnavailableError } from './ingest-client.js';
import { LoopMeter } from './loop-meter.js';
import type {
  Answer,
  AnswerTo,
  IngestWorkerData,
  MessageFromIngest,
  MessageToIngest,
  NewKeys,
  Query,
} from './protocol.js';

/** Waits before the thread is started again; the last one repeats. */
const RESTART_DELAYS_MS = [100, 200, 400, 800, 1600, 3200, 5000] as const;
/** A thread that ran for so long had recovered: its end begins a new series of waits. */
const RECOVERED_AFTER_MS = 30_000;
/** How long a query may take; it is answered between two reads, which take milliseconds. */
const QUERY_TIMEOUT_MS = 5000;
/** How long a thread that was told to stop may take before it is ended from outside. */
const STOP_TIMEOUT_MS = 700;
/** The same for one that has to write a last checkpoint. */
const STOP_WITH_STATE_TIMEOUT_MS = 6000;

interface Pending {
  resolve(answer: Answer): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout | undefined;
}

export interface IngestThreadHandlers {
  /** It has started, or started again, with what it has counted before, and reads nothing yet. */
  onReady(recoveries: readonly Recovery[], sources: readonly string[]): void;
  /** The state that it was to start with is damaged. It will not be started again. */
  onDamaged(problem: string): void;
  /** The disk does not take what it counts, so that it reads nothing; null: it does again. */
  onFault(fault: string | null): void;
  onOpened(name: string, identity: string): void;
  onEnded(name: string, reason: string | null): void;
  /** The thread has ended, and with it all that it read. */
  onDown(): void;
}

/**
 * The main thread's side of one ingest thread: starts it, asks it, and starts it again when it ends.
 * However it ends (an exception, memory, a message that cannot be read, an exit that nobody asked for),
 * #ended is where it is told, and the only place.
 */
export class IngestThread {
  #data: IngestWorkerData;
  readonly #log: Log;
  readonly #handlers: IngestThreadHandlers;
  readonly #resourceLimits: ResourceLimits;
  readonly #pending = new Map<number, Pending>();
  #keys: Record<KeyKind, string[]> = { types: [''], words: [''] };
  #worker: Worker | null = null;
  #loopMeter: LoopMeter | null = null;
  #state: IngestState = 'starting';
  #lastEnd: string | null = null;
  #restarts = 0;
  #startedAt = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #nextQueryId = 0;
  #answeringMs = 0;

  /** Without limits the thread's heap has V8's default, by the machine's memory. */
  constructor(
    data: IngestWorkerData,
    log: Log,
    handlers: IngestThreadHandlers,
    resourceLimits: ResourceLimits = {},
  ) {
    this.#data = data;
    this.#log = log;
    this.#handlers = handlers;
    this.#resourceLimits = resourceLimits;
  }

  get state(): IngestState {
    return this.#state;
  }

  /** Questions and posted bodies that it has not answered yet. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** How long it has been answering since its start. */
  get answeringMs(): number {
    return this.#answeringMs;
  }

  /** Why the thread ended last; null if it never did. */
  get lastEnd(): string | null {
    return this.#lastEnd;
  }

  start(): void {
    this.#startedAt = performance.now();
    let worker: Worker;
    try {
      // An untracked descriptor is closed by its socket alone. Tracked, the thread's end would close it
      // a second time, by number, and by then that number may be an HTTP client's.
      worker = new Worker(new URL('./worker.js', import.meta.url), {
        name: 'ingest',
        workerData: this.#data,
        trackUnmanagedFds: false,
        resourceLimits: this.#resourceLimits,
      });
    } catch (error) {
      this.#ended(`it could not be started: ${(error as Error).message}`); // no thread was to be had
      return;
    }
    this.#worker = worker;
    this.#loopMeter = new LoopMeter(() => worker.performance.eventLoopUtilization());
    let cause: string | null = null;
    worker.on('message', (message: MessageFromIngest) => this.#receive(message));
    worker.on('messageerror', (error) => {
      cause = `a message could not be read: ${error.message}`;
      void worker.terminate();
    });
    worker.on('error', (error) => {
      cause = error.stack ?? error.message;
    });
    worker.on('exit', (code) => this.#ended(cause ?? `exit with code ${code}`));
  }

  /** As LoopMeter tells it; null when there is no thread. */
  loopUtilization(): number | null {
    return this.#loopMeter?.utilization() ?? null;
  }

  /** Keys by id, complete for every answer that was given; the overflow key, the first, has no name. */
  keys(of: KeyKind): readonly string[] {
    return this.#keys[of];
  }

  /** Rejects with IngestUnavailableError when there is no thread. Buffers in `transfer` are given away. */
  ask<Q extends Query>(query: Q, transfer: readonly ArrayBuffer[] = []): Promise<AnswerTo<Q>> {
    const worker = this.#worker;
    if (worker === null || this.#state === 'stopped') {
      return Promise.reject(new IngestUnavailableError(`the ingest thread is ${this.#state}`));
    }
    const id = this.#nextQueryId++;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#pending.delete(id);
        const problem = `the ingest thread gave no answer in ${QUERY_TIMEOUT_MS} ms`;
        reject(new IngestUnavailableError(problem));
      };
      // Lines that were posted will be counted, however long they wait: to give up would be to lie.
      const timer = query.kind === 'post' ? undefined : setTimeout(giveUp, QUERY_TIMEOUT_MS);
      this.#pending.set(id, { resolve: resolve as (answer: Answer) => void, reject, timer });
      this.#send({ kind: 'query', id, query }, transfer);
    });
  }

  /** Has it read a FIFO, or standard input where the path is null. */
  open(name: string, path: Uint8Array | null): void {
    this.#send({ kind: 'open', name, path });
  }

  /** Has it let go of a FIFO whose name is gone. */
  release(name: string): void {
    this.#send({ kind: 'release', name });
  }

  /** Has it forget what it counted for a source that is gone; totals stay. */
  forget(name: string): void {
    this.#send({ kind: 'forget', name });
  }

  /** Resolves when the thread has counted what it read and has ended. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    clearTimeout(this.#restartTimer);
    const worker = this.#worker;
    if (worker === null) return;
    const exit = new Promise((resolve) => worker.once('exit', resolve));
    const limit = this.#data.state === null ? STOP_TIMEOUT_MS : STOP_WITH_STATE_TIMEOUT_MS;
    const timer = setTimeout(() => void worker.terminate(), limit);
    this.#send({ kind: 'stop' });
    await exit;
    clearTimeout(timer);
  }

  #send(message: MessageToIngest, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, [...transfer]);
  }

  #receive(message: MessageFromIngest): void {
    switch (message.kind) {
      case 'ready':
        if (this.#state === 'stopped') break;
        this.#state = 'running';
        this.#startsAgainFromOwnFolder();
        this.#handlers.onReady(message.recoveries, message.sources);
        break;
      case 'damaged':
        this.#state = 'stopped';
        this.#handlers.onDamaged(message.problem);
        break;
      case 'fault':
        this.#handlers.onFault(message.fault);
        break;
      case 'scannerFallback': {
        const { cause } = message;
        const problem =
          'no memory for the SIMD scanner: an ingest thread has the reference scanner';
        this.#log('warn', problem, { cause });
        break;
      }
      case 'answer': {
        const { id, answer } = message;
        this.#answeringMs = message.answeringMs;
        // Even when nobody waits for the answer any more: its keys will not be given again.
        for (const keys of newKeysOf(answer)) this.#learn(keys);
        const pending = this.#pending.get(id);
        this.#pending.delete(id);
        clearTimeout(pending?.timer);
        pending?.resolve(answer);
        break;
      }
      case 'opened':
        this.#handlers.onOpened(message.name, message.identity);
        break;
      case 'ended':
        this.#handlers.onEnded(message.name, message.reason);
        break;
    }
  }

  #startsAgainFromOwnFolder(): void {
    const { state } = this.#data;
    if (state !== null) this.#data = { ...this.#data, state: { ...state, from: [state.folder] } };
  }

  #learn({ of, keys }: NewKeys): void {
    for (const key of keys) this.#keys[of].push(key);
  }

  #ended(cause: string): void {
    this.#worker = null;
    this.#loopMeter = null;
    this.#keys = { types: [''], words: [''] };
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new IngestUnavailableError('the ingest thread ended'));
    }
    this.#pending.clear();
    if (this.#state === 'stopped') return;

    if (performance.now() - this.#startedAt > RECOVERED_AFTER_MS) this.#restarts = 0;
    const step = Math.min(this.#restarts++, RESTART_DELAYS_MS.length - 1);
    const delayMs = RESTART_DELAYS_MS[step] as number;
    this.#state = 'restarting';
    this.#lastEnd = cause;
    const message =
      this.#data.state === null
        ? 'an ingest thread ended, its counts are lost; starting it again'
        : 'an ingest thread ended; starting it again with the state that it kept';
    this.#log('error', message, { cause, delayMs });
    this.#restartTimer = setTimeout(() => this.start(), delayMs);
    this.#handlers.onDown();
  }
}

/** In the order in which the thread gave them. */
function newKeysOf(answer: Answer): readonly NewKeys[] {
  if (answer.kind === 'snapshot') return [...answer.counts, answer.stats].flatMap(newKeysOf);
  return 'newKeys' in answer ? answer.newKeys : [];
}
