/** The buttons of the window: links, so that each has its address, followed without a reload. */

import { formatDateTime } from '../../views/format.js';
import type { View } from '../../views/view.js';
import type { CountsFrame } from '../documents.js';
import { intervalText } from '../texts.js';
import {
  type Choice,
  parseView,
  proposedView,
  untilChoices,
  viewAddress,
  windowChoices,
} from '../view.js';
import { byId, setAttribute, setHidden, setText, within } from './dom.js';

export function addressedView(): View {
  return parseView(new URLSearchParams(location.search));
}

/** Tells when another view was chosen, by a link of the page or by going back. */
export function watchChoices(onChoice: () => void): void {
  document.addEventListener('click', (event) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
      return;
    const link = (event.target as Element).closest<HTMLAnchorElement>('nav.view a, #proposed');
    if (link === null || link.href === '') return;
    event.preventDefault();
    history.pushState(null, '', link.href);
    onChoice();
  });
  addEventListener('popstate', onChoice);
}

export function showChoices(view: View, retentionSeconds: number): void {
  showList('windows', windowChoices(view, retentionSeconds));
  const untils = untilChoices(view);
  setHidden(byId('untils'), untils.length === 0);
  if (untils.length > 0) showList('untils', untils);
}

function showList(id: string, choices: readonly Choice[]): void {
  for (const [i, item] of [...byId(id).children].entries()) {
    const choice = choices[i];
    setHidden(item as HTMLElement, choice === undefined);
    if (choice === undefined) continue;
    const link = within(item, 'a');
    setText(link, choice.label);
    if (!choice.isAnswerable) continue;
    setAttribute(link, 'href', viewAddress(choice.view));
    setAttribute(link, 'aria-current', choice.isCurrent ? 'true' : null);
  }
}

/** Which interval the numbers cover, and a better one where it has no events. */
export function showInterval(view: View, { stats, types }: CountsFrame): void {
  setText(byId('interval'), intervalText(types));
  const proposed = proposedView(view, types.window, stats.last_event_time);
  setHidden(byId('proposal'), proposed === null);
  if (proposed === null) return;
  setText(byId('newest'), formatDateTime(stats.last_event_time ?? 0));
  setAttribute(byId('proposed'), 'href', viewAddress(proposed));
}
