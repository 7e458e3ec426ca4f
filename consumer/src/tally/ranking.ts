import { OVERFLOW_ID } from './key-table.js';

export interface KeyCount {
  readonly key: string;
  readonly count: number;
}

/**
 * Keys with their counts, largest first, ties by key in code-point order; keys never counted and the
 * overflow key are left out. `keys` and `counts` are by id; `keys` may be longer.
 */
export function rank(keys: readonly string[], counts: Float64Array): KeyCount[] {
  const ranking: KeyCount[] = [];
  for (let id = OVERFLOW_ID + 1; id < counts.length; id++) {
    const count = counts[id] as number;
    if (count > 0) ranking.push({ key: keys[id] as string, count });
  }
  return ranking.sort((a, b) => b.count - a.count || compareCodePoints(a.key, b.key));
}

/** Order by code point. JavaScript's own order of strings puts U+1F600 before U+FF01. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return surrogatesLast(unitA) - surrogatesLast(unitB);
  }
  return a.length - b.length;
}

function surrogatesLast(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
