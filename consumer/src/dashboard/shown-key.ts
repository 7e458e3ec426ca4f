import { firstCharacters } from '../tally/shown-text.js';

/** Characters of a key that the page puts into a row; the whole key is its title. */
const KEY_SHOWN_MAX = 200;

/** A key as a row shows it: cut, and with control characters, or spaces alone, made visible. */
export function formatKey(key: string): string {
  const first = firstCharacters(key, KEY_SHOWN_MAX);
  const shown = first === key ? key : `${first}…`;
  const visible = shown.toWellFormed().replace(/\p{Cc}/gu, controlPicture);
  return visible.trim() === '' ? visible.replaceAll(/\s/g, '␣') : visible;
}

const CONTROL_PICTURES = 0x2400;

function controlPicture(control: string): string {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code);
  return code === 0x7f ? '␡' : '�';
}
