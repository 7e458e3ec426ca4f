import { setImmediate as nextTurn } from 'node:timers/promises';
import { REJECTION_REASONS, type RejectionReason } from '@event-tally/shared/line.js';
import { makeFolder } from '../make-folder.js';
import { reasonOf } from '../reason.js';
import { SCAN_BYTES_MAX, type Scanner, type Unfinished } from '../scan/scanner.js';
import type { Scanners } from '../scan/scanners.js';
import { FifoReader } from '../sources/fifo-reader.js';
import { READ_BYTES_MIN, ReadSize } from '../sources/read-size.js';
import { StdinReader } from '../sources/stdin-reader.js';
import type { SavedSource } from '../state/checkpoint-records.js';
import { writeJournalRecord } from '../state/journal-record.js';
import { Restorer } from '../state/restorer.js';
import type { StateFiles } from '../state/state-files.js';
import { StateWriter } from '../state/state-writer.js';
import { type Recovery, recover } from '../state/thread-folder.js';
import type { Changes } from '../tally/changes.js';
import type { EventBatch } from '../tally/event-batch.js';
import { EventTimeFront } from '../tally/event-time-front.js';
import { firstStepOf, type Interval } from '../tally/interval.js';
import { KEY_KINDS, type KeyKind, KeyTable } from '../tally/key-table.js';
import { RejectedLines } from '../tally/rejected-lines.js';
import type { CountColumns } from '../tally/run-counts.js';
import { type RunningSum, sumColumns } from '../tally/running-sum.js';
import { Tally } from '../tally/tally.js';
import { createScanners } from './create-scanners.js';
import type {
  Answer,
  CountsAnswer,
  CountsQuery,
  Held,
  IngestOptions,
  Moment,
  NewKeys,
  PostAnswer,
  PostQuery,
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
  /** Nothing is read, for the reason given; null: reading goes on. */
  onFault(fault: string | null): void;
  /** There is no memory for the SIMD scanner, which was asked for where possible. */
  onScannerFallback?(cause: string): void;
}

interface Source {
  readonly name: string;
  /** Of the pipe that it is read from, or was last. */
  identity: string;
  /** null while it is not read. */
  scanner: Scanner | null;
  /** What its scanner waited with when it was read last. */
  unfinished: Unfinished;
  /** How many bytes of that are in the journal. */
  journaledBytes: number;
  lines: number;
  bytes: number;
  openedAt: number;
  lastLineAt: number | null;
}

interface OpenSource {
  readonly identity: string;
  /** Reads on until the last writer leaves. */
  drain(): void;
  hold(): void;
  goOn(): void;
  close(): void;
}

const NO_KEYS: readonly string[] = [];

const NOTHING_UNFINISHED: Unfinished = {
  tail: new Uint8Array(0),
  bytes: 0,
  isSkipping: false,
  contentSeen: false,
};

/** Released FIFOs that writers still hold, at most; past it the one that was released first is closed. */
const DRAINING_MAX = 100;

/** The reference scanner may need a hundred times as long for some lines as for those that it was just given. */
const READ_BYTES_MAX = { simd: SCAN_BYTES_MAX, reference: READ_BYTES_MIN } as const;

/** Posted lines are counted as those of a source of this name. */
export const POST_SOURCE = 'POST /events';

/** A body that is being counted. */
interface Post {
  readonly lines: Uint8Array;
  readonly scanner: Scanner;
  /** How many bytes of the lines are counted. */
  counted: number;
  readonly total: {
    readonly kind: 'post';
    accepted: number;
    blank: number;
    readonly rejected: Record<RejectionReason, number>;
  };
  resolve(answer: PostAnswer | Held): void;
}

