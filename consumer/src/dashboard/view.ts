/** What the page shows, as its address says it: the parameters of the API, by the same names. */
import { type Duration, parseDuration } from '../duration.js';
import { ALL_TIME, PRESETS, type Preset, type View, viewQuery } from '../views/view.js';

export interface Choice {
  readonly label: string;
  readonly view: View;
  readonly isCurrent: boolean;
  readonly isAnswerable: boolean;
}

export function parseView(search: URLSearchParams): View {
  return {
    window: search.get('window'),
    align: search.get('align') === 'true',
    until: search.get('until') ?? 'now',
  };
}

/** The page's own address for a view. */
export function viewAddress(view: View): string {
  const query = viewQuery(view);
  return query === '' ? '/' : `/?${query}`;
}

/** A full minute or hour begins up to twice its length ago. */
export function isWithin(retentionSeconds: number, { window, align }: Preset): boolean {
  if (window === null) return true;
  return (parseDuration(window) as Duration).seconds * (align ? 2 : 1) <= retentionSeconds;
}

export function windowChoices(view: View, retentionSeconds: number): Choice[] {
  return PRESETS.map((preset) => {
    const { label, window, align } = preset;
    return {
      label,
      view: window === null ? ALL_TIME : { window, align, until: view.until },
      isCurrent: window === view.window && align === view.align,
      isAnswerable: isWithin(retentionSeconds, preset),
    };
  });
}

/** Empty for all-time, which has no end. */
export function untilChoices(view: View): Choice[] {
  if (view.window === null) return [];
  const choice = (label: string, until: string): Choice => ({
    label,
    view: { ...view, until },
    isCurrent: view.until === until,
    isAnswerable: true,
  });
  const choices = [choice('until now', 'now'), choice('until the newest event', 'latest')];
  if (!choices.some(({ isCurrent }) => isCurrent)) {
    choices.push(choice(`until ${view.until}`, view.until));
  }
  return choices;
}

/** The same view until the newest event, where that is older than all of the window; null otherwise. */
export function proposedView(
  view: View,
  interval: { readonly start: number } | null,
  lastEventTime: number | null,
): View | null {
  if (interval === null || lastEventTime === null || view.until !== 'now') return null;
  return lastEventTime < interval.start ? { ...view, until: 'latest' } : null;
}

/** All-time has no beginning: its chart is of so long ago. */
export const ALL_TIME_CHART_SECONDS = 600;
/** Of a longer window the chart asks for steps of so long. */
const FINE_SECONDS_MAX = 7200;
const COARSE_STEP = '10m';

/** The query of a view's chart: without a step the API gives the finest that its buckets allow for. */
export function chartQuery(view: View, retentionSeconds: number): string {
  const duration = view.window === null ? null : parseDuration(view.window);
  if (duration === null) {
    const window = `${Math.min(ALL_TIME_CHART_SECONDS, retentionSeconds)}s`;
    return viewQuery({ ...ALL_TIME, window });
  }
  return viewQuery(view) + (duration.seconds > FINE_SECONDS_MAX ? `&step=${COARSE_STEP}` : '');
}
