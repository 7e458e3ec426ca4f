/**
 * Keeps the state of one ingest thread on disk while it counts.
 *
 *   each read ──▶ append ──▶ journal-n          one write, before the next read
 *   at times  ──▶ checkpoint: journal-(n+1) is begun, then checkpoint-(n+1) written in slices between
 *                 reads; once it lasts, what is older than the checkpoint before it is removed
 *
 * When the disk does not take a write, nothing is given up: what is left of it waits, `fault` says why,
 * and it is tried again. Whoever counts must not read on until then, so that at most one read waits.
 */
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ByteWriter } from './bytes.js';
import { type CheckpointContent, checkpointRecords } from './checkpoint-records.js';
import { fileHead, RecordWriter } from './records.js';
import { type StateFiles, syncFolder, writeAll } from './state-files.js';
import { fileName, fileNumbers } from './thread-folder.js';

/** Work on a checkpoint between two turns of the event loop, in which reads are counted. */
const SLICE_MS = 4;
/** A checkpoint's records are written to its file in pieces of this size. */
const PIECE_BYTES = 262_144;
/** How often a write that failed is tried again. */
const RETRY_INTERVAL_MS = 250;

export interface StateWriterOptions {
  readonly folder: string;
  /** Number of the newest file in the folder; 0: there is none. */
  readonly newest: number;
  /** Without a journal, what was counted since the last checkpoint is lost with the process. */
  readonly hasJournal: boolean;
  readonly checkpointIntervalMs: number;
  readonly journalSyncIntervalMs: number;
  /** Past it a checkpoint is taken early; past twice as much, reading waits for it. */
  readonly journalBytesMax: number;
  readonly files: StateFiles;
  /** The state as it is now, for a checkpoint. */
  content(): CheckpointContent;
  /** Whoever counts must stop reading, or may go on. */
  onFault(fault: string | null): void;
}

export interface StateStats {
  readonly journalBytes: number;
  readonly checkpoints: number;
  /** How long the last checkpoint took; null before the first. */
  readonly lastCheckpointSeconds: number | null;
  readonly fault: string | null;
}

export class StateWriter {
  readonly #options: StateWriterOptions;
  readonly #records = new RecordWriter();
  #number: number;
  #journal: number | null = null;
  /** Bytes of the journals since the newest checkpoint. */
  #journalBytes = 0;
  /** What the disk has not taken yet, of one append. */
  #waiting: Uint8Array | null = null;
  #isDirty = false;
  #isSyncing = false;
  #faults = { journal: null as string | null, checkpoint: null as string | null };
  #reported: string | null = null;
  #checkpoint: Promise<void> | null = null;
  #checkpoints = 0;
  #lastCheckpointSeconds: number | null = null;
  readonly #timers: NodeJS.Timeout[] = [];

  /** Throws where the first journal cannot be begun. */
  constructor(options: StateWriterOptions) {
    this.#options = options;
    const { files, folder, newest, hasJournal } = options;
    // A checkpoint without a journal is a start for one: there must be no gap in their numbers.
    const hasNewest = fileNumbers(files, folder, 'journal').includes(newest);
    this.#number = hasNewest || newest === 0 ? newest + 1 : newest;
    if (hasJournal) this.#journal = this.#openJournal(this.#number);
    this.#every(options.checkpointIntervalMs, () => this.checkpoint());
    this.#every(options.journalSyncIntervalMs, () => this.#sync());
    this.#every(RETRY_INTERVAL_MS, () => this.#retry());
  }

  stats(): StateStats {
    return {
      journalBytes: this.#journalBytes,
      checkpoints: this.#checkpoints,
      lastCheckpointSeconds: this.#lastCheckpointSeconds,
      fault: this.#fault ?? this.#faults.checkpoint,
    };
  }

