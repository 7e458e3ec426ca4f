/**
 * The names that the field mapping asks for, as a tree: a dotted path is a way from its root. A node is a
 * name in the object of the node above it; it tells which parts of an event its value is.
 *
 * Lines of a stream mostly have their fields in the same order, with the same white space. So it is
 * remembered which name came first in an object, and which behind another one, together with the bytes that
 * led to its value: `{ "event_type": ` or `, "data": `. Where the same bytes come again, they mean the
 * same again, and need not be taken apart.
 */
import { ESCAPED, WIDE } from './json';
import { masks, reserve } from './memory';
import { isReplaced, readText, textEnd, textStart } from './text';

/** An expectation: the name, 0 for none, and the bytes that lead to its value, in two halves with masks. */
const EXPECTED_NAME: usize = 0;
const LEAD_BYTES: usize = 4;
const LEAD: usize = 16;
const LEAD_MASK: usize = 32;
const LEAD_REST: usize = 48;
const LEAD_REST_MASK: usize = 64;
const LEAD_BYTES_MAX: usize = 32;
const EXPECTATION_BYTES: usize = 80;

const NODE_NAME: usize = 0;
const NODE_NAME_BYTES: usize = 4;
const NODE_ABOVE: usize = 8;
/** One of the names in the object that is its value, 0 where none is asked for, and the next of them. */
const NODE_NAMES: usize = 12;
const NODE_NEXT: usize = 16;
/** Parts of the event that its value is, and those that are it or in it; a bit for each. */
const NODE_PARTS: usize = 20;
const NODE_ALL_PARTS: usize = 24;
/** The lengths of the names in its object, a bit for each, the last for all that are longer. */
const NODE_LENGTHS: usize = 32;
/** What is expected first in its object, what there behind names that are not asked for, and what behind it. */
const NODE_FIRST: usize = 48;
const NODE_LATER: usize = NODE_FIRST + EXPECTATION_BYTES;
const NODE_BEHIND: usize = NODE_LATER + EXPECTATION_BYTES;
const NODE_BYTES: usize = NODE_BEHIND + EXPECTATION_BYTES;

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
  const copy = reserve(nameBytes as usize);
  memory.copy(copy, name, nameBytes as usize);
  store<usize>(node, copy, NODE_NAME);
  store<u32>(node, nameBytes, NODE_NAME_BYTES);
  store<usize>(node, above, NODE_ABOVE);
  store<usize>(node, load<usize>(above, NODE_NAMES), NODE_NEXT);
  store<usize>(above, node, NODE_NAMES);
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

/** What is expected at the beginning of a node's object: what leads to it has no comma. */
export function firstExpectation(node: usize): usize {
  return node + NODE_FIRST;
}

/** What is expected there when the first names were none that are asked for. */
export function laterExpectation(node: usize): usize {
  return node + NODE_LATER;
}

/** What is expected behind a node's value, in the same object. */
export function expectationBehind(node: usize): usize {
  return node + NODE_BEHIND;
}

/** The name that is expected, if what leads to its value is what stands at `p`; otherwise UNKNOWN. */
export function expectedAt(expectation: usize, p: usize): usize {
  const lead = v128.and(v128.load(p), v128.load(expectation, LEAD_MASK));
  if (v128.any_true(v128.xor(lead, v128.load(expectation, LEAD)))) return UNKNOWN;
  if (leadBytesOf(expectation) > 16) {
    const rest = v128.and(v128.load(p, 16), v128.load(expectation, LEAD_REST_MASK));
    if (v128.any_true(v128.xor(rest, v128.load(expectation, LEAD_REST)))) return UNKNOWN;
  }
  return load<usize>(expectation, EXPECTED_NAME);
}

export function leadBytesOf(expectation: usize): usize {
  return load<usize>(expectation, LEAD_BYTES);
}

/** Expects a name there next time; `lead` is what stands before its value, from the value before it on. */
export function expect(expectation: usize, name: usize, lead: usize, value: usize): void {
  const bytes = value - lead;
  const isShort = bytes <= LEAD_BYTES_MAX;
  const first = isShort ? min(bytes, 16) : 0;
  const rest = isShort ? bytes - first : 0;
  store<usize>(expectation, isShort ? name : UNKNOWN, EXPECTED_NAME);
  store<usize>(expectation, first + rest, LEAD_BYTES);
  const mask = v128.load(masks + 16 - first);
  const restMask = v128.load(masks + 16 - rest);
  v128.store(expectation, v128.and(v128.load(lead), mask), LEAD);
  v128.store(expectation, mask, LEAD_MASK);
  v128.store(expectation, v128.and(v128.load(lead, 16), restMask), LEAD_REST);
  v128.store(expectation, restMask, LEAD_REST_MASK);
}

/** The node of a name that is a string with these flags of stringEnd: a node, UNKNOWN or UNCLEAR. */
export function nameAt(node: usize, start: usize, string: u64): usize {
  const end = string as usize;
  if ((string & (ESCAPED | WIDE)) === 0) return findName(node, start, (end - start) as u32);
  readText(start, end, (string & ESCAPED) !== 0, (string & WIDE) !== 0);
  if (isReplaced) return hasReplaced ? UNCLEAR : UNKNOWN;
  return findName(node, textStart, (textEnd - textStart) as u32);
}

/** The node of a name that is as it stands there, or UNKNOWN. */
export function findName(node: usize, name: usize, nameBytes: u32): usize {
  if ((load<u64>(node, NODE_LENGTHS) & lengthBit(nameBytes)) === 0) return UNKNOWN;
  let found = load<usize>(node, NODE_NAMES);
  while (found !== 0 && !isNameOf(found, name, nameBytes)) found = load<usize>(found, NODE_NEXT);
  return found;
}

function isNameOf(node: usize, name: usize, nameBytes: u32): bool {
  if (load<u32>(node, NODE_NAME_BYTES) !== nameBytes) return false;
  const own = load<usize>(node, NODE_NAME);
  for (let i: usize = 0; i < (nameBytes as usize); i++) {
    if (load<u8>(own + i) !== load<u8>(name + i)) return false;
  }
  return true;
}

function lengthBit(nameBytes: u32): u64 {
  return (1 as u64) << min(nameBytes, 63);
}
