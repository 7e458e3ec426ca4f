import type { WindowRequest } from '../../tally/interval.js';
import type { StatsDocument } from '../documents.js';
import { newsOf, type StreamSnapshot } from './stream-frame.js';

/**
 * Whether counts of a window would be the same as those that a snapshot has, going by stats of a later
 * moment, `at` (Unix seconds). False where only counting would tell.
 */
export function stillHolds(
  { asked, window, isEmpty, told }: StreamSnapshot,
  stats: StatsDocument,
  at: number,
): boolean {
  if (JSON.stringify(newsOf(stats)) !== told) return false;
  if (asked.window?.until !== 'now') return true;
  const end = endOf(asked.window, at);
  const endThen = endOf(asked.window, asked.at);
  if (end === endThen) return true;
  // Ahead of an empty window there are no events that it could come to.
  const { last_event_time } = stats;
  const isLast = last_event_time === null || last_event_time < (window?.end ?? 0);
  return isEmpty && isLast && end > endThen;
}

/** What a window's end is made of, where it ends now. */
function endOf({ alignSeconds }: WindowRequest, at: number): number {
  return Math.floor(at / (alignSeconds ?? 1));
}
