import fs from 'node:fs';
import net from 'node:net';
import type { Readable } from 'node:stream';
import tty from 'node:tty';

const READ_BYTES = 65_536;

export interface StdinReaderHandlers {
  /** What was read; the bytes are overwritten after the call. */
  onBytes(bytes: Uint8Array): void;
  /** The input has ended; an error is null when it did so by itself. */
  onEnd(error: Error | null): void;
}

/**
 * Reads standard input to its end. A pipe, a socket or a terminal is read as a FIFO is, without a thread
 * of the pool; a file by the pool, which does not wait there. One read, one turn of the event loop.
 *
 * Returns a function that stops reading at once.
 */
export function readStdin({ onBytes, onEnd }: StdinReaderHandlers): () => void {
  const descriptor = 0;
  const stream = openStdin(descriptor);
  let failure: Error | null = null;
  stream.on('data', (bytes: Uint8Array) => {
    onBytes(bytes);
    stream.pause();
    setImmediate(() => stream.resume());
  });
  stream.on('error', (error: Error) => {
    failure = error;
  });
  stream.on('close', () => onEnd(failure));
  return () => stream.destroy();
}

function openStdin(descriptor: number): Readable {
  if (tty.isatty(descriptor)) return new tty.ReadStream(descriptor);
  const stats = fs.fstatSync(descriptor);
  return stats.isFIFO() || stats.isSocket()
    ? new net.Socket({ fd: descriptor, readable: true, writable: false })
    : fs.createReadStream('', { fd: descriptor, highWaterMark: READ_BYTES });
}
