import { randomInt } from 'node:crypto';

const EMPTY = 0;
const SLOTS_MIN = 8;
/** 2^32 divided by the golden ratio, and one of MurmurHash3's. */
const MULTIPLIERS = [0x9e3779b1, 0x85ebca6b] as const;
/**
 * Mixed into every hash, as V8 does with those of strings: who writes the stream chooses which ids a bucket
 * sees, and could choose ten thousand that want the same slot.
 */
const SEED = randomInt(2 ** 32);

/**
 * Key id → some numbers, for the few keys that one bucket of time has seen: open addressing with linear
 * probing over typed arrays, at most three quarters of the slots in use. A Map of objects would take some
 * three times the memory, and windows keep millions of cells.
 */
export abstract class IdMap {
  readonly #width: number;
  /** Id + 1, or EMPTY. */
  #slots = new Uint32Array(SLOTS_MIN);
  /** As many for each slot as the map is wide. */
  protected values: Float64Array<ArrayBuffer>;
  #shift = 32 - Math.log2(SLOTS_MIN);
  #size = 0;

  constructor(width: number) {
    this.#width = width;
    this.values = new Float64Array(width * SLOTS_MIN);
  }

  /** Ids that it has. */
  get size(): number {
    return this.#size;
  }

  has(id: number): boolean {
    return this.#slots[this.#slotOf(id)] !== EMPTY;
  }

  /**
   * Makes room for as many ids as another map has before its own are added here. They come in the
   * order of their slots, and would all fall into one part of a table that is smaller than theirs.
   */
  reserve(size: number): void {
    while (size * 4 > this.#slots.length * 3) this.#grow();
  }

  /** The slot of an id, which is new where there was none. */
  protected claim(id: number): number {
    let slot = this.#slotOf(id);
    if (this.#slots[slot] === EMPTY) {
      if ((this.#size + 1) * 4 > this.#slots.length * 3) {
        this.#grow();
        slot = this.#slotOf(id);
      }
      this.#slots[slot] = id + 1;
      this.#size++;
    }
    return slot;
  }

  /** Calls back for every id and its slot, in no particular order. */
  protected visitSlots(callback: (id: number, slot: number) => void): void {
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const entry = this.#slots[slot] as number;
      if (entry !== EMPTY) callback(entry - 1, slot);
    }
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
    const { values } = this;
    const width = this.#width;
    this.#slots = new Uint32Array(slots.length * 2);
    this.values = new Float64Array(values.length * 2);
    this.#shift--;
    for (let old = 0; old < slots.length; old++) {
      const entry = slots[old] as number;
      if (entry === EMPTY) continue;
      const slot = this.#slotOf(entry - 1);
      this.#slots[slot] = entry;
      for (let i = 0; i < width; i++) {
        this.values[width * slot + i] = values[width * old + i] as number;
      }
    }
  }
}
