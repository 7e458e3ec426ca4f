/** Where a field stands in a JSON object: the names to follow from the outside in, at least one. */
export type FieldPath = readonly [string, ...string[]];

/**
 * Reads a path as users write it: names joined by dots; a dot that belongs to a name is `\.`, a
 * backslash that belongs to one is `\\`. `alert.signature` has two names, `id\.orig_h` has one.
 *
 * Returns null for a text with an empty name in it (`''`, `a..b`, `.a`, `a.`) or another backslash.
 */
export function parseFieldPath(text: string): FieldPath | null {
  const names: string[] = [];
  let name = '';
  for (let i = 0; i < text.length; i++) {
    const next = text[i + 1];
    if (text[i] === '\\') {
      if (next !== '.' && next !== '\\') return null;
      name += next;
      i++;
    } else if (text[i] === '.') {
      names.push(name);
      name = '';
    } else {
      name += text[i];
    }
  }
  names.push(name);
  return names.includes('') ? null : (names as [string, ...string[]]);
}

/** The text that parseFieldPath reads as this path. */
export function formatFieldPath(path: FieldPath): string {
  return path.map((name) => name.replaceAll(/[\\.]/g, '\\$&')).join('.');
}

/**
 * The value at a path in a parsed JSON value, undefined where the path leads nowhere. Only own
 * properties of objects are followed: `constructor` is a name like any other, and an array has no
 * named fields.
 */
export function readField(json: unknown, path: FieldPath): unknown {
  let value = json;
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

export function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
