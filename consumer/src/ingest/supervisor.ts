import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { Log } from '../log.js';
import type { KeyKind } from '../tally/tally.js';
import {
  type IngestClient,
  type IngestState,
  IngestUnavailableError,
  type KeyCounts,
} from './ingest-client.js';
import type {
  AnswerTo,
  CountsAnswer,
  IngestOptions,
  IngestStats,
  MessageFromIngest,
  MessageToIngest,
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

interface Pending {
  resolve(answer: unknown): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

/**
 * The main thread's side of the ingest thread: starts it, asks it, and starts it again when it ends.
 * However it ends (an exception, memory, a message that cannot be read, an exit that nobody asked for),
 * #ended is where it is told, and the only place.
 */
export class IngestSupervisor implements IngestClient {
  readonly #options: IngestOptions;
  readonly #log: Log;
  readonly #resourceLimits: ResourceLimits;
  readonly #pending = new Map<number, Pending>();
  #keys: Record<KeyKind, string[]> = { types: [''], words: [''] };
  #worker: Worker | null = null;
  #state: IngestState = 'starting';
  #lastEnd: string | null = null;
  #restarts = 0;
  #startedAt = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #nextQueryId = 0;

  /** Without limits the thread's heap has V8's default, by the machine's memory. */
  constructor(options: IngestOptions, log: Log, resourceLimits: ResourceLimits = {}) {
    this.#options = options;
    this.#log = log;
    this.#resourceLimits = resourceLimits;
  }

  get state(): IngestState {
    return this.#state;
  }

  get lastEnd(): string | null {
    return this.#lastEnd;
  }

  start(): void {
    // An untracked descriptor is closed by its socket alone. Tracked, the thread's end would close it
    // a second time, by number, and by then that number may be an HTTP client's.
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      name: 'ingest',
      workerData: this.#options,
      trackUnmanagedFds: false,
      resourceLimits: this.#resourceLimits,
    });
    this.#worker = worker;
    this.#startedAt = performance.now();
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

  async counts(of: KeyKind): Promise<KeyCounts> {
    const { counts } = await this.#ask({ kind: 'counts', of });
    return { keys: this.#keys[of], counts };
  }

  stats(): Promise<IngestStats> {
    return this.#ask({ kind: 'stats' });
  }

  /** Resolves when the thread has counted what it read and has ended. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    clearTimeout(this.#restartTimer);
    const worker = this.#worker;
    if (worker === null) return;
    const exit = new Promise((resolve) => worker.once('exit', resolve));
    const timer = setTimeout(() => void worker.terminate(), STOP_TIMEOUT_MS);
    this.#send(worker, { kind: 'stop' });
    await exit;
    clearTimeout(timer);
  }

  #ask<Q extends Query>(query: Q): Promise<AnswerTo<Q>> {
    const worker = this.#worker;
    if (worker === null || this.#state === 'stopped') {
      return Promise.reject(new IngestUnavailableError(`the ingest thread is ${this.#state}`));
    }
    const id = this.#nextQueryId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(
          new IngestUnavailableError(`the ingest thread gave no answer in ${QUERY_TIMEOUT_MS} ms`),
        );
      }, QUERY_TIMEOUT_MS);
      this.#pending.set(id, { resolve: resolve as (answer: unknown) => void, reject, timer });
      this.#send(worker, { kind: 'query', id, query });
    });
  }

  #send(worker: Worker, message: MessageToIngest): void {
    worker.postMessage(message);
  }

  #receive(message: MessageFromIngest): void {
    switch (message.kind) {
      case 'ready':
        if (this.#state !== 'stopped') this.#state = 'running';
        break;
      case 'answer': {
        // Even when nobody waits for the answer any more: its keys will not be given again.
        if ('newKeys' in message.answer) this.#learn(message.answer);
        const pending = this.#pending.get(message.id);
        this.#pending.delete(message.id);
        clearTimeout(pending?.timer);
        pending?.resolve(message.answer);
        break;
      }
      case 'log':
        this.#log(message.level, message.message, message.fields);
        break;
    }
  }

  #learn({ of, newKeys }: CountsAnswer): void {
    for (const key of newKeys) this.#keys[of].push(key);
  }

  #ended(cause: string): void {
    this.#worker = null;
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
    this.#log('error', 'the ingest thread ended, its counts are lost; starting it again', {
      cause,
      delayMs,
    });
    this.#restartTimer = setTimeout(() => this.start(), delayMs);
  }
}
