/** The object of a line → the parts of an event in it, and from those an event. */
import {
  CLOSE_BRACE,
  COMMA,
  digitAt,
  MINUS,
  OPEN_BRACE,
  QUOTE,
  QUOTE_COLON,
  SPACE,
} from './characters';
import { addEvent, addWord } from './columns';
import {
  addParts,
  allPartsOf,
  expect,
  expectationBehind,
  expectedAt,
  findName,
  firstExpectation,
  hasNames,
  laterExpectation,
  leadBytesOf,
  nameAt,
  nodeAbove,
  partsOf,
  root,
  UNCLEAR,
  UNKNOWN,
} from './fields';
import { iso8601At, NOT_A_TIME } from './iso8601';
import {
  colonEnd,
  ESCAPED,
  likelyEnd,
  NONE,
  numberEnd,
  plainEnd,
  skipWhiteSpace,
  stringEnd,
  valueEnd,
  WIDE,
} from './json';
import { idOf, TYPES, WORDS } from './key-map';
import { numberAt, repeatedNumberAt } from './number';
import { readText, textEnd, textStart } from './text';
import { whiteSpaceBytes, whiteSpaceMask } from './unicode';

/** Parts of an event. */
const TYPE: u32 = 0;
const DATA: u32 = 1;
const TIME: u32 = 2;
const VALUE: u32 = 3;

/** What a part's value is. */
const ABSENT: u32 = 0;
const NUMBER: u32 = 1;
const OTHER: u32 = 2;
const STRING: u32 = 4;
const STRING_ESCAPED: u32 = 8;
const STRING_WIDE: u32 = 16;

/** For each part: what its value is, where it begins and where it ends; a string without its quotes. */
const kinds = memory.data(16, 16);
const starts = memory.data(16, 16);
const ends = memory.data(16, 16);

/** How event times are written. */
export const UNIX: u32 = 0;
export const UNIX_MS: u32 = 1;
export const ISO8601: u32 = 2;
export const ARRIVAL: u32 = 3;

let timestampFormat: u32 = UNIX;
let hasData: bool = true;
let arrivalTime: f64 = 0;
/** A name in the object that was read last may be one that is asked for. */
let isUnclear: bool = false;

/** What takeEvent makes of a line. */
export const REFUSED: u32 = 0;
export const TAKEN: u32 = 1;
/** The line is left to the reference scanner. */
export const FOR_REFERENCE: u32 = 2;

export function setUpEvents(format: u32): void {
  timestampFormat = format;
  hasData = false;
}

/** The value of a node is a part of the event. */
export function addPart(node: usize, part: u32): void {
  addParts(node, 1 << part);
  if (part === DATA) hasData = true;
}

export function setArrivalTime(time: f64): void {
  arrivalTime = time;
}

/** Reads an object, whose brace is before `p`, to its end; NONE where it is not JSON. */
export function readObject(p: usize): usize {
  v128.store(kinds, i32x4.splat(ABSENT as i32));
  isUnclear = false;
  let node = root;
  let expectation = firstExpectation(root);
  let isFirst = true;
  while (true) {
    // At the beginning of an object, or behind a value in it.
    let name = expectedAt(expectation, p);
    if (name !== UNKNOWN) {
      p += leadBytesOf(expectation);
      if ((load<u8>(p) as u32) <= SPACE) p = skipWhiteSpace(p);
    } else {
      if (!isFirst && (load<u8>(p) as u32) === COMMA) {
        const behind = skipOthers(node, p);
        if (behind === NONE) return NONE;
        if (behind !== p) {
          p = behind;
          continue;
        }
      }
      const lead = p;
      if ((load<u8>(p) as u32) <= SPACE) p = skipWhiteSpace(p);
      let c = load<u8>(p) as u32;
      if (c === CLOSE_BRACE) {
        p++;
        if (node === root) return p;
        expectation = expectationBehind(node);
        node = nodeAbove(node);
        isFirst = false;
        continue;
      }
      if (!isFirst) {
        if (c !== COMMA) return NONE;
        p++;
        if ((load<u8>(p) as u32) <= SPACE) p = skipWhiteSpace(p);
        c = load<u8>(p) as u32;
      }
      if (c !== QUOTE) return NONE;
      const string = stringEnd(p + 1);
      if (string === 0) return NONE;
      name = nameAt(node, p + 1, string);
      p = colonEnd((string as usize) + 1);
      if (p === NONE) return NONE;
      if (name === UNCLEAR) {
        isUnclear = true;
        name = UNKNOWN;
      }
      if (name !== UNKNOWN) expect(expectation, name, lead, p);
    }

    if (name === UNKNOWN) {
      if (isFirst) expectation = laterExpectation(node);
      p = valueEnd(p);
    } else if (!hasNames(name)) {
      expectation = expectationBehind(name);
      p = readPart(partsOf(name), p);
    } else {
      setKinds(allPartsOf(name), ABSENT);
      if ((load<u8>(p) as u32) === OPEN_BRACE) {
        setKinds(partsOf(name), OTHER);
        node = name;
        expectation = firstExpectation(name);
        isFirst = true;
        p++;
        continue;
      }
      expectation = expectationBehind(name);
      p = readPart(partsOf(name), p);
    }
    if (p === NONE) return NONE;
    isFirst = false;
  }
}