/** An ingest thread's content: sources → scan → tally, and the answers to queries. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #front: EventTimeFront;
  readonly #clock: IngestClock;
  readonly #handlers: IngestHandlers;
  readonly #tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly #scanners: Scanners;
  readonly #tally: Tally;
  readonly #readSize: ReadSize;
  readonly #rejectedLines: RejectedLines;
  readonly #sources = new Map<string, Source>();
  readonly #open = new Map<string, OpenSource>();
  /** Sources that were released but may still be read. */
  readonly #draining = new Set<OpenSource>();
  /** In the order in which they came; the first is being counted. */
  readonly #posts: Post[] = [];
  /** Answers to posts that are counted, and wait for the disk to take the last of it. */
  readonly #unanswered: Post[] = [];
  /** How many ids of each kind the asker knows; it knows without being told that id 0 is overflow. */
  readonly #keysGiven = { types: 1, words: 1 };
  readonly #keysJournaled = { types: 1, words: 1 };
  #state: StateWriter | null = null;
  /** Why nothing is read; null when it is. */
  #fault: string | null = null;

  constructor(
    options: IngestOptions,
    front: EventTimeFront,
    clock: IngestClock,
    handlers: IngestHandlers,
  ) {
    this.#options = options;
    this.#front = front;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#tables = createTables(options);
    this.#scanners = createScanners(
      options.scanner,
      { ...options, ...this.#tables },
      handlers.onScannerFallback,
    );
    this.#readSize = new ReadSize(READ_BYTES_MAX[this.#scanners.name]);
    this.#rejectedLines = new RejectedLines(options.mapping);
    this.#tally = createTally(this.#tables, options, front);
  }

  /**
   * Begins with the state of before, and keeps it from now on. To be called before anything is opened.
   * Throws StateDamageError, and what the file system throws.
   */
  async keepState(state: ThreadStateOptions, files: StateFiles): Promise<readonly Recovery[]> {
    const { folder, from, ...options } = state;
    makeFolder(folder, files);
    let keepsIds = from.every((each) => each === folder);
    const recoveries: Recovery[] = [];
    for (const each of from) {
      const restorer = new Restorer(this.#tables, this.#tally);
      if (from.length === 1) recoveries.push(recover(files, each, restorer));
      else recoveries.push(this.#recoverApart(files, each, restorer));
      keepsIds &&= restorer.keepsIds;
      for (const source of restorer.sources) this.#restoreSource(source);
    }
    for (const of of KEY_KINDS) this.#keysJournaled[of] = this.#tables[of].size;
    const writer = new StateWriter({
      ...options,
      folder,
      // Where a checkpoint is damaged, what replaces it is made anew as well.
      beginsAnew: !keepsIds || recoveries.some(({ skipped }) => skipped.length > 0),
      journalBytes: recoveries.reduce((sum, { journalBytes }) => sum + journalBytes, 0),
      files,
      content: () => ({
        tables: this.#tables,
        tally: this.#tally,
        sources: [...this.#sources.values()],
      }),
      onFault: (fault) => this.#setFault(fault),
    });
    this.#state = writer;
    await writer.begun;
    return recoveries;
  }

  /**
   * Of several states each is restored by itself first: a journal tells of its own thread's front, and
   * where that was set back, which another's must not be.
   */
  #recoverApart(files: StateFiles, folder: string, restorer: Restorer): Recovery {
    const tables = createTables(this.#options);
    const tally = createTally(tables, this.#options, new EventTimeFront());
    const apart = new Restorer(tables, tally);
    const recovery = recover(files, folder, apart);
    restorer.addContent({ tables, tally, sources: apart.sources });
    return recovery;
  }

  #restoreSource({ name, identity, lines, bytes, unfinished }: SavedSource): void {
    const source = this.#sourceOf(name);
    source.identity = identity;
    source.lines += lines;
    source.bytes += bytes;
    source.unfinished = unfinished;
    source.journaledBytes = unfinished.isSkipping ? 0 : unfinished.tail.length;
  }

  /** Sources that were counted, now or before. */
  get sourceNames(): string[] {
    return [...this.#sources.keys()];
  }

  #setFault(fault: string | null): void {
    const wasHeld = this.#fault !== null;
    this.#fault = fault;
    this.#handlers.onFault(fault);
    if (wasHeld === (fault !== null)) return;
    for (const source of [...this.#open.values(), ...this.#draining]) {
      if (fault === null) source.goOn();
      else source.hold();
    }
    if (fault === null) this.#answerPosts(null);
    if (fault === null && this.#posts.length > 0) setImmediate(() => this.#postTurn());
  }

  /** Begins to read a FIFO, or standard input where the path is null. */
  open(name: string, path: Uint8Array | null): void {
    try {
      if (path === null) this.#openStdin(name);
      else this.#openFifo(name, Buffer.from(path));
    } catch (error) {
      this.#handlers.onEnded(name, reasonOf(error as Error));
    }
  }

  /** What a source's next read is to fill: asked for at once, though it may come much later. */
  readonly #nextBuffer = (): Uint8Array => this.#scanners.readBuffer.subarray(0, this.#nextBytes());

  #nextBytes(): number {
    const fifos = this.#open.size + this.#draining.size;
    return this.#readSize.next(fifos, this.#clock.monotonicSeconds());
  }

  /** Lets go of a FIFO whose name is gone, once its last writer has left. */
  release(name: string): void {
    const source = this.#open.get(name);
    if (source === undefined) return;
    this.#open.delete(name);
    this.#draining.add(source);
    source.drain();
    const [first] = this.#draining;
    if (first === undefined || this.#draining.size <= DRAINING_MAX) return;
    this.#draining.delete(first); // now: its end is told later, and more may be released before that
    first.close();
  }

  /** Forgets what was counted for a source that is gone; totals stay. */
  forget(name: string): void {
    this.#sources.delete(name);
  }

  /**
   * Stops reading. What was read is counted by then: a read is scanned and tallied as it comes, and what
   * was posted is counted here to its end. Resolves when the state is kept, as far as the disk takes it.
   */
  async stop(): Promise<void> {
    for (const source of [...this.#open.values(), ...this.#draining]) source.close();
    while (this.#posts.length > 0) this.#countPosted();
    await this.#state?.close();
    this.#answerPosts(this.#state?.fault ?? null);
    await nextTurn(); // the answers to what was posted are on their way by then
  }

  /** Counts posted lines, and resolves when all are. */
  post({ lines }: PostQuery): Promise<PostAnswer | Held> {
    if (this.#fault !== null) return Promise.resolve({ kind: 'held', reason: this.#fault });
    return new Promise((resolve) => {
      const rejected = { too_long: 0, not_json: 0, not_an_event: 0 };
      const total: Post['total'] = { kind: 'post', accepted: 0, blank: 0, rejected };
      const scanner = this.#scanners.create();
      this.#posts.push({ lines, scanner, counted: 0, total, resolve });
      if (this.#posts.length === 1) setImmediate(() => this.#postTurn());
    });
  }

  answer(query: Exclude<Query, PostQuery>): Exclude<Answer, PostAnswer | Held> {
    this.#readSize.noteQuestion(this.#clock.monotonicSeconds());
    this.#tally.windows.followClock(this.#clock.now());
    switch (query.kind) {
      case 'counts':
        return this.#counts(query);
      case 'series':
        return this.#series(query);
      case 'snapshot':
        return this.#snapshot(query);
      case 'stats':
        return this.#stats();
      case 'rejected':
        return { kind: 'rejected', lines: this.#rejectedLines.reports() };
      default:
        throw new Error(`unknown query ${JSON.stringify(query satisfies never)}`);
    }
  }

  /** A scanner for each opening: a line that one left unfinished never meets another's. */
  #openFifo(name: string, path: Buffer): void {
    const scanner = this.#scanners.create();
    const source = this.#sourceOf(name);
    const reader: FifoReader = new FifoReader(path, this.#nextBuffer, {
      onBytes: (bytes) => this.#tallyBytes(source, scanner, bytes),
      onEnd: (error) => {
        this.#draining.delete(reader);
        const wasReleased = this.#open.get(name) !== reader;
        if (source.scanner === scanner) {
          source.scanner = null;
          // Its pipe is no more; another may get the same identity.
          if (wasReleased) this.#forgetUnfinished(source);
        }
        if (wasReleased) return;
        this.#open.delete(name);
        this.#handlers.onEnded(name, error && reasonOf(error));
      },
    });
    // The same pipe under the name that it had before: two readers would tear its lines.
    for (const source of this.#draining) {
      if (source.identity === reader.identity) source.close();
    }
    this.#open.set(name, reader);
    // The same pipe as before: what comes next ends the line that was unfinished.
    if (source.identity === reader.identity) scanner.resume(source.unfinished);
    else this.#forgetUnfinished(source);
    source.identity = reader.identity;
    source.scanner = scanner;
    if (this.#fault !== null) reader.hold();
    this.#handlers.onOpened(name, reader.identity);
  }

  #openStdin(name: string): void {
    const scanner = this.#scanners.create();
    const source = this.#sourceOf(name);
    this.#forgetUnfinished(source);
    source.scanner = scanner;
    const reader = new StdinReader(this.#nextBuffer, {
      onBytes: (bytes) => this.#tallyBytes(source, scanner, bytes),
      onEnd: (error) => {
        this.#open.delete(name);
        this.#tallyEnd(source, scanner);
        this.#handlers.onEnded(name, error && reasonOf(error));
      },
    });
    if (this.#fault !== null) reader.hold();
    this.#open.set(name, {
      identity: name,
      drain: () => reader.close(),
      hold: () => reader.hold(),
      goOn: () => reader.goOn(),
      close: () => reader.close(),
    });
    this.#handlers.onOpened(name, name);
  }

  #forgetUnfinished(source: Source): void {
    source.unfinished = NOTHING_UNFINISHED;
    source.journaledBytes = 0;
  }

  #sourceOf(name: string): Source {
    const openedAt = this.#clock.monotonicSeconds();
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = {
        name,
        identity: '',
        scanner: null,
        unfinished: NOTHING_UNFINISHED,
        journaledBytes: 0,
        lines: 0,
        bytes: 0,
        openedAt,
        lastLineAt: null,
      };
      this.#sources.set(name, source);
    }
    source.openedAt = openedAt;
    return source;
  }

  #tallyBytes(source: Source, scanner: Scanner, bytes: Uint8Array): EventBatch {
    const now = this.#clock.now();
    const start = this.#clock.monotonicSeconds();
    const batch = this.#tallyBatch(source, scanner, scanner.scan(bytes, now), now);
    this.#readSize.note(bytes.length, this.#clock.monotonicSeconds() - start);
    return batch;
  }

  /** Ends the line that a source's end has left unfinished. */
  #tallyEnd(source: Source, scanner: Scanner): EventBatch {
    const now = this.#clock.now();
    return this.#tallyBatch(source, scanner, scanner.finish(now), now);
  }

  #tallyBatch(source: Source, scanner: Scanner, batch: EventBatch, now: number): EventBatch {
    const changes = this.#tally.add(batch, now);
    this.#front.change();
    const isAddedTo = scanner === source.scanner && batch.lines === 0;
    if (scanner === source.scanner) source.unfinished = scanner.unfinished;
    this.#journal(source, changes, isAddedTo);
    this.#rejectedLines.add(batch.takeRejectedLines(), source.name, now);
    source.bytes += batch.bytes;
    source.lines += batch.lines;
    if (batch.lines > 0) source.lastLineAt = this.#clock.monotonicSeconds();
    return batch;
  }

  /** `isAddedTo`: what the journal has of the source's unfinished line is still its beginning. */
  #journal(source: Source, changes: Changes, isAddedTo: boolean): void {
    if (this.#state === null) return;
    const { unfinished } = source;
    const knownBytes = isAddedTo && !unfinished.isSkipping ? source.journaledBytes : 0;
    source.journaledBytes = unfinished.isSkipping ? 0 : unfinished.tail.length;
    const newKeys = { types: this.#keysToJournal('types'), words: this.#keysToJournal('words') };
    const { name, identity } = source;
    const { batch } = this.#tally;
    const record = { batch, newKeys, changes, source: { name, identity, unfinished, knownBytes } };
    this.#state.append((writer) => writeJournalRecord(writer, record));
  }

  #keysToJournal(of: KeyKind): readonly string[] {
    const { size } = this.#tables[of];
    const first = this.#keysJournaled[of];
    if (first === size) return NO_KEYS;
    this.#keysJournaled[of] = size;
    return this.#tables[of].keysFrom(first);
  }

  #counts({ of, window }: CountsQuery): CountsAnswer | Refusal {
    const interval = window === null ? null : this.#tally.windows.fit(window);
    if (interval === null && window !== null) return { kind: 'moved' };
    return {
      kind: 'counts',
      ...this.#moment(),
      newKeys: [this.#newKeys(of === 'sums' ? 'types' : of)],
      interval,
      ...(of === 'sums' ? this.#sums(interval) : { ...this.#columns(of, interval), sums: null }),
    };
  }

  #snapshot({ kinds, window }: SnapshotQuery): SnapshotAnswer | Refusal {
    const counts: CountsAnswer[] = [];
    for (const of of kinds) {
      const answer = this.#counts({ kind: 'counts', of, window });
      if (answer.kind !== 'counts') return answer;
      counts.push(answer);
    }
    return { kind: 'snapshot', counts, stats: this.#stats() };
  }

  #columns(of: KeyKind, interval: Interval | null): CountColumns {
    return interval === null ? this.#tally.counts(of) : this.#tally.windows.counts(of, interval);
  }

  #sums(interval: Interval | null): CountColumns & { sums: Float64Array<ArrayBuffer> } {
    const sums: ReadonlyMap<number, RunningSum> =
      interval === null ? this.#tally.sums() : this.#tally.windows.sums(interval);
    const { ids, parts } = sumColumns(sums);
    return { ids, counts: Float64Array.from(sums.values(), ({ count }) => count), sums: parts };
  }

  #series({ of, window, stepSeconds }: SeriesQuery): SeriesAnswer | Refusal {
    const interval = this.#tally.windows.fit(window);
    if (interval === null) return { kind: 'moved' };
    const { resolution } = interval;
    if (stepSeconds % resolution !== 0) return { kind: 'coarse', resolution };
    const columns: CountColumns[] = [];
    let start = firstStepOf(interval, stepSeconds);
    for (; start < interval.end; start += stepSeconds) {
      columns.push(
        this.#tally.windows.counts(of, {
          ...interval,
          start: Math.max(start, interval.start), // the first step may have lost its beginning
          end: start + stepSeconds,
        }),
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

  #moment(): Moment {
    const since = this.#front.value < 0 ? null : this.#tally.windows.since;
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
    const { newest } = this.#tally.windows;
    return {
      kind: 'stats',
      scanner: { name: this.#scanners.name, ...this.#scanners.counts() },
      ...this.#tally.stats(),
      ...this.#moment(),
      state: this.#state?.stats() ?? null,
      lastEventTime: newest < 0 ? null : newest,
      newKeys,
      sources,
    };
  }

  #postTurn(): void {
    if (this.#fault === null) this.#countPosted();
    if (this.#fault === null && this.#posts.length > 0) setImmediate(() => this.#postTurn());
  }

  /** Counts a piece of the first body. */
  #countPosted(): void {
    const [post] = this.#posts;
    if (post === undefined) return;
    const { lines, scanner, total } = post;
    const source = this.#sourceOf(POST_SOURCE);
    // As long as a read, one a turn of the event loop: no source and no query waits for a whole body.
    const piece = lines.subarray(post.counted, post.counted + this.#nextBytes());
    post.counted += piece.length;
    addAccount(total, this.#tallyBytes(source, scanner, piece));
    if (post.counted < lines.length) return;
    addAccount(total, this.#tallyEnd(source, scanner));
    this.#posts.shift();
    if (this.#fault === null) post.resolve(total);
    else this.#unanswered.push(post);
  }

  /** `fault`: why what they have added will not be there after a start; null: it will be. */
  #answerPosts(fault: string | null): void {
    for (const { total, resolve } of this.#unanswered.splice(0))
      resolve(fault === null ? total : { kind: 'held', reason: fault });
  }
}

type Tables = Readonly<Record<KeyKind, KeyTable>>;

function createTables({ eventTypesMax, wordsMax, keyBytesMax }: IngestOptions): Tables {
  return {
    types: new KeyTable({ keysMax: eventTypesMax, keyBytesMax }),
    words: new KeyTable({ keysMax: wordsMax, keyBytesMax }),
  };
}

function createTally(tables: Tables, options: IngestOptions, front: EventTimeFront): Tally {
  return new Tally(tables, {
    retentionSeconds: options.retentionSeconds,
    maxClockSkewSeconds: options.maxClockSkewSeconds,
    cellsMax: options.windowCellsMax,
    front,
  });
}

function addAccount(total: Post['total'], batch: EventBatch): void {
  total.accepted += batch.length;
  total.blank += batch.blank;
  for (const reason of REJECTION_REASONS) total.rejected[reason] += batch.rejected[reason];
}
