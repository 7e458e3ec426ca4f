const FRONT = 0;
const DROPPED_BEFORE = 1;
const CHANGES = 2;
const CELLS = 3;
/** What a cell of the memory is before it is given a time. */
const UNSET = 0n;

/**
 * Where windows stand in event time, and how often what they hold has changed. It lies in shared memory
 * because it is one for all ingest threads: an event that one of them reads is late by what another has
 * seen, and an interval is answered by all of them or by none.
 */
export class EventTimeFront {
  /** Give it to another thread, and make the front of that thread with it. */
  readonly buffer: SharedArrayBuffer;
  readonly #bits: BigInt64Array;
  readonly #conversion = new DataView(new ArrayBuffer(8));

  constructor(buffer = new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#bits = new BigInt64Array(buffer);
  }

  /**
   * The largest event time seen that is not too far ahead of the clock, Unix seconds; -Infinity before
   * the first event.
   */
  get value(): number {
    return this.#toSeconds(Atomics.load(this.#bits, FRONT));
  }

  /** Moves the front to an event time ≥ 0, if that is further than where it is. */
  advanceTo(eventTime: number): void {
    this.#raise(FRONT, eventTime);
  }

  /**
   * Moves the front back to an event time ≥ 0, or -Infinity, if it is further than `limit`: the clock was
   * set back. The threads that have seen later times up to the limit advance it again.
   */
  retreatTo(eventTime: number, limit: number): void {
    const bits = eventTime < 0 ? UNSET : this.#toBits(eventTime);
    let seen = Atomics.load(this.#bits, FRONT);
    while (this.#toSeconds(seen) > limit) {
      const found = Atomics.compareExchange(this.#bits, FRONT, seen, bits);
      if (found === seen) return;
      seen = found;
    }
  }

  /** Of events before this, some were dropped from the windows; -Infinity where none were. */
  get droppedBefore(): number {
    return this.#toSeconds(Atomics.load(this.#bits, DROPPED_BEFORE));
  }

  /** Tells that events before a time were dropped. It never goes back. */
  dropBefore(eventTime: number): void {
    this.#raise(DROPPED_BEFORE, eventTime);
  }

  /** Goes on with each batch that any thread counts, and with what else changes counts. */
  get changes(): bigint {
    return Atomics.load(this.#bits, CHANGES);
  }

  /** Tells that counts have changed. */
  change(): void {
    Atomics.add(this.#bits, CHANGES, 1n);
  }

  #raise(index: number, eventTime: number): void {
    const bits = this.#toBits(eventTime);
    let seen = Atomics.load(this.#bits, index);
    while (bits > seen) {
      const found = Atomics.compareExchange(this.#bits, index, seen, bits);
      if (found === seen) return;
      seen = found;
    }
  }

  // The bits of doubles ≥ 0, read as integers, are in the order of the doubles (IEEE 754). One is added
  // so that no event time is 0, which is what the memory is before the first.
  #toBits(seconds: number): bigint {
    this.#conversion.setFloat64(0, seconds + 0); // -0 becomes 0: its sign bit would be the least of all
    return this.#conversion.getBigInt64(0) + 1n;
  }

  #toSeconds(bits: bigint): number {
    if (bits === UNSET) return Number.NEGATIVE_INFINITY;
    this.#conversion.setBigInt64(0, bits - 1n);
    return this.#conversion.getFloat64(0);
  }
}
