/**
 * JSON, checked and skipped: each function takes the place where something begins, and gives the place
 * after it, or NONE where it is not JSON.
 *
 * Nothing is ever read past the LF that ends the line: it is a control character, which no string, number
 * or white space between them may hold. So there is no check for an end anywhere.
 */
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  CR,
  DOT,
  digitAt,
  LAST_CONTROL,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLUS,
  QUOTE,
  SPACE,
  TAB,
  ZERO,
} from './characters';
import { reserve } from './memory';

export const NONE: usize = 0;

/** In what stringEnd gives, above the place: the string has a backslash in it, or a byte that is not ASCII. */
export const ESCAPED: u64 = 1 << 32;
export const WIDE: u64 = 1 << 33;

const FOUR_LETTERS_TRUE: u32 = 0x65757274;
const FOUR_LETTERS_NULL: u32 = 0x6c6c756e;
const FOUR_LETTERS_ALSE: u32 = 0x65736c61;
const LETTER_F: u32 = 0x66;
const LETTER_E: u32 = 0x65;
const LETTER_U: u32 = 0x75;
/** Makes a capital letter of ASCII a small one. */
export const CASE_BIT: u32 = 0x20;

/** For each 64 levels of nesting, whether they are objects or arrays; those of the innermost are in a local. */
let levels: usize = 0;

/** To be called before anything else here: nesting goes no deeper than a line is long. */
export function setUpJson(lineBytesMax: usize): void {
  levels = reserve(lineBytesMax / 8 + 16);
}

export function skipWhiteSpace(p: usize): usize {
  let c = load<u8>(p) as u32;
  while (c === SPACE || c === TAB || c === CR) c = load<u8>(++p) as u32;
  return p;
}

/** The place of the closing quote, of a string whose opening quote is before `p`, and flags; 0: it is none. */
export function stringEnd(p: usize): u64 {
  let flags: u64 = 0;
  while (true) {
    const bytes = v128.load(p);
    const quotes = i8x16.eq(bytes, i8x16.splat(QUOTE as i8));
    const backslashes = i8x16.eq(bytes, i8x16.splat(BACKSLASH as i8));
    const controls = i8x16.le_u(bytes, i8x16.splat(LAST_CONTROL as i8));
    const stops = i8x16.bitmask(v128.or(v128.or(quotes, backslashes), controls));
    const wide = i8x16.bitmask(bytes);
    if (stops === 0) {
      if (wide !== 0) flags |= WIDE;
      p += 16;
      continue;
    }
    const before = ctz(stops);
    if ((wide & ((1 << before) - 1)) !== 0) flags |= WIDE;
    p += before as usize;
    const c = load<u8>(p) as u32;
    if (c === QUOTE) return (p as u64) | flags;
    if (c !== BACKSLASH) return 0;
    p = escapeEnd(p);
    if (p === NONE) return 0;
    flags |= ESCAPED;
  }
}

/** The first byte from `p` on that is a quote, a backslash, a control character or not ASCII. */
export function plainEnd(p: usize): usize {
  while (true) {
    const bytes = v128.load(p);
    const quotes = i8x16.eq(bytes, i8x16.splat(QUOTE as i8));
    const backslashes = i8x16.eq(bytes, i8x16.splat(BACKSLASH as i8));
    // As signed numbers, bytes that are not ASCII are less than control characters.
    const others = i8x16.le_s(bytes, i8x16.splat(LAST_CONTROL as i8));
    const stops = i8x16.bitmask(v128.or(v128.or(quotes, backslashes), others));
    if (stops !== 0) return p + (ctz(stops) as usize);
    p += 16;
  }
}

/** The first byte from `p` on that is a quote, a backslash or a control character. */
function unescapedEnd(p: usize): usize {
  while (true) {
    const bytes = v128.load(p);
    const quotes = i8x16.eq(bytes, i8x16.splat(QUOTE as i8));
    const backslashes = i8x16.eq(bytes, i8x16.splat(BACKSLASH as i8));
    const controls = i8x16.le_u(bytes, i8x16.splat(LAST_CONTROL as i8));
    const stops = i8x16.bitmask(v128.or(v128.or(quotes, backslashes), controls));
    if (stops !== 0) return p + (ctz(stops) as usize);
    p += 16;
  }
}

/** As valueEnd; faster where it is a string without escapes, or a literal. */
export function likelyEnd(p: usize): usize {
  if ((load<u8>(p) as u32) === QUOTE) {
    const end = unescapedEnd(p + 1);
    if ((load<u8>(end) as u32) === QUOTE) return end + 1;
  } else {
    const end = literalEnd(p);
    if (end !== NONE) return end;
  }
  return valueEnd(p);
}

