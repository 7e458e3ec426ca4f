import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { IngestPool } from '../consumer/dist/ingest/ingest-pool.js';
import type { WindowRequest } from '../consumer/dist/tally/interval.js';
import { spread } from './spread.js';
import { makeTemporaryFolder, removeTemporaryFolder } from './temporary-folder.js';

const THREADS = [1, 2] as const;

export interface WindowQueriesOptions {
  readonly words: number;
  /** All of them within the retention. */
  readonly lines: readonly string[];
  readonly retentionSeconds: number;
  /** Runs of which the median is told. */
  readonly runs: number;
}

interface Query {
  readonly name: string;
  /** Resolves to the total of all that is in the answer. */
  ask(pool: IngestPool): Promise<number>;
}

const latest = (windowSeconds: number): WindowRequest => ({
  windowSeconds,
  until: 'latest',
  alignSeconds: null,
  stepSeconds: 1,
});

const QUERIES: readonly Query[] = [
  ...[60, 600, 3600, 7200].map((seconds) => ({
    name: `words ${seconds} s`,
    ask: async (pool: IngestPool) => total((await pool.counts('words', latest(seconds))).keys),
  })),
  {
    name: 'sums 3600 s',
    ask: async (pool) => total((await pool.counts('sums', latest(3600))).keys),
  },
  ...[
    [600, 1],
    [7200, 60],
  ].map(([seconds, step]) => ({
    name: `series ${seconds} s by ${step}`,
    ask: async (pool: IngestPool) => {
      const { rows, other } = await pool.series(
        'words',
        latest(seconds as number),
        step as number,
        5,
      );
      const columns = [...rows.map(({ counts }) => counts), other];
      return columns.flatMap((counts) => [...counts]).reduce((sum, count) => sum + count, 0);
    },
  })),
];

/**
 * How long answers take as the main thread sees it, with one ingest thread and with two: two FIFOs are
 * filled with every other line each, and each question is asked when all are counted.
 */
export async function benchWindowQueries({
  words,
  lines,
  retentionSeconds,
  runs,
}: WindowQueriesOptions): Promise<string[]> {
  const report: string[] = [];
  for (const threads of THREADS) {
    const folder = makeTemporaryFolder();
    const pool = new IngestPool(
      {
        fifoDir: folder,
        readsStdin: false,
        ingestWorkers: threads,
        scanner: 'simd',
        mapping: DEFAULT_MAPPING,
        lineBytesMax: 65_536,
        eventTypesMax: 10_000,
        wordsMax: 1_000_000,
        keyBytesMax: 256,
        retentionSeconds,
        maxClockSkewSeconds: 60,
        windowCellsMax: 2_000_000,
      },
      () => {},
    );
    try {
      await fill(pool, folder, lines);
      const cells: string[] = [];
      let checksum = 0;
      for (const { ask } of QUERIES) {
        const times: number[] = [];
        for (let run = 0; run < runs; run++) {
          const begin = performance.now();
          checksum += await ask(pool);
          times.push(performance.now() - begin);
        }
        cells.push(spread(times, 1));
      }
      report.push(queryRow(String(words), String(threads), cells, String(checksum)));
    } finally {
      await pool.stop();
      removeTemporaryFolder(folder);
    }
  }
  return report;
}

export function queryHead(): string {
  const names = QUERIES.map(({ name }) => name);
  return queryRow('words', 'threads', names, 'checksum');
}

function queryRow(words: string, threads: string, cells: readonly string[], checksum: string) {
  const padded = cells.map((cell) => cell.padEnd(19));
  return [words.padEnd(8), threads.padEnd(8), ...padded, checksum].join(' ');
}

async function fill(pool: IngestPool, folder: string, lines: readonly string[]): Promise<void> {
  const halves = [0, 1].map((half) => Buffer.from(lines.filter((_, i) => i % 2 === half).join('')));
  const bytes = halves.reduce((sum, { length }) => sum + length, 0);
  const fifos = halves.map((_, i) => path.join(folder, `${i}.fifo`));
  for (const fifo of fifos) execFileSync('mkfifo', [fifo]);
  pool.start();
  // Opened read-write, so that no reader has to be there yet, and none is waited for.
  const writers = fifos.map((fifo) => fs.createWriteStream(fifo, { flags: 'r+' }));
  for (const [i, writer] of writers.entries()) writer.end(halves[i]);
  const isCounted = async () => {
    const stats = await pool.stats().catch(() => null); // not until the threads run
    return stats?.bytes === bytes;
  };
  while (!(await isCounted())) await new Promise((resolve) => setTimeout(resolve, 20));
  const { windows } = await pool.stats();
  if (windows.late + windows.ahead > 0) throw new Error('some events are in no window');
}

function total(keys: readonly { readonly count: number }[]): number {
  return keys.reduce((sum, { count }) => sum + count, 0);
}
