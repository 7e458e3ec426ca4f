import { type PRESETS, viewQuery } from '../views/view.js';

/** A window that can be looked at. */
export type Preset = (typeof PRESETS)[number];

export const UNTIL = ['now', 'latest'] as const;
/** Where a window ends: with the clock, or with the newest event. */
export type Until = (typeof UNTIL)[number];

export interface Choice {
  readonly preset: Preset;
  readonly until: Until;
}

/** Keys asked for of each kind: more than a screen has lines. */
const KEYS_MAX = 200;

/** Address of the stream of what was chosen, below the address of the consumer. */
export function streamUrl(base: URL, { preset, until }: Choice): URL {
  const url = new URL('events/stream', base.href.endsWith('/') ? base : `${base.href}/`);
  const { window, align } = preset;
  const query = viewQuery({ window, align, until: window === null ? 'now' : until });
  url.search = [`of=types,words&limit=${KEYS_MAX}`, query].filter(Boolean).join('&');
  return url;
}
