import fs from 'node:fs';
import { FIFO_SUFFIX } from '@event-tally/shared/fifo.js';
import type { Log } from '../log.js';
import { makeFolder } from '../make-folder.js';
import { reasonOf } from '../reason.js';
import { LockedError } from '../state/lock.js';
import { fifoIdentity } from './fifo-reader.js';
import {
  type FifoStatus,
  GONE,
  MESSAGES,
  NOT_A_FIFO,
  OPEN,
  openStatus,
  readOn,
} from './fifo-status.js';
import type { FolderStatus, SourceStatus } from './source.js';
import { sourceName } from './source-name.js';
import type { StandingLock } from './standing-lock.js';

/** How often the folder is looked at: half of the second within which a new FIFO is picked up. */
const LOOK_INTERVAL_MS = 500;

/** Names known at most, gone ones among them; further FIFOs are left alone, and that is told. */
export const SOURCES_MAX = 1000;

const TOO_MANY = `there are more than ${SOURCES_MAX} FIFOs: the further ones are not read`;
const LOCKED = 'another consumer has it, and the log says who: FIFOs that come are not read';
const NOT_LOCKED = 'it cannot be locked against a second consumer';
const SUFFIX = Buffer.from(FIFO_SUFFIX);

/** Whoever reads the FIFOs. It answers an opening with `opened` or `ended`, and tells any end later. */
export interface FifoHost {
  /**
   * False when nobody can read it just now. `identity` is that of FifoReader: two readers of one pipe
   * would tear its lines, so a released one of the same identity ends before this one begins.
   */
  open(name: string, path: Buffer, identity: string): boolean;
  /** Its name is gone: it is read on until its last writer leaves, and that end is not told. */
  release(name: string): void;
  /** It is gone for good: nothing has to be known of it any more. */
  forget(name: string): void;
}

export interface FifoDirectoryOptions {
  readonly directory: string;
  /** null: nothing holds the folder against a second consumer. */
  readonly lock: StandingLock | null;
  readonly host: FifoHost;
  readonly log: Log;
}

interface Entry {
  status: FifoStatus;
  /** Device and inode of the FIFO that is read, null when none is. */
  identity: string | null;
}

/**
 * Has every `*.fifo` in a folder read: those that are there, those that come later, and, under the same
 * name, those that take the place of one that was removed. The folder itself may be missing for a
 * while. A fault stands in the status of what it befell, is logged once, and is tried again at each
 * look. What is open is read on, whatever becomes of its folder or its rights.
 */
export class FifoDirectory {
  readonly #directory: string;
  readonly #lock: StandingLock | null;
  readonly #host: FifoHost;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();
  /** Names of which the host has not told yet whether it could open them. */
  readonly #opening = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #fault: string | null = null;
  #lockFault: string | null = null;
  #areTooMany = false;

  constructor({ directory, lock, host, log }: FifoDirectoryOptions) {
    this.#directory = directory;
    this.#lock = lock;
    this.#host = host;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS);
    if (this.#listFiles()?.size === 0) {
      const name = `*${FIFO_SUFFIX}`;
      this.#log('info', 'waiting for a FIFO', { directory: this.#directory, name });
    }
    this.look();
  }

  /** Looks no more; what is read goes on being read. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  opened(name: string, identity: string): void {
    this.#opening.delete(name);
    this.#setStatus(name, OPEN).identity = identity;
  }

  /** A reason is null where whoever read it was told to stop. */
  ended(name: string, reason: string | null): void {
    this.#opening.delete(name);
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.identity = null;
    if (reason !== null) this.#fail(name, reason);
  }

