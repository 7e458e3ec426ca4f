/** Unix seconds of an ISO 8601 date and time; the forms and the bounds are those of shared/src/iso8601.ts. */
import { COLON, COMMA, DOT, digitAt, MINUS, PLUS, SPACE } from './characters';
import { CASE_BIT } from './json';

const LETTER_T: u32 = 0x74;
const LETTER_Z: u32 = 0x7a;
/** `2015-09-12T00:46` */
const MINUTE_BYTES: usize = 16;
const FRACTION_DIGITS_MAX: u32 = 6;
/** What no event has. */
export const NOT_A_TIME: f64 = -1;
/** From March 1st of the year 0 to the beginning of 1970. */
const DAYS_TO_1970: i32 = 719_468;
const NOT_A_DATE: i32 = i32.MAX_VALUE;

/** The date that was read last, `2015-09-` and `12`, and its days: most are that of the line before. */
let lastMonth: u64 = 0;
let lastDay: u32 = 0;
let lastDays: i32 = NOT_A_DATE;

/** NOT_A_TIME for any other text. */
export function iso8601At(p: usize, end: usize): f64 {
  if (end - p < MINUTE_BYTES) return NOT_A_TIME;
  const days = daysAt(p);
  const hour = twoDigitsAt(p + 11);
  const minute = twoDigitsAt(p + 14);
  const between = load<u8>(p, 10) as u32;
  // A pair that is not of digits is far past every bound.
  if (
    days === NOT_A_DATE ||
    ((between | CASE_BIT) !== LETTER_T && between !== SPACE) ||
    hour > 23 ||
    (load<u8>(p, 13) as u32) !== COLON ||
    minute > 59
  ) {
    return NOT_A_TIME;
  }
  p += MINUTE_BYTES;

  let second: u32 = 0;
  let fraction: f64 = 0;
  if (end - p >= 3 && (load<u8>(p) as u32) === COLON) {
    second = twoDigitsAt(p + 1);
    if (second > 60) return NOT_A_TIME;
    p += 3;
    const mark = p < end ? (load<u8>(p) as u32) : 0;
    if (mark === DOT || mark === COMMA) {
      const digits = p + 1;
      let micros: u32 = 0;
      let scale: u32 = 1;
      for (p = digits; p < end && digitAt(p) <= 9; p++) {
        if (((p - digits) as u32) >= FRACTION_DIGITS_MAX) continue;
        micros = micros * 10 + digitAt(p);
        scale *= 10;
      }
      if (p === digits) return NOT_A_TIME;
      fraction = (micros as f64) / (scale as f64);
    }
  }

  const zone = zoneSecondsAt(p, end);
  if (zone === i32.MAX_VALUE) return NOT_A_TIME;
  const ofDay = (hour * 3600 + minute * 60 + second) as i32;
  return (days as f64) * 86_400 + ((ofDay - zone) as f64) + fraction;
}

/** From the beginning of 1970 to a date of ten bytes; NOT_A_DATE where there is none. */
function daysAt(p: usize): i32 {
  if (load<u64>(p) === lastMonth && (load<u16>(p, 8) as u32) === lastDay) return lastDays;
  const year = twoDigitsAt(p) * 100 + twoDigitsAt(p + 2);
  const month = twoDigitsAt(p + 5);
  const day = twoDigitsAt(p + 8);
  // A pair that is not of digits makes the year far too large as well.
  if (
    year > 9999 ||
    (load<u8>(p, 4) as u32) !== MINUS ||
    month - 1 > 11 ||
    (load<u8>(p, 7) as u32) !== MINUS ||
    day - 1 >= daysIn(month, year)
  ) {
    return NOT_A_DATE;
  }
  lastMonth = load<u64>(p);
  lastDay = load<u16>(p, 8);
  lastDays = daysBefore(year as i32, month as i32) + (day as i32) - 1;
  return lastDays;
}

/** `Z`, `±hh:mm`, `±hhmm` or nothing; i32.MAX_VALUE for anything else. */
function zoneSecondsAt(p: usize, end: usize): i32 {
  if (p === end) return 0;
  const sign = load<u8>(p) as u32;
  const bytes = end - p;
  if (bytes === 1) return (sign | CASE_BIT) === LETTER_Z ? 0 : i32.MAX_VALUE;
  if (sign !== PLUS && sign !== MINUS) return i32.MAX_VALUE;
  const hasColon = bytes === 6 && (load<u8>(p, 3) as u32) === COLON;
  if (bytes !== 5 && !hasColon) return i32.MAX_VALUE;
  const hours = twoDigitsAt(p + 1);
  const minutes = twoDigitsAt(hasColon ? p + 4 : p + 3);
  if (hours > 23 || minutes > 59) return i32.MAX_VALUE;
  const seconds = (hours * 3600 + minutes * 60) as i32;
  return sign === MINUS ? -seconds : seconds;
}

/** More than 99 · 99 where one of the two bytes is no digit. */
function twoDigitsAt(p: usize): u32 {
  const tens = digitAt(p);
  const ones = digitAt(p + 1);
  return tens > 9 || ones > 9 ? 1_000_000 : tens * 10 + ones;
}

function isLeapYear(year: u32): bool {
  return (year & 3) === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(month: u32, year: u32): u32 {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return 30 + ((month + (month >> 3)) & 1);
}

/**
 * From the beginning of 1970 to that of a month, in the Gregorian calendar also before there was one. Years
 * are taken to begin in March, so that the day that some years have more is the last of them.
 */
function daysBefore(year: i32, month: i32): i32 {
  // 400 years, which are 146,097 days, are added, for no division to be of a negative number.
  const years = year + (month > 2 ? 400 : 399);
  const monthsSinceMarch = month > 2 ? month - 3 : month + 9;
  const days = years * 365 + years / 4 - years / 100 + years / 400;
  return days + (153 * monthsSinceMarch + 2) / 5 - 146_097 - DAYS_TO_1970;
}
