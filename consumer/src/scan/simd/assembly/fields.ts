/**
 * The names that the field mapping asks for, as a tree: a dotted path is a way from its root. A node is a
 * name in the object of the node above it; it tells which parts of an event its value is.
 *
 * Lines of a stream mostly have their fields in the same order. So a node remembers which name came first in
 * its object, and which one came behind it: that one is tried before any other.
 */
import { QUOTE } from './characters';
import { ESCAPED, WIDE } from './json';
import { reserve } from './memory';
import { isReplaced, readText, textEnd, textStart } from './text';

const NODE_BYTES: usize = 48;
/** Its name with the closing quote: for every sixteen bytes those, and a mask of those that count. */
const NODE_NAME: usize = 0;
const NODE_NAME_BYTES: usize = 4;
const NODE_ABOVE: usize = 8;
/** One of the names in the object that is its value, 0 where none is asked for, and the next of them. */
const NODE_NAMES: usize = 12;
const NODE_NEXT: usize = 16;
/** The first name that was found in its object, and the one that was found behind it; never 0 where there are names. */
const NODE_FIRST: usize = 20;
const NODE_FOLLOWER: usize = 24;
/** Parts of the event that its value is, and those that are it or in it; a bit for each. */
const NODE_PARTS: usize = 28;
const NODE_ALL_PARTS: usize = 32;
/** The lengths of the names in its object, a bit for each, the last for all that are longer. */
const NODE_LENGTHS: usize = 40;

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
  store<u8>(name + nameBytes, QUOTE as u8);
  const found = findName(above, name);
  if (found !== UNKNOWN) return found;
  const node = reserve(NODE_BYTES);
  const blocks = reserve((((nameBytes + 16) >> 4) << 5) as usize);
  for (let i: u32 = 0; i <= nameBytes; i++) {
    const at = blocks + (((i >> 4) << 5) + (i & 15));
    store<u8>(at, load<u8>(name + i));
    store<u8>(at, 0xff, 16);
  }
  store<usize>(node, blocks, NODE_NAME);
  store<u32>(node, nameBytes, NODE_NAME_BYTES);
  store<usize>(node, above, NODE_ABOVE);
  store<usize>(node, load<usize>(above, NODE_NAMES), NODE_NEXT);
  store<usize>(above, node, NODE_NAMES);
  store<usize>(above, node, NODE_FIRST);
  store<usize>(node, node, NODE_FOLLOWER);
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
  return load<usize>(node, NODE_NAMES) !== 0;
}

export function nodeAbove(node: usize): usize {
  return load<usize>(node, NODE_ABOVE);
}

/** The name that is expected first in a node's object; there are names in it. */
export function firstExpected(node: usize): usize {
  return load<usize>(node, NODE_FIRST);
}

/** The name that is expected behind another one in the same object. */
export function expectedBehind(node: usize): usize {
  return load<usize>(node, NODE_FOLLOWER);
}

/** Expects a name of a node's object there next time: behind another one, or first where `before` is 0. */
export function expect(node: usize, before: usize, found: usize): void {
  if (before === 0) store<usize>(node, found, NODE_FIRST);
  else store<usize>(before, found, NODE_FOLLOWER);
}

/** Whether a node's name, and the quote that closes it, is what stands at `p`. */
export function isNameAt(node: usize, p: usize): bool {
  const nameBytes = load<u32>(node, NODE_NAME_BYTES) as usize;
  let block = load<usize>(node, NODE_NAME);
  for (let at: usize = 0; at <= nameBytes; at += 16) {
    const counting = v128.and(v128.load(p + at), v128.load(block, 16));
    if (v128.any_true(v128.xor(counting, v128.load(block)))) return false;
    block += 32;
  }
  return true;
}

export function nameBytesOf(node: usize): usize {
  return load<u32>(node, NODE_NAME_BYTES) as usize;
}

/** The node of a name that is a string with these flags of stringEnd: a node, UNKNOWN or UNCLEAR. */
export function nameAt(node: usize, start: usize, string: u64): usize {
  const end = string as usize;
  if ((string & (ESCAPED | WIDE)) === 0) {
    const mayBe = load<u64>(node, NODE_LENGTHS) & lengthBit((end - start) as u32);
    return mayBe !== 0 ? findName(node, start) : UNKNOWN;
  }
  readText(start, end, (string & ESCAPED) !== 0, (string & WIDE) !== 0);
  if (isReplaced) return hasReplaced ? UNCLEAR : UNKNOWN;
  store<u8>(textEnd, QUOTE as u8); // where it lay, it is there
  return findName(node, textStart);
}

function findName(node: usize, p: usize): usize {
  let name = load<usize>(node, NODE_NAMES);
  while (name !== 0 && !isNameAt(name, p)) name = load<usize>(name, NODE_NEXT);
  return name;
}

function lengthBit(nameBytes: u32): u64 {
  return (1 as u64) << min(nameBytes, 63);
}