function escapeEnd(p: usize): usize {
  const c = load<u8>(p, 1) as u32;
  if (c === LETTER_U) {
    for (let i: usize = 2; i < 6; i++) {
      const isDigit = digitAt(p + i) <= 9;
      if (!isDigit && ((load<u8>(p + i) as u32) | CASE_BIT) - 0x61 > 5) return NONE;
    }
    return p + 6;
  }
  switch (c) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // slash
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return p + 2;
    default:
      return NONE;
  }
}

export function numberEnd(p: usize): usize {
  if ((load<u8>(p) as u32) === MINUS) p++;
  if ((load<u8>(p) as u32) === ZERO) p++;
  else {
    p = digitsEnd(p);
    if (p === NONE) return NONE;
  }
  if ((load<u8>(p) as u32) === DOT) {
    p = digitsEnd(p + 1);
    if (p === NONE) return NONE;
  }
  if (((load<u8>(p) as u32) | CASE_BIT) === LETTER_E) {
    const sign = load<u8>(p, 1) as u32;
    p = digitsEnd(sign === PLUS || sign === MINUS ? p + 2 : p + 1);
  }
  return p;
}

/** At least one digit. */
function digitsEnd(p: usize): usize {
  if (digitAt(p) > 9) return NONE;
  let digits = leadingDigits(p);
  while (digits === 16) {
    p += 16;
    digits = leadingDigits(p);
  }
  return p + digits;
}

/** How many digits stand from `p` on, up to sixteen. */
export function leadingDigits(p: usize): u32 {
  const numbers = i8x16.sub(v128.load(p), i8x16.splat(ZERO as i8));
  return ctz(i8x16.bitmask(i8x16.gt_u(numbers, i8x16.splat(9))) | 0x1_0000);
}

function literalEnd(p: usize): usize {
  const four = load<u32>(p);
  if (four === FOUR_LETTERS_NULL || four === FOUR_LETTERS_TRUE) return p + 4;
  if ((load<u8>(p) as u32) === LETTER_F && load<u32>(p, 1) === FOUR_LETTERS_ALSE) return p + 5;
  return NONE;
}

/** A name, its colon, and the white space around that: gives where the value begins. */
function nameEnd(p: usize): usize {
  if ((load<u8>(p) as u32) !== QUOTE) return NONE;
  const name = stringEnd(p + 1);
  return name === 0 ? NONE : colonEnd((name as usize) + 1);
}

export function colonEnd(p: usize): usize {
  if ((load<u8>(p) as u32) <= SPACE) p = skipWhiteSpace(p);
  if ((load<u8>(p) as u32) !== COLON) return NONE;
  p++;
  return (load<u8>(p) as u32) <= SPACE ? skipWhiteSpace(p) : p;
}

/** Any value, nested however deep. It has no stack but a bit for each level: 1 for an object. */
export function valueEnd(p: usize): usize {
  let depth: usize = 0;
  let objects: u64 = 0;
  while (true) {
    const c = load<u8>(p) as u32;
    if (c === QUOTE) {
      const string = stringEnd(p + 1);
      if (string === 0) return NONE;
      p = (string as usize) + 1;
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      const isObject = c === OPEN_BRACE;
      if ((depth & 63) === 0) store<u64>(levels + (depth >> 3), objects);
      objects = (objects << 1) | (isObject ? 1 : 0);
      depth++;
      p = skipWhiteSpace(p + 1);
      const isEmpty = (load<u8>(p) as u32) === (isObject ? CLOSE_BRACE : CLOSE_BRACKET);
      if (!isEmpty) {
        if (isObject) {
          p = nameEnd(p);
          if (p === NONE) return NONE;
        }
        continue;
      }
    } else {
      p = c === MINUS || c - ZERO <= 9 ? numberEnd(p) : literalEnd(p);
      if (p === NONE) return NONE;
    }

    // Behind a value: a comma, or the ends of what it was the last of.
    while (true) {
      if (depth === 0) return p;
      if ((load<u8>(p) as u32) <= SPACE) p = skipWhiteSpace(p);
      const isObject = (objects & 1) !== 0;
      const c = load<u8>(p) as u32;
      p++;
      if (c === COMMA) {
        if ((load<u8>(p) as u32) <= SPACE) p = skipWhiteSpace(p);
        if (isObject) {
          p = nameEnd(p);
          if (p === NONE) return NONE;
        }
        break;
      }
      if (c !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return NONE;
      depth--;
      objects = (depth & 63) === 0 ? load<u64>(levels + (depth >> 3)) : objects >> 1;
    }
  }
}
