import type { RunningSum } from './running-sum.js';

/** How often a key was counted; of sums, how many values it had and what they come to. */
export interface KeyTotal {
  readonly key: string;
  readonly count: number;
  readonly sum?: RunningSum;
}

/**
 * The `limit` largest, by sum where there are sums and by count otherwise, largest first; ties by key in
 * code-point order. All of them are put in order only when all are asked for.
 */
export function rank(totals: readonly KeyTotal[], limit = Number.POSITIVE_INFINITY): KeyTotal[] {
  let candidates = totals;
  if (limit < totals.length) {
    // Sorting plain numbers is many times faster than comparing keys: the limit-th size is the threshold.
    const threshold = Float64Array.from(totals, sizeOf).sort().at(-limit) as number;
    candidates = totals.filter((total) => sizeOf(total) >= threshold);
  }
  const order = (a: KeyTotal, b: KeyTotal) => {
    const sizeA = sizeOf(a);
    const sizeB = sizeOf(b);
    return sizeA === sizeB ? compareCodePoints(a.key, b.key) : sizeB > sizeA ? 1 : -1;
  };
  return [...candidates].sort(order).slice(0, limit);
}

function sizeOf({ count, sum }: KeyTotal): number {
  if (sum === undefined) return count;
  // A sum that has left the range of doubles may be no number at all: last.
  return Number.isNaN(sum.total) ? Number.NEGATIVE_INFINITY : sum.total;
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
