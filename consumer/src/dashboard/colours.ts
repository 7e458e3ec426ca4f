/** Colours of the palette, all told apart with the common kinds of colour blindness; see page.css. */
export const COLOURS = 7;

export type Colours = ReadonlyMap<string, number>;

/**
 * Gives each of the first COLOURS keys a colour of its own. A key keeps the one that it has; a new one
 * takes the free one that its text points at or the next, so that most pages agree; where none is free,
 * that of a key which is no longer among the first.
 */
export function assignColours(previous: Colours, keys: readonly string[]): Colours {
  const first = new Set(keys.slice(0, COLOURS));
  const colours = new Map(previous);
  for (const key of [...first].sort()) {
    if (colours.has(key)) continue;
    const taken = new Set(colours.values());
    if (taken.size === COLOURS) {
      const [loser, colour] = [...colours].find(([other]) => !first.has(other))!;
      colours.delete(loser);
      taken.delete(colour);
    }
    let colour = hash(key) % COLOURS;
    while (taken.has(colour)) colour = (colour + 1) % COLOURS;
    colours.set(key, colour);
  }
  return colours;
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return value;
}
