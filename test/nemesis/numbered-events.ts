/** Events that can be told apart: each has a number, and a word of its own that is made of it. */

/** Most lines are short, and one in 32 is long. */
const SHORT_PADDING_MAX = 60;
const LONG_PADDING_MAX = 3000;
/** Of a line, its LF included; a test holds it to this. */
export const EVENT_BYTES_MAX = LONG_PADDING_MAX + 100;
/** Types that are counted besides, as long as those of the events that end a load. */
const TYPES = 10;

/**
 * Two lines of which each has lost a part may join to one that is an event: its word is one of ours only
 * where it is whole.
 */
export function wordOf(number: number): string {
  return `${number}.${mix(number).toString(36).padStart(7, '0')}`;
}

/** null: nobody has written that word. */
export function numberOf(word: string): number | null {
  const number = Number.parseInt(word, 10);
  return wordOf(number) === word ? number : null;
}

/** `lastOf`: it is the last of this load, which its type says. */
export function eventLine(number: number, lastOf: number | null = null): string {
  const kind = mix(number ^ 0x5bd1e995);
  const padding = '-'.repeat(kind % (kind % 32 === 0 ? LONG_PADDING_MAX : SHORT_PADDING_MAX));
  const type = lastOf === null ? `load${number % TYPES}` : lastType(lastOf);
  const event = `"event_type":"${type}","data":"${wordOf(number)}"`;
  const time = Math.floor(Date.now() / 1000) - (kind % 5);
  // Where a line may be torn: before its word, and behind it.
  return kind % 2 === 0
    ? `{${event},"timestamp":${time},"padding":"${padding}"}\n`
    : `{"padding":"${padding}","timestamp":${time},${event}}\n`;
}

export function lastType(load: number): string {
  return `r${String(load).padStart(4, '0')}`;
}

/** Of the lines from one number to before another. */
export function bytesOf(from: number, to: number): number {
  let bytes = 0;
  for (let number = from; number < to; number++) bytes += eventLine(number).length;
  return bytes;
}

/** 32 bits that look as if they had nothing to do with the number (the finalizer of MurmurHash3). */
export function mix(number: number): number {
  let hash = number >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
