/**
 * The largest event time seen that was not too far ahead of the clock; windows are kept relative to it.
 * It lies in shared memory because it is one for all ingest threads: an event that one of them reads is
 * late by what another has seen.
 */
export class EventTimeFront {
  /** Give it to another thread, and make the front of that thread with it. */
  readonly buffer: SharedArrayBuffer;
  readonly #bits: BigInt64Array;
  readonly #conversion = new DataView(new ArrayBuffer(8));

  constructor(buffer = new SharedArrayBuffer(8)) {
    this.buffer = buffer;
    this.#bits = new BigInt64Array(buffer);
  }

  /** Unix seconds; -Infinity before the first event. */
  get value(): number {
    const bits = Atomics.load(this.#bits, 0);
    return bits === 0n ? Number.NEGATIVE_INFINITY : this.#toSeconds(bits);
  }

  /** Moves the front to an event time ≥ 0, if that is further than where it is. */
  advanceTo(eventTime: number): void {
    const bits = this.#toBits(eventTime);
    let seen = Atomics.load(this.#bits, 0);
    while (bits > seen) {
      const found = Atomics.compareExchange(this.#bits, 0, seen, bits);
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
    this.#conversion.setBigInt64(0, bits - 1n);
    return this.#conversion.getFloat64(0);
  }
}
