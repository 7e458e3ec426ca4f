import type { RunCells } from './changes.js';
import { IdMap } from './id-map.js';
import type { CountColumns } from './run-counts.js';

/** Key id → count, 12 bytes a slot. */
export class CellMap extends IdMap {
  constructor() {
    super(1);
  }

  /** Adds to the count of an id; true when the id had no cell before. */
  add(id: number, count: number): boolean {
    const { size } = this;
    const slot = this.claim(id);
    this.values[slot]! += count;
    return this.size > size;
  }

  /** Adds all counts of a run; gives how many of its ids had no cell before. */
  addCells({ offsets, ids, counts }: RunCells, run: number): number {
    const { size } = this;
    const end = offsets[run + 1] as number;
    for (let i = offsets[run] as number; i < end; i++) {
      const slot = this.claim(ids[i] as number);
      this.values[slot]! += counts[i] as number;
    }
    return this.size - size;
  }

  /** Calls back for every cell, in no particular order. */
  visit(callback: (id: number, count: number) => void): void {
    this.visitSlots((id, slot) => callback(id, this.values[slot] as number));
  }

  /** All cells, as columns of the caller's own. */
  columns(): CountColumns {
    const ids = new Uint32Array(this.size);
    const counts = new Float64Array(this.size);
    let at = 0;
    this.visit((id, count) => {
      ids[at] = id;
      counts[at++] = count;
    });
    return { ids, counts };
  }
}
