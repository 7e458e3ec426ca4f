import fs from 'node:fs';
import path from 'node:path';
import { FIFO_SUFFIX } from '@event-tally/shared/fifo.js';
import type { Log } from '../log.js';
import { makeFolder } from '../make-folder.js';
import { fifoIdentity } from './fifo-reader.js';
import type { SourceState, SourceStatus } from './source.js';

/** How often the folder is looked at: half of the second within which a new FIFO is picked up. */
const LOOK_INTERVAL_MS = 500;

/** Names known at most, gone ones among them; further FIFOs are left alone, and that is logged. */
export const SOURCES_MAX = 1000;

/** The states that a FIFO can have here, with what the log says when one comes to be in it. */
const MESSAGES = {
  open: 'tailing',
  gone: 'FIFO gone',
  not_a_fifo: 'not a FIFO',
  failed: 'cannot read the FIFO',
} as const satisfies Partial<Record<SourceState, string>>;

interface FifoStatus extends SourceStatus {
  readonly state: keyof typeof MESSAGES;
}

const TOO_MANY = `there are more than ${SOURCES_MAX} FIFOs: the further ones are not read`;

const OPEN: FifoStatus = { state: 'open', reason: null };
const GONE: FifoStatus = { state: 'gone', reason: 'its name is no longer in the folder' };
const NOT_A_FIFO: FifoStatus = {
  state: 'not_a_fifo',
  reason: 'not a FIFO: remove it and start its producer again, which makes one',
};

/** Whoever reads the FIFOs. It answers an opening with `opened` or `ended`, and tells any end later. */
export interface FifoHost {
  /**
   * False when nobody can read it just now. `identity` is that of FifoReader: two readers of one pipe
   * would tear its lines, so a released one of the same identity ends before this one begins.
   */
  open(name: string, path: string, identity: string): boolean;
  /** Its name is gone: it is read on until its last writer leaves, and that end is not told. */
  release(name: string): void;
  /** It is gone for good: nothing has to be known of it any more. */
  forget(name: string): void;
}

export interface FifoDirectoryOptions {
  readonly directory: string;
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
 * look.
 */
export class FifoDirectory {
  readonly #directory: string;
  readonly #host: FifoHost;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();
  /** Names of which the host has not told yet whether it could open them. */
  readonly #opening = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #fault: string | null = null;
  #areTooMany = false;

  constructor({ directory, host, log }: FifoDirectoryOptions) {
    this.#directory = directory;
    this.#host = host;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS);
    if (this.#listNames()?.size === 0) {
      const name = `*${FIFO_SUFFIX}`;
      this.#log('info', 'waiting for a FIFO', { directory: this.#directory, name });
    }
    this.look();
  }

  /** Looks no more; what is read goes on being read. */
  stop(): void {
    clearInterval(this.#timer);
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

  /** Why the folder itself, or all of it, cannot be read; null when it can. */
  get fault(): string | null {
    return this.#fault ?? (this.#areTooMany ? TOO_MANY : null);
  }

  /** Every FIFO since the start, by its file name, in the order in which they came. */
  *statuses(): Iterable<[name: string, status: SourceStatus]> {
    for (const [name, { status }] of this.#entries) yield [name, status];
  }

  /** Looks at the folder now. */
  look(): void {
    const names = this.#listNames();
    if (names === null) return;
    if (names.size <= SOURCES_MAX) this.#areTooMany = false;
    // In this order: a FIFO that was renamed is let go of before it is read under its new name.
    for (const [name, entry] of this.#entries) {
      if (!names.has(name)) this.#lose(name, entry);
    }
    for (const name of names) this.#follow(name);
  }

  /** Null when the folder cannot be read: then what is open stays open. */
  #listNames(): Set<string> | null {
    try {
      makeFolder(this.#directory);
      const names = fs.readdirSync(this.#directory).filter((name) => name.endsWith(FIFO_SUFFIX));
      if (this.#fault !== null) this.#log('info', 'the FIFO folder can be read again');
      this.#fault = null;
      return new Set(names);
    } catch (error) {
      const { message } = error as Error;
      if (this.#fault !== message) {
        this.#log('error', 'cannot read the FIFO folder', {
          directory: this.#directory,
          reason: message,
        });
      }
      this.#fault = message;
      return null;
    }
  }

  #follow(name: string): void {
    const file = path.join(this.#directory, name);
    let stats: fs.Stats;
    try {
      stats = fs.statSync(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // gone since it was listed
      this.#fail(name, (error as Error).message);
      return;
    }
    const entry = this.#entries.get(name);
    if (entry === undefined && !this.#opening.has(name) && !this.#hasRoom()) return;
    const identity = fifoIdentity(stats);
    if (this.#opening.has(name) || entry?.identity === identity) return;
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

  #fail(name: string, message: string): void {
    const [reason = message] = message.split(', '); // without the path, which is nobody's business
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
      const level = status === OPEN || status === GONE ? 'info' : 'error';
      this.#log(level, MESSAGES[status.state], { source: name, reason: status.reason });
    }
    return entry;
  }
}
