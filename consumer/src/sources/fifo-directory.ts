import fs from 'node:fs';
import path from 'node:path';
import { FIFO_SUFFIX } from '@event-tally/shared/fifo.js';
import type { Log } from '../log.js';
import { FifoReader, fifoIdentity } from './fifo-reader.js';
import type { ByteSink, SourceStatus } from './source.js';

/** How often the folder is looked at: half of the second within which a new FIFO is picked up. */
const LOOK_INTERVAL_MS = 500;

/** Names known at most, gone ones among them; further FIFOs are left alone, and that is logged. */
export const SOURCES_MAX = 1000;

const OPEN: SourceStatus = { state: 'open', reason: null };
const GONE: SourceStatus = { state: 'gone', reason: 'its name is no longer in the folder' };
const NOT_A_FIFO: SourceStatus = {
  state: 'not_a_fifo',
  reason: 'not a FIFO: remove it and start its producer again, which makes one',
};

export interface FifoDirectoryOptions {
  readonly directory: string;
  /** Called whenever a FIFO is opened, for the place that its bytes go to. */
  readonly connect: (name: string) => ByteSink;
  readonly log: Log;
}

interface Entry {
  status: SourceStatus;
  reader: FifoReader | null;
}

/**
 * Tails every `*.fifo` in a folder: those that are there, those that come later, and, under the same
 * name, those that take the place of one that was removed. The folder itself may be missing for a
 * while. A fault stands in the status of what it befell, is logged once, and is tried again at each
 * look.
 */
export class FifoDirectory {
  readonly #directory: string;
  readonly #connect: (name: string) => ByteSink;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();
  /** Readers of FIFOs whose name is gone, which read on until their last writer leaves. */
  readonly #draining = new Set<FifoReader>();
  #timer: NodeJS.Timeout | undefined;
  #fault: string | null = null;
  #sourcesMaxLogged = false;

  constructor({ directory, connect, log }: FifoDirectoryOptions) {
    this.#directory = directory;
    this.#connect = connect;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
    this.#look();
    if (this.#entries.size === 0) {
      this.#log('info', 'waiting for a FIFO', {
        directory: this.#directory,
        name: `*${FIFO_SUFFIX}`,
      });
    }
  }

  /** Stops reading at once. */
  stop(): void {
    clearInterval(this.#timer);
    for (const { reader } of this.#entries.values()) reader?.close();
    for (const reader of this.#draining) reader.close();
  }

  /** Why the folder itself cannot be read, null when it can. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Every FIFO since the start, by its file name, in the order in which they came. */
  *statuses(): Iterable<[name: string, status: SourceStatus]> {
    for (const [name, { status }] of this.#entries) yield [name, status];
  }

  #look(): void {
    const names = this.#listNames();
    if (names === null) return;
    for (const name of names) this.#follow(name);
    for (const [name, entry] of this.#entries) {
      if (!names.has(name)) this.#lose(name, entry);
    }
  }

  /** Null when the folder cannot be read: then what is open stays open. */
  #listNames(): Set<string> | null {
    try {
      fs.mkdirSync(this.#directory, { recursive: true });
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
      this.#fail(name, error as Error);
      return;
    }
    const entry = this.#entries.get(name);
    if (entry === undefined && !this.#hasRoom()) return;
    if (entry?.reader?.identity === fifoIdentity(stats)) return;
    if (entry?.reader) this.#release(entry);
    if (!stats.isFIFO()) {
      this.#setStatus(name, NOT_A_FIFO);
      return;
    }
    this.#open(name, file);
  }

  #open(name: string, file: string): void {
    try {
      const sink = this.#connect(name);
      const reader: FifoReader = new FifoReader(file, {
        onBytes: sink,
        onEnd: (error) => this.#ended(name, reader, error),
      });
      this.#setStatus(name, OPEN).reader = reader;
    } catch (error) {
      this.#fail(name, error as Error);
    }
  }

  #ended(name: string, reader: FifoReader, error: Error | null): void {
    this.#draining.delete(reader);
    const entry = this.#entries.get(name);
    if (entry?.reader !== reader) return;
    entry.reader = null;
    if (error !== null) this.#fail(name, error);
  }

  #lose(name: string, entry: Entry): void {
    if (entry.reader !== null) this.#release(entry);
    this.#setStatus(name, GONE);
  }

  #release(entry: Entry): void {
    if (entry.reader === null) return;
    this.#draining.add(entry.reader);
    entry.reader.drain();
    entry.reader = null;
  }

  /** Makes room by forgetting a source that is gone. */
  #hasRoom(): boolean {
    if (this.#entries.size < SOURCES_MAX) return true;
    for (const [name, { status }] of this.#entries) {
      if (status.state === 'gone') return this.#entries.delete(name);
    }
    if (!this.#sourcesMaxLogged) {
      this.#log('error', 'too many FIFOs: the further ones are not read', { max: SOURCES_MAX });
    }
    this.#sourcesMaxLogged = true;
    return false;
  }

  #fail(name: string, error: Error): void {
    this.#setStatus(name, { state: 'failed', reason: error.message });
  }

  /** Logs only what changed: the folder is looked at twice a second. */
  #setStatus(name: string, status: SourceStatus): Entry {
    let entry = this.#entries.get(name);
    const changed = entry?.status.state !== status.state || entry.status.reason !== status.reason;
    if (entry === undefined) {
      entry = { status, reader: null };
      this.#entries.set(name, entry);
    }
    entry.status = status;
    if (changed) {
      const messages = {
        open: 'tailing',
        gone: 'FIFO gone',
        not_a_fifo: 'not a FIFO',
        failed: 'cannot read the FIFO',
      };
      const level = status.reason === null || status.state === 'gone' ? 'info' : 'error';
      this.#log(level, messages[status.state], { source: name, reason: status.reason });
    }
    return entry;
  }
}
