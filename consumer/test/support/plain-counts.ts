import type { PlainEvent } from './build-batch.js';

/** The questions, by what they count. */
export const COUNTS_PATHS = {
  types: '/events/countByEventType',
  words: '/events/countWords',
  sums: '/events/sumByEventType',
} as const;
export type Counted = keyof typeof COUNTS_PATHS;

export type PlainTotal =
  | { readonly key: string; readonly count: number }
  | { readonly key: string; readonly sum: number; readonly count: number };

export interface ListDocument {
  readonly of: Counted;
  readonly batch: number;
  readonly window: {
    readonly start: number;
    readonly end: number;
    readonly resolution: number;
  } | null;
  readonly since: number | null;
  readonly total: number;
  readonly distinct: number;
  readonly overflow: number;
  readonly counts: readonly PlainTotal[];
}

/** Events as a producer writes them. */
export function linesOf(events: readonly PlainEvent[]): string {
  const lines = events.map(({ time, type, words = [], value }) =>
    JSON.stringify({ event_type: type, data: words.join(' '), timestamp: time, value }),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** The whole ranking by counting one event after another. Values must add up without rounding. */
export function plainRanking(events: readonly PlainEvent[], of: Counted): PlainTotal[] {
  const totals = new Map<string, { count: number; sum: number }>();
  const add = (key: string, value: number) => {
    const { count, sum } = totals.get(key) ?? { count: 0, sum: 0 };
    totals.set(key, { count: count + 1, sum: sum + value });
  };
  for (const { type, words = [], value } of events) {
    if (of === 'types') add(type, 1);
    else if (of === 'words') for (const word of words) add(word, 1);
    else if (value !== undefined) add(type, value);
  }
  return [...totals]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .sort(([, a], [, b]) => b.sum - a.sum)
    .map(([key, { count, sum }]) => (of === 'sums' ? { key, sum, count } : { key, count }));
}

/** The text of a flat answer, which tells more than the object: the order of its members. */
export function flatText(ranking: readonly PlainTotal[]): string {
  const members = ranking.map(
    (total) => `${JSON.stringify(total.key)}:${'sum' in total ? total.sum : total.count}`,
  );
  return `{${members.join(',')}}\n`;
}

export function within(events: readonly PlainEvent[], start: number, end: number): PlainEvent[] {
  return events.filter(({ time }) => time >= start && time < end);
}

/** A plain number sequence, the same each time: Park–Miller. */
export function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
