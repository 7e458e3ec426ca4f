import type { CountColumns } from './run-counts.js';

/** Exact counts by dense id (whole numbers up to 2^53), 0 where nothing was added. */
export class GrowableCounts {
  #counts = new Float64Array(256);

  /** Adds the first `length` counts to the ids at the same indices, all of them below `size`. */
  addCells(
    { ids, counts }: { readonly ids: Uint32Array; readonly counts: Float64Array },
    length: number,
    size: number,
  ): void {
    this.#fit(size);
    for (let i = 0; i < length; i++) this.#counts[ids[i] as number]! += counts[i] as number;
  }

  /** The count of one id. */
  at(id: number): number {
    return this.#counts[id] ?? 0;
  }

  /** The counts of ids 0 … size - 1 that are not 0, as columns of the caller's own. */
  columns(size: number): CountColumns {
    this.#fit(size);
    const ids = new Uint32Array(size);
    const counts = new Float64Array(size);
    let length = 0;
    for (let id = 0; id < size; id++) {
      const count = this.#counts[id] as number;
      if (count === 0) continue;
      ids[length] = id;
      counts[length++] = count;
    }
    return { ids: ids.slice(0, length), counts: counts.slice(0, length) };
  }

  #fit(size: number): void {
    if (size <= this.#counts.length) return;
    const grown = new Float64Array(Math.max(size, this.#counts.length * 2));
    grown.set(this.#counts);
    this.#counts = grown;
  }
}
