export const KEY_KINDS = ['types', 'words'] as const;
/** What keys are: event types, or the words in events' text. */
export type KeyKind = (typeof KEY_KINDS)[number];

/** The id that stands for every key past a bound, so that totals stay true. */
export const OVERFLOW_ID = 0;

export interface KeyTableLimits {
  /** Distinct keys at most; every further one is the overflow key. */
  readonly keysMax: number;
  /** UTF-8 bytes of a key at most; a longer one is the overflow key. */
  readonly keyBytesMax: number;
}

/**
 * Key → small dense id, in the order of first sight. Ids are never given back, so a reader that knows
 * the first n keys needs only those after them.
 */
export class KeyTable {
  readonly limits: KeyTableLimits;
  readonly #idByKey = new Map<string, number>();
  /** Index 0 is the overflow key, which has no name. */
  readonly #keys = [''];

  constructor(limits: KeyTableLimits) {
    this.limits = limits;
  }

  /** Ids in use, the overflow id among them: every id is below this. */
  get size(): number {
    return this.#keys.length;
  }

  /** Keys that have an id of their own. */
  get distinct(): number {
    return this.#keys.length - 1;
  }

  /** The key's id, a new one at its first sight; OVERFLOW_ID past either limit. */
  idOf(key: string): number {
    // Two strings that differ only in lone surrogates are the same bytes in UTF-8.
    const wellFormed = key.toWellFormed();
    const id = this.#idByKey.get(wellFormed);
    if (id !== undefined || this.#isFull) return id ?? OVERFLOW_ID;
    // A key cut out of a line is a V8 slice that keeps the whole line alive; what is kept is a copy.
    const bytes = Buffer.from(wellFormed, 'utf8');
    return this.idOfBytes(bytes, 0, bytes.length);
  }

  /** As idOf, of the key whose well-formed UTF-8 is bytes[start … end - 1]; they may be overwritten afterwards. */
  idOfBytes(bytes: Buffer, start: number, end: number): number {
    if (end - start > this.limits.keyBytesMax) return OVERFLOW_ID;
    const key = bytes.toString('utf8', start, end);
    return this.#idByKey.get(key) ?? this.#add(key);
  }

  /** Keys with ids from `first` on, up to, not including, `end`, in the order of their ids. */
  keysFrom(first: number, end = this.size): string[] {
    return this.#keys.slice(first, end);
  }

  get #isFull(): boolean {
    return this.distinct >= this.limits.keysMax;
  }

  #add(key: string): number {
    if (this.#isFull) return OVERFLOW_ID;
    const id = this.#keys.push(key) - 1;
    this.#idByKey.set(key, id);
    return id;
  }
}
