import { randomInt } from 'node:crypto';
import type { CountColumns } from './run-counts.js';

/**
 * Key id → count, for the few keys that one bucket of time has seen: open addressing with linear
 * probing over two typed arrays, 12 bytes a slot, at most three quarters of them in use. A Map would
 * take some three times the memory, and windows keep millions of cells.
 */
const EMPTY = 0;
const SLOTS_MIN = 8;
/** 2^32 divided by the golden ratio, and one of MurmurHash3's. */
const MULTIPLIERS = [0x9e3779b1, 0x85ebca6b] as const;
/**
 * Mixed into every hash, as V8 does with those of strings: who writes the stream chooses which ids a bucket
 * sees, and could choose ten thousand that want the same slot.
 */
const SEED = randomInt(2 ** 32);

export class CellMap {
  /** Id + 1, or EMPTY. */
  #slots = new Uint32Array(SLOTS_MIN);
  #counts = new Float64Array(SLOTS_MIN);
  #shift = 32 - Math.log2(SLOTS_MIN);
  #size = 0;

  /** Cells in use. */
  get size(): number {
    return this.#size;
  }

  has(id: number): boolean {
    return this.#slots[this.#slotOf(id)] !== EMPTY;
  }

  /** Adds to the count of an id; true when the id had no cell before. */
  add(id: number, count: number): boolean {
    const slot = this.#slotOf(id);
    const isNew = this.#slots[slot] === EMPTY;
    this.#slots[slot] = id + 1;
    this.#counts[slot]! += count;
    if (isNew && ++this.#size * 4 > this.#slots.length * 3) this.#grow();
    return isNew;
  }

  /**
   * Makes room for as many cells as another map has before its cells are added here. They come in the
   * order of their slots, and would all fall into one part of a table that is smaller than theirs.
   */
  reserve(size: number): void {
    while (size * 4 > this.#slots.length * 3) this.#grow();
  }

  /** Calls back for every cell, in no particular order. */
  visit(callback: (id: number, count: number) => void): void {
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const entry = this.#slots[slot] as number;
      if (entry !== EMPTY) callback(entry - 1, this.#counts[slot] as number);
    }
  }

  /** All cells, as columns of the caller's own. */
  columns(): CountColumns {
    const ids = new Uint32Array(this.#size);
    const counts = new Float64Array(this.#size);
    let at = 0;
    this.visit((id, count) => {
      ids[at] = id;
      counts[at++] = count;
    });
    return { ids, counts };
  }

  /** The slot of an id, or the empty one where it belongs. */
  #slotOf(id: number): number {
    const mask = this.#slots.length - 1;
    const mixed = Math.imul(id ^ SEED, MULTIPLIERS[0]);
    let slot = Math.imul(mixed ^ (mixed >>> 15), MULTIPLIERS[1]) >>> this.#shift;
    while (this.#slots[slot] !== EMPTY && this.#slots[slot] !== id + 1) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const slots = this.#slots;
    const counts = this.#counts;
    this.#slots = new Uint32Array(slots.length * 2);
    this.#counts = new Float64Array(slots.length * 2);
    this.#shift--;
    for (let old = 0; old < slots.length; old++) {
      const entry = slots[old] as number;
      if (entry === EMPTY) continue;
      const slot = this.#slotOf(entry - 1);
      this.#slots[slot] = entry;
      this.#counts[slot] = counts[old] as number;
    }
  }
}
