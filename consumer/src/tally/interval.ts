/**
 * Which events a window counts: from what was asked, the clock and the front, to an interval of whole
 * buckets. Pure, so that every boundary can be tested.
 *
 *        since            secondsFrom                front
 *   ───────┼──── minutes ──────┼───── seconds ─────────┤          event time, UTC
 *          └ front - retention └ front - 10 min, both at whole minutes
 */
export const MINUTE_SECONDS = 60;
export const HOUR_SECONDS = 3600;
/** So far back from the front, at least, buckets are one second each. */
export const EXACT_SECONDS = 600;

export interface WindowRequest {
  /** Whole, ≥ 1, at most the retention. */
  readonly windowSeconds: number;
  /** now: ends with the clock's second. latest: with the front's. A number: at it, Unix seconds. */
  readonly until: 'now' | 'latest' | number;
  /** The end moves back to a multiple of this many seconds; null: it does not. */
  readonly alignSeconds: typeof MINUTE_SECONDS | typeof HOUR_SECONDS | null;
  /** Both ends move outwards to multiples of this many seconds; 1: they do not. */
  readonly stepSeconds: number;
}

/** Half-open, Unix seconds. All events from `start` on and before `end` are counted, and no others. */
export interface Interval {
  readonly start: number;
  readonly end: number;
  /** Seconds of the coarsest bucket that was counted: 1 or 60. */
  readonly resolution: number;
}

export type IntervalResult =
  | { readonly ok: true; readonly interval: Interval }
  /** The window reaches back to before `since`, which is as far as buckets can answer. */
  | { readonly ok: false; readonly since: number };

const floorTo = (seconds: number, step: number) => Math.floor(seconds / step) * step;
const ceilTo = (seconds: number, step: number) => Math.ceil(seconds / step) * step;

/** Buckets before this are one minute each, from it on one second. A whole minute. */
export function secondsFrom(front: number): number {
  return floorTo(front - EXACT_SECONDS, MINUTE_SECONDS);
}

/** The earliest event time that buckets can answer for: the first whole bucket inside the retention. */
export function answerableSince(front: number, seconds: number): number {
  const edge = Math.max(0, front - seconds);
  return edge >= secondsFrom(front) ? Math.ceil(edge) : ceilTo(edge, MINUTE_SECONDS);
}

/**
 * The smallest interval of whole buckets that covers what was asked for, within what buckets can answer.
 *
 * What is left of the retention begins at `since`, a whole bucket, and every window is cut there. One
 * that ends now or with the latest event is no longer than the retention, and is never refused for an
 * event ahead of the clock that has moved the front. One that is aligned, or ends at a given time, is
 * refused when it begins before the retention: nobody wants two thirds of a full hour.
 */
export function resolveInterval(
  { windowSeconds, until, alignSeconds, stepSeconds }: WindowRequest,
  { now, front, retentionSeconds }: { now: number; front: number; retentionSeconds: number },
): IntervalResult {
  let end = until as number;
  if (typeof until === 'string') {
    // With nothing seen yet there is no latest event, and every interval is empty.
    const current = Math.floor(until === 'latest' && front >= 0 ? front : now);
    // A minute or hour is full only when its last second is over.
    end = alignSeconds === null ? current + 1 : current;
  }
  if (alignSeconds !== null) end = floorTo(end, alignSeconds);
  let start = floorTo(end - windowSeconds, stepSeconds);
  end = ceilTo(end, stepSeconds);

  if (front < 0) return { ok: true, interval: { start, end, resolution: 1 } };

  const since = answerableSince(front, retentionSeconds);
  const mayBeCut = typeof until === 'string' && alignSeconds === null && since < end;
  if (start < front - retentionSeconds && !mayBeCut) return { ok: false, since };

  const exactFrom = secondsFrom(front);
  if (start < exactFrom) {
    start = floorTo(start, MINUTE_SECONDS);
    if (end < exactFrom) end = ceilTo(end, MINUTE_SECONDS);
  }
  start = Math.min(end, Math.max(start, ceilTo(since, stepSeconds)));
  const resolution = start < exactFrom ? MINUTE_SECONDS : 1;
  return { ok: true, interval: { start, end, resolution } };
}
