/** The line of state: what is happening, how fast, what became of the lines, and the sources. */

import { formatCount, formatRate } from '../../views/format.js';
import { RateMeter } from '../../views/rate-meter.js';
import type { CountsFrame, StatsDocument } from '../documents.js';
import { figuresOf, sourceState, sourcesText, stateOf } from '../texts.js';
import { announce, byId, fromTemplate, setAttribute, setHidden, setText, within } from './dom.js';

/** Frames that come more often than this leave nothing to reckon on between them. */
const QUIET_SECONDS = 1.5;

const secondsNow = () => performance.now() / 1000;

export class StateLine {
  readonly #meter = new RateMeter<'accepted'>();
  #stats: StatsDocument | null = null;
  #shownAt = 0;
  #isLost = false;
  #text = byId('state-text').textContent;
  /** Unix seconds of the server, as far as they are known, less those of this page's clock. */
  #clockOffset = Date.now() / 1000 - secondsNow();

  show({ stats, at }: CountsFrame): void {
    const now = secondsNow();
    this.#stats = stats;
    this.#shownAt = now;
    this.#isLost = false;
    this.#clockOffset = at - now;
    this.#meter.add(now, { accepted: stats.accepted });
    setAttribute(byId('figures'), 'data-batch', String(stats.batch));
    for (const { name, count, note, isConstant } of figuresOf(stats)) {
      const figure = byId(name);
      setHidden(figure, count === 0 && !isConstant);
      const data = within(figure, 'data');
      setAttribute(data, 'value', String(count));
      setText(data, formatCount(count));
      setText(within(figure, '.note'), note);
    }
    showSources(stats);
    this.#showRate(now);
    this.#showState(now);
  }

  lose(): void {
    this.#isLost = true;
    this.#showState(secondsNow());
  }

  /** What changes though nothing comes. */
  tick(): void {
    const now = secondsNow();
    this.#showState(now);
    if (now - this.#shownAt > QUIET_SECONDS) this.#showRate(now);
  }

  /** Unix seconds on the server's clock. */
  serverSeconds(): number {
    return secondsNow() + this.#clockOffset;
  }

  #showRate(now: number): void {
    const rate = this.#isLost ? null : (this.#meter.rates(now)?.accepted ?? null);
    setText(byId('rate'), rate === null ? '–' : formatRate(rate));
  }

  #showState(now: number): void {
    if (this.#stats === null && !this.#isLost) return;
    const stats = this.#isLost ? null : this.#stats;
    const age = stats?.last_line_seconds_ago ?? null;
    const { kind, text } = stateOf(stats, age === null ? null : age + now - this.#shownAt);
    const state = byId('state');
    // The seconds of an idle stream go on; that it has become idle is said once.
    if (state.dataset.kind !== kind) announce(text);
    setAttribute(state, 'data-kind', kind);
    if (this.#text !== text) setText(byId('state-text'), text);
    this.#text = text;
  }
}

/** Sources that are listed by name; more of them nobody reads. */
const SOURCES_SHOWN_MAX = 50;

function showSources(stats: StatsDocument): void {
  setText(byId('sources-summary'), sourcesText(stats));
  const list = byId('sources');
  setHidden(within(byId('figures'), '.sources'), false);
  const sources = stats.sources.slice(0, SOURCES_SHOWN_MAX);
  while (list.children.length > sources.length) list.lastElementChild?.remove();
  while (list.children.length < sources.length) list.append(fromTemplate('source-template'));
  for (const [i, { name, state, reason }] of sources.entries()) {
    const item = list.children[i]!;
    setAttribute(item, 'data-state', state);
    setText(within(item, '.name'), name);
    setText(within(item, '.state'), sourceState(state));
    setText(within(item, '.reason'), reason ?? '');
  }
}
