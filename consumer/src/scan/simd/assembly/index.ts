/**
 * The scanner in WebAssembly: lines in memory → columns of events, and an account of all lines.
 *
 *   scan ─▶ scanLine ─▶ readObject ─▶ takeEvent ─▶ columns
 *             │            json, fields   number, iso8601, text, key-map
 *             └▶ blank, rejected
 *
 * A line is parsed from its beginning to its LF in one go; nothing looks for the LF first.
 */
import { FORM_FEED, LAST_ASCII, LF, OPEN_BRACE, VERTICAL_TAB } from './characters';
import {
  clearColumns,
  events,
  eventsMaxOf,
  eventTimes,
  setUpColumns,
  typeIds,
  values,
  wordIds,
  wordOffsets,
  wordsMaxOf,
} from './columns';
import {
  FOR_REFERENCE,
  REFUSED,
  readObject,
  setArrivalTime,
  setUpEvents,
  takeEvent,
} from './event';
import { setUpFields } from './fields';
import { NONE, setUpJson, skipWhiteSpace, valueEnd } from './json';
import { setUpFactors } from './key-map';
import { reserve } from './memory';
import { setUpNumbers } from './number';
import { setUpText } from './text';
import { isWhiteSpace } from './unicode';

export { addEvent, addWord } from './columns';
export { addPart } from './event';
export { nodeOf } from './fields';
export { addKey, setUpKeyTable } from './key-map';

/** Why a line is rejected: an index into the counts below. */
const TOO_LONG: u32 = 0;
const NOT_JSON: u32 = 1;
const NOT_AN_EVENT: u32 = 2;

/** What JavaScript reads of a scan: a 32-bit number each, in this order. */
const account = memory.data(64, 16);
const LINES: usize = 0;
const BLANK: usize = 4;
const REJECTED: usize = 8;
const EVENTS: usize = 20;
/** Where the line is that is left to the reference scanner, without what is no part of it, and its LF. */
const LINE_TEXT: usize = 24;
const LINE_LF: usize = 28;

/** The last rejected lines: a ring of reason, beginning of the line, of its text, and its LF. */
const REJECTED_BITS: u32 = 4;
let rejectedLines: usize = 0;
let rejectedLinesMax: u32 = 0;

/** Where JavaScript finds things, and how long columns are: 32 bits each, in the order of ADDRESSES there. */
const addresses = memory.data(64, 16);

let lineBytesMax: usize = 0;
let contentSeen: bool = false;

/**
 * Lays out the memory. What a source gives is read into `readBytes`, before which there is room for the
 * beginning of its first line. Gives where the addresses of everything are.
 */
export function setUp(
  bytesMax: u32,
  readBytes: u32,
  scratchBytes: u32,
  factorsBytes: u32,
  rejectedMax: u32,
  format: u32,
  hasReplacedNames: bool,
): usize {
  lineBytesMax = bytesMax;
  rejectedLinesMax = rejectedMax;
  const scanBytesMax = (bytesMax + readBytes) as usize;
  const factors = setUpFactors(factorsBytes as usize);
  const powers = setUpNumbers();
  const root = setUpFields(hasReplacedNames);
  setUpEvents(format);
  setUpJson(scanBytesMax);
  setUpText(scanBytesMax);
  setUpColumns(scanBytesMax);
  rejectedLines = reserve((rejectedMax << REJECTED_BITS) as usize);
  const line = reserve(scanBytesMax);
  store<usize>(addresses, line + bytesMax, 0);
  store<usize>(addresses, account, 4);
  store<usize>(addresses, rejectedLines, 8);
  store<usize>(addresses, eventTimes, 12);
  store<usize>(addresses, values, 16);
  store<usize>(addresses, typeIds, 20);
  store<usize>(addresses, wordOffsets, 24);
  store<usize>(addresses, wordIds, 28);
  store<usize>(addresses, factors, 32);
  store<usize>(addresses, powers, 36);
  store<usize>(addresses, root, 40);
  store<usize>(addresses, reserve(scratchBytes as usize), 44);
  store<usize>(addresses, eventsMaxOf(scanBytesMax), 48);
  store<usize>(addresses, wordsMaxOf(scanBytesMax), 52);
  return addresses;
}

