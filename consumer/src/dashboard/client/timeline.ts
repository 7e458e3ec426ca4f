/** The chart, its legend, and the question it asks each second. */

import { formatDateTime, formatDuration, formatRate } from '../../views/format.js';
import type { View } from '../../views/view.js';
import { chartData, NO_CHART_DATA, trimStart } from '../chart-data.js';
import type { Colours } from '../colours.js';
import type { SeriesDocument } from '../documents.js';
import { CHART_KEYS_MAX } from '../page-limits.js';
import { formatKey } from '../shown-key.js';
import { ALL_TIME_CHART_SECONDS, chartQuery } from '../view.js';
import { getJson, withQuery } from './api.js';
import { Chart, type ChartSeries } from './chart.js';
import { byId, fromTemplate, setAttribute, setHidden, setText, within } from './dom.js';

export interface TimelineParts {
  readonly retentionSeconds: number;
  /** Unix seconds up to which events can have come. */
  until(view: View): number;
  /** A colour for each key. */
  coloursFor(keys: readonly string[]): Colours;
}

export class Timeline {
  readonly #parts: TimelineParts;
  readonly #chart: Chart;
  #question: AbortController | null = null;
  #series: readonly ChartSeries[] = [];
  #data = NO_CHART_DATA;
  #hovered: number | null = null;

  constructor(parts: TimelineParts) {
    this.#parts = parts;
    this.#chart = new Chart(byId('chart'), (step) => {
      this.#hovered = step;
      this.#showLegend();
    });
  }

  stop(): void {
    this.#question?.abort();
    this.#question = null;
  }

  /** Asks, unless the last question has no answer yet. */
  async move(view: View): Promise<void> {
    if (this.#question !== null) return;
    const question = new AbortController();
    this.#question = question;
    try {
      const series = await this.#ask(view, question.signal);
      if (!question.signal.aborted) this.#show(view, series);
    } catch {
      // The state line and the list say what is wrong.
    }
    if (this.#question === question) this.#question = null;
  }

  #ask(view: View, signal: AbortSignal): Promise<SeriesDocument> {
    const query = chartQuery(view, this.#parts.retentionSeconds);
    const path = withQuery('/events/series', 'of=types', query, `limit=${CHART_KEYS_MAX}`);
    return getJson<SeriesDocument>(path, signal);
  }

  #show(view: View, document: SeriesDocument): void {
    const all = chartData(document, this.#parts.until(view));
    const data = view.window === null ? trimStart(all) : all;
    const keys = document.series.map(({ key }) => key);
    const colours = this.#parts.coloursFor(keys);
    // In the order of the colours: in that of the ranking, layers would change places all the time.
    const rows = keys
      .map((label, i) => ({
        label,
        colour: colours.get(label) ?? null,
        rates: data.rates[i] ?? [],
      }))
      .sort((a, b) => (a.colour ?? 0) - (b.colour ?? 0));
    const others = { label: 'others', colour: null, rates: data.rates.at(-1) ?? [] };
    if (others.rates.some((rate) => rate > 0)) rows.push(others);
    const series: readonly ChartSeries[] = rows;
    this.#series = series;
    this.#data = { ...data, rates: rows.map(({ rates }) => rates) };
    const isEmpty = series.length === 0;
    setHidden(byId('chart-empty'), !isEmpty);
    setText(byId('chart-empty'), 'No events in this window.');
    byId('chart').classList.toggle('off', isEmpty);
    this.#chart.show(series, this.#data);
    const { barSeconds } = data;
    const bars = barSeconds === 1 ? 'each second' : `each ${formatDuration(barSeconds)}`;
    const last = view.window === null ? `last ${formatDuration(ALL_TIME_CHART_SECONDS)}, ` : '';
    setText(byId('chart-summary'), `by type, ${last}${bars}, UTC`);
    this.#showLegend();
  }

  #showLegend(): void {
    const legend = byId('legend');
    const { starts, rates } = this.#data;
    while (legend.children.length > this.#series.length) legend.lastElementChild?.remove();
    while (legend.children.length < this.#series.length) {
      legend.append(fromTemplate('legend-template'));
    }
    const step = this.#hovered ?? starts.length - 1;
    for (const [i, { label, colour }] of this.#series.entries()) {
      const item = legend.children[i]!;
      setAttribute(item, 'data-colour', colour === null ? 'other' : String(colour));
      const name = within(item, 'bdi');
      setText(name, formatKey(label));
      setAttribute(item, 'title', label);
      setText(within(item, '.rate'), formatRate(rates[i]?.[step] ?? 0));
    }
    const start = starts[step];
    const at = this.#hovered === null || start === undefined ? '' : `${formatDateTime(start)} UTC`;
    setText(byId('legend-time'), at);
  }
}
