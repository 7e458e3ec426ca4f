import { ReferenceScanner } from '../scan/reference-scanner.js';
import type { Scanner } from '../scan/scanner.js';
import { FifoReader } from '../sources/fifo-reader.js';
import { readStdin } from '../sources/stdin-reader.js';
import type { EventBatch } from '../tally/event-batch.js';
import type { EventTimeFront } from '../tally/event-time-front.js';
import {
  answerableSince,
  type Interval,
  type IntervalResult,
  resolveInterval,
  type WindowRequest,
} from '../tally/interval.js';
import { KEY_KINDS, type KeyKind, KeyTable } from '../tally/key-table.js';
import type { CountColumns } from '../tally/run-counts.js';
import type { RunningSum } from '../tally/running-sum.js';
import { Tally } from '../tally/tally.js';
import type {
  Answer,
  CountsAnswer,
  CountsQuery,
  IngestOptions,
  Moment,
  NewKeys,
  PostAnswer,
  PostQuery,
  Query,
  Refusal,
  SeriesAnswer,
  SeriesQuery,
  SourceCounts,
  StatsAnswer,
} from './protocol.js';

export interface IngestClock {
  /** Unix seconds: the arrival time of what is read now. */
  now(): number;
  /** Seconds that no setting of the clock can move. */
  monotonicSeconds(): number;
}

export interface IngestHandlers {
  onOpened(name: string, identity: string): void;
  /** A reason is null where the source came to its end by itself or was told to. */
  onEnded(name: string, reason: string | null): void;
}

interface Source {
  lines: number;
  bytes: number;
  openedAt: number;
  lastLineAt: number | null;
}

interface OpenSource {
  readonly identity: string;
  /** Reads on until the last writer leaves. */
  drain(): void;
  close(): void;
}

/** Released FIFOs that writers still hold, at most; past it the one that was released first is closed. */
const DRAINING_MAX = 100;

/** Posted lines are scanned in pieces as large as a read: batches grow no larger for them. */
const POST_SCAN_BYTES = 65_536;

/** Posted lines are counted as those of a source of this name. */
export const POST_SOURCE = 'POST /events';

