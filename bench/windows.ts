import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { createScanners } from '../consumer/dist/ingest/create-scanners.js';
import { EventTimeFront } from '../consumer/dist/tally/event-time-front.js';
import { resolveInterval } from '../consumer/dist/tally/interval.js';
import { KeyTable } from '../consumer/dist/tally/key-table.js';
import { Tally } from '../consumer/dist/tally/tally.js';
import { spread } from './spread.js';
import { benchWindowQueries, queryHead } from './window-queries.js';

const RETENTION_SECONDS = 7200;
const BEGIN = 1_509_602_400;
const CHUNK_BYTES = 65_536;

export interface WindowsBenchOptions {
  /** Lines of one ingest run. */
  readonly lines: number;
  readonly distinctWords: readonly number[];
  /** Runs of which the median is told. */
  readonly runs: number;
  readonly seed: number;
}

/**
 * What windows cost: how fast lines are scanned and tallied with and without them, and how long queries
 * take and how much memory is used after two hours of event time, by distinct words. Then queries of all
 * kinds as the main thread sees them, with one ingest thread and with two.
 */
export async function benchWindows({
  lines,
  distinctWords,
  runs,
  seed,
}: WindowsBenchOptions): Promise<string[]> {
  const answers = [
    `milliseconds until the answer is merged; median (min–max) of ${runs}`,
    queryHead(),
  ];
  const report = [
    `${lines} lines over ${RETENTION_SECONDS} s of event time, three words and a value a line; median (min–max) of ${runs}`,
    'words    scan only   + totals    + windows    cells    MiB   60s ms     10m ms     1h ms      2h ms      checksum',
  ];
  for (const words of distinctWords) {
    const texts = makeLines(lines, words, seed);
    const chunks = chunksOf(texts);
    const rates: Record<'scan' | 'totals' | 'windows', number[]> = {
      scan: [],
      totals: [],
      windows: [],
    };
    let last: Pipeline | null = null;
    let checksum = 0;
    for (let run = 0; run < runs; run++) {
      // Alternating, so that a drift of the machine's speed is no one's advantage.
      for (const kind of ['scan', 'totals', 'windows'] as const) {
        const pipeline = new Pipeline(kind);
        const begin = performance.now();
        for (const chunk of chunks) pipeline.feed(chunk);
        rates[kind].push(lines / (performance.now() - begin) / 1000);
        if (kind === 'windows') last = pipeline;
      }
    }
    const pipeline = last as Pipeline;
    const queries = [60, 600, 3600, 7200].map((windowSeconds) => {
      const times: number[] = [];
      for (let run = 0; run < runs; run++) {
        const begin = performance.now();
        checksum += pipeline.total(windowSeconds);
        times.push(performance.now() - begin);
      }
      return spread(times, 2);
    });
    const { cells } = pipeline.tally.stats().windows;
    const mebibytes = heapMebibytes();
    report.push(
      [
        String(words).padEnd(8),
        ...(['scan', 'totals', 'windows'] as const).map((kind) =>
          `${spread(rates[kind], 2)} M/s`.padEnd(11),
        ),
        String(cells.used + cells.folded).padEnd(8),
        mebibytes.toFixed(0).padEnd(5),
        ...queries.map((text) => text.padEnd(10)),
        checksum,
      ].join(' '),
    );
    const options = { words, lines: texts, retentionSeconds: RETENTION_SECONDS, runs };
    answers.push(...(await benchWindowQueries(options)));
  }
  return [...report, ...answers];
}

class Pipeline {
  readonly tables = {
    types: new KeyTable({ keysMax: 10_000, keyBytesMax: 256 }),
    words: new KeyTable({ keysMax: 1_000_000, keyBytesMax: 256 }),
  };
  readonly front = new EventTimeFront();
  readonly tally = new Tally(this.tables, {
    retentionSeconds: RETENTION_SECONDS,
    maxClockSkewSeconds: 60,
    cellsMax: 2_000_000,
    front: this.front,
  });
  readonly #kind: 'scan' | 'totals' | 'windows';
  readonly #scanner = createScanners('simd', {
    mapping: DEFAULT_MAPPING,
    lineBytesMax: 65_536,
    ...this.tables,
  }).create();

  constructor(kind: 'scan' | 'totals' | 'windows') {
    this.#kind = kind;
  }

  feed(chunk: Uint8Array): void {
    const batch = this.#scanner.scan(chunk, BEGIN);
    // With a clock before all events they are ahead of it: totals are counted, windows are not.
    if (this.#kind !== 'scan')
      this.tally.add(batch, this.#kind === 'totals' ? 0 : BEGIN + RETENTION_SECONDS);
  }

  total(windowSeconds: number): number {
    const request = { windowSeconds, until: 'latest', alignSeconds: null, stepSeconds: 1 } as const;
    const { windows } = this.tally;
    const context = {
      now: BEGIN,
      front: this.front.value,
      since: windows.since,
      retentionSeconds: RETENTION_SECONDS,
    };
    const resolved = resolveInterval(request, context);
    if (!resolved.ok) throw new Error(`${windowSeconds} s is beyond the retention`);
    const interval = windows.fit(resolved.interval);
    if (interval === null) throw new Error(`${windowSeconds} s is beyond the retention`);
    const { counts } = windows.counts('words', interval);
    return counts.reduce((sum, count) => sum + count, 0);
  }
}

function makeLines(lines: number, words: number, seed: number): string[] {
  const random = xoroshiro128plus(seed);
  const word = () => `w${uniformInt(random, 0, words - 1)}`;
  const texts: string[] = [];
  for (let i = 0; i < lines; i++) {
    const timestamp = BEGIN + Math.floor((i * RETENTION_SECONDS) / lines);
    const data = `${word()} ${word()} ${word()}`;
    texts.push(
      `{"event_type":"t${uniformInt(random, 0, 2)}","data":"${data}","timestamp":${timestamp},"value":${uniformInt(random, 1, 1000) / 4}}\n`,
    );
  }
  return texts;
}

function chunksOf(lines: readonly string[]): Uint8Array[] {
  const bytes = Buffer.from(lines.join(''));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    chunks.push(bytes.subarray(at, at + CHUNK_BYTES));
  return chunks;
}

function heapMebibytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}
