/** The windows that can be looked at, as the page has them. */
export const VIEWS = [
  { name: 'all', title: 'all-time', parameters: {} },
  { name: 'minute', title: 'last minute', parameters: { window: '60s' } },
  { name: 'full-minute', title: 'last full minute', parameters: { window: '1m', align: 'true' } },
  { name: '10-minutes', title: '10 minutes', parameters: { window: '10m' } },
  { name: 'hour', title: 'last hour', parameters: { window: '1h' } },
  { name: 'full-hour', title: 'last full hour', parameters: { window: '1h', align: 'true' } },
] as const;

export type View = (typeof VIEWS)[number];

export const UNTIL = ['now', 'latest'] as const;
/** Where a window ends: with the clock, or with the newest event. */
export type Until = (typeof UNTIL)[number];

export interface Choice {
  readonly view: View;
  readonly until: Until;
}

/** Keys asked for of each kind: more than a screen has lines. */
const KEYS_MAX = 200;

/** Address of the stream of what was chosen, below the address of the consumer. */
export function streamUrl(base: URL, { view, until }: Choice): URL {
  const url = new URL('events/stream', base.href.endsWith('/') ? base : `${base.href}/`);
  const parameters: Record<string, string> = { of: 'types,words', limit: String(KEYS_MAX) };
  Object.assign(parameters, view.parameters);
  if ('window' in view.parameters) parameters.until = until;
  url.search = new URLSearchParams(parameters).toString();
  return url;
}
