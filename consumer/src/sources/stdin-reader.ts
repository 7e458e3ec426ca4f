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
 */
export class StdinReader {
  readonly #stream = openStdin(0);
  #isHeld = false;

  constructor({ onBytes, onEnd }: StdinReaderHandlers) {
    const stream = this.#stream;
    let failure: Error | null = null;
    stream.on('data', (bytes: Uint8Array) => {
      onBytes(bytes);
      stream.pause();
      setImmediate(() => {
        if (!this.#isHeld) stream.resume();
      });
    });
    stream.on('error', (error: Error) => {
      failure = error;
    });
    stream.on('close', () => onEnd(failure));
  }

  /** Reads no further, but for a read that may be on its way, until `goOn`. */
  hold(): void {
    this.#isHeld = true;
    this.#stream.pause();
  }

  goOn(): void {
    this.#isHeld = false;
    this.#stream.resume();
  }

  /** Stops reading at once. */
  close(): void {
    this.#stream.destroy();
  }
}

function openStdin(descriptor: number): Readable {
  if (tty.isatty(descriptor)) return new tty.ReadStream(descriptor);
  const stats = fs.fstatSync(descriptor);
  return stats.isFIFO() || stats.isSocket()
    ? new net.Socket({ fd: descriptor, readable: true, writable: false })
    : fs.createReadStream('', { fd: descriptor, highWaterMark: READ_BYTES });
}
