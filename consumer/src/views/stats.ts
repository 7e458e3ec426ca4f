/** What the terminal and the page say of /stats alike. */
import type { StatsDocument } from '../http/documents.js';

/** A stream that gave no line for so long is called idle, as a source is in /stats. */
export const IDLE_SECONDS = 10;

/** What became of lines. */
export type Outcomes = Pick<StatsDocument, 'accepted' | 'rejected' | 'late' | 'ahead'>;

export function rejectedTotal({ rejected }: Pick<Outcomes, 'rejected'>): number {
  return rejected.too_long + rejected.not_json + rejected.not_an_event;
}
