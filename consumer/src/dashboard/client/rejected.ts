/** The last rejected lines, and what to set when nothing else comes. */
import { rejectedTotal } from '../../views/stats.js';
import type { RejectedDocument, StatsDocument } from '../documents.js';
import { REJECTED_ROWS_MAX, REJECTED_ROWS_SHORT } from '../page-limits.js';
import { needsAdvice, presenceText, rejectedFields, rejectedRow } from '../texts.js';
import { getJson } from './api.js';
import { byId, fromTemplate, setHidden, setText, within } from './dom.js';
import { enableMore } from './more.js';

export class RejectedLines {
  #total = -1;
  #isAsking = false;

  constructor() {
    enableMore(byId('rejected-lines'));
  }

  /** Asks for the lines when there are others than before. */
  async show(stats: StatsDocument): Promise<void> {
    const total = rejectedTotal(stats);
    setHidden(within(byId('rejected-lines'), '.empty'), total > 0);
    setHidden(byId('advice'), !needsAdvice(stats));
    if (total === this.#total || this.#isAsking) return;
    this.#isAsking = true;
    try {
      const { rejected } = await getJson<{ rejected: RejectedDocument[] }>('/events/rejected');
      this.#total = total;
      showRejected(rejected.slice(0, REJECTED_ROWS_MAX));
      showFields(rejectedFields(rejected));
    } catch {
      // Asked again with the next numbers.
    }
    this.#isAsking = false;
  }
}

function showRejected(lines: readonly RejectedDocument[]): void {
  const section = byId('rejected-lines');
  setHidden(within(section, '.more'), lines.length <= REJECTED_ROWS_SHORT);
  const list = within(section, 'ol');
  while (list.children.length > lines.length) list.lastElementChild?.remove();
  while (list.children.length < lines.length) list.append(fromTemplate('rejected-template'));
  for (const [i, line] of lines.entries()) {
    const item = list.children[i]!;
    const { reason, problem, time, source, size, text } = rejectedRow(line);
    setText(within(item, '.reason'), reason);
    setText(within(item, '.problem'), problem);
    setText(within(item, '.time'), time);
    setText(within(item, '.source'), source);
    setText(within(item, '.size'), size);
    setText(within(item, 'code'), text);
  }
}

function showFields(fields: readonly string[]): void {
  setHidden(byId('advice-fields'), fields.length === 0);
  const names = fields.map((field) => {
    const code = document.createElement('code');
    const name = document.createElement('bdi');
    name.textContent = field;
    code.append(name);
    return code;
  });
  byId('advice-names').replaceChildren(...names.flatMap((name) => [name, ' ']));
  for (const row of byId('advice').querySelectorAll<HTMLElement>('[data-field]')) {
    setText(within(row, '.presence'), presenceText(row.dataset.field ?? '', fields));
  }
}
