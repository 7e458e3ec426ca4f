import fs from 'node:fs';
import net from 'node:net';
import type { Readable } from 'node:stream';
import tty from 'node:tty';
import { READ_BYTES_MIN } from './read-size.js';

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
  readonly #stream: Readable;
  #isHeld = false;

  /**
   * Of a pipe or a socket `nextBuffer` is asked at first and after each read what the next one is to fill; other
   * reads are short.
   */
  constructor(nextBuffer: () => Uint8Array, { onBytes, onEnd }: StdinReaderHandlers) {
    const takeTurn = () => {
      if (!this.#isHeld) this.#stream.resume();
    };
    const stream = openStdin(0, nextBuffer, (bytes) => {
      onBytes(bytes);
      stream.pause();
      setImmediate(takeTurn);
    });
    this.#stream = stream;
    let failure: Error | null = null;
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

function openStdin(
  descriptor: number,
  nextBuffer: () => Uint8Array,
  onRead: (bytes: Uint8Array) => void,
): Readable {
  if (tty.isatty(descriptor)) return new tty.ReadStream(descriptor).on('data', onRead);
  const stats = fs.fstatSync(descriptor);
  if (!stats.isFIFO() && !stats.isSocket()) {
    const file = { fd: descriptor, highWaterMark: READ_BYTES_MIN };
    return fs.createReadStream('', file).on('data', onRead as (chunk: Buffer | string) => void);
  }
  const options: net.SocketConstructorOpts & { onread: net.OnReadOpts } = {
    fd: descriptor,
    readable: true,
    writable: false,
    onread: {
      buffer: nextBuffer,
      callback: (length, buffer) => {
        onRead(buffer.subarray(0, length));
        return false;
      },
    },
  };
  return new net.Socket(options);
}
