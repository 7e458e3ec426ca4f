/** Cases: what is read, when, under which bounds. A seed and a number make a case, always the same. */
import { DEFAULT_MAPPING, type FieldMapping } from '@event-tally/shared/event.js';
import { SCAN_BYTES_MAX } from '#consumer/scan/scanner.js';
import { Chance } from './chance.js';
import type { Corpus } from './corpus.js';
import { generateLine } from './grammar.js';
import { mutateLine } from './mutations.js';

/** What is done behind a read. */
export const AFTER = {
  nothing: 0,
  /** Everything is asked for, and compared. */
  ask: 1,
  checkpoint: 2,
  /** What was counted is given up, and made again of the checkpoint and the journal. */
  restart: 3,
} as const;

export interface Read {
  /** One of SOURCES. */
  readonly source: number;
  /** Seconds from the read before. */
  readonly clock: number;
  readonly bytes: Uint8Array;
  /** One of AFTER. */
  readonly after: number;
}

export interface FuzzBounds {
  readonly lineBytesMax: number;
  readonly typesMax: number;
  readonly wordsMax: number;
  readonly keyBytesMax: number;
  readonly cellsMax: number;
  readonly retentionSeconds: number;
}

export interface FuzzCase {
  readonly mapping: FieldMapping;
  readonly bounds: FuzzBounds;
  /** The clock before the first read, Unix seconds. */
  readonly begin: number;
  readonly reads: readonly Read[];
}

/** Each with a scanner of its own; the tables are common. */
export const SOURCES = 3;

/** So many cells that no case comes to them. */
export const ENOUGH_CELLS = 10_000_000;

const BEGIN = 1_600_000_000;

const MAPPINGS: readonly FieldMapping[] = [
  DEFAULT_MAPPING,
  DEFAULT_MAPPING,
  { ...DEFAULT_MAPPING, timestampFormat: 'unix_ms' },
  { ...DEFAULT_MAPPING, timestampFormat: 'iso8601' },
  { ...DEFAULT_MAPPING, timestampFormat: 'arrival', value: null },
  { ...DEFAULT_MAPPING, data: null },
  {
    eventType: ['a', 'b'],
    data: ['a', 'c', 'd.e'],
    timestamp: ['t'],
    timestampFormat: 'unix',
    value: ['a', 'v'],
  },
  { ...DEFAULT_MAPPING, eventType: ['__proto__', 'x'], data: ['event_type'], value: ['timestamp'] },
];

/** `scale`: how many times as many lines as the model can look through. */
export function generateCase(
  seed: number,
  number: number,
  corpora: readonly Corpus[],
  scale = 1,
): FuzzCase {
  const chance = new Chance(Math.imul(seed, 0x9e3779b1) ^ number);
  const bounds = generateBounds(chance);
  const corpus = chance.oneIn(3) ? chance.pick(corpora) : null;
  const mapping = corpus?.mapping ?? chance.pick(MAPPINGS);
  const length = scale * (chance.oneIn(20) ? chance.int(200, 1000) : chance.small(200));
  const first = corpus === null ? 0 : chance.int(0, corpus.lines.length - 1);
  const slice = corpus?.lines.slice(first, first + length) ?? [];
  const times = corpus?.times.slice(first, first + length).filter((time) => time !== null) ?? [];
  const begin = times.length === 0 ? BEGIN : Math.floor(Math.max(...times));

  const options = { mapping, lineBytesMax: bounds.lineBytesMax, now: begin };
  const sources = Array.from({ length: chance.small(SOURCES) }, (): Uint8Array[] => []);
  for (let i = 0; i < length; i++) {
    const real = slice[i];
    let line = real === undefined || chance.oneIn(4) ? generateLine(chance, options) : real;
    if (real !== undefined && chance.oneIn(3)) line = mutateLine(chance, line, chance.pick(slice));
    chance.pick(sources).push(line, chance.pick(LINE_ENDS));
  }
  const reads = readsOf(
    chance,
    sources.map((parts) => Buffer.concat(parts)),
  );
  return { mapping, bounds, begin, reads };
}

const LINE_ENDS = [...'\n\n\n\n\n\n\n\n\n\n', '\r\n', '\n\n', '', '\r', ' \n'].map((end) =>
  Buffer.from(end),
);

function generateBounds(chance: Chance): FuzzBounds {
  return {
    lineBytesMax: chance.pick([16, 100, 300, 1000, 4096, 65_536]),
    typesMax: chance.pick([1, 2, 5, 1000, 1000]),
    wordsMax: chance.pick([1, 3, 20, 100_000, 100_000]),
    keyBytesMax: chance.pick([1, 4, 16, 256, 256]),
    cellsMax: chance.pick([1, 10, 100, ENOUGH_CELLS, ENOUGH_CELLS, ENOUGH_CELLS]),
    retentionSeconds: chance.pick([60, 600, 7200]),
  };
}

/** The bytes of several sources, each cut at random places, in turns. */
function readsOf(chance: Chance, sources: readonly Uint8Array[]): Read[] {
  const readBytes = chance.pick([1, 7, 40, 100, 1000, 65_536, SCAN_BYTES_MAX]);
  const afterOneIn = chance.pick([3, 10, 100]);
  const backOneIn = chance.pick([10, 50, 1000]);
  const rest = sources.map((bytes, source) => ({ source, bytes }));
  const reads: Read[] = [];
  while (rest.length > 0) {
    const next = chance.pick(rest);
    // A source of many bytes is not read byte by byte: the model looks at all that it has at each read.
    const least = next.bytes.length >> 6;
    const length = Math.min(SCAN_BYTES_MAX, chance.int(least, least + readBytes));
    const bytes = next.bytes.subarray(0, length);
    next.bytes = next.bytes.subarray(length);
    if (next.bytes.length === 0) rest.splice(rest.indexOf(next), 1);
    const clock = chance.oneIn(backOneIn)
      ? chance.pick([-5, -100, -1000, -10_000])
      : chance.pick([0, 0, 0, 1, 3, 61, 700]);
    const after = chance.oneIn(afterOneIn) ? chance.int(AFTER.ask, AFTER.restart) : AFTER.nothing;
    reads.push({ source: next.source, clock, bytes, after });
  }
  return reads;
}
