/** What can be looked at, in the terminal and on the page: the parameters of the API, by the same names. */

/** Raw texts: what they may be is checked by the API alone. */
export interface View {
  /** Null: all-time. */
  readonly window: string | null;
  readonly align: boolean;
  /** now, latest or Unix seconds. */
  readonly until: string;
}

export const ALL_TIME: View = { window: null, align: false, until: 'now' };

export interface Preset {
  readonly name: string;
  readonly label: string;
  readonly window: string | null;
  readonly align: boolean;
}

/** The windows that are offered. */
export const PRESETS = [
  { name: 'all', label: 'All-time', window: null, align: false },
  { name: 'minute', label: 'Last minute', window: '60s', align: false },
  { name: 'full-minute', label: 'Last full minute', window: '1m', align: true },
  { name: '10-minutes', label: '10 minutes', window: '10m', align: false },
  { name: 'hour', label: 'Last hour', window: '1h', align: false },
  { name: 'full-hour', label: 'Last full hour', window: '1h', align: true },
] as const satisfies readonly Preset[];

/** Its part of a query string, without the question mark; empty for all-time. */
export function viewQuery({ window, align, until }: View): string {
  const query = new URLSearchParams();
  if (window !== null) query.set('window', window);
  if (align) query.set('align', 'true');
  if (until !== 'now') query.set('until', until);
  return query.toString();
}