/** Begins a batch. `hasContent`: a byte order mark that comes now is no longer the first of all. */
export function begin(arrivalTime: f64, hasContent: bool): void {
  clearColumns();
  memory.fill(account, 0, EVENTS + 4);
  setArrivalTime(arrivalTime);
  contentSeen = hasContent;
}

/**
 * Scans lines, the last byte of which is the LF before `end`. Gives the place after the last line that was
 * scanned: `end`, or that of a line which is left to the reference scanner; that one is not counted yet.
 */
export function scan(p: usize, end: usize): usize {
  while (p < end) {
    const lf = scanLine(p);
    if (lf === NONE) break;
    p = lf + 1;
    store<u32>(account, load<u32>(account, LINES) + 1, LINES);
  }
  store<u32>(account, events, EVENTS);
  return p;
}

/** Counts a line that the reference scanner has taken. */
export function countLine(): void {
  store<u32>(account, load<u32>(account, LINES) + 1, LINES);
}

/** Gives the place of the line's LF, or NONE where the line is left to the reference scanner. */
function scanLine(start: usize): usize {
  let text = start;
  let p = skipWhiteSpace(start);
  let c = load<u8>(p) as u32;
  if (c === LF || c > LAST_ASCII || c === VERTICAL_TAB || c === FORM_FEED) {
    const lf = lfFrom(p);
    if (isWhiteSpace(p, lf)) {
      if (lf - start > lineBytesMax) reject(TOO_LONG, start, start, lf);
      else store<u32>(account, load<u32>(account, BLANK) + 1, BLANK);
      return lf;
    }
    if (p === start && isByteOrderMark(start) && !hasContent()) {
      text = start + 3;
      p = skipWhiteSpace(text);
      c = load<u8>(p) as u32;
    }
  }

  const isObject = c === OPEN_BRACE;
  let end = isObject ? readObject(p + 1) : valueEnd(p);
  if (end !== NONE) end = skipWhiteSpace(end);
  const isJson = end !== NONE && (load<u8>(end) as u32) === LF;
  const lf = isJson ? end : lfFrom(start);
  if (lf - start > lineBytesMax) reject(TOO_LONG, start, start, lf);
  else if (!isJson) reject(NOT_JSON, start, text, lf);
  else {
    const outcome = isObject ? takeEvent() : REFUSED;
    if (outcome === FOR_REFERENCE) {
      store<usize>(account, text, LINE_TEXT);
      store<usize>(account, lf, LINE_LF);
      return NONE;
    }
    if (outcome === REFUSED) reject(NOT_AN_EVENT, start, text, lf);
  }
  return lf;
}

/** A line that is not blank came before. */
function hasContent(): bool {
  return contentSeen || load<u32>(account, LINES) > load<u32>(account, BLANK);
}

function isByteOrderMark(p: usize): bool {
  return (load<u32>(p) & 0xff_ffff) === 0xbf_bbef;
}

/** The first LF from `p` on. There is one. */
function lfFrom(p: usize): usize {
  while (true) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(LF as i8)));
    if (found !== 0) return p + (ctz(found) as usize);
    p += 16;
  }
}

export function reject(reason: u32, start: usize, text: usize, lf: usize): void {
  const counts = account + REJECTED;
  const count = load<u32>(counts) + load<u32>(counts, 4) + load<u32>(counts, 8);
  const at = rejectedLines + ((count % rejectedLinesMax) << REJECTED_BITS);
  store<u32>(at, reason);
  store<usize>(at, start, 4);
  store<usize>(at, text, 8);
  store<usize>(at, lf, 12);
  const ofReason = counts + (reason << 2);
  store<u32>(ofReason, load<u32>(ofReason) + 1);
}