/** An ingest thread's content: sources → scan → tally, and the answers to queries. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #front: EventTimeFront;
  readonly #clock: IngestClock;
  readonly #handlers: IngestHandlers;
  readonly #tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly #tally: Tally;
  readonly #sources = new Map<string, Source>();
  readonly #open = new Map<string, OpenSource>();
  /** Sources that were released but may still be read. */
  readonly #draining = new Set<OpenSource>();
  /** How many ids of each kind the asker knows; it knows without being told that id 0 is overflow. */
  readonly #keysGiven = { types: 1, words: 1 };

  constructor(
    options: IngestOptions,
    front: EventTimeFront,
    clock: IngestClock,
    handlers: IngestHandlers,
  ) {
    const { keyBytesMax } = options;
    this.#options = options;
    this.#front = front;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#tables = {
      types: new KeyTable({ keysMax: options.eventTypesMax, keyBytesMax }),
      words: new KeyTable({ keysMax: options.wordsMax, keyBytesMax }),
    };
    this.#tally = new Tally(this.#tables, {
      retentionSeconds: options.retentionSeconds,
      maxClockSkewSeconds: options.maxClockSkewSeconds,
      cellsMax: options.windowCellsMax,
      front,
    });
  }

  /** Begins to read a FIFO, or standard input where the path is null. */
  open(name: string, path: string | null): void {
    try {
      if (path === null) this.#openStdin(name);
      else this.#openFifo(name, path);
    } catch (error) {
      this.#handlers.onEnded(name, (error as Error).message);
    }
  }

  /** Lets go of a FIFO whose name is gone, once its last writer has left. */
  release(name: string): void {
    const source = this.#open.get(name);
    if (source === undefined) return;
    this.#open.delete(name);
    this.#draining.add(source);
    source.drain();
    const [first] = this.#draining;
    if (this.#draining.size > DRAINING_MAX) first?.close();
  }

  /** Forgets what was counted for a source that is gone; totals stay. */
  forget(name: string): void {
    this.#sources.delete(name);
  }

  /** Stops reading. What was read is counted by then: a read is scanned and tallied as it comes. */
  stop(): void {
    for (const source of [...this.#open.values(), ...this.#draining]) source.close();
  }

  answer(query: Query): Answer {
    switch (query.kind) {
      case 'counts':
        return this.#counts(query);
      case 'series':
        return this.#series(query);
      case 'stats':
        return this.#stats();
      case 'post':
        return this.#post(query);
      default:
        throw new Error(`unknown query ${JSON.stringify(query satisfies never)}`);
    }
  }

  /** A scanner for each opening: a line that one left unfinished never meets another's. */
  #openFifo(name: string, path: string): void {
    const scanner = this.#createScanner();
    const source = this.#sourceOf(name);
    const reader: FifoReader = new FifoReader(path, {
      onBytes: (bytes) => this.#tallyBytes(source, scanner, bytes),
      onEnd: (error) => {
        this.#draining.delete(reader);
        if (this.#open.get(name) !== reader) return;
        this.#open.delete(name);
        this.#handlers.onEnded(name, error?.message ?? null);
      },
    });
    // The same pipe under the name that it had before: two readers would tear its lines.
    for (const source of this.#draining) {
      if (source.identity === reader.identity) source.close();
    }
    this.#open.set(name, reader);
    this.#handlers.onOpened(name, reader.identity);
  }

  #openStdin(name: string): void {
    const scanner = this.#createScanner();
    const source = this.#sourceOf(name);
    const close = readStdin({
      onBytes: (bytes) => this.#tallyBytes(source, scanner, bytes),
      onEnd: (error) => {
        this.#open.delete(name);
        this.#tallyEnd(source, scanner);
        this.#handlers.onEnded(name, error?.message ?? null);
      },
    });
    this.#open.set(name, { identity: name, drain: close, close });
    this.#handlers.onOpened(name, name);
  }

  #createScanner(): Scanner {
    return new ReferenceScanner({ ...this.#options, ...this.#tables });
  }

  #sourceOf(name: string): Source {
    const openedAt = this.#clock.monotonicSeconds();
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = { lines: 0, bytes: 0, openedAt, lastLineAt: null };
      this.#sources.set(name, source);
    }
    source.openedAt = openedAt;
    return source;
  }

  #tallyBytes(source: Source, scanner: Scanner, bytes: Uint8Array): EventBatch {
    const now = this.#clock.now();
    return this.#tallyBatch(source, scanner.scan(bytes, now), now);
  }

  /** Ends the line that a source's end has left unfinished. */
  #tallyEnd(source: Source, scanner: Scanner): EventBatch {
    const now = this.#clock.now();
    return this.#tallyBatch(source, scanner.finish(now), now);
  }

  #tallyBatch(source: Source, batch: EventBatch, now: number): EventBatch {
    this.#tally.add(batch, now);
    source.bytes += batch.bytes;
    source.lines += batch.lines;
    if (batch.lines > 0) source.lastLineAt = this.#clock.monotonicSeconds();
    return batch;
  }

  #counts({ of, window }: CountsQuery): CountsAnswer | Refusal {
    const interval = this.#resolve(window, null);
    if (interval !== null && 'kind' in interval) return interval;
    return {
      kind: 'counts',
      ...this.#moment(),
      newKeys: [this.#newKeys(of === 'sums' ? 'types' : of)],
      interval,
      ...(of === 'sums' ? this.#sums(interval) : { ...this.#columns(of, interval), sums: null }),
    };
  }

  #columns(of: KeyKind, interval: Interval | null): CountColumns {
    return interval === null ? this.#tally.counts(of) : this.#tally.windows.counts(of, interval);
  }

  #sums(interval: Interval | null): CountColumns & { sums: Float64Array<ArrayBuffer> } {
    const sums: ReadonlyMap<number, RunningSum> =
      interval === null ? this.#tally.sums() : this.#tally.windows.sums(interval);
    const parts = Float64Array.from([...sums.values()].flatMap((sum) => sum.toParts()));
    return {
      ids: Uint32Array.from(sums.keys()),
      counts: Float64Array.from(sums.values(), ({ count }) => count),
      sums: parts,
    };
  }

  #series({ of, window, stepSeconds: askedStep }: SeriesQuery): SeriesAnswer | Refusal {
    const front = this.#front.value; // read once: another thread may move it at any time
    const stepSeconds = askedStep ?? this.#finestStep(window, front);
    const interval = this.#resolve(window, stepSeconds, front);
    if (interval === null || 'kind' in interval) return interval ?? { kind: 'moved' };
    const columns: CountColumns[] = [];
    for (let start = interval.start; start < interval.end; start += stepSeconds) {
      columns.push(
        this.#tally.windows.counts(of, { ...interval, start, end: start + stepSeconds }),
      );
    }
    const length = columns.reduce((sum, { ids }) => sum + ids.length, 0);
    const ids = new Uint32Array(length);
    const counts = new Float64Array(length);
    const steps = new Uint32Array(length);
    let at = 0;
    for (const [step, column] of columns.entries()) {
      ids.set(column.ids, at);
      counts.set(column.counts, at);
      steps.fill(step, at, at + column.ids.length);
      at += column.ids.length;
    }
    const newKeys = [this.#newKeys(of)];
    return {
      kind: 'series',
      ...this.#moment(),
      newKeys,
      interval,
      stepSeconds,
      ids,
      counts,
      steps,
    };
  }

  #finestStep(window: WindowRequest | Interval, front: number): number {
    if (!('windowSeconds' in window)) return window.resolution;
    const result = this.#resolveRequest(window, front);
    return result.ok ? result.interval.resolution : 1;
  }

  /** `stepSeconds` is null where one number is asked for, not a series. */
  #resolve(
    window: WindowRequest | Interval | null,
    stepSeconds: number | null,
    front = this.#front.value,
  ): Interval | Refusal | null {
    if (window === null) return null;
    let interval: Interval;
    if ('windowSeconds' in window) {
      const result = this.#resolveRequest({ ...window, stepSeconds: stepSeconds ?? 1 }, front);
      if (!result.ok) return { kind: 'beyond', since: result.since };
      interval = result.interval;
    } else {
      interval = window;
    }
    const { resolution } = interval;
    if (stepSeconds !== null && stepSeconds % resolution !== 0)
      return { kind: 'coarse', resolution };
    // Another thread may have moved the front since the interval was resolved.
    return this.#tally.windows.canAnswer(interval) ? interval : { kind: 'moved' };
  }

  #resolveRequest(request: WindowRequest, front: number): IntervalResult {
    const { retentionSeconds } = this.#options;
    return resolveInterval(request, { now: this.#clock.now(), front, retentionSeconds });
  }

  #moment(): Moment {
    const front = this.#front.value;
    const since = front < 0 ? null : answerableSince(front, this.#options.retentionSeconds);
    return { batch: this.#tally.batch, since };
  }

  #newKeys(of: KeyKind): NewKeys {
    const keys = this.#tables[of].keysFrom(this.#keysGiven[of]);
    this.#keysGiven[of] += keys.length;
    return { of, keys };
  }

  #stats(): StatsAnswer {
    const sources: Record<string, SourceCounts> = Object.create(null);
    const now = this.#clock.monotonicSeconds();
    for (const [name, { lines, bytes, openedAt, lastLineAt }] of this.#sources) {
      const lastLineSecondsAgo = lastLineAt === null ? null : now - lastLineAt;
      const idleSeconds = now - Math.max(openedAt, lastLineAt ?? 0);
      sources[name] = { lines, bytes, lastLineSecondsAgo, idleSeconds };
    }
    const newKeys = KEY_KINDS.map((of) => this.#newKeys(of));
    return { kind: 'stats', ...this.#tally.stats(), ...this.#moment(), newKeys, sources };
  }

  #post({ lines }: PostQuery): PostAnswer {
    const source = this.#sourceOf(POST_SOURCE);
    const scanner = this.#createScanner();
    const total = {
      accepted: 0,
      blank: 0,
      rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
    };
    const count = (batch: EventBatch) => {
      total.accepted += batch.length;
      total.blank += batch.blank;
      total.rejected.too_long += batch.rejected.too_long;
      total.rejected.not_json += batch.rejected.not_json;
      total.rejected.not_an_event += batch.rejected.not_an_event;
    };
    for (let start = 0; start < lines.length; start += POST_SCAN_BYTES) {
      count(this.#tallyBytes(source, scanner, lines.subarray(start, start + POST_SCAN_BYTES)));
    }
    count(this.#tallyEnd(source, scanner));
    return { kind: 'post', ...total };
  }
}
