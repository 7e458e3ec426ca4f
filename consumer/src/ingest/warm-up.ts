/**
 * Work before the first read: lines that nobody asks for are counted in an Ingest of their own, so that the
 * engine has compiled the code of that by the time that a stream comes. Without it the first million
 * lines or so are counted at half the rate. Its scanner reserves the memory of another one, small as it is, until
 * it is collected as garbage. Where there is none to reserve, nothing is warmed up, or, where SCANNER=auto allows
 * for it, the reference scanner.
 */
import type { FieldMapping } from '@event-tally/shared/event.js';
import type { FieldPath } from '@event-tally/shared/field-path.js';
import { EventTimeFront } from '../tally/event-time-front.js';
import { Ingest, type IngestClock } from './ingest.js';
import type { IngestOptions } from './protocol.js';

/** It ends after so long, wherever it is then: most is compiled long before. */
const WARM_UP_MS = 100;
const BODY_LINES = 900;
const LINES_A_SECOND = 300;
/** Every so many lines one is corrupt. */
const CORRUPT_EVERY = 50;
const WORDS = ['lorem', 'ipsum', 'dolor', 'sit', 'amet', 'consectetur', 'adipiscing'] as const;
/** Bounds of what is counted only here. */
const KEYS_MAX = 100;

/** Does not reject. */
export async function warmUp(options: IngestOptions, clock: IngestClock): Promise<void> {
  const ingest = createIngest(options, clock);
  if (ingest === null) return;
  const lines = warmUpLines(options.mapping, clock.now());
  const end = clock.monotonicSeconds() + WARM_UP_MS / 1000;
  while (clock.monotonicSeconds() < end) await ingest.post({ kind: 'post', lines });
}

/** null: there is no memory for a second scanner. */
function createIngest(options: IngestOptions, clock: IngestClock): Ingest | null {
  const bounds = { eventTypesMax: KEYS_MAX, wordsMax: KEYS_MAX };
  try {
    return new Ingest({ ...options, ...bounds }, new EventTimeFront(), clock, {
      onOpened: () => {},
      onEnded: () => {},
      onFault: () => {},
    });
  } catch {
    return null;
  }
}

/** Events of a mapping, with corrupt lines among them; `now`: Unix seconds. */
export function warmUpLines(mapping: FieldMapping, now: number): Uint8Array<ArrayBuffer> {
  let text = '';
  for (let i = 0; i < BODY_LINES; i++) {
    if (i % CORRUPT_EVERY === 0) text += '{ "\n';
    else text += `${JSON.stringify(eventOf(mapping, i, now + Math.floor(i / LINES_A_SECOND)))}\n`;
  }
  return Uint8Array.from(Buffer.from(text));
}

function eventOf(
  { eventType, data, timestamp, timestampFormat, value }: FieldMapping,
  i: number,
  time: number,
): object {
  const event = Object.create(null);
  setField(event, eventType, WORDS[i % 3]);
  if (data !== null) setField(event, data, `${WORDS[i % 5]} ${WORDS[i % 7]}`);
  if (timestampFormat === 'unix') setField(event, timestamp, Math.floor(time));
  if (timestampFormat === 'unix_ms') setField(event, timestamp, Math.floor(1000 * time));
  if (timestampFormat === 'iso8601')
    setField(event, timestamp, new Date(1000 * time).toISOString());
  if (value !== null && i % 2 === 0) setField(event, value, i / 4);
  return event;
}

/** Where a path leads through what is no object, an object takes its place. */
function setField(event: Record<string, unknown>, path: FieldPath, value: unknown): void {
  let object = event;
  for (const name of path.slice(0, -1)) {
    if (typeof object[name] !== 'object') object[name] = Object.create(null);
    object = object[name] as Record<string, unknown>;
  }
  object[path.at(-1) as string] = value;
}
