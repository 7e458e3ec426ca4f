import { IdMap } from './id-map.js';
import { RunningSum, type SumColumns } from './running-sum.js';

/** Key id → the three parts of a RunningSum, 28 bytes a slot. */
export class SumMap extends IdMap {
  constructor() {
    super(3);
  }

  /** Adds all that a sum has been given to that of an id. */
  merge(id: number, sum: RunningSum): void {
    const slot = this.claim(id);
    const merged = RunningSum.at(this.values, slot);
    merged.merge(sum);
    this.values.set(merged.toParts(), 3 * slot);
  }

  /** Calls back for every id and its sum, in no particular order. */
  visit(callback: (id: number, sum: RunningSum) => void): void {
    this.visitSlots((id, slot) => callback(id, RunningSum.at(this.values, slot)));
  }

  /** All sums, as columns of the caller's own. */
  columns(): SumColumns {
    const ids = new Uint32Array(this.size);
    const parts = new Float64Array(3 * this.size);
    let at = 0;
    this.visitSlots((id, slot) => {
      ids[at] = id;
      parts.set(this.values.subarray(3 * slot, 3 * slot + 3), 3 * at++);
    });
    return { ids, parts };
  }
}
