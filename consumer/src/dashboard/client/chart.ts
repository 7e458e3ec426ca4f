/** Events a second over time, stacked by type. Colours are those of page.css. */
import uPlot from 'uplot';
import { formatRate, formatTime } from '../../views/format.js';
import { type ChartData, NO_CHART_DATA, stack } from '../chart-data.js';

export interface ChartSeries {
  readonly label: string;
  /** Null: all others. */
  readonly colour: number | null;
}

const BAR_GAP_FROM_PX = 4;

export class Chart {
  readonly #element: HTMLElement;
  readonly #onHover: (step: number | null) => void;
  #plot: uPlot | null = null;
  #shape = '';
  #series: readonly ChartSeries[] = [];
  #data = NO_CHART_DATA;

  /** `onHover` is told which step the pointer is at; null: at none. */
  constructor(element: HTMLElement, onHover: (step: number | null) => void) {
    this.#element = element;
    this.#onHover = onHover;
    new ResizeObserver(() => this.#draw()).observe(element);
    // Both change what colours mean.
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
      matchMedia(query).addEventListener('change', () => {
        this.#shape = '';
        this.#draw();
      });
    }
  }

  show(series: readonly ChartSeries[], data: ChartData): void {
    this.#series = series;
    this.#data = data;
    this.#draw();
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#element;
    if (width === 0 || this.#series.length === 0) return;
    const { starts, barSeconds, rates } = this.#data;
    const barWidth = width / Math.max(1, starts.length);
    const gap = barWidth * devicePixelRatio > BAR_GAP_FROM_PX ? 1 : 0;
    const shape = JSON.stringify([this.#series.map(({ colour }) => colour), gap, barSeconds]);
    const data: uPlot.AlignedData = [[...starts], ...stack(rates)];
    if (this.#plot === null || shape !== this.#shape) {
      this.#shape = shape;
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#options(width, height, gap), data, this.#element);
      return;
    }
    if (this.#plot.width !== width || this.#plot.height !== height) {
      this.#plot.setSize({ width, height });
    }
    this.#plot.setData(data);
  }

  #options(width: number, height: number, gap: number): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const font = `12px ${getComputedStyle(this.#element).fontFamily}`;
    const axis: uPlot.Axis = {
      stroke: colour('--text-soft'),
      font,
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const paths = uPlot.paths.bars!({ size: [1, Number.POSITIVE_INFINITY], align: 1, gap });
    return {
      width,
      height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      padding: [8, null, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { setScale: false, x: false, y: false } },
      scales: {
        x: { time: true, range: (_, min, max) => [min, max + this.#data.barSeconds] },
        y: { range: (_, __, max) => [0, Math.max(1, max * 1.08)] },
      },
      axes: [
        {
          ...axis,
          space: 80,
          size: 28,
          values: (_, splits) => {
            const length = splits.some((at) => at % 60 !== 0) ? 'hh:mm:ss'.length : 'hh:mm'.length;
            return splits.map((at) => formatTime(at).slice(0, length));
          },
        },
        {
          ...axis,
          size: (_, values) => 16 + 7 * Math.max(2, ...(values ?? []).map((text) => text.length)),
          values: (_, splits) =>
            splits.map((rate) => (rate < 10 ? String(rate) : formatRate(rate).replace(/\.0$/, ''))),
        },
      ],
      series: [
        {},
        ...this.#series.map(({ label, colour: index }) => {
          const fill = colour(index === null ? '--c-other' : `--c${index}`);
          return { label, paths, fill, width: 0, points: { show: false } };
        }),
      ],
      hooks: { setCursor: [({ cursor }) => this.#onHover(cursor.idx ?? null)] },
    };
  }
}
