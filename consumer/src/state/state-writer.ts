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
import { reasonOf } from '../reason.js';
import type { ByteWriter } from './bytes.js';
import { type CheckpointContent, checkpointRecords } from './checkpoint-records.js';
import type { Durability } from './durability.js';
import { fileHead, RecordWriter } from './records.js';
import {
  dataSynced,
  folderSynced,
  removed,
  type StateFiles,
  syncFolder,
  writeAll,
} from './state-files.js';
import { fileName, fileNumbers } from './thread-folder.js';

/** Work on a checkpoint between two turns of the event loop, in which reads are counted. */
const SLICE_MS = 4;
/** A checkpoint's records are written to its file in pieces of this size. */
const PIECE_BYTES = 262_144;
/** How often a write that failed is tried again. */
const RETRY_INTERVAL_MS = 250;
/** How long after a checkpoint that failed the next is tried, where nothing is read until there is one. */
const CHECKPOINT_RETRY_MS = 1000;

export interface StateWriterOptions {
  /** There is one, and what is in it was read. */
  readonly folder: string;
  /** Without a journal, what was counted since the last checkpoint is lost with the process. */
  readonly hasJournal: boolean;
  /**
   * What is in the folder cannot be gone on with: its ids are others. Nothing may be read until there is
   * a checkpoint.
   */
  readonly beginsAnew: boolean;
  /** Of the journals in the folder that are newer than its checkpoint. */
  readonly journalBytes: number;
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
  readonly durability: Exclude<Durability, 'none'>;
  readonly journalBytes: number;
  readonly checkpoints: number;
  /** How long the last checkpoint took; null before the first. */
  readonly lastCheckpointSeconds: number | null;
  /** How long reading stood still for it at a time, at most. */
  readonly lastCheckpointPauseSeconds: number | null;
  readonly fault: string | null;
}

