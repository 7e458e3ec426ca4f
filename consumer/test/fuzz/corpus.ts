import fs from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  createEventParser,
  DEFAULT_MAPPING,
  type FieldMapping,
} from '@event-tally/shared/event.js';

/** Lines that a real program wrote, and the mapping under which they are events. */
export interface Corpus {
  readonly name: string;
  readonly mapping: FieldMapping;
  readonly lines: readonly Uint8Array[];
  /** The event time of each; null where it is no event. */
  readonly times: readonly (number | null)[];
}

/** Streams that are known: event-tally's own, edits of Wikipedias, alerts of Suricata, events of GitHub. */
const MAPPINGS: readonly FieldMapping[] = [
  DEFAULT_MAPPING,
  {
    eventType: ['channel'],
    data: ['comment'],
    timestamp: ['time'],
    timestampFormat: 'iso8601',
    value: ['delta'],
  },
  {
    eventType: ['event_type'],
    data: ['alert', 'signature'],
    timestamp: ['timestamp'],
    timestampFormat: 'iso8601',
    value: ['flow', 'bytes_toserver'],
  },
  {
    eventType: ['type'],
    data: ['repo', 'name'],
    timestamp: ['created_at'],
    timestampFormat: 'iso8601',
    value: ['actor', 'id'],
  },
];

const FILE = /\.(nd)?json(\.gz)?$/;

/**
 * The files of JSON lines in a folder (.json, .ndjson, either with .gz), each under the first of the known
 * mappings that takes its first line for an event. Throws where there is no file, or none takes it.
 */
export function readCorpora(folder: string): Corpus[] {
  const names = fs
    .readdirSync(folder)
    .filter((name) => FILE.test(name))
    .sort();
  if (names.length === 0)
    throw new Error(`${folder} has no .json, .ndjson, .json.gz or .ndjson.gz`);
  return names.map((name) => {
    const raw = fs.readFileSync(path.join(folder, name));
    const lines = linesOf(name.endsWith('.gz') ? gunzipSync(raw) : raw);
    const mapping = MAPPINGS.find(
      (each) => createTimeReader(each)(lines[0] as Uint8Array) !== null,
    );
    if (mapping === undefined) {
      throw new Error(
        `the first line of ${path.join(folder, name)} is an event under no known mapping`,
      );
    }
    return { name, mapping, lines, times: lines.map(createTimeReader(mapping)) };
  });
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start);
    lines.push(bytes.subarray(start, end === -1 ? bytes.length : end));
    start = end === -1 ? bytes.length : end + 1;
  }
  return lines;
}

/** A function from a line to its event time; null where it is no event. */
function createTimeReader(mapping: FieldMapping): (line: Uint8Array) => number | null {
  const parse = createEventParser(mapping);
  return (line) => {
    try {
      return parse(JSON.parse(Buffer.from(line).toString()), 0)?.time ?? null;
    } catch {
      return null;
    }
  };
}