  /** Writes a record of what one read has changed. */
  append(write: (payload: ByteWriter) => void): void {
    if (this.#journal === null) return;
    this.#records.clear();
    this.#records.add(write);
    const { bytes } = this.#records;
    this.#journalBytes += bytes.length;
    this.#isDirty = true;
    this.#write(bytes);
    if (this.#journalBytes > this.#options.journalBytesMax) void this.checkpoint();
    this.#report();
  }

  /** Takes a checkpoint, or waits for the one that is being taken. Does not reject. */
  checkpoint(): Promise<void> {
    this.#checkpoint ??= this.#takeCheckpoint()
      .then(() => {
        this.#faults.checkpoint = null;
      })
      .catch((error: Error) => {
        this.#faults.checkpoint = `the checkpoint cannot be written: ${error.message}`;
      })
      .finally(() => {
        this.#checkpoint = null;
        this.#report();
      });
    return this.#checkpoint;
  }

  /** Takes a last checkpoint of what was counted. Nothing may be appended afterwards. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#retry();
    await this.#checkpoint; // what it holds may be older than what was appended since
    await this.checkpoint();
    if (this.#journal !== null) this.#options.files.closeSync(this.#journal);
    this.#journal = null;
  }

  get #fault(): string | null {
    const { journal, checkpoint } = this.#faults;
    if (journal !== null) return journal;
    // Without checkpoints the journal would grow without a bound.
    const isFull = this.#journalBytes > 2 * this.#options.journalBytesMax;
    return isFull ? (checkpoint ?? 'the journal is full until a checkpoint is taken') : null;
  }

  #report(): void {
    const fault = this.#fault;
    if (fault === this.#reported) return;
    this.#reported = fault;
    this.#options.onFault(fault);
  }

  #every(intervalMs: number, callback: () => void): void {
    this.#timers.push(setInterval(callback, intervalMs).unref());
  }

  #openJournal(number: number): number {
    const { files, folder } = this.#options;
    const descriptor = files.openSync(path.join(folder, fileName('journal', number)), 'w');
    try {
      writeAll(files, descriptor, fileHead('journal'));
      syncFolder(files, folder);
    } catch (error) {
      files.closeSync(descriptor);
      throw error;
    }
    return descriptor;
  }

  /** Writes what waits, if anything does, and the bytes behind it. */
  #write(more: Uint8Array): void {
    const { files } = this.#options;
    const bytes = this.#waiting === null ? more : Buffer.concat([this.#waiting, more]);
    let at = 0;
    try {
      while (at < bytes.length) at += files.writeSync(this.#journal as number, bytes, at);
      this.#waiting = null;
      this.#faults.journal = null;
    } catch (error) {
      this.#waiting = bytes.slice(at);
      this.#faults.journal = `the journal cannot be written: ${(error as Error).message}`;
    }
  }

  #retry(): void {
    if (this.#waiting !== null) this.#write(new Uint8Array(0));
    this.#report();
  }

  #sync(): void {
    const { files } = this.#options;
    const journal = this.#journal;
    if (journal === null || !this.#isDirty || this.#isSyncing) return;
    this.#isDirty = false;
    this.#isSyncing = true;
    files.fdatasync(journal, (error) => {
      this.#isSyncing = false;
      if (error !== null && journal === this.#journal) {
        this.#isDirty = true;
        this.#faults.journal = `the journal cannot be written: ${error.message}`;
      } else if (this.#waiting === null) this.#faults.journal = null;
      this.#report();
    });
  }

  async #takeCheckpoint(): Promise<void> {
    const { files, folder } = this.#options;
    if (this.#waiting !== null) throw new Error(this.#faults.journal ?? 'the journal waits');
    const begin = performance.now();
    const number = this.#number + 1;
    const before = this.#journal;
    if (before !== null) this.#journal = this.#openJournal(number);
    this.#number = number;
    const coveredBytes = this.#journalBytes;
    const records = checkpointRecords(this.#options.content());

    const file = path.join(folder, fileName('checkpoint', number));
    try {
      if (before !== null) await this.#end(before);
      await this.#writeCheckpoint(`${file}.tmp`, records);
      files.renameSync(`${file}.tmp`, file);
      syncFolder(files, folder);
    } catch (error) {
      files.rmSync(`${file}.tmp`, { force: true });
      throw error;
    }
    this.#checkpoints++;
    this.#journalBytes -= coveredBytes;
    this.#lastCheckpointSeconds = (performance.now() - begin) / 1000;
    this.#removeOld();
  }

  /** A journal that nothing is appended to any more. */
  async #end(journal: number): Promise<void> {
    try {
      await dataSynced(this.#options.files, journal);
    } finally {
      this.#options.files.closeSync(journal);
    }
  }

  async #writeCheckpoint(
    file: string,
    records: ReturnType<typeof checkpointRecords>,
  ): Promise<void> {
    const { files } = this.#options;
    const descriptor = files.openSync(file, 'w');
    try {
      const writer = new RecordWriter();
      writeAll(files, descriptor, fileHead('checkpoint'));
      let sliceBegin = performance.now();
      for (const record of records) {
        writer.add(record);
        if (writer.bytes.length >= PIECE_BYTES) {
          writeAll(files, descriptor, writer.bytes);
          writer.clear();
        }
        if (performance.now() - sliceBegin < SLICE_MS) continue;
        await nextTurn();
        sliceBegin = performance.now();
      }
      writeAll(files, descriptor, writer.bytes);
      await dataSynced(files, descriptor);
    } finally {
      files.closeSync(descriptor);
    }
  }

  /** Keeps the newest checkpoint, the one before it, and the journals since that one. */
  #removeOld(): void {
    const { files, folder } = this.#options;
    const checkpoints = fileNumbers(files, folder, 'checkpoint');
    const oldest = checkpoints.at(-2) ?? 0;
    for (const kind of ['checkpoint', 'journal'] as const) {
      for (const number of fileNumbers(files, folder, kind)) {
        if (number < oldest)
          files.rmSync(path.join(folder, fileName(kind, number)), { force: true });
      }
    }
  }
}

function dataSynced(files: StateFiles, descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    files.fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}
