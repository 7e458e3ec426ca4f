/**
 * The names that the field mapping asks for, as a tree: a dotted path is a way from its root. A node is a
 * name in the object of the node above it; it tells which parts of an event its value is.
 *
 * The names of an object are a ring. Lines of a stream mostly have their fields in the same order, so the
 * name behind the one that was found last is tried first.
 */
import { QUOTE } from './characters';
import { ESCAPED, WIDE } from './json';
import { reserve } from './memory';
import { isReplaced, readText, textEnd, textStart } from './text';

const NODE_BYTES: usize = 48;
/** Its name with the closing quote: for every sixteen bytes those, and a mask of those that count. */
const NODE_NAME: usize = 0;
const NODE_NAME_BYTES: usize = 4;
/** The next name of the same object. */
const NODE_NEXT: usize = 8;
/** The name that is expected next in the object that is its value; 0: nothing is asked of it. */
const NODE_EXPECTED: usize = 12;
const NODE_ABOVE: usize = 16;
/** Parts of the event that its value is, and those that are it or in it; a bit for each. */
const NODE_PARTS: usize = 20;
const NODE_ALL_PARTS: usize = 24;
/** The lengths of the names in the object, a bit for each, the last for all that are longer. */
const NODE_LENGTHS: usize = 32;

/** No name that is asked for. */
export const UNKNOWN: usize = 0;
/** There is U+FFFD in the name for something that was not well-formed: it may be one that is asked for. */
export const UNCLEAR: usize = 1;

/** The outermost object. */
export let root: usize = 0;
/** A name that is asked for has U+FFFD in it, or what is written as that. */
let hasReplaced: bool = false;

export function setUpFields(hasReplacedNames: bool): usize {
  hasReplaced = hasReplacedNames;
  root = reserve(NODE_BYTES);
  return root;
}

/** The node of a name in the object that is the value of `above`, a new one where there is none. */
export function nodeOf(above: usize, name: usize, nameBytes: u32): usize {
  const found = findName(above, name, nameBytes);
  if (found !== UNKNOWN) return found;
  const node = reserve(NODE_BYTES);
  const blocks = (nameBytes + 16) >> 4;
  const blocksStart = reserve((blocks << 5) as usize);
  for (let i: u32 = 0; i <= nameBytes; i++) {
    const at = blocksStart + (((i >> 4) << 5) + (i & 15));
    store<u8>(at, i < nameBytes ? load<u8>(name + i) : (QUOTE as u8));
    store<u8>(at, 0xff, 16);
  }
  store<usize>(node, blocksStart, NODE_NAME);
  store<u32>(node, nameBytes, NODE_NAME_BYTES);
  store<usize>(node, above, NODE_ABOVE);
  const first = load<usize>(above, NODE_EXPECTED);
  store<usize>(node, first === 0 ? node : load<usize>(first, NODE_NEXT), NODE_NEXT);
  store<usize>(first === 0 ? node : first, node, NODE_NEXT);
  store<usize>(above, node, NODE_EXPECTED);
  store<u64>(above, load<u64>(above, NODE_LENGTHS) | lengthBit(nameBytes), NODE_LENGTHS);
  return node;
}

export function addParts(node: usize, parts: u32): void {
  store<u32>(node, load<u32>(node, NODE_PARTS) | parts, NODE_PARTS);
  for (let at = node; at !== 0; at = load<usize>(at, NODE_ABOVE)) {
    store<u32>(at, load<u32>(at, NODE_ALL_PARTS) | parts, NODE_ALL_PARTS);
  }
}

export function partsOf(node: usize): u32 {
  return load<u32>(node, NODE_PARTS);
}

export function allPartsOf(node: usize): u32 {
  return load<u32>(node, NODE_ALL_PARTS);
}

export function hasNames(node: usize): bool {
  return load<usize>(node, NODE_EXPECTED) !== 0;
}

export function nodeAbove(node: usize): usize {
  return load<usize>(node, NODE_ABOVE);
}

/** The name that is expected in a node's object, if it is what stands at `p`, behind its opening quote. */
export function expectedAt(node: usize, p: usize): usize {
  const expected = load<usize>(node, NODE_EXPECTED);
  const nameBytes = load<u32>(expected, NODE_NAME_BYTES) as usize;
  let block = load<usize>(expected, NODE_NAME);
  for (let at: usize = 0; at <= nameBytes; at += 16) {
    const counting = v128.and(v128.load(p + at), v128.load(block, 16));
    if (v128.any_true(v128.xor(counting, v128.load(block)))) return UNKNOWN;
    block += 32;
  }
  store<usize>(node, load<usize>(expected, NODE_NEXT), NODE_EXPECTED);
  return expected;
}

export function nameBytesOf(node: usize): usize {
  return load<u32>(node, NODE_NAME_BYTES) as usize;
}

/** The node of a name that is a string with these flags of stringEnd: a node, UNKNOWN or UNCLEAR. */
export function nameAt(node: usize, start: usize, string: u64): usize {
  const end = string as usize;
  if ((string & (ESCAPED | WIDE)) === 0) {
    const nameBytes = (end - start) as u32;
    const mayBe = (load<u64>(node, NODE_LENGTHS) & lengthBit(nameBytes)) !== 0;
    return mayBe ? findName(node, start, nameBytes) : UNKNOWN;
  }
  readText(start, end, (string & ESCAPED) !== 0, (string & WIDE) !== 0);
  if (isReplaced) return hasReplaced ? UNCLEAR : UNKNOWN;
  return findName(node, textStart, (textEnd - textStart) as u32);
}

function findName(node: usize, name: usize, nameBytes: u32): usize {
  const first = load<usize>(node, NODE_EXPECTED);
  let at = first;
  while (at !== 0) {
    const next = load<usize>(at, NODE_NEXT);
    if (load<u32>(at, NODE_NAME_BYTES) === nameBytes && isNameOf(at, name, nameBytes)) {
      store<usize>(node, next, NODE_EXPECTED);
      return at;
    }
    at = next === first ? 0 : next;
  }
  return UNKNOWN;
}

function isNameOf(node: usize, name: usize, nameBytes: u32): bool {
  const blocks = load<usize>(node, NODE_NAME);
  for (let i: u32 = 0; i < nameBytes; i++) {
    if (load<u8>(name + i) !== load<u8>(blocks + (((i >> 4) << 5) + (i & 15)))) return false;
  }
  return true;
}

function lengthBit(nameBytes: u32): u64 {
  return (1 as u64) << min(nameBytes, 63);
}
