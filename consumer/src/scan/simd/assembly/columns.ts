/** The columns of a batch, each as long as the bytes of one scan can make it. */
import { reserve } from './memory';

/** A line that is an event has at least so many bytes, its LF among them: `{"":""}`. */
const EVENT_BYTES_MIN: usize = 8;
/** A word, and what parts it from the next. */
const WORD_BYTES_MIN: usize = 2;

export let eventTimes: usize = 0;
export let values: usize = 0;
export let typeIds: usize = 0;
export let wordOffsets: usize = 0;
export let wordIds: usize = 0;

export let events: u32 = 0;
export let words: u32 = 0;

export function eventsMaxOf(scanBytesMax: usize): usize {
  return scanBytesMax / EVENT_BYTES_MIN + 1;
}

export function wordsMaxOf(scanBytesMax: usize): usize {
  return scanBytesMax / WORD_BYTES_MIN + 1;
}

export function setUpColumns(scanBytesMax: usize): void {
  const eventsMax = eventsMaxOf(scanBytesMax);
  eventTimes = reserve(eventsMax << 3);
  values = reserve(eventsMax << 3);
  typeIds = reserve(eventsMax << 2);
  wordOffsets = reserve((eventsMax + 1) << 2);
  wordIds = reserve(wordsMaxOf(scanBytesMax) << 2);
}

export function clearColumns(): void {
  events = 0;
  words = 0;
}

/** The words of an event come before it. */
export function addWord(id: u32): void {
  store<u32>(wordIds + (words << 2), id);
  words++;
}

export function addEvent(time: f64, typeId: u32, value: f64): void {
  store<f64>(eventTimes + (events << 3), time);
  store<f64>(values + (events << 3), value);
  store<u32>(typeIds + (events << 2), typeId);
  events++;
  store<u32>(wordOffsets + (events << 2), words);
}
