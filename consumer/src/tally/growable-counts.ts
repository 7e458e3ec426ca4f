/** Exact counts by dense id (whole numbers up to 2^53), 0 where nothing was added. */
export class GrowableCounts {
  #counts = new Float64Array(256);

  /** Adds one for each of the first `length` ids. All ids must be below `size`. */
  addEach(ids: Uint32Array, length: number, size: number): void {
    this.#fit(size);
    const counts = this.#counts;
    for (let i = 0; i < length; i++) counts[ids[i] as number]! += 1;
  }

  /** The count of one id. */
  at(id: number): number {
    return this.#counts[id] ?? 0;
  }

  /** A copy of the counts of ids 0 … size - 1. */
  snapshot(size: number): Float64Array<ArrayBuffer> {
    this.#fit(size);
    return this.#counts.slice(0, size);
  }

  #fit(size: number): void {
    if (size <= this.#counts.length) return;
    const grown = new Float64Array(Math.max(size, this.#counts.length * 2));
    grown.set(this.#counts);
    this.#counts = grown;
  }
}
