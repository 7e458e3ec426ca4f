/**
 * A number of JSON → the double next to it, as JavaScript has it.
 *
 *   digits and exponent ──▶ w · 10^q, w the first 19 digits
 *     q = 0                          w itself, rounded by the conversion
 *     w ≤ 2^53 and -22 ≤ q ≤ 22      w · 10^q or w / 10^-q: both exact, so rounded once
 *     q > 308, q < -342              Infinity, 0
 *     else                           w · (10^q cut off after 128 bits), rounded
 *
 * The last is the way of D. Lemire, "Number Parsing at a Gigabyte per Second" (2021). What was cut off
 * makes the product too small, by less than two in the last of its first 128 bits: unless that could
 * move it over the middle between two doubles, the nearest is known. Of 10^0 to 10^27 nothing is cut off. Where there are more than 19 digits, the
 * number lies between w and w + 1: if both have the same double, it is that. Otherwise, which is hardly ever,
 * it is left to the reference scanner.
 */
import { DOT, digitAt, MINUS, PLUS, ZERO } from './characters';
import { leadingDigits } from './json';
import { masks, reserve } from './memory';

const DIGITS_MAX: u32 = 19;
const EXACT_MAX: u64 = 1 << 53;
const EXACT_POWER_MAX: i32 = 22;
/** Up to here 5^q, and so 10^q but for its twos, has at most 64 bits: nothing of it is cut off. */
const EXACT_PRODUCT_POWER_MAX: i32 = 27;
/** The table of powers has those that w can have without being past all doubles, or nearer to 0 than to any. */
const POWER_MIN: i32 = -342;
const POWER_MAX: i32 = 308;
/** Further from 0 than any number of digits could bring back. */
const EXPONENT_MAX: i32 = 100_000_000;
/** Exponents of two of the largest doubles, and of the least that have all 53 bits. */
const BINARY_EXPONENT_MAX: i32 = 1023;
const BINARY_EXPONENT_MIN: i32 = -1022;

/** For each power 10^q its first 128 bits, the higher 64 first. */
let powers: usize = 0;
const exactPowers = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
]);

/** What repeatedNumberAt was asked for last, zeros behind it, and what it gave. */
const lastText = memory.data(16, 16);
let lastBytes: usize = 0;
let lastNumber: f64 = 0;

/** Sixteen bytes from n on are the indices that move n bytes to the end, and zeros to their place. */
const shifts = memory.data<u8>([
  16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  11, 12, 13, 14, 15,
]);
const wholePowers = memory.data<u64>([
  1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
  10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000,
  1_000_000_000_000_000,
]);

export function setUpNumbers(): usize {
  powers = reserve((POWER_MAX - POWER_MIN + 1) * 16);
  return powers;
}

/** As numberAt. Many lines in a row have the same time: a number with the same bytes as the one before is the same. */
export function repeatedNumberAt(p: usize, end: usize): f64 {
  const bytes = end - p;
  if (bytes > 16) return numberAt(p, end);
  const text = v128.and(v128.load(p), v128.load(masks + 16 - bytes));
  if (bytes === lastBytes && !v128.any_true(v128.xor(text, v128.load(lastText)))) return lastNumber;
  lastBytes = bytes;
  lastNumber = numberAt(p, end);
  v128.store(lastText, text);
  return lastNumber;
}

/** Of a number whose form is checked. NaN where it is left to the reference scanner. */
export function numberAt(p: usize, end: usize): f64 {
  const isNegative = (load<u8>(p) as u32) === MINUS;
  if (isNegative) p++;
  const whole = leadingDigits(p);
  if (p + whole === end && whole < 16) {
    const size = digitsAt(p, whole) as f64;
    return isNegative ? -size : size;
  }
  const fraction = (load<u8>(p + whole) as u32) === DOT ? leadingDigits(p + whole + 1) : 0;
  if (
    p + whole + 1 + fraction === end &&
    whole + fraction <= DIGITS_MAX &&
    whole < 16 &&
    fraction < 16
  ) {
    const w = digitsAt(p, whole) * load<u64>(wholePowers + (fraction << 3));
    const size = sizeOf(w + digitsAt(p + whole + 1, fraction), -(fraction as i32));
    return isNegative ? -size : size;
  }

  let w: u64 = 0;
  let digits: u32 = 0;
  let q: i32 = 0;
  let isFraction = false;
  let isCut = false;
  while (p < end) {
    const digit = digitAt(p);
    if (digit <= 9) {
      if ((digits | digit) !== 0) digits++;
      if (digits <= DIGITS_MAX) {
        w = w * 10 + digit;
        if (isFraction) q--;
      } else {
        if (digit !== 0) isCut = true;
        if (!isFraction) q++;
      }
    } else if (digit + ZERO === DOT) isFraction = true;
    else {
      q += exponentAt(p + 1, end);
      break;
    }
    p++;
  }
  let size = sizeOf(w, q);
  if (isCut && sizeOf(w + 1, q) !== size) size = NaN;
  return isNegative ? -size : size;
}

