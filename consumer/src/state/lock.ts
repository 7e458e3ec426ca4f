/**
 * A lock that its holder's death releases, however it dies: a Unix socket in the folder that is locked.
 * As long as the holder lives, somebody answers there; afterwards the kernel refuses, whoever's name is
 * still in the folder. It holds across containers that share the folder, on one machine.
 */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS_MAX = 5;
/** Two that find a dead holder's socket at once may each put its own there: who came last has it. */
const SETTLE_MS = 50;
const ANSWER_BYTES_MAX = 1000;
/** A holder that is halted has its socket, and does not answer. */
const ANSWER_TIMEOUT_MS = 2000;
const SILENT = '- a process that does not answer';

export class LockedError extends Error {
  override readonly name = 'LockedError';
  /** What the holder says of itself. */
  readonly holder: string;

  constructor(holder: string) {
    super(`it is held by ${holder}`);
    this.holder = holder;
  }
}

export interface Lock {
  /**
   * Whether it is in the folder still; false where it was removed, with or without the folder. Throws what
   * lstat(2) gives.
   */
  isInPlace(): boolean;
  release(): void;
}

/** Throws LockedError where another process holds it, and what bind(2) gives. */
export async function lockFolder(folder: string, name: string, holder: string): Promise<Lock> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const lock = await tryToLock(folder, name, holder);
    if (lock !== null) return lock;
  }
  throw new Error(`${path.join(folder, name)} cannot be taken`);
}

/** null where nobody has it, and it could not be taken all the same: another is about to. */
async function tryToLock(folder: string, name: string, holder: string): Promise<Lock | null> {
  // The name of a socket has 107 bytes at most; a folder's descriptor makes any path short.
  const descriptor = fs.openSync(folder, 'r');
  const isShort = fs.existsSync(`/proc/self/fd/${descriptor}`);
  const file = path.join(isShort ? `/proc/self/fd/${descriptor}` : folder, name);
  const answer = `${randomUUID()} ${holder}`;
  let server: net.Server | null = null;
  // Closing takes the name out of the folder, by this descriptor: not where it is another's.
  const letGo = (isOwn: boolean) => {
    if (!isOwn) fs.closeSync(descriptor);
    server?.close();
    if (isOwn) fs.closeSync(descriptor);
  };
  let found: string | null;
  try {
    server = await listen(file, answer);
    if (server !== null) await delay(SETTLE_MS);
    found = await ask(file);
    if (found === answer) {
      const own = identityOf(file);
      const isInPlace = () => identityOf(path.join(folder, name)) === own;
      return { isInPlace, release: () => letGo(isInPlace()) };
    }
    // A dead holder's. One's own that does not answer has been removed.
    if (found === null && server === null) fs.rmSync(file, { force: true });
  } catch (error) {
    letGo(false);
    throw error;
  }
  letGo(false);
  if (found !== null) throw new LockedError(holderOf(found));
  return null;
}

function identityOf(file: string): string | null {
  const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
}

function holderOf(answer: string): string {
  return answer.slice(answer.indexOf(' ') + 1);
}

/** null when something has that name already. */
function listen(file: string, answer: string): Promise<net.Server | null> {
  const server = net.createServer((socket) => socket.on('error', () => {}).end(answer));
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(file, () => resolve(server));
  });
}

/** What the holder answers; null when nobody does. */
function ask(file: string): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(file);
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text = (text + chunk).slice(0, ANSWER_BYTES_MAX);
    });
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
      text = SILENT;
      socket.destroy();
    });
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(text === '' ? null : text));
  });
}
