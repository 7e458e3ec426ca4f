import fs from 'node:fs';
import net from 'node:net';

const READ_BYTES = 65_536;

export interface StdinReaderHandlers {
  /** What was read; the bytes are overwritten after the call. */
  onBytes(bytes: Uint8Array): void;
  /** The input has ended; an error is null when it did so by itself. */
  onEnd(error: Error | null): void;
}

/**
 * Reads standard input to its end. A pipe or a socket is read as a FIFO is, without a thread of the
 * pool; a file or a device by the pool, which does not wait there. One read, one turn of the event loop.
 *
 * Returns a function that stops reading at once.
 */
export function readStdin({ onBytes, onEnd }: StdinReaderHandlers): () => void {
  const descriptor = 0;
  const stats = fs.fstatSync(descriptor);
  const isPolled = stats.isFIFO() || stats.isSocket();
  const stream = isPolled
    ? new net.Socket({ fd: descriptor, readable: true, writable: false })
    : fs.createReadStream('', { fd: descriptor, highWaterMark: READ_BYTES });
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
