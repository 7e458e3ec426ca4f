/** Commands to copy. */

import type { View } from '../../views/view.js';
import { curlCommands } from '../commands.js';
import { announce, byId, setText } from './dom.js';

const COPIED_MS = 2000;

export function showCommands(view: View): void {
  for (const { name, text } of curlCommands(location.origin, view)) {
    setText(byId(`command-${name}`).firstElementChild!, text);
  }
}

export function enableCopying(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('button.copy')) {
    button.addEventListener('click', () => void copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const command = byId(button.dataset.copies ?? '');
  try {
    await navigator.clipboard.writeText(command.textContent ?? '');
  } catch {
    // Without https, and not on localhost, there is no clipboard: what is selected can be copied by key.
    getSelection()?.selectAllChildren(command);
    announce('Selected: copy it with the keyboard');
    return;
  }
  announce('Copied');
  setText(button, 'Copied');
  setTimeout(() => setText(button, 'Copy'), COPIED_MS);
}
