import { setAttribute, setText, within } from './dom.js';

/** Makes the button of a section show its further rows, and hide them again. */
export function enableMore(section: HTMLElement): void {
  const button = within(section, '.more');
  button.addEventListener('click', () => {
    const isLong = section.classList.toggle('long');
    setAttribute(button, 'aria-expanded', String(isLong));
    setText(button, isLong ? 'Show less' : 'Show more');
  });
}
