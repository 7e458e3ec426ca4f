// The files that a replay reads, `-` for standard input among them.
import {
  accessSync,
  closeSync,
  constants,
  createReadStream,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { pipeline } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { createGunzip } from 'node:zlib';
import { InputError } from './output.js';

export const STDIN = '-';

/** What a pipe holds if nobody has made it larger. */
export const PIECE_BYTES = 65_536;

function inputError(path: string, cause: unknown): InputError {
  const { errno, message, syscall } = cause as NodeJS.ErrnoException;
  // zlib has an errno too, but of its own numbering: -3 would be "no such process".
  const isSystemError = errno !== undefined && syscall !== undefined;
  const reason = isSystemError ? (getSystemErrorMap().get(errno)?.[1] ?? message) : message;
  return new InputError(`cannot read ${path}: ${reason}`, { cause });
}

/** The file's size in bytes. Throws an `InputError` for what is no readable regular file. */
export function checkFile(path: string): number {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw new Error('it is a directory');
    // Opening a FIFO would hold a thread, and the process with it, until somebody writes to it.
    if (!stats.isFile()) throw new Error('it is no regular file; pipe it in and name it -');
    accessSync(path, constants.R_OK);
    return stats.size;
  } catch (cause) {
    throw inputError(path, cause);
  }
}

/**
 * Blocking, into one buffer: more than twice as fast as a stream, whose every piece is new memory
 * and goes through another thread. A read of a regular file is short; only a write waits for long.
 */
function* readFile(path: string, onRead: (bytesRead: number) => void): Generator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  const file = openSync(path, 'r');
  try {
    let bytesRead = 0;
    for (;;) {
      const bytes = readSync(file, buffer);
      if (bytes === 0) return;
      bytesRead += bytes;
      onRead(bytesRead);
      yield buffer.subarray(0, bytes);
    }
  } finally {
    closeSync(file);
  }
}

/**
 * The bytes of a file, decompressed where its name ends with `.gz`, in pieces of about 64 KiB, each
 * valid until the next is asked for. `onRead` is told how many bytes of the file itself have been
 * read so far. Throws an `InputError` when reading or decompressing fails.
 */
export async function* readInput(
  path: string,
  onRead: (bytesRead: number) => void,
): AsyncGenerator<Buffer> {
  try {
    if (path === STDIN) {
      yield* process.stdin as AsyncIterable<Buffer>;
    } else if (path.endsWith('.gz')) {
      const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
      // The callback has nothing to do: a failure comes out of the loop below as well.
      for await (const piece of pipeline(
        file,
        createGunzip({ chunkSize: PIECE_BYTES }),
        () => {},
      )) {
        onRead(file.bytesRead);
        yield piece;
      }
      onRead(file.bytesRead);
    } else {
      yield* readFile(path, onRead);
    }
  } catch (cause) {
    throw inputError(path, cause);
  }
}
