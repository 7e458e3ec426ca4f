/** UTF-8 and white space, as JavaScript decodes the one and `\s` matches the other. */
import { LAST_ASCII } from './characters';

/** UTF-8 of U+FFFD, in the order of memory. */
const REPLACEMENT: u32 = 0xbdbfef;
const REPLACEMENT_BYTES: usize = 3;

/**
 * How many bytes the well-formed sequence at `p` has. Where it is not well-formed, how many bytes one
 * U+FFFD stands for, as a negative number: what could have been the beginning of a sequence, or one byte
 * (Encoding Standard, "UTF-8 decoder").
 */
function sequenceBytes(p: usize, end: usize): i32 {
  const lead = load<u8>(p) as u32;
  if (lead <= LAST_ASCII) return 1;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const bytes: i32 = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // What the second byte may be keeps out what is too long, surrogates, and what is past U+10FFFF.
  let lower: u32 = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  let upper: u32 = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  for (let i: i32 = 1; i < bytes; i++) {
    if (p + (i as usize) >= end) return -i;
    const byte = load<u8>(p + (i as usize)) as u32;
    if (byte < lower || byte > upper) return -i;
    lower = 0x80;
    upper = 0xbf;
  }
  return bytes;
}

/** Writes text with U+FFFD for what is not well-formed, three times as long at most; gives its end. */
export function writeWellFormed(p: usize, end: usize, to: usize): usize {
  while (p < end) {
    const bytes = sequenceBytes(p, end);
    if (bytes < 0) {
      store<u32>(to, REPLACEMENT);
      to += REPLACEMENT_BYTES;
      p += -bytes as usize;
    } else {
      for (let i: i32 = 0; i < bytes; i++) store<u8>(to++, load<u8>(p++));
    }
  }
  return to;
}

/** Where white space of any length may begin in the sixteen bytes from `p` on, a bit for each. */
export function whiteSpaceMask(p: usize, isWide: bool): u32 {
  const bytes = v128.load(p);
  const spaces = i8x16.eq(bytes, i8x16.splat(0x20));
  const controls = i8x16.le_u(i8x16.sub(bytes, i8x16.splat(0x09)), i8x16.splat(4));
  const mask = v128.or(spaces, controls);
  if (!isWide) return i8x16.bitmask(mask) as u32;
  // The first bytes of the others: C2, E1, E2, E3, EF.
  const leads = v128.or(
    v128.or(
      i8x16.eq(bytes, i8x16.splat(0xc2 as i8)),
      i8x16.le_u(i8x16.sub(bytes, i8x16.splat(0xe1 as i8)), i8x16.splat(2)),
    ),
    i8x16.eq(bytes, i8x16.splat(0xef as i8)),
  );
  return i8x16.bitmask(v128.or(mask, leads)) as u32;
}

/** How many bytes the one white space character at `p` has, 0 where there is none. */
export function whiteSpaceBytes(p: usize): usize {
  const first = load<u8>(p) as u32;
  if (first === 0x20 || first - 0x09 <= 4) return 1;
  const second = load<u8>(p, 1) as u32;
  if (first === 0xc2) return second === 0xa0 ? 2 : 0; // U+00A0
  const last = load<u8>(p, 2) as u32;
  if (first === 0xe1) return second === 0x9a && last === 0x80 ? 3 : 0; // U+1680
  if (first === 0xe3) return second === 0x80 && last === 0x80 ? 3 : 0; // U+3000
  if (first === 0xef) return second === 0xbb && last === 0xbf ? 3 : 0; // U+FEFF
  if (first !== 0xe2) return 0;
  if (second === 0x81) return last === 0x9f ? 3 : 0; // U+205F
  if (second !== 0x80) return 0;
  // U+2000 to U+200A, U+2028, U+2029, U+202F
  return last - 0x80 <= 0x0a || last === 0xa8 || last === 0xa9 || last === 0xaf ? 3 : 0;
}

export function isWhiteSpace(p: usize, end: usize): bool {
  while (p < end) {
    const bytes = whiteSpaceBytes(p);
    if (bytes === 0) return false;
    p += bytes;
  }
  return true;
}
