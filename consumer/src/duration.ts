/** Durations as texts, in variables and parameters: a whole number of s, m or h. */
import { HOUR_SECONDS, MINUTE_SECONDS } from './tally/interval.js';

export const UNIT_SECONDS = { s: 1, m: MINUTE_SECONDS, h: HOUR_SECONDS } as const;

export interface Duration {
  readonly seconds: number;
  readonly unit: keyof typeof UNIT_SECONDS;
}

/** Null for what is none. */
export function parseDuration(text: string): Duration | null {
  const match = /^(\d{1,9})([smh])$/.exec(text);
  if (match === null) return null;
  const unit = match[2] as Duration['unit'];
  return { seconds: Number(match[1]) * UNIT_SECONDS[unit], unit };
}