  /** Of the folder itself. */
  get status(): FolderStatus {
    const isLocked = this.#lock?.problem instanceof LockedError;
    const fault = this.#fault ?? (isLocked ? LOCKED : this.#areTooMany ? TOO_MANY : null);
    if (fault !== null) return { ok: false, reason: fault };
    return { ok: true, reason: this.#lockFault && `${NOT_LOCKED}: ${this.#lockFault}` };
  }

  /** Every FIFO since the start, by its name as a source, in the order in which they came. */
  *statuses(): Iterable<[name: string, status: SourceStatus]> {
    const fault = this.#fault;
    const unseen = fault === null ? null : readOn(`the folder cannot be read: ${fault}`);
    for (const [name, { status }] of this.#entries) {
      yield [name, status.state === 'open' ? (unseen ?? status) : status];
    }
  }

  /** Looks at the folder now. */
  look(): void {
    const files = this.#listFiles();
    if (files === null) return;
    if (files.size <= SOURCES_MAX) this.#areTooMany = false;
    // In this order: a FIFO that was renamed is let go of before it is read under its new name.
    for (const [name, entry] of this.#entries) {
      if (!files.has(name)) this.#lose(name, entry);
    }
    if (!this.#isFree()) return;
    let isFull = false;
    for (const [name, file] of files) {
      if (this.#entries.has(name) || this.#opening.has(name)) this.#follow(name, file);
      else if (isFull || !this.#hasRoom()) isFull = true;
      else this.#follow(name, file);
    }
  }

  /** Paths by the name as a source; null when the folder cannot be read: then what is open stays open. */
  #listFiles(): Map<string, Buffer> | null {
    try {
      makeFolder(this.#directory);
      // As bytes: a name need not be UTF-8, and as text it would then be another.
      const names = fs
        .readdirSync(this.#directory, { encoding: 'buffer' })
        .filter((name) => name.subarray(-SUFFIX.length).equals(SUFFIX));
      if (this.#fault !== null) this.#log('info', 'the FIFO folder can be read again');
      this.#fault = null;
      const folder = Buffer.from(`${this.#directory}/`);
      return new Map(names.map((name) => [sourceName(name), Buffer.concat([folder, name])]));
    } catch (error) {
      const reason = reasonOf(error as Error);
      if (this.#fault !== reason) {
        this.#log('error', 'cannot read the FIFO folder', { directory: this.#directory, reason });
      }
      this.#fault = reason;
      return null;
    }
  }

  /** Whether no other consumer reads here, as far as can be told; not while that is being found out. */
  #isFree(): boolean {
    const lock = this.#lock;
    if (lock === null) return true;
    if (!lock.isHeld()) {
      void lock.take().then(() => {
        this.#setLockFault(lock.problem);
        if (lock.problem === null && this.#timer !== undefined) this.look();
      });
    }
    return lock.isFree();
  }

  #setLockFault(problem: Error | null): void {
    const isLocked = problem instanceof LockedError;
    const fault = problem && (isLocked ? problem.message : reasonOf(problem));
    if (fault === this.#lockFault) return;
    this.#lockFault = fault;
    const level = fault === null ? 'info' : isLocked ? 'error' : 'warn';
    const message =
      fault === null
        ? 'the FIFO folder is locked against a second consumer'
        : 'the FIFO folder cannot be locked against a second consumer';
    this.#log(level, message, { directory: this.#directory, reason: fault });
  }

  #follow(name: string, file: Buffer): void {
    let stats: fs.BigIntStats;
    try {
      stats = fs.statSync(file, { bigint: true });
    } catch (error) {
      this.#miss(name, file, error as NodeJS.ErrnoException);
      return;
    }
    if (this.#opening.has(name)) return;
    const entry = this.#entries.get(name);
    const identity = fifoIdentity(stats);
    if (entry?.identity === identity) {
      this.#setStatus(name, openStatus(file));
      return;
    }
    if (entry !== undefined) this.#release(name, entry);
    if (!stats.isFIFO()) {
      this.#setStatus(name, NOT_A_FIFO);
      return;
    }
    for (const [other, { identity: otherIdentity }] of this.#entries) {
      if (otherIdentity !== identity) continue;
      this.#fail(name, `it is the same FIFO as ${other}`);
      return;
    }
    if (this.#host.open(name, file, identity)) this.#opening.add(name);
  }

  /** Its name was listed, but it cannot be looked at. */
  #miss(name: string, file: Buffer, error: NodeJS.ErrnoException): void {
    const entry = this.#entries.get(name);
    if (error.code === 'ENOENT' || error.code === 'ELOOP') {
      if (!isThere(file)) return; // gone since it was listed
      if (entry !== undefined) this.#release(name, entry);
      this.#fail(name, 'a symbolic link that leads nowhere');
    } else if (entry === undefined || entry.identity === null) this.#fail(name, reasonOf(error));
    else this.#setStatus(name, readOn(reasonOf(error)));
  }

  #lose(name: string, entry: Entry): void {
    this.#release(name, entry);
    this.#setStatus(name, GONE);
  }

  #release(name: string, entry: Entry): void {
    if (entry.identity !== null) this.#host.release(name);
    entry.identity = null;
  }

  /** Makes room by forgetting a source that is gone. */
  #hasRoom(): boolean {
    if (this.#entries.size + this.#opening.size < SOURCES_MAX) return true;
    for (const [name, { status }] of this.#entries) {
      if (status.state !== 'gone') continue;
      this.#host.forget(name);
      return this.#entries.delete(name);
    }
    if (!this.#areTooMany) this.#log('error', TOO_MANY, { directory: this.#directory });
    this.#areTooMany = true;
    return false;
  }

  #fail(name: string, reason: string): void {
    this.#setStatus(name, { state: 'failed', reason });
  }

  /** Logs only what changed: the folder is looked at twice a second. */
  #setStatus(name: string, status: FifoStatus): Entry {
    let entry = this.#entries.get(name);
    const changed = entry?.status.state !== status.state || entry.status.reason !== status.reason;
    if (entry === undefined) {
      entry = { status, identity: null };
      this.#entries.set(name, entry);
    }
    entry.status = status;
    if (changed) {
      const isWell = status === OPEN || status === GONE;
      const level = isWell ? 'info' : status.state === 'open' ? 'warn' : 'error';
      this.#log(level, MESSAGES[status.state], { source: name, reason: status.reason });
    }
    return entry;
  }
}

/** Also where it is a link that leads nowhere. */
function isThere(file: Buffer): boolean {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
