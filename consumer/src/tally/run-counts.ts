export interface CountColumns {
  /** Each at most once, in no particular order. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** At the same index as their ids, all > 0. */
  readonly counts: Float64Array<ArrayBuffer>;
}

/**
 * Counts by id for one bucket while it is being filled: one array that is as long as the key table, and
 * the list of the ids that were touched. Adding is an array access; only what was touched is emptied.
 */
export class RunCounts {
  #counts = new Float64Array(256);
  #touched = new Uint32Array(256);
  #touchedCount = 0;

  /** Adds one for each of ids[from … to - 1], all of them below `size`. */
  addEach(ids: Uint32Array, from: number, to: number, size: number): void {
    this.#fit(size);
    const counts = this.#counts;
    const touched = this.#touched;
    let touchedCount = this.#touchedCount;
    for (let i = from; i < to; i++) {
      const id = ids[i] as number;
      if (counts[id] === 0) touched[touchedCount++] = id;
      counts[id]! += 1;
    }
    this.#touchedCount = touchedCount;
  }

  /** Ids that were touched. */
  get size(): number {
    return this.#touchedCount;
  }

  /** Adds counts[from … to - 1] to the ids at the same indices, all of them below `size`. */
  addCells(
    { ids, counts }: { readonly ids: Uint32Array; readonly counts: Float64Array },
    from: number,
    to: number,
    size: number,
  ): void {
    this.#fit(size);
    for (let i = from; i < to; i++) {
      const id = ids[i] as number;
      if (this.#counts[id] === 0) this.#touched[this.#touchedCount++] = id;
      this.#counts[id]! += counts[i] as number;
    }
  }

  /** Adds to one id below `size`. */
  add(id: number, count: number, size: number): void {
    this.#fit(size);
    if (this.#counts[id] === 0) this.#touched[this.#touchedCount++] = id;
    this.#counts[id]! += count;
  }

  /** Calls back for every id that was touched, in the order of first touch, and forgets them all. */
  drain(callback: (id: number, count: number) => void): void {
    for (let i = 0; i < this.#touchedCount; i++) {
      const id = this.#touched[i] as number;
      callback(id, this.#counts[id] as number);
      this.#counts[id] = 0;
    }
    this.#touchedCount = 0;
  }

  /** Writes all that was counted into columns, from an index on where there is room for it; forgets it. */
  drainInto(ids: Uint32Array, counts: Float64Array, index: number): void {
    const own = this.#counts;
    for (let i = 0; i < this.#touchedCount; i++) {
      const id = this.#touched[i] as number;
      ids[index + i] = id;
      counts[index + i] = own[id] as number;
      own[id] = 0;
    }
    this.#touchedCount = 0;
  }

  /** All that was counted, as columns of the caller's own; forgets it. */
  take(): CountColumns {
    const ids = this.#touched.slice(0, this.#touchedCount);
    const counts = Float64Array.from(ids, (id) => this.#counts[id] as number);
    for (const id of ids) this.#counts[id] = 0;
    this.#touchedCount = 0;
    return { ids, counts };
  }

  #fit(size: number): void {
    if (size <= this.#counts.length) return;
    const length = Math.max(size, this.#counts.length * 2);
    const counts = new Float64Array(length);
    counts.set(this.#counts);
    this.#counts = counts;
    const touched = new Uint32Array(length);
    touched.set(this.#touched);
    this.#touched = touched;
  }
}
