/**
 * What a reader could not see, or what would change how the rest is shown: controls (C0, C1, DEL), line
 * and paragraph separators, marks of direction, the byte order mark.
 */
const UNSEEN = /[\p{Cc}\u2028\u2029\p{Bidi_Control}\ufeff]/gu;

/** The first `max` characters (code points), never half of one. */
export function firstCharacters(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = 0;
  for (let i = 0; i < max && end < text.length; i++) {
    end += (text.codePointAt(end) as number) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}

/**
 * A stranger's text, fit to be shown: its first `max` characters, with what cannot be seen written as an
 * escape (`\u000d`).
 */
export function shownText(text: string, max: number): string {
  const escaped = firstCharacters(text, max).replaceAll(
    UNSEEN,
    (unseen) => `\\u${unseen.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return copyOf(escaped);
}

/**
 * A copy that keeps nothing else alive: V8 cuts a text out of another one by reference. Lone surrogates
 * become U+FFFD.
 */
export function copyOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
