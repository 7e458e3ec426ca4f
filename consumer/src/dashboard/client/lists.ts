/** Types and words as ranked lists, with a filter for the words. */

import { type View, viewQuery } from '../../views/view.js';
import { assignColours, type Colours } from '../colours.js';
import type { CountsFrame, ListDocument } from '../documents.js';
import { FILTERED_KEYS_MAX, LIST_ROWS_MAX, LIST_ROWS_SHORT } from '../page-limits.js';
import type { PageSettings } from '../settings.js';
import {
  emptyListText,
  filterText,
  type ListKind,
  listSummary,
  overflowText,
  rowsOf,
} from '../texts.js';
import { getJson, withQuery } from './api.js';
import { byId, setAttribute, setHidden, setText, within } from './dom.js';
import { enableMore } from './more.js';
import { RankedList } from './ranked-list.js';

export class Lists {
  readonly #settings: PageSettings;
  readonly #types = rankedList('types');
  readonly #words = rankedList('words');
  readonly #filter = byId<HTMLInputElement>('filter');
  /** Words are asked for on their own while they are filtered. */
  #question: AbortController | null = null;
  #view: View;
  #lastWords: ListDocument | null = null;
  #lastTypes: ListDocument | null = null;
  #charted: readonly string[] = [];
  #colours: Colours = this.#types.colours;

  constructor(settings: PageSettings, view: View) {
    this.#settings = settings;
    this.#view = view;
    this.#filter.hidden = false;
    this.#filter.addEventListener('input', () => this.#filterChanged());
    for (const kind of ['types', 'words'] as const) {
      enableMore(byId(kind));
    }
  }

  watch(view: View): void {
    this.#view = view;
    this.#question?.abort();
    this.#question = null;
  }

  /** Colours for keys that the chart shows; they are given them before those of the list. */
  coloursFor(keys: readonly string[]): Colours {
    this.#charted = keys;
    this.#assignColours(this.#lastTypes);
    return this.#colours;
  }

  show({ types, words }: CountsFrame): void {
    this.#assignColours(types);
    this.#show('types', types);
    this.#lastWords = words;
    if (this.#filter.value === '') this.#show('words', words);
    else if (this.#question === null) void this.#askForWords();
  }

  #assignColours(types: ListDocument | null): void {
    this.#lastTypes = types;
    const listed = types?.counts.map(({ key }) => key) ?? [];
    this.#colours = assignColours(this.#colours, [...this.#charted, ...listed]);
  }

  #filterChanged(): void {
    this.#question?.abort();
    this.#question = null;
    if (this.#filter.value !== '') void this.#askForWords();
    else if (this.#lastWords !== null) this.#show('words', this.#lastWords);
  }

  async #askForWords(): Promise<void> {
    const question = new AbortController();
    this.#question = question;
    const more = `format=list&limit=${FILTERED_KEYS_MAX}`;
    const path = withQuery('/events/countWords', viewQuery(this.#view), more);
    try {
      const words = await getJson<ListDocument>(path, question.signal);
      if (!question.signal.aborted) this.#show('words', words);
    } catch {
      // The state line says what is wrong; the next frame asks again.
    }
    if (this.#question === question) this.#question = null;
  }

  #show(kind: ListKind, document: ListDocument): void {
    const section = byId(kind);
    const filter = kind === 'words' ? this.#filter.value : '';
    const colours = kind === 'types' ? { colours: this.#colours } : {};
    const rows = rowsOf(document, { ...colours, filter, rowsMax: LIST_ROWS_MAX });
    (kind === 'types' ? this.#types : this.#words).show(rows);
    setAttribute(section, 'data-batch', String(document.batch));
    setAttribute(section, 'data-query', viewQuery(this.#view));
    const summary = filter === '' ? listSummary(kind, document) : filterText(rows.length, document);
    setText(within(section, '.summary'), summary);
    const empty = within(section, '.empty');
    setHidden(empty, rows.length > 0);
    const isWindow = document.window !== null;
    setText(
      empty,
      filter === '' ? emptyListText(kind, this.#settings, isWindow) : 'No word has that in it.',
    );
    const overflow = overflowText(kind, document);
    setHidden(within(section, '.overflow'), overflow === '');
    setText(within(section, '.overflow'), overflow);
    setHidden(within(section, '.more'), rows.length <= LIST_ROWS_SHORT);
  }
}

function rankedList(kind: ListKind): RankedList {
  return new RankedList(within<HTMLTableSectionElement>(byId(kind), 'tbody'));
}
