import type { Report } from '../report.js';
import { median, spread } from '../spread.js';
import { makeTemporaryFolder, removeTemporaryFolder } from '../temporary-folder.js';
import { type Counts, checksum } from './checksum.js';
import { type Run, runConsumer } from './consumer-run.js';
import {
  BARE_NODE,
  BARE_NODE_SMALL_PIPE,
  CONTESTANTS,
  type Contestant,
  DUCKDB_1,
  DUCKDB_2,
  JQ,
  MAWK,
  REFERENCE,
  SMALL_PIPE,
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

interface Target {
  readonly input: InputName;
  /** Which of ours. */
  readonly who?: string;
  /** Whom we are compared with. */
  readonly than: string;
  /** On another input. */
  readonly thanInput?: InputName;
  readonly unit?: 'lines' | 'bytes';
  readonly ratio: number;
}

/** What is to be reached: our rate as a multiple of others’, medians of the same run. */
const TARGETS: readonly Target[] = [
  { input: 'generator', than: REFERENCE, ratio: 10 },
  { input: 'generator', than: JQ, ratio: 12 },
  { input: 'generator', than: MAWK, ratio: 3 },
  { input: 'generator', than: DUCKDB_1, ratio: 1 },
  { input: 'generator', than: DUCKDB_2, ratio: 1 },
  { input: 'generator', than: BARE_NODE, ratio: 0.35 },
  { input: 'generator', who: SMALL_PIPE, than: BARE_NODE_SMALL_PIPE, ratio: 0.35 },
  { input: 'generator', than: WITHOUT_JOURNAL, ratio: 0.85 },
  { input: 'wikipedia', than: REFERENCE, ratio: 5 },
  { input: 'wikipedia', than: DUCKDB_1, ratio: 1 },
  { input: 'github', than: REFERENCE, ratio: 5 },
  { input: 'github', than: DUCKDB_1, ratio: 1 },
  { input: 'corrupt', than: US, thanInput: 'generator', ratio: 1 / 1.5 },
  { input: 'corrupt', than: US, thanInput: 'generator', unit: 'bytes', ratio: 1 / 1.5 },
];

/** Median rates: in lines and in bytes a second. */
type Rates = Map<string, { readonly lines: number; readonly bytes: number }>;

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
  const rates: Rates = new Map();
  const names = INPUT_NAMES.filter((each) => each.includes(options.only));
  if (names.length === 0) throw new Error(`no input has ${options.only} in its name`);
  for (const name of names) {
    const folder = makeTemporaryFolder();
    try {
      yield await compareOn(name, folder, options, rates);
    } finally {
      removeTemporaryFolder(folder);
    }
  }
  yield targets(rates);
}

async function compareOn(
  name: InputName,
  folder: string,
  { lines, realBytes, slowLines, runs, seed, data }: CompareOptions,
  rates: Rates,
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
  const ours = measured.find(({ contestant }) => contestant.name === US)?.runs[0];
  const isAnySlow = measured.some(({ contestant }) => contestant.isSlow);
  const oursOfFirst = isAnySlow ? await runConsumer(first, folder) : null;
  for (const { contestant, input, runs: own } of measured) {
    const expected = (contestant.isSlow ? oursOfFirst : ours)?.counts;
    for (const { counts } of own) notes.push(...differences(contestant, counts, expected ?? null));
    const seconds = median(own.map((run) => run.seconds));
    rates.set(`${name} ${contestant.name}`, {
      lines: input.lines / seconds,
      bytes: input.bytes / seconds,
    });
  }
  if ((ours?.late ?? 0) > 0)
    notes.push(`${ours?.late?.toLocaleString('en')} events were too late for the windows.`);
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
  const asks = optional(
    runs.map(({ asksPerSecond }) => asksPerSecond),
    0,
  );
  const does = [
    ...(contestant.isSlow ? [`the first ${input.lines.toLocaleString('en')} lines`] : []),
    contestant.does,
    ...(asks === '' ? [] : [`${asks} answers a second`]),
  ];
  return [
    contestant.name,
    does.join('; '),
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

function targets(rates: Rates): Report {
  const rows = TARGETS.flatMap(
    ({ input, who = US, than, thanInput = input, unit = 'lines', ratio }) => {
      const ours = rates.get(`${input} ${who}`);
      const theirs = rates.get(`${thanInput} ${than}`);
      if (ours === undefined || theirs === undefined) return [];
      const reached = ours[unit] / theirs[unit];
      const times = (value: number) => `${value.toPrecision(3)} ×`;
      const other = thanInput === input ? than : `${than}, ${thanInput}`;
      const whoElse = who === US ? '' : `, by ${who}`;
      return [
        [
          input,
          `${other}, in ${unit}${whoElse}`,
          times(ratio),
          times(reached),
          reached >= ratio ? 'yes' : 'no',
        ],
      ];
    },
  );
  return {
    title: 'Rates of event-tally as multiples of others’',
    head: ['input', 'than', 'to reach', 'reached', ''],
    rows,
    notes: [],
  };
}

/** What a peer counts otherwise than we do. Throws where it is one of ours. */
function differences({ name }: Contestant, counts: Counts | null, ours: Counts | null): string[] {
  return (['types', 'words'] as const).flatMap((kind) => {
    const [theirs, expected] = [counts?.[kind], ours?.[kind]];
    if (theirs == null || expected == null || checksum(theirs) === checksum(expected)) return [];
    const keys = new Set([...Object.keys(theirs), ...Object.keys(expected)]);
    let difference = 0;
    for (const key of keys) difference += Math.abs((theirs[key] ?? 0) - (expected[key] ?? 0));
    const note = `${name}: its counts of ${kind} differ from ours by ${difference} in all.`;
    if (name.startsWith(US)) throw new Error(note);
    return [note];
  });
}
