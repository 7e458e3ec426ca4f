import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Report } from '../report.js';
import { spread } from '../spread.js';
import { checksum } from './checksum.js';
import type { Run } from './consumer-run.js';
import {
  BARE_NODE,
  CONTESTANTS,
  type Contestant,
  DUCKDB_1,
  DUCKDB_2,
  JQ,
  MAWK,
  REFERENCE,
  US,
  WITHOUT_JOURNAL,
} from './contestants.js';
import { firstLines, INPUT_NAMES, type Input, type InputName, makeInput } from './inputs.js';

export interface CompareOptions {
  readonly lines: number;
  readonly realBytes: number;
  /** Lines that those who are slow are given. */
  readonly slowLines: number;
  readonly runs: number;
  readonly seed: number;
  /** The inputs with this in their name. */
  readonly only: string;
  /** Where the real streams are whole; null: their excerpts are repeated. */
  readonly data: string | null;
}

/** What is to be reached: rates as parts of others’, in the same rounds. */
const TARGETS: readonly [input: InputName, of: string, than: string, ratio: number][] = [
  ['generator', US, REFERENCE, 10],
  ['generator', US, JQ, 12],
  ['generator', US, MAWK, 3],
  ['generator', US, DUCKDB_1, 1],
  ['generator', US, DUCKDB_2, 1],
  ['generator', US, BARE_NODE, 0.35],
  ['generator', US, WITHOUT_JOURNAL, 0.85],
  ['wikipedia', US, REFERENCE, 5],
  ['wikipedia', US, DUCKDB_1, 1],
  ['github', US, REFERENCE, 5],
  ['github', US, DUCKDB_1, 1],
  ['corrupt', US, 'generator', 1 / 1.5],
];

export interface Measured {
  readonly contestant: Contestant;
  readonly input: Input;
  readonly runs: readonly Run[];
}

/**
 * One table for each input: a round is one run of each, in a fresh process, every other round in reverse
 * order. The counts of all that count the same must be the same.
 */
export async function* benchComparison(options: CompareOptions): AsyncIterable<Report> {
  const rates = new Map<string, number>();
  for (const name of INPUT_NAMES.filter((each) => each.includes(options.only))) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-bench-'));
    try {
      yield await compareOn(name, folder, options, rates);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }
  yield targets(rates);
}

async function compareOn(
  name: InputName,
  folder: string,
  { lines, realBytes, slowLines, runs, seed, data }: CompareOptions,
  rates: Map<string, number>,
): Promise<Report> {
  const whole = await makeInput(name, folder, { lines, realBytes }, seed, data);
  const first = firstLines(whole, slowLines);
  const notes: string[] = [];
  const measured = CONTESTANTS.filter(({ inputs }) => inputs.includes(name)).flatMap(
    (contestant) => {
      try {
        contestant.version?.();
      } catch {
        notes.push(`${contestant.name}: it is not there, and was left out.`);
        return [];
      }
      const input = contestant.isSlow ? first : whole;
      return [{ contestant, input, runs: [] as Run[] }];
    },
  );
  for (let round = 0; round < runs; round++) {
    for (const { contestant, input, runs: own } of round % 2 === 0
      ? measured
      : measured.toReversed())
      own.push(await contestant.run(input, folder));
  }
  const us = measured.find(({ contestant }) => contestant.name === US)?.runs[0]?.counts;
  for (const each of measured) {
    for (const { counts } of each.runs) {
      if (counts === null || us == null || each.input !== whole) continue;
      for (const kind of ['types', 'words'] as const) {
        const [theirs, ours] = [counts[kind], us[kind]];
        if (theirs === null || ours === null || checksum(theirs) === checksum(ours)) continue;
        notes.push(
          `${each.contestant.name}: ${differences(theirs, ours)} of its ${kind} counted otherwise.`,
        );
      }
    }
    rates.set(
      `${name} ${each.contestant.name}`,
      median(each.runs.map(({ seconds }) => each.input.lines / seconds)),
    );
  }
  const mean = Math.round(whole.bytes / whole.lines);
  return {
    title: `${whole.name}: ${whole.lines.toLocaleString('en')} lines of ${mean} bytes`,
    head: ['', 'does', 'M lines/s', 'MB/s', 'CPU s', 'MiB', 'types', 'words'],
    rows: measured.map(row),
    notes: [...new Set(notes)],
  };
}

function row({ contestant, input, runs }: Measured): string[] {
  const rate = (unit: number) => runs.map(({ seconds }) => unit / seconds / 1e6);
  const counts = runs.at(-1)?.counts;
  const optional = (values: readonly (number | undefined)[], digits: number) =>
    values.includes(undefined) ? '' : median(values as number[]).toFixed(digits);
  const part = contestant.isSlow ? [`the first ${input.lines.toLocaleString('en')} lines`] : [];
  return [
    contestant.name,
    [...part, ...(contestant.does === '' ? [] : [contestant.does])].join('; '),
    spread(rate(input.lines), 2),
    median(rate(input.bytes)).toFixed(0),
    optional(
      runs.map(({ cpuSeconds }) => cpuSeconds),
      2,
    ),
    optional(
      runs.map(({ mebibytes }) => mebibytes),
      0,
    ),
    counts == null ? '' : checksum(counts.types),
    counts?.words == null ? '' : checksum(counts.words),
  ];
}

function targets(rates: ReadonlyMap<string, number>): Report {
  const rows = TARGETS.flatMap(([input, of, than, ratio]) => {
    const isInput = INPUT_NAMES.includes(than as InputName);
    const ours = rates.get(`${input} ${of}`);
    const theirs = rates.get(isInput ? `${than} ${of}` : `${input} ${than}`);
    if (ours === undefined || theirs === undefined) return [];
    const reached = ours / theirs;
    const times = (value: number) => `${value.toPrecision(3)} ×`;
    return [[input, than, times(ratio), times(reached), reached >= ratio ? 'yes' : 'no']];
  });
  return {
    title: 'Rates of event-tally as multiples of others’, medians of the same rounds',
    head: ['input', 'than', 'to reach', 'reached', ''],
    rows,
    notes: [],
  };
}

/** By how much, all keys together. */
function differences(
  some: Readonly<Record<string, number>>,
  others: Readonly<Record<string, number>>,
): number {
  const keys = new Set([...Object.keys(some), ...Object.keys(others)]);
  return [...keys].reduce((sum, key) => sum + Math.abs((some[key] ?? 0) - (others[key] ?? 0)), 0);
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] as number;
}