/**
 * Skips fields behind a value that are not asked for, as long as there is no more to their names than there mostly is. Gives
 * the place behind the last; NONE where it is not JSON.
 */
function skipOthers(node: usize, p: usize): usize {
  while ((load<u8>(p) as u32) === COMMA) {
    let at = p + 1;
    if ((load<u8>(at) as u32) <= SPACE) at = skipWhiteSpace(at);
    if ((load<u8>(at) as u32) !== QUOTE) break;
    const name = at + 1;
    at = plainEnd(name);
    if (load<u16>(at) !== QUOTE_COLON) break;
    if (findName(node, name, (at - name) as u32) !== UNKNOWN) break;
    at += 2;
    if ((load<u8>(at) as u32) <= SPACE) at = skipWhiteSpace(at);
    p = likelyEnd(at);
    if (p === NONE) return NONE;
  }
  return p;
}

function setKinds(parts: u32, kind: u32): void {
  for (let left = parts; left !== 0; left &= left - 1) {
    store<u32>(kinds + (ctz(left) << 2), kind);
  }
}

/** Reads a value that is some parts of the event. */
function readPart(parts: u32, p: usize): usize {
  const c = load<u8>(p) as u32;
  let kind = OTHER;
  let start = p;
  let end: usize = 0;
  let after: usize = 0;
  if (c === QUOTE) {
    const string = stringEnd(p + 1);
    if (string === 0) return NONE;
    kind = STRING;
    if ((string & ESCAPED) !== 0) kind |= STRING_ESCAPED;
    if ((string & WIDE) !== 0) kind |= STRING_WIDE;
    start = p + 1;
    end = string as usize;
    after = end + 1;
  } else {
    const isNumber = c === MINUS || digitAt(p) <= 9;
    if (isNumber) kind = NUMBER;
    after = isNumber ? numberEnd(p) : valueEnd(p);
    end = after;
  }
  for (let left = parts; left !== 0; left &= left - 1) {
    const at = ctz(left) << 2;
    store<u32>(kinds + at, kind);
    store<usize>(starts + at, start);
    store<usize>(ends + at, end);
  }
  return after;
}

/** Adds the event whose parts were read last, if they are those of one. */
export function takeEvent(): u32 {
  if (isUnclear) return FOR_REFERENCE;
  const type = load<u32>(kinds, TYPE << 2);
  if ((type & STRING) === 0 || startOf(TYPE) === endOf(TYPE)) return REFUSED;
  const data = load<u32>(kinds, DATA << 2);
  if (hasData && (data & STRING) === 0) return REFUSED;

  const time = readTime();
  if (F64.isNaN(time)) return FOR_REFERENCE;
  if (time < 0 || time === Infinity) return REFUSED;
  let value: f64 = NaN;
  const valueKind = load<u32>(kinds, VALUE << 2);
  if (valueKind !== ABSENT) {
    if (valueKind !== NUMBER) return REFUSED;
    value = numberAt(startOf(VALUE), endOf(VALUE));
    if (F64.isNaN(value)) return FOR_REFERENCE;
    if (abs(value) === Infinity) return REFUSED;
  }

  if (hasData) addWords(data);
  readPartText(TYPE, type);
  addEvent(time, idOf(TYPES, textStart, (textEnd - textStart) as u32), value);
  return TAKEN;
}

function startOf(part: u32): usize {
  return load<usize>(starts + (part << 2));
}

function endOf(part: u32): usize {
  return load<usize>(ends + (part << 2));
}

function readPartText(part: u32, kind: u32): void {
  const isEscaped = (kind & STRING_ESCAPED) !== 0;
  readText(startOf(part), endOf(part), isEscaped, (kind & STRING_WIDE) !== 0);
}

/** NOT_A_TIME where there is none, NaN where it is left to the reference scanner. */
function readTime(): f64 {
  if (timestampFormat === ARRIVAL) return arrivalTime;
  const kind = load<u32>(kinds, TIME << 2);
  if (timestampFormat === ISO8601) {
    if ((kind & STRING) === 0) return NOT_A_TIME;
    readPartText(TIME, kind);
    return iso8601At(textStart, textEnd);
  }
  if (kind !== NUMBER) return NOT_A_TIME;
  const time = repeatedNumberAt(startOf(TIME), endOf(TIME));
  return timestampFormat === UNIX_MS ? time / 1000 : time;
}

/** Adds the words of the text, each in its turn. */
function addWords(kind: u32): void {
  readPartText(DATA, kind);
  // An escape may stand for a character that is not ASCII.
  const isWide = (kind & (STRING_ESCAPED | STRING_WIDE)) !== 0;
  const end = textEnd;
  let word = textStart;
  for (let p = word; p < end; p += 16) {
    let places = whiteSpaceMask(p, isWide);
    const left = end - p;
    if (left < 16) places &= (1 << (left as u32)) - 1;
    for (; places !== 0; places &= places - 1) {
      const at = p + ctz(places);
      const bytes: usize = isWide ? whiteSpaceBytes(at) : 1;
      if (bytes === 0) continue;
      if (at > word) addWord(idOf(WORDS, word, (at - word) as u32));
      word = at + bytes;
    }
  }
  if (end > word) addWord(idOf(WORDS, word, (end - word) as u32));
}
