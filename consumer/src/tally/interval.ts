/**
 * Which events a window counts: from what was asked, the clock and the front, to an interval of whole
 * buckets. Pure, so that every boundary can be tested.
 *
 *        since            secondsFrom                front
 *   ───────┼──── minutes ──────┼───── seconds ─────────┤          event time, UTC
 *          └ front - kept      └ front - 10 min, both at whole minutes
 *
 * Kept is the retention and what an event ahead of the clock can have moved the front beyond it, so that
 * a window that ends now reaches back as far as the retention, wherever the front is.
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

/**
 * How far back from the front buckets are kept. A window that ends with the clock's second begins no
 * earlier than the front - skew - retention, rounded down to a minute.
 */
export function keptSeconds(retentionSeconds: number, maxClockSkewSeconds: number): number {
  return retentionSeconds + maxClockSkewSeconds + MINUTE_SECONDS;
}

/**
 * The earliest event time that buckets can answer for, when they are kept so far back from the front: the
 * start of the first whole one. 0 before the first event.
 */
export function answerableSince(front: number, kept: number): number {
  const edge = Math.max(0, front - kept);
  return edge >= secondsFrom(front) ? Math.ceil(edge) : ceilTo(edge, MINUTE_SECONDS);
}

/** Where the step begins that an interval begins in: a multiple of the step. */
export function firstStepOf({ start }: Interval, stepSeconds: number): number {
  return floorTo(start, stepSeconds);
}

/**
 * The smallest interval of whole buckets that covers what was asked for.
 *
 * A window that ends at a given time is refused where it begins before the retention: of what is kept of
 * the time before, late events are missing. One that ends now or with the latest event is refused only
 * where it begins before `since`, from which on there are buckets: an event ahead of the clock does not
 * make it shorter. It begins there only when the clock was set back, and unless it is aligned it is cut
 * then instead, for what is left is what its asker means. So is what a window would be widened by, to
 * whole steps or minutes. `front` is -Infinity before the first event.
 */
export function resolveInterval(
  { windowSeconds, until, alignSeconds, stepSeconds }: WindowRequest,
  context: { now: number; front: number; since: number; retentionSeconds: number },
): IntervalResult {
  const { now, front, retentionSeconds } = context;
  let end = until as number;
  if (typeof until === 'string') {
    // With nothing seen yet there is no latest event, and every interval is empty.
    const current = Math.floor(until === 'latest' && front >= 0 ? front : now);
    // A minute or hour is full only when its last second is over.
    end = alignSeconds === null ? current + 1 : current;
  }
  if (alignSeconds !== null) end = floorTo(end, alignSeconds);
  const asked = Math.max(0, end - windowSeconds);
  end = ceilTo(end, stepSeconds);
  let { since } = context;
  if (typeof until === 'number' && asked < front - retentionSeconds) {
    since = Math.max(since, answerableSince(front, retentionSeconds));
  }
  const mayBeCut = typeof until === 'string' && alignSeconds === null && since < end;
  if (asked < since && !mayBeCut) return { ok: false, since };
  let start = floorTo(asked, stepSeconds);

  const exactFrom = secondsFrom(front);
  if (start < exactFrom) {
    start = floorTo(start, MINUTE_SECONDS);
    if (end < exactFrom) end = ceilTo(end, MINUTE_SECONDS);
  }
  start = Math.min(end, Math.max(start, since));
  const resolution = start < exactFrom ? MINUTE_SECONDS : 1;
  return { ok: true, interval: { start, end, resolution } };
}
