// The files that a replay reads, `-` for standard input among them.
import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { createGunzip } from 'node:zlib';
import { InputError } from './output.js';

export const STDIN = '-';

const PIECE_BYTES = 65_536;

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
 * The bytes of a file, decompressed where its name ends with `.gz`, in pieces of about 64 KiB.
 * `onRead` is told how many bytes of the file itself have been read so far.
 * Throws an `InputError` when reading or decompressing fails.
 */
export async function* readInput(
  path: string,
  onRead: (bytesRead: number) => void,
): AsyncGenerator<Buffer> {
  try {
    if (path === STDIN) {
      yield* process.stdin as AsyncIterable<Buffer>;
      return;
    }
    const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
    const pieces = path.endsWith('.gz')
      ? // The callback has nothing to do: a failure comes out of the loop below as well.
        pipeline(file, createGunzip({ chunkSize: PIECE_BYTES }), () => {})
      : file;
    for await (const piece of pieces) {
      onRead(file.bytesRead);
      yield piece;
    }
    onRead(file.bytesRead);
  } catch (cause) {
    throw inputError(path, cause);
  }
}