/** The number that up to sixteen digits are. */
function digitsAt(p: usize, count: u32): u64 {
  // The last digit becomes the last byte; what an index of more than 15 takes is 0.
  const indices = v128.load(shifts + count);
  const digits = i8x16.sub(v128.load(p), i8x16.splat(ZERO as i8));
  const ones = i8x16.swizzle(digits, indices);
  // Neighbours become one number each time: of two digits, of four, of eight.
  const tens = i16x8.mul(v128.and(ones, i16x8.splat(0xff)), i16x8.splat(10));
  const twos = i16x8.add(tens, i16x8.shr_u(ones, 8));
  const fours = i32x4.dot_i16x8_s(twos, i32x4.splat(0x0001_0064));
  const pairs = i16x8.narrow_i32x4_u(fours, fours);
  const eights = i32x4.dot_i16x8_s(pairs, i32x4.splat(0x0001_2710));
  const high = i32x4.extract_lane(eights, 0) as u64;
  return high * 100_000_000 + (i32x4.extract_lane(eights, 1) as u64);
}

function exponentAt(p: usize, end: usize): i32 {
  const sign = load<u8>(p) as u32;
  if (sign === MINUS || sign === PLUS) p++;
  let exponent: i32 = 0;
  for (; p < end; p++) exponent = min(exponent * 10 + (digitAt(p) as i32), EXPONENT_MAX);
  return sign === MINUS ? -exponent : exponent;
}

function sizeOf(w: u64, q: i32): f64 {
  if (w === 0) return 0;
  if (q === 0) return w as f64;
  if (w <= EXACT_MAX) {
    if (q > 0 && q <= EXACT_POWER_MAX) return (w as f64) * load<f64>(exactPowers + (q << 3));
    if (q < 0 && q >= -EXACT_POWER_MAX) return (w as f64) / load<f64>(exactPowers + (-q << 3));
  }
  if (q > POWER_MAX) return Infinity;
  return q < POWER_MIN ? 0 : roundedProduct(w, q);
}

function roundedProduct(w: u64, q: i32): f64 {
  const power = powers + ((q - POWER_MIN) << 4);
  const shift = clz(w);
  w <<= shift;
  // 64 by 128 bits: the lowest 64 of the 192 are left away.
  const powerHigh = load<u64>(power);
  const powerLow = load<u64>(power, 8);
  const middle = w * powerHigh;
  const low = middle + highProduct(w, powerLow);
  const high = highProduct(w, powerHigh) + (low < middle ? 1 : 0);

  // 10^q = 2^(floor(q · log2 10) - 127) · its 128 bits; 217706 / 2^16 is log2 10, near enough for all q.
  // The highest bit of the product is the first or the second: what it stands for is 2^exponent.
  const lead = clz(high) as i32;
  const exponent = ((217_706 * q) >> 16) + 64 - (shift as i32) - lead;
  if (exponent > BINARY_EXPONENT_MAX) return Infinity;
  // From it on, 53 bits are the double's, of the least doubles fewer.
  const missing = max(BINARY_EXPONENT_MIN - exponent, 0);
  const dropped = 11 - lead + missing;
  if (dropped > 64) return 0;
  const half = (1 as u64) << (dropped - 1);
  const rest = high & (2 * half - 1);
  const isMiddle = rest === half && low === 0;
  const isExact = q >= 0 && q <= EXACT_PRODUCT_POWER_MAX;
  if (!isExact && (isMiddle || (rest === half - 1 && low >= u64.MAX_VALUE - 1))) return NaN;
  let mantissa = (high >> (dropped - 1)) >> 1;
  // In the very middle to the even one.
  if (rest >= half && !(isMiddle && (mantissa & 1) === 0)) mantissa++;
  // The first of the 53 bits is not written: it adds one to the exponent, as one that is carried out of them does.
  const biased = (exponent + missing - BINARY_EXPONENT_MIN) as u64;
  return reinterpret<f64>((biased << 52) + mantissa);
}

/** The higher 64 bits of the product. */
function highProduct(a: u64, b: u64): u64 {
  const aLow = a & 0xffff_ffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffff_ffff;
  const bHigh = b >> 32;
  const lowHigh = aLow * bHigh;
  const highLow = aHigh * bLow;
  const carry = ((aLow * bLow) >> 32) + (lowHigh & 0xffff_ffff) + (highLow & 0xffff_ffff);
  return aHigh * bHigh + (lowHigh >> 32) + (highLow >> 32) + (carry >> 32);
}
