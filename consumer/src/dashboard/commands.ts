/** Commands to paste into a terminal. */
import { type FieldPath, parseFieldPath } from '@event-tally/shared/field-path.js';
import { DEFAULT_FIFO_DIR } from '@event-tally/shared/fifo.js';
import { formatDateTime } from '../views/format.js';
import { type View, viewQuery } from '../views/view.js';
import type { PageSettings } from './settings.js';

export interface Command {
  readonly name: 'types' | 'words' | 'stream';
  readonly label: string;
  readonly text: string;
}

/** What asks for the numbers on the screen. */
export function curlCommands(origin: string, view: View): Command[] {
  const url = (path: string, more: string) => {
    const query = [viewQuery(view), more].filter((part) => part !== '').join('&');
    return shellQuote(`${origin}${path}${query === '' ? '' : `?${query}`}`);
  };
  return [
    { name: 'types', label: 'Types', text: `curl ${url('/events/countByEventType', '')}` },
    { name: 'words', label: 'Words', text: `curl ${url('/events/countWords', 'limit=100')}` },
    { name: 'stream', label: 'Live', text: `curl -N ${url('/events/stream', '')}` },
  ];
}

/** What sends a first event of the configured shape. */
export function firstEventCommand(
  settings: PageSettings,
  origin: string,
  sourceNames: readonly string[],
  now: number,
): string {
  const event = shellQuote(JSON.stringify(sampleEvent(settings, now)));
  if (settings.takesPosts) {
    const headers = `-H "Authorization: Bearer $INGEST_TOKEN" -H 'Content-Type: application/json'`;
    return `curl ${shellQuote(`${origin}/events`)} ${headers} -d ${event}`;
  }
  // With a backslash, it is an escape of the name.
  const fifo = sourceNames.find((name) => name.endsWith('.fifo') && !name.includes('\\'));
  // The folder as a shell knows it: where things are on this machine is no business of who looks at a page.
  const path = `"\${FIFO_DIR:-${DEFAULT_FIFO_DIR}}"/${shellQuote(fifo ?? 'events-mine.fifo')}`;
  const make = fifo === undefined ? `mkfifo ${path}\n` : '';
  return `${make}echo ${event} > ${path}`;
}

function sampleEvent(settings: PageSettings, now: number): object {
  const { EVENT_TYPE_FIELD, DATA_FIELD, TIMESTAMP_FIELD } = settings.fields;
  const event: Record<string, unknown> = Object.create(null);
  put(event, EVENT_TYPE_FIELD, 'hello');
  put(event, DATA_FIELD, 'hello world');
  put(event, TIMESTAMP_FIELD, timestamp(settings, now));
  return event;
}

function timestamp({ timestampFormat }: PageSettings, now: number): string | number {
  const seconds = Math.floor(now);
  if (timestampFormat === 'iso8601') return `${formatDateTime(seconds).replace(' ', 'T')}Z`;
  return timestampFormat === 'unix_ms' ? seconds * 1000 : seconds;
}

function put(event: Record<string, unknown>, field: string, value: unknown): void {
  const path: FieldPath | null = parseFieldPath(field);
  if (path === null) return;
  let object = event;
  for (const name of path.slice(0, -1)) {
    const inner = object[name];
    object[name] = typeof inner === 'object' ? inner : Object.create(null);
    object = object[name] as Record<string, unknown>;
  }
  object[path.at(-1)!] = value;
}

/** A word for a shell: in single quotes. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
