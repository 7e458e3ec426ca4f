/** A string of a line → the text that JavaScript would have of it, in well-formed UTF-8. */
import { BACKSLASH, digitAt } from './characters';
import { CASE_BIT } from './json';
import { reserve } from './memory';
import { writeWellFormed } from './unicode';
import { isWellFormed } from './well-formed';

const LETTER_U: u32 = 0x75;
const REPLACEMENT_CHARACTER: u32 = 0xfffd;

/** Where a text is that could not be left where it lay; the next one takes its place. */
let unescaped: usize = 0;
let repaired: usize = 0;

/** The text that was read last. */
export let textStart: usize = 0;
export let textEnd: usize = 0;
/** Something in it had to be replaced by U+FFFD. */
export let isReplaced: bool = false;

export function setUpText(textBytesMax: usize): void {
  unescaped = reserve(textBytesMax);
  repaired = reserve(3 * textBytesMax);
}

/** Sets textStart, textEnd and isReplaced. */
export function readText(start: usize, end: usize, isEscaped: bool, isWide: bool): void {
  textStart = start;
  textEnd = end;
  isReplaced = false;
  if (isEscaped) {
    textEnd = resolveEscapes(start, end);
    textStart = unescaped;
  }
  // An escape is a whole character, and no continuation of what is before it: so it changes nothing that
  // the bytes beside it are repaired after the escapes are gone.
  if (isWide && !isWellFormed(textStart, textEnd)) {
    textEnd = writeWellFormed(textStart, textEnd, repaired);
    textStart = repaired;
    isReplaced = true;
  }
}

/** Of a string that is checked; gives the end of what it has written. */
function resolveEscapes(p: usize, end: usize): usize {
  let to = unescaped;
  while (p < end) {
    const bytes = v128.load(p);
    v128.store(to, bytes);
    const left = end - p;
    const backslashes = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(BACKSLASH as i8)));
    const plain: usize = backslashes === 0 ? 16 : ctz(backslashes);
    if (plain >= left) return to + left;
    p += plain;
    to += plain;
    if (backslashes === 0) continue;
    const c = load<u8>(p, 1) as u32;
    if (c !== LETTER_U) {
      store<u8>(to++, unescapedByte(c));
      p += 2;
      continue;
    }
    let code = hexAt(p + 2);
    p += 6;
    if (code - 0xd800 < 0x800) {
      const isHigh = code < 0xdc00;
      const low = isHigh && load<u16>(p) === 0x755c ? hexAt(p + 2) - 0xdc00 : u32.MAX_VALUE;
      if (low < 0x400) {
        code = 0x10000 + ((code - 0xd800) << 10) + low;
        p += 6;
      } else {
        code = REPLACEMENT_CHARACTER;
        isReplaced = true;
      }
    }
    to = writeCharacter(code, to);
  }
  return to;
}

function unescapedByte(c: u32): u8 {
  switch (c) {
    case 0x62: // b
      return 0x08;
    case 0x66: // f
      return 0x0c;
    case 0x6e: // n
      return 0x0a;
    case 0x72: // r
      return 0x0d;
    case 0x74: // t
      return 0x09;
    default:
      return c as u8;
  }
}

function hexAt(p: usize): u32 {
  let code: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const digit = digitAt(p + i);
    code = (code << 4) | (digit <= 9 ? digit : ((load<u8>(p + i) as u32) | CASE_BIT) - 0x57);
  }
  return code;
}

function writeCharacter(code: u32, to: usize): usize {
  if (code < 0x80) {
    store<u8>(to, code as u8);
    return to + 1;
  }
  if (code < 0x800) {
    store<u8>(to, (0xc0 | (code >> 6)) as u8);
    store<u8>(to, (0x80 | (code & 0x3f)) as u8, 1);
    return to + 2;
  }
  if (code < 0x10000) {
    store<u8>(to, (0xe0 | (code >> 12)) as u8);
    store<u8>(to, (0x80 | ((code >> 6) & 0x3f)) as u8, 1);
    store<u8>(to, (0x80 | (code & 0x3f)) as u8, 2);
    return to + 3;
  }
  store<u8>(to, (0xf0 | (code >> 18)) as u8);
  store<u8>(to, (0x80 | ((code >> 12) & 0x3f)) as u8, 1);
  store<u8>(to, (0x80 | ((code >> 6) & 0x3f)) as u8, 2);
  store<u8>(to, (0x80 | (code & 0x3f)) as u8, 3);
  return to + 4;
}
