// What waits for a reader that is too slow: a ring of whole lines, bounded by their number and by
// their bytes. The bytes are copied into one ring of their own,
//
//   #bytes    ▒▒▒│line 4 │line 5      │line 6│▒▒▒▒▒▒▒▒▒▒▒
//   #lengths      8       13           7
//
// and not kept as slices of the pieces in which they were read: a slice holds on to its whole
// piece, so that 10,000 lines of 60 bytes, one taken here and there, could hold 640 MiB.

export const DROP_POLICIES = ['drop_newest', 'drop_oldest'] as const;
/** Which line goes when there is no room for both: the one that comes, or those that wait longest. */
export type DropPolicy = (typeof DROP_POLICIES)[number];

/** Lines; each costs 4 bytes of its own. */
export const CAPACITY_MAX = 10_000_000;

/** So that 10,000 lines are no matter of how long somebody makes them. */
export const BUFFER_BYTES_MAX = 64 * 1024 * 1024;

/** Lengths are 32 bits. */
const BYTES_MAX_MAX = 2 ** 32 - 1;

const FIRST_BYTES = 65_536;

function assertWithin(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`${name} is ${value}, but must be a whole number from 1 to ${max}`);
}

export class BoundedBuffer {
  readonly capacity: number;
  readonly policy: DropPolicy;
  readonly bytesMax: number;
  // Grows up to `bytesMax` as it is needed, and never shrinks.
  #bytes: Buffer;
  readonly #lengths: Uint32Array;
  #firstByte = 0;
  #firstLine = 0;
  #byteCount = 0;
  #size = 0;
  #dropped = 0;

  /**
   * `capacity`: lines, 1 to `CAPACITY_MAX`, both in. `bytesMax`: of all its lines together, at least
   * 1. Throws a `RangeError` for anything else.
   */
  constructor(capacity: number, policy: DropPolicy, bytesMax: number = BUFFER_BYTES_MAX) {
    assertWithin('capacity', capacity, CAPACITY_MAX);
    assertWithin('bytesMax', bytesMax, BYTES_MAX_MAX);
    this.capacity = capacity;
    this.policy = policy;
    this.bytesMax = bytesMax;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(bytesMax, FIRST_BYTES));
    this.#lengths = new Uint32Array(capacity);
  }

  /** Lines. */
  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** That many lines, or that many bytes, as it may hold. */
  get isFull(): boolean {
    return this.#size === this.capacity || this.#byteCount === this.bytesMax;
  }

  /** Lines that were lost since the start, by either policy. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether a line of that length can be put without a drop. */
  hasRoomFor(byteLength: number): boolean {
    return this.#size < this.capacity && this.#byteCount + byteLength <= this.bytesMax;
  }

  /**
   * Puts a copy of the bytes from `start` to `end` of `source` behind the others. True when the line
   * was taken; the policy decides what was dropped for it. A line that is longer than `bytesMax` is
   * dropped by either policy: all the others would not make room for it.
   */
  put(source: Buffer, start = 0, end: number = source.length): boolean {
    const length = end - start;
    if (!this.hasRoomFor(length)) {
      if (this.policy === 'drop_newest' || length > this.bytesMax) {
        this.#dropped++;
        return false;
      }
      do {
        this.#remove(1, this.#lengths[this.#firstLine]!);
        this.#dropped++;
      } while (!this.hasRoomFor(length));
    }
    this.#grow(this.#byteCount + length);

    const first = this.#wrap(this.#firstByte + this.#byteCount, this.#bytes.length);
    const beforeWrap = Math.min(length, this.#bytes.length - first);
    source.copy(this.#bytes, first, start, start + beforeWrap);
    if (beforeWrap < length) source.copy(this.#bytes, 0, start + beforeWrap, end);

    this.#lengths[this.#wrap(this.#firstLine + this.#size, this.capacity)] = length;
    this.#byteCount += length;
    this.#size++;
    return true;
  }

  /** A copy of the oldest line, which stays. */
  top(): Buffer | undefined {
    if (this.#size === 0) return undefined;
    const line = Buffer.allocUnsafe(this.#lengths[this.#firstLine]!);
    this.#copyTo(line, line.length);
    return line;
  }

  /** Removes the oldest line. */
  get(): Buffer | undefined {
    const line = this.top();
    if (line !== undefined) this.#remove(1, line.length);
    return line;
  }

  /**
   * Removes the oldest lines, at most `linesMax`, as many as find room together in `target`, and
   * copies them to its start. None when it is empty or when the oldest alone is longer than that.
   */
  getInto(target: Buffer, linesMax: number): { lines: number; bytes: number } {
    const lineCount = Math.min(this.#size, linesMax);
    let lines = 0;
    let bytes = 0;
    while (lines < lineCount) {
      const length = this.#lengths[this.#wrap(this.#firstLine + lines, this.capacity)]!;
      if (bytes + length > target.length) break;
      bytes += length;
      lines++;
    }
    this.#copyTo(target, bytes);
    this.#remove(lines, bytes);
    return { lines, bytes };
  }

  /** Cheaper than a remainder, and enough for what is never past the second round. */
  #wrap(index: number, length: number): number {
    return index < length ? index : index - length;
  }

  #copyTo(target: Buffer, length: number): void {
    const beforeWrap = Math.min(length, this.#bytes.length - this.#firstByte);
    this.#bytes.copy(target, 0, this.#firstByte, this.#firstByte + beforeWrap);
    if (beforeWrap < length) this.#bytes.copy(target, beforeWrap, 0, length - beforeWrap);
  }

  #remove(lines: number, bytes: number): void {
    this.#firstLine = this.#wrap(this.#firstLine + lines, this.capacity);
    this.#firstByte = this.#wrap(this.#firstByte + bytes, this.#bytes.length);
    this.#size -= lines;
    this.#byteCount -= bytes;
  }

  #grow(bytesNeeded: number): void {
    if (bytesNeeded <= this.#bytes.length) return;
    const length = Math.min(Math.max(bytesNeeded, this.#bytes.length * 2), this.bytesMax);
    const grown = Buffer.allocUnsafeSlow(length);
    this.#copyTo(grown, this.#byteCount);
    this.#bytes = grown;
    this.#firstByte = 0;
  }
}
