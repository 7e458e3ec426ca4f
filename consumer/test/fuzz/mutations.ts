import type { Chance } from './chance.js';

const TOKENS = [
  ...[
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    ' ',
    '\t',
    '\r',
    '\n',
    '\0',
    '\u001f',
    '\u007f',
    '.',
  ],
  ...['e', 'E', '+', '-', '0', 'null', 'true', '1e400', '""', '{}', '[]', '\\"', '\\\\', '\\u0000'],
  ...[
    '\\ud800',
    '\\udc00',
    '\\u',
    '\\x',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\u0085',
    '😀',
    '__proto__',
  ],
].map((token) => Buffer.from(token));
const NO_UTF8 = [
  [0xff],
  [0x80],
  [0xc0, 0x80],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f, 0x98],
].map((bytes) => Uint8Array.from(bytes));

type Mutation = (chance: Chance, line: Uint8Array, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(chance, line) {
    const copy = new Uint8Array(line);
    if (copy.length > 0) copy[chance.int(0, copy.length - 1)]! ^= 1 << chance.int(0, 7);
    return copy;
  },
  function setByte(chance, line) {
    const copy = new Uint8Array(line);
    if (copy.length > 0) copy[chance.int(0, copy.length - 1)] = chance.int(0, 255);
    return copy;
  },
  function insert(chance, line) {
    return spliced(line, chance.int(0, line.length), 0, chance.pick(TOKENS));
  },
  function insertInvalid(chance, line) {
    return spliced(line, chance.int(0, line.length), 0, chance.pick(NO_UTF8));
  },
  function remove(chance, line) {
    const at = chance.int(0, line.length);
    return spliced(line, at, chance.small(line.length - at + 1));
  },
  function repeat(chance, line) {
    const at = chance.int(0, line.length);
    const piece = line.subarray(at, at + chance.small(32));
    return spliced(line, at, 0, ...chance.some(chance.small(64), () => piece));
  },
  function truncate(chance, line) {
    return line.subarray(0, chance.int(0, line.length));
  },
  function behead(chance, line) {
    return line.subarray(chance.int(0, line.length));
  },
  /** A member, maybe, of another line. */
  function transplant(chance, line, other) {
    const from = chance.int(0, other.length);
    const piece = other.subarray(from, from + chance.small(80));
    return spliced(line, chance.int(0, line.length), chance.oneIn(2) ? piece.length : 0, piece);
  },
  function cross(chance, line, other) {
    const head = line.subarray(0, chance.int(0, line.length));
    return Buffer.concat([head, other.subarray(chance.int(0, other.length))]);
  },
  /** At a place where JSON has a token, so that what comes is often still JSON. */
  function space(chance, line) {
    const at = indexOfAny(line, ',:{}[]', chance.int(0, line.length));
    return spliced(
      line,
      at,
      0,
      Buffer.from(chance.pick([' ', '\t', '\r', '  ', '\u00a0', '\u000b'])),
    );
  },
  function digit(chance, line) {
    const at = indexOfAny(line, '0123456789', chance.int(0, line.length));
    return spliced(line, at, chance.int(0, 1), Buffer.from(chance.pick([...'0123456789.eE-+'])));
  },
];

/** A line with up to four changes; `other` is a line to take pieces from. */
export function mutateLine(chance: Chance, line: Uint8Array, other: Uint8Array): Uint8Array {
  let mutated = line;
  for (let left = chance.small(4); left > 0; left--) {
    mutated = chance.pick(MUTATIONS)(chance, mutated, other);
  }
  return mutated;
}

function spliced(
  line: Uint8Array,
  at: number,
  removed: number,
  ...inserted: readonly Uint8Array[]
): Uint8Array {
  return Buffer.concat([line.subarray(0, at), ...inserted, line.subarray(at + removed)]);
}

/** Of the first of these characters from an index on; the length where there is none. */
function indexOfAny(line: Uint8Array, characters: string, from: number): number {
  const at = line
    .subarray(from)
    .findIndex((byte) => characters.includes(String.fromCharCode(byte)));
  return at === -1 ? line.length : from + at;
}
