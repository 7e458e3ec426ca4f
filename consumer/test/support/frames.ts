import type { Frame } from '#consumer/top/frames.js';

interface Given {
  readonly at?: number;
  readonly stats?: Partial<Omit<Frame['stats'], 'rejected'>> & {
    readonly rejected?: Partial<Frame['stats']['rejected']>;
  };
  readonly types?: Readonly<Record<string, number>>;
  readonly words?: Readonly<Record<string, number>>;
  readonly window?: { start: number; end: number } | null;
}

/** A frame of the stream, as far as `top` reads it. */
export function frameOf({ at = 1000, stats, types = {}, words = {}, window = null }: Given): Frame {
  const list = (counted: Readonly<Record<string, number>>) => {
    const counts = Object.entries(counted).map(([key, count]) => ({ key, count }));
    const total = counts.reduce((sum, { count }) => sum + count, 0);
    return { window, total, distinct: counts.length, overflow: 0, counts };
  };
  return {
    at,
    stats: {
      accepted: 0,
      late: 0,
      ahead: 0,
      last_event_time: null,
      last_line_seconds_ago: 0,
      sources: [],
      ...stats,
      rejected: { too_long: 0, not_json: 0, not_an_event: 0, ...stats?.rejected },
    },
    types: list(types),
    words: list(words),
  };
}
