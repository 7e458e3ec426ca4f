/**
 * Reads one FIFO for as long as somebody may write to it.
 *
 * The FIFO is opened read-write and non-blocking and handed to a socket: epoll tells when there is
 * something to read. `fs.createReadStream` would park a thread of the pool in open(2) or read(2): four
 * of those stall every other file and DNS call, and the process can no longer exit. Opened read-only,
 * the stream would end when the first writer leaves; read-write, it never ends, so writers may come and
 * go (fifo(7): Linux allows it, POSIX leaves it undefined).
 *
 * One read, one turn: then the reader waits until the event loop has gone round, so that other FIFOs and
 * questions from the main thread get theirs.
 */
import fs from 'node:fs';
import net from 'node:net';

export interface FifoReaderHandlers {
  /** What was read; the bytes are overwritten after the call. */
  onBytes(bytes: Uint8Array): void;
  /** The reader has ended and its descriptor is closed; an error is null when it was told to end. */
  onEnd(error: Error | null): void;
}

export class FifoReader {
  /** Device and inode: tells a FIFO from another one that has taken its name. */
  readonly identity: string;
  readonly #nextBuffer: () => Uint8Array;
  readonly #handlers: FifoReaderHandlers;
  #descriptor: number;
  #socket: net.Socket;
  #isHeld = false;

  /**
   * Opens the FIFO at a path and begins to read. Throws what open(2) gives, or that it is no FIFO. At
   * first and after each read `nextBuffer` is asked what the next one is to fill; all readers of a thread may be
   * given the same memory: what was read is consumed before the next read.
   */
  constructor(path: string | Buffer, nextBuffer: () => Uint8Array, handlers: FifoReaderHandlers) {
    const descriptor = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
    const stats = fs.fstatSync(descriptor, { bigint: true });
    if (!stats.isFIFO()) {
      fs.closeSync(descriptor);
      throw new Error('it is no FIFO any more');
    }
    this.identity = fifoIdentity(stats);
    this.#nextBuffer = nextBuffer;
    this.#handlers = handlers;
    this.#descriptor = descriptor;
    try {
      this.#socket = this.#read(descriptor);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
  }

  /**
   * Reads what the writers that still hold the FIFO write, and ends when the last of them has left.
   * For a FIFO whose name is gone: no writer can come any more, and read-write it would stay open for
   * ever. A second, read-only opening of the same pipe, by way of /proc, does see the end.
   */
  drain(): void {
    let readOnly: number;
    try {
      const { O_RDONLY, O_NONBLOCK } = fs.constants;
      readOnly = fs.openSync(`/proc/self/fd/${this.#descriptor}`, O_RDONLY | O_NONBLOCK);
    } catch {
      this.close(); // no /proc: give up what may still be in the pipe rather than the descriptor
      return;
    }
    const readWrite = this.#socket;
    try {
      this.#socket = this.#read(readOnly);
    } catch {
      fs.closeSync(readOnly);
      this.close();
      return;
    }
    this.#descriptor = readOnly;
    readWrite.removeAllListeners();
    readWrite.on('error', () => {});
    readWrite.destroy();
  }

  /** Reads no further until `goOn`. */
  hold(): void {
    this.#isHeld = true;
    this.#socket.pause();
  }

  goOn(): void {
    this.#isHeld = false;
    if (!this.#socket.destroyed) this.#socket.resume();
  }

  /** Stops reading at once. What is in the pipe stays there for as long as a writer holds it open. */
  close(): void {
    this.#socket.destroy();
  }

  #read(descriptor: number): net.Socket {
    // Node documents onread for net.connect; the constructor takes it as well.
    const options: net.SocketConstructorOpts & { onread: net.OnReadOpts } = {
      fd: descriptor,
      readable: true,
      writable: false,
      onread: {
        buffer: this.#nextBuffer,
        callback: (length, buffer) => {
          this.#handlers.onBytes(buffer.subarray(0, length));
          // After a read that leaves room, libuv goes round by itself; after a full one it would read on.
          if (length < buffer.length) return true;
          setImmediate(takeTurn);
          return false;
        },
      },
    };
    const socket = new net.Socket(options);
    const takeTurn = () => {
      if (!socket.destroyed && !this.#isHeld) socket.resume();
    };
    if (this.#isHeld) socket.pause();
    let failure: Error | null = null;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => this.#handlers.onEnd(failure));
    return socket;
  }
}

/** Of numbers that a double does not hold, too: a file system may use all 64 bits. */
export function fifoIdentity(stats: fs.BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}
