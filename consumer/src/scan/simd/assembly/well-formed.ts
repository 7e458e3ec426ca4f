/**
 * Whether text is well-formed UTF-8, sixteen bytes at a time (J. Keiser and D. Lemire, "Validating UTF-8 In Less Than One
 * Instruction Per Byte", Software: Practice and Experience 51, 2021).
 *
 * Two bytes that follow each other can be wrong in eight ways: a bit each. Three tables say which of them are
 * possible, by the upper half of the first byte, by its lower half and by the upper half of the second: what all
 * three leave is what is wrong. One of the eight is not wrong everywhere, that a byte continues what another has
 * continued: the third and the fourth byte of a sequence must do so, and no other may.
 *
 * `sequenceBytes` in `unicode.ts` says the same a sequence at a time, and where it is not well-formed, how far.
 */
import { masks } from './memory';

/** A sequence has begun, and what follows does not continue it. */
const TOO_SHORT: u8 = 1 << 0;
/** ASCII, and what follows would continue a sequence. */
const TOO_LONG: u8 = 1 << 1;
const OVERLONG_2: u8 = 1 << 5;
const OVERLONG_3: u8 = 1 << 2;
const SURROGATE: u8 = 1 << 4;
/** F4 and more, if what follows is at least 90: past U+10FFFF. */
const TOO_LARGE: u8 = 1 << 3;
/** F0, and F5 and more, if what follows is less than 90. */
const OVERLONG_4_OR_TOO_LARGE: u8 = 1 << 6;
const CONTINUES_TWICE: u8 = 1 << 7;

/** By the upper half of the first byte, from 0 on. */
const ASCII: u8 = TOO_LONG;
const CONTINUES: u8 = CONTINUES_TWICE;
const UPPER_C: u8 = TOO_SHORT | OVERLONG_2;
const UPPER_D: u8 = TOO_SHORT;
const UPPER_E: u8 = TOO_SHORT | OVERLONG_3 | SURROGATE;
const UPPER_F: u8 = TOO_SHORT | TOO_LARGE | OVERLONG_4_OR_TOO_LARGE;

/** By its lower half: what that has no part in, and more. */
const ANY: u8 = TOO_SHORT | TOO_LONG | CONTINUES_TWICE;
const LOWER_0: u8 = ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4_OR_TOO_LARGE;
const LOWER_1: u8 = ANY | OVERLONG_2;
const LOWER_4: u8 = ANY | TOO_LARGE;
const LOWER_5: u8 = ANY | TOO_LARGE | OVERLONG_4_OR_TOO_LARGE; // and all above
const LOWER_D: u8 = LOWER_5 | SURROGATE;

/** By the upper half of the second byte; from 8 to B it continues a sequence. */
const ENDS: u8 = TOO_SHORT;
const ANY_CONTINUED: u8 = TOO_LONG | OVERLONG_2 | CONTINUES_TWICE;
const SECOND_8: u8 = ANY_CONTINUED | OVERLONG_3 | OVERLONG_4_OR_TOO_LARGE;
const SECOND_9: u8 = ANY_CONTINUED | OVERLONG_3 | TOO_LARGE;
const SECOND_A: u8 = ANY_CONTINUED | SURROGATE | TOO_LARGE; // and B

export function isWellFormed(p: usize, end: usize): bool {
  let before = i8x16.splat(0);
  for (; p < end; p += 16) {
    const left = end - p;
    let block = v128.load(p);
    if (left < 16) block = v128.and(block, v128.load(masks + 16 - left));
    if (!isContinuation(before, block)) return false;
    before = block;
  }
  // Text must not end within a sequence.
  return isContinuation(before, i8x16.splat(0));
}

/** Whether a block is well-formed behind the one before it, but for what may be missing at its end. */
// biome-ignore format: tables of sixteen are read in rows
function isContinuation(before: v128, block: v128): bool {
  const first = i8x16.shuffle(
    before, block, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
  );
  const upper = i8x16.swizzle(i8x16(
    ASCII as i8, ASCII as i8, ASCII as i8, ASCII as i8,
    ASCII as i8, ASCII as i8, ASCII as i8, ASCII as i8,
    CONTINUES as i8, CONTINUES as i8, CONTINUES as i8, CONTINUES as i8,
    UPPER_C as i8, UPPER_D as i8, UPPER_E as i8, UPPER_F as i8,
  ), i8x16.shr_u(first, 4));
  const lower = i8x16.swizzle(i8x16(
    LOWER_0 as i8, LOWER_1 as i8, ANY as i8, ANY as i8,
    LOWER_4 as i8, LOWER_5 as i8, LOWER_5 as i8, LOWER_5 as i8,
    LOWER_5 as i8, LOWER_5 as i8, LOWER_5 as i8, LOWER_5 as i8,
    LOWER_5 as i8, LOWER_D as i8, LOWER_5 as i8, LOWER_5 as i8,
  ), v128.and(first, i8x16.splat(0x0f)));
  const second = i8x16.swizzle(i8x16(
    ENDS as i8, ENDS as i8, ENDS as i8, ENDS as i8,
    ENDS as i8, ENDS as i8, ENDS as i8, ENDS as i8,
    SECOND_8 as i8, SECOND_9 as i8, SECOND_A as i8, SECOND_A as i8,
    ENDS as i8, ENDS as i8, ENDS as i8, ENDS as i8,
  ), i8x16.shr_u(block, 4));
  const wrong = v128.and(v128.and(upper, lower), second);

  // The third and the fourth byte of a sequence: E0 or more two bytes before, F0 or more three bytes before.
  const twoBefore = i8x16.shuffle(
    before, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
  );
  const threeBefore = i8x16.shuffle(
    before, block, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
  );
  const isThird = i8x16.ge_u(twoBefore, i8x16.splat(0xe0 as i8));
  const isFourth = i8x16.ge_u(threeBefore, i8x16.splat(0xf0 as i8));
  const continuesTwice = v128.and(v128.or(isThird, isFourth), i8x16.splat(CONTINUES_TWICE as i8));
  return !v128.any_true(v128.xor(wrong, continuesTwice));
}
