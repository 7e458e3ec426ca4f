import path from 'node:path';
import type { Report } from '../report.js';
import { median, spread } from '../spread.js';
import { makeTemporaryFolder, removeTemporaryFolder } from '../temporary-folder.js';
import { type ConsumerRunOptions, type Run, runConsumer } from './consumer-run.js';
import { type Input, input, writeWords } from './inputs.js';

export interface GrowthOptions {
  readonly lines: number;
  readonly distinctWords: readonly number[];
  /** Lines of these lengths, together about as many bytes. */
  readonly lineBytes: readonly number[];
  readonly sources: readonly number[];
  /** Event time over which the lines are spread: the window that holds all of them. */
  readonly windowSeconds: readonly number[];
  readonly clients: readonly number[];
  readonly runs: number;
  readonly seed: number;
}

const ASKS_PER_SECOND = 10;
const WORDS = 1000;

interface Case {
  readonly what: string;
  readonly value: string;
  readonly lines: number;
  readonly words: number;
  readonly seconds?: number;
  readonly lineBytes?: number;
  readonly options?: ConsumerRunOptions;
}

/** How rate and memory change where one thing grows and all else is the same. */
export async function* benchGrowth(options: GrowthOptions): AsyncIterable<Report> {
  const { runs, seed } = options;
  const folder = makeTemporaryFolder();
  const file = path.join(folder, 'input.ndjson');
  const rows: string[][] = [];
  try {
    for (const { what, value, lines, words, seconds, lineBytes, options: run } of cases(options)) {
      writeWords(file, lines, words, seed, { seconds, lineBytes });
      const env = { WORDS_MAX: String(words) };
      const each: Input = input(what, file, {
        typeField: 'event_type',
        dataField: 'data',
        hasOtherSpaces: false,
        env,
      });
      const results: Run[] = [];
      for (let i = 0; i < runs; i++)
        results.push(await runConsumer(each, folder, { ...run, withoutCounts: true }));
      const rates = (unit: number) => results.map((result) => unit / result.seconds / 1e6);
      rows.push([
        what,
        value,
        each.lines.toLocaleString('en'),
        spread(rates(each.lines), 2),
        spread(rates(each.bytes), 0),
        median(results.map(({ mebibytes }) => mebibytes as number)).toFixed(0),
      ]);
    }
  } finally {
    removeTemporaryFolder(folder);
  }
  yield {
    title: `Growth: three of ${WORDS.toLocaleString('en')} words a line, one FIFO, all of one second, no clients, but for what grows`,
    head: ['what grows', '', 'lines', 'M lines/s', 'MB/s', 'MiB'],
    rows,
    notes: [`Clients ask for the words of the last 60 s, each ${ASKS_PER_SECOND} times a second.`],
  };
}

function cases({ lines, ...grows }: GrowthOptions): Case[] {
  const plain = { lines, words: WORDS };
  return [
    ...grows.distinctWords.map((words) => ({
      ...plain,
      what: 'distinct words',
      value: words.toLocaleString('en'),
      words,
    })),
    ...grows.lineBytes.map((lineBytes) => ({
      ...plain,
      what: 'bytes of a line',
      value: lineBytes.toLocaleString('en'),
      lines: Math.ceil((lines * 80) / Math.max(80, lineBytes)),
      lineBytes,
    })),
    ...grows.sources.map((sources) => ({
      ...plain,
      what: 'FIFOs',
      value: String(sources),
      options: { sources },
    })),
    ...grows.windowSeconds.map((seconds) => ({
      ...plain,
      what: 'seconds of event time',
      value: seconds.toLocaleString('en'),
      seconds,
    })),
    ...grows.clients.map((clients) => ({
      ...plain,
      what: 'clients',
      value: String(clients),
      options: { clients, asksPerSecond: ASKS_PER_SECOND },
    })),
  ];
}
