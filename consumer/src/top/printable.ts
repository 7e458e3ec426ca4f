/**
 * Text of strangers for a terminal, which takes some characters for orders: what it may be sent, and how
 * many columns it takes.
 */
import stringWidth from 'string-width';

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Emoji hold characters that are invisible elsewhere; those in this list belong together. */
// biome-ignore lint/complexity/useRegexLiterals: TypeScript keeps the flag for a later target than Node.js 20 needs.
const EMOJI = new RegExp('^\\p{RGI_Emoji}$', 'v');
/** Control, format (bidi among them), private and unassigned characters, and line separators. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** UTF-16 units of a letter with its marks, or of an emoji; longer ones pile up over other lines. */
const GRAPHEME_LENGTH_MAX = 16;
/** Most keys; a large ranking has no time for each to be taken apart. */
const ASCII_TO_SEE = /^[ -~]*$/;
const ELLIPSIS = '…';

/** With an escape such as \u{1b} in the place of each character that is no letter to see. */
export function printable(text: string): string {
  if (ASCII_TO_SEE.test(text)) return text;
  let result = '';
  for (const { segment } of GRAPHEMES.segment(text)) {
    if (segment.length > GRAPHEME_LENGTH_MAX && !EMOJI.test(segment)) result += '\u{fffd}';
    else result += EMOJI.test(segment) ? segment : segment.replace(UNSAFE, escaped);
  }
  return result;
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}

/** Columns that a printable text takes. */
export function width(text: string): number {
  return stringWidth(text);
}

/** A printable text in exactly so many columns: filled up with spaces, or cut with an ellipsis. */
export function fit(text: string, columns: number): string {
  return pad(cut(text, columns), columns);
}

/** A printable text in at most so many columns. */
export function cut(text: string, columns: number): string {
  // By far the most, and no key is wider than it is long but for what takes two columns.
  if (width(text) <= columns) return text;
  if (columns <= 0) return '';
  let result = '';
  let used = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    used += width(segment);
    if (used > columns - 1) break;
    result += segment;
  }
  return result + ELLIPSIS;
}

export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}
