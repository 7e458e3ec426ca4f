import { formatCount } from '../../views/format.js';
import type { Row } from '../texts.js';
import { fromTemplate, setAttribute, setText, within } from './dom.js';
import { isMotionReduced } from './motion.js';

const MOVE_MS = 400;
const APPEAR_MS = 250;

/** A table of ranked keys whose rows go to their new places smoothly. */
export class RankedList {
  readonly #body: HTMLTableSectionElement;
  readonly #rows = new Map<string, HTMLTableRowElement>();

  constructor(body: HTMLTableSectionElement) {
    this.#body = body;
    for (const row of body.rows) this.#rows.set(row.dataset.key ?? '', row);
  }

  /** Keys and colours as they are shown. */
  get colours(): Map<string, number> {
    const colours = new Map<string, number>();
    for (const [key, row] of this.#rows) {
      if (row.dataset.colour) colours.set(key, Number(row.dataset.colour));
    }
    return colours;
  }

  show(rows: readonly Row[]): void {
    const isMoving = this.#isMoving(rows);
    const before = isMoving && !isMotionReduced() ? this.#tops() : null;
    const kept = new Set(rows.map(({ key }) => key));
    for (const [key, row] of this.#rows) {
      if (kept.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let place = this.#body.firstElementChild;
    for (const row of rows) {
      const element = this.#rowOf(row.key);
      fill(element, row);
      if (element === place) place = place.nextElementSibling;
      else this.#body.insertBefore(element, place);
    }
    if (before !== null) this.#animateFrom(before);
  }

  #isMoving(rows: readonly Row[]): boolean {
    const shown = [...this.#body.rows];
    return rows.some(({ key }, i) => shown[i]?.dataset.key !== key);
  }

  #rowOf(key: string): HTMLTableRowElement {
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = fromTemplate<HTMLTableRowElement>('row-template');
      this.#rows.set(key, row);
    }
    return row;
  }

  /** Where each row is, one that is still on its way included. */
  #tops(): Map<Element, number> {
    const rows = [...this.#body.rows].filter((row) => row.offsetParent !== null);
    return new Map(rows.map((row) => [row, row.getBoundingClientRect().top]));
  }

  #animateFrom(before: ReadonlyMap<Element, number>): void {
    for (const row of this.#body.rows) for (const each of row.getAnimations()) each.cancel();
    const after = this.#tops();
    for (const [row, top] of after) {
      const old = before.get(row);
      if (old === undefined) row.animate({ opacity: [0, 1] }, { duration: APPEAR_MS });
      else if (old !== top) {
        const frames = { transform: [`translateY(${old - top}px)`, 'none'] };
        row.animate(frames, { duration: MOVE_MS, easing: 'cubic-bezier(0.2, 0, 0, 1)' });
      }
    }
  }
}

function fill(element: HTMLTableRowElement, row: Row): void {
  const { rank, key, shown, count, share, barPercent, colour } = row;
  if (element.dataset.key !== key || element.dataset.key === '') {
    element.dataset.key = key;
    const cell = within(element, '.key');
    cell.title = key;
    setText(within(cell, 'bdi'), shown);
  }
  setAttribute(element, 'data-colour', colour === null ? '' : String(colour));
  setText(within(element, '.rank'), String(rank));
  const data = within<HTMLDataElement>(element, 'data');
  setAttribute(data, 'value', String(count));
  setText(data, formatCount(count));
  setText(within(element, '.share'), share);
  setAttribute(within(element, 'rect'), 'width', `${barPercent}%`);
}
