import { rejectedTotal } from '../views/stats.js';
import type { Frame, List } from './frames.js';
import { printable } from './printable.js';
import type { Rates } from './render.js';

/** Keys of each kind on a line. */
const KEYS_SHOWN = 5;

/** A frame as one line, for a file or a pipe: names and numbers, keys as JSON strings. */
export function plainLine({ at, stats, types, words }: Frame, rates: Rates | null): string {
  const rate = rates === null ? '-' : rates.accepted.toFixed(1);
  const head = `${new Date(at * 1000).toISOString()} events/s=${rate}`;
  const totals = `accepted=${stats.accepted} rejected=${rejectedTotal(stats)}`;
  return `${head} ${totals} types: ${listText(types)} words: ${listText(words)}`;
}

function listText({ counts }: List): string {
  const shown = counts.slice(0, KEYS_SHOWN);
  return (
    shown.map(({ key, count }) => `${printable(JSON.stringify(key))}=${count}`).join(' ') || '-'
  );
}