export class StateWriter {
  /** Resolves once what is in the folder can be gone on with; before that nothing may be read. */
  readonly begun: Promise<void>;
  #setBegun: () => void = () => {};
  readonly #options: StateWriterOptions;
  readonly #records = new RecordWriter();
  #number: number;
  /** There is a journal of this number, with what was counted before: it is added to. */
  readonly #goesOn: boolean;
  /** null where there is none, or where it cannot be begun yet. */
  #journal: number | null = null;
  /** Bytes of the journals since the newest checkpoint. */
  #journalBytes: number;
  /** What the disk has not taken yet, of one append. */
  #waiting: Uint8Array | null = null;
  /** Something was counted since the newest checkpoint was begun. */
  #isChanged: boolean;
  /** What was written to the journal may not be there: only a checkpoint makes up for it. */
  #needsCheckpoint: boolean;
  #isDirty: boolean;
  #isSyncing = false;
  #faults = { journal: null as string | null, checkpoint: null as string | null };
  #reported: string | null = null;
  #checkpoint: Promise<void> | null = null;
  #checkpointFailedAt = Number.NEGATIVE_INFINITY;
  #checkpoints = 0;
  #lastCheckpointSeconds: number | null = null;
  #lastCheckpointPauseSeconds: number | null = null;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(options: StateWriterOptions) {
    const { files, folder, beginsAnew, journalBytes } = options;
    this.#options = options;
    this.#journalBytes = journalBytes;
    this.#isChanged = journalBytes > 0;
    // Whoever wrote it may have been killed before it was made to last.
    this.#isDirty = journalBytes > 0;
    this.#needsCheckpoint = beginsAnew;
    const journals = fileNumbers(files, folder, 'journal');
    const newest = Math.max(0, ...journals, ...fileNumbers(files, folder, 'checkpoint'));
    // The journal of a checkpoint has its number: there must be no gap.
    this.#number = beginsAnew ? newest : Math.max(newest, 1);
    this.#goesOn = !beginsAnew && journals.includes(newest);
    if (!beginsAnew) this.#beginJournal();
    this.#every(options.checkpointIntervalMs, () => this.checkpoint());
    this.#every(options.journalSyncIntervalMs, () => this.#sync());
    this.#every(RETRY_INTERVAL_MS, () => this.#retry());
    this.begun = new Promise((resolve) => {
      this.#setBegun = resolve;
    });
    if (beginsAnew) void this.checkpoint();
    else this.#setBegun();
    this.#report();
  }

  stats(): StateStats {
    return {
      durability: this.#options.hasJournal ? 'journal' : 'checkpoint',
      journalBytes: this.#journalBytes,
      checkpoints: this.#checkpoints,
      lastCheckpointSeconds: this.#lastCheckpointSeconds,
      lastCheckpointPauseSeconds: this.#lastCheckpointPauseSeconds,
      fault: this.fault ?? this.#faults.checkpoint,
    };
  }

  /** Why nothing may be read; null when reading may go on. */
  get fault(): string | null {
    const { journal, checkpoint } = this.#faults;
    if (journal !== null) return journal;
    if (this.#needsCheckpoint) return checkpoint;
    // Without checkpoints the journal would grow without a bound.
    const isFull = this.#journalBytes > 2 * this.#options.journalBytesMax;
    return isFull ? (checkpoint ?? 'the journal is full until a checkpoint is taken') : null;
  }

  /** Writes a record of what one read has changed. */
  append(write: (payload: ByteWriter) => void): void {
    this.#isChanged = true;
    if (!this.#options.hasJournal) return;
    this.#records.clear();
    this.#records.add(write);
    const { bytes } = this.#records;
    this.#journalBytes += bytes.length;
    this.#isDirty = true;
    this.#write(bytes);
    if (this.#journalBytes > this.#options.journalBytesMax) void this.checkpoint();
    this.#report();
  }

  /** Takes a checkpoint if there is something new, or waits for the one that is being taken. Does not reject. */
  checkpoint(): Promise<void> {
    if (!this.#isChanged && !this.#needsCheckpoint) return Promise.resolve();
    this.#checkpoint ??= this.#takeCheckpoint()
      .then(() => {
        this.#faults.checkpoint = null;
      })
      .catch((error: Error) => {
        this.#isChanged = true;
        this.#checkpointFailedAt = performance.now();
        this.#faults.checkpoint = `the checkpoint cannot be written: ${reasonOf(error)}`;
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
    this.#setBegun();
  }

  #report(): void {
    const { fault } = this;
    if (fault === this.#reported) return;
    this.#reported = fault;
    this.#options.onFault(fault);
  }

  #every(intervalMs: number, callback: () => void): void {
    this.#timers.push(setInterval(callback, intervalMs).unref());
  }

  #beginJournal(): void {
    if (!this.#options.hasJournal) return;
    const { files, folder } = this.#options;
    const file = path.join(folder, fileName('journal', this.#number));
    try {
      const journal = this.#goesOn ? files.openSync(file, 'a') : this.#createJournal(this.#number);
      try {
        syncFolder(files, folder);
      } catch (error) {
        files.closeSync(journal);
        throw error;
      }
      this.#journal = journal;
    } catch (error) {
      this.#faults.journal = `the journal cannot be written: ${reasonOf(error as Error)}`;
    }
  }

  #createJournal(number: number): number {
    const { files, folder } = this.#options;
    const descriptor = files.openSync(path.join(folder, fileName('journal', number)), 'w');
    try {
      writeAll(files, descriptor, fileHead('journal'));
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
      if (this.#journal === null) throw new Error('it is not there');
      while (at < bytes.length) at += files.writeSync(this.#journal, bytes, at);
      this.#waiting = null;
      this.#faults.journal = null;
    } catch (error) {
      this.#waiting = bytes.slice(at);
      this.#faults.journal ??= `the journal cannot be written: ${reasonOf(error as Error)}`;
    }
  }

  #retry(): void {
    const { hasJournal } = this.#options;
    if (hasJournal && this.#journal === null && !this.#needsCheckpoint) {
      this.#faults.journal = null;
      this.#beginJournal();
    }
    if (this.#waiting !== null && this.#journal !== null) {
      this.#faults.journal = null;
      this.#write(new Uint8Array(0));
    }
    const mayTry = performance.now() - this.#checkpointFailedAt > CHECKPOINT_RETRY_MS;
    const isLong = this.#journalBytes > this.#options.journalBytesMax;
    const isWanted = this.#needsCheckpoint || isLong || this.fault !== null;
    if (isWanted && this.#waiting === null && mayTry) void this.checkpoint();
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
      // The kernel tells of a page that it could not write once, and forgets it: to try again says nothing.
      if (error !== null && journal === this.#journal) {
        this.#needsCheckpoint = true;
        this.#faults.checkpoint = `the journal cannot be written: ${reasonOf(error)}`;
        void this.checkpoint();
      }
      this.#report();
    });
  }

  async #takeCheckpoint(): Promise<void> {
    const { files, folder, hasJournal } = this.#options;
    const begin = performance.now();
    const pauses = new Pauses();
    const number = this.#number + 1;
    const next = hasJournal ? this.#createJournal(number) : null;
    let before: number | null = null;
    try {
      if (next !== null) await pauses.endAt(folderSynced(files, folder));
      before = this.#journal;
      if (before !== null) {
        // It lasts before the next is written to, or a loss of power could leave a gap between them. What
        // was appended meanwhile is little: that does not take long.
        await pauses.endAt(dataSynced(files, before));
        files.fdatasyncSync(before);
      }
      if (this.#waiting !== null) throw new Error(this.#faults.journal ?? 'the journal waits');
    } catch (error) {
      if (next !== null) files.closeSync(next);
      throw error;
    }
    this.#journal = next;
    this.#number = number;
    if (before !== null) files.closeSync(before);
    const coveredBytes = this.#journalBytes;
    this.#isChanged = false;
    const needed = this.#needsCheckpoint;
    const records = checkpointRecords(this.#options.content());

    const file = path.join(folder, fileName('checkpoint', number));
    try {
      await this.#writeCheckpoint(`${file}.tmp`, records, pauses);
      files.renameSync(`${file}.tmp`, file);
      await pauses.endAt(folderSynced(files, folder));
    } catch (error) {
      files.rmSync(`${file}.tmp`, { force: true });
      throw error;
    }
    this.#checkpoints++;
    this.#journalBytes -= coveredBytes;
    if (needed) this.#needsCheckpoint = false;
    this.#setBegun();
    await this.#removeOld(pauses);
    this.#lastCheckpointSeconds = (performance.now() - begin) / 1000;
    this.#lastCheckpointPauseSeconds = Math.max(pauses.longestMs, pauses.currentMs) / 1000;
  }

  async #writeCheckpoint(
    file: string,
    records: ReturnType<typeof checkpointRecords>,
    pauses: Pauses,
  ): Promise<void> {
    const { files } = this.#options;
    const descriptor = files.openSync(file, 'w');
    try {
      const writer = new RecordWriter();
      writeAll(files, descriptor, fileHead('checkpoint'));
      for (const record of records) {
        writer.add(record);
        if (writer.bytes.length >= PIECE_BYTES) {
          writeAll(files, descriptor, writer.bytes);
          writer.clear();
        }
        if (pauses.currentMs >= SLICE_MS) await pauses.endAt(nextTurn());
      }
      writeAll(files, descriptor, writer.bytes);
      await pauses.endAt(dataSynced(files, descriptor));
    } finally {
      files.closeSync(descriptor);
    }
  }

  /** Keeps the newest checkpoint, the one before it, and the journals since that one. */
  async #removeOld(pauses: Pauses): Promise<void> {
    const { files, folder } = this.#options;
    const checkpoints = fileNumbers(files, folder, 'checkpoint');
    const oldest = checkpoints.at(-2) ?? 0;
    for (const kind of ['checkpoint', 'journal'] as const) {
      for (const number of fileNumbers(files, folder, kind)) {
        if (number >= oldest) continue;
        await pauses.endAt(removed(files, path.join(folder, fileName(kind, number))));
      }
    }
  }
}

/** How long a thread does nothing else, from one turn of its event loop to the next. */
class Pauses {
  #begin = performance.now();
  longestMs = 0;

  get currentMs(): number {
    return performance.now() - this.#begin;
  }

  /** The pause ends here; the next begins when what is waited for is done. */
  async endAt(wait: Promise<void>): Promise<void> {
    this.longestMs = Math.max(this.longestMs, this.currentMs);
    try {
      await wait;
    } finally {
      this.#begin = performance.now();
    }
  }
}
