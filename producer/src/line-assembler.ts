// Whole lines out of a stream's pieces. Lines of one piece are told by their place in it; only what
// a piece leaves unfinished is copied, into a tail that has a bound.

const LF = 0x0a;
const LF_BYTES = Buffer.from('\n');

const FIRST_BYTES = 4096;
// A longer tail is let go of with its line: the next one may be a year away.
const KEPT_BYTES_MAX = 1024 * 1024;

/** The line from `start` to `end`, its LF included. The bytes are valid until it returns. */
export type OnLine = (bytes: Buffer, start: number, end: number) => void;

export class LineAssembler {
  readonly #lineBytesMax: number;
  readonly #onLine: OnLine;
  readonly #onTooLong: () => void;
  #tail: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #tailBytes = 0;
  #isSkipping = false;

  /**
   * `lineBytesMax`: with the LF. A longer line is not held: `onTooLong` tells of it, once, when it
   * has ended.
   */
  constructor(lineBytesMax: number, onLine: OnLine, onTooLong: () => void) {
    this.#lineBytesMax = lineBytesMax;
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
  }

  push(piece: Buffer): void {
    let start = 0;
    for (;;) {
      const end = piece.indexOf(LF, start) + 1;
      if (end === 0) break;
      if (this.#tailBytes > 0 || this.#isSkipping) {
        this.#append(piece, start, end);
        this.#endTail();
      } else if (end - start > this.#lineBytesMax) {
        this.#onTooLong();
      } else {
        this.#onLine(piece, start, end);
      }
      start = end;
    }
    this.#append(piece, start, piece.length);
  }

  /** The stream has ended: what it left unfinished becomes a line. */
  end(): void {
    if (this.#tailBytes > 0 || this.#isSkipping) this.push(LF_BYTES);
  }

  #append(piece: Buffer, start: number, end: number): void {
    if (this.#isSkipping || start === end) return;
    const bytesNeeded = this.#tailBytes + end - start;
    if (bytesNeeded > this.#lineBytesMax) {
      this.#isSkipping = true;
      this.#forgetTail();
      return;
    }
    if (bytesNeeded > this.#tail.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(Math.max(bytesNeeded, this.#tail.length * 2), this.#lineBytesMax),
      );
      this.#tail.copy(grown, 0, 0, this.#tailBytes);
      this.#tail = grown;
    }
    piece.copy(this.#tail, this.#tailBytes, start, end);
    this.#tailBytes = bytesNeeded;
  }

  #endTail(): void {
    if (this.#isSkipping) this.#onTooLong();
    else this.#onLine(this.#tail, 0, this.#tailBytes);
    this.#isSkipping = false;
    this.#forgetTail();
  }

  #forgetTail(): void {
    this.#tailBytes = 0;
    if (this.#tail.length > KEPT_BYTES_MAX) this.#tail = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }
}
