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
    return this.#idByKey.get(wellFormed) ?? this.#add(wellFormed);
  }

  /** Keys with ids from `first` on, up to, not including, `end`, in the order of their ids. */
  keysFrom(first: number, end = this.size): string[] {
    return this.#keys.slice(first, end);
  }

  #add(key: string): number {
    if (this.distinct >= this.limits.keysMax) return OVERFLOW_ID;
    const bytes = Buffer.from(key, 'utf8');
    if (bytes.length > this.limits.keyBytesMax) return OVERFLOW_ID;
    // A key cut out of a line is a V8 slice that keeps the whole line alive; this is a copy.
    const copy = bytes.toString('utf8');
    const id = this.#keys.push(copy) - 1;
    this.#idByKey.set(copy, id);
    return id;
  }
}
