import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type ConsumerProcess,
  type StatsDocument,
  startConsumer,
} from '../../consumer/dist-test/support/consumer-process.js';
import type { Report } from '../report.js';
import { median, spread } from '../spread.js';
import { makeTemporaryFolder, removeTemporaryFolder } from '../temporary-folder.js';
import { Child } from './child.js';
import { runConsumer } from './consumer-run.js';
import { holdFifo } from './hold-fifo.js';
import { type Input, makeInput } from './inputs.js';

const WRITER = fileURLToPath(new URL('./paced-writer.js', import.meta.url));
const WATCHER = fileURLToPath(new URL('./watcher.js', import.meta.url));
const PROBES_PER_SECOND = 200;

export interface LatencyOptions {
  readonly lines: number;
  /** Of each measurement. */
  readonly seconds: number;
  /** How often the time of a start, and the limit, are taken: their medians count. */
  readonly starts: number;
  readonly seed: number;
}

/**
 * How long it takes from the write of an event into the FIFO until an HTTP answer counts it, and how old
 * what a frame of the stream tells is when it comes, at parts of the rate that the same consumer reaches; and how long
 * answers take. Writer, consumer and those who ask share the machine's cores.
 */
export async function* benchLatency({
  lines,
  seconds,
  starts,
  seed,
}: LatencyOptions): AsyncIterable<Report> {
  const folder = makeTemporaryFolder();
  try {
    const input = await makeInput('generator', folder, { lines, realBytes: 0 }, seed, null);
    const times: number[] = [];
    for (let i = 0; i < starts; i++) times.push((await runConsumer(input, folder)).seconds);
    const limit = input.lines / median(times);
    const rows: string[][] = [];
    for (const [name, share] of [
      ['nothing is written but probes', 0],
      ['10 % of the limit', 0.1],
      ['50 %', 0.5],
      ['90 %', 0.9],
      ['as fast as they are taken', Number.POSITIVE_INFINITY],
    ] as const) {
      const found = await measure(input, folder, share === 0 ? 0 : share * limit, seconds);
      rows.push([
        name,
        (found.rate / 1e6).toFixed(2),
        ...percentiles(found.probes),
        ...percentiles(found.answers),
        ...percentiles(found.frames),
      ]);
    }
    yield {
      title: `Latency in ms: p50, p99, max; the limit is ${(limit / 1e6).toFixed(2)} M lines/s, ${seconds} s each`,
      head: ['', 'M lines/s', 'write to answer', '', '', 'answer', '', '', 'frame', '', ''],
      rows,
      notes: [
        `*write to answer*: from before write(2) until an answer that counts it has come; ${PROBES_PER_SECOND} events a second are looked for, by questions that follow each other by 2 ms.`,
        `A start, from the process until it listens: ${await startSeconds(folder, starts)} s.`,
        '*answer*: of the words of the last 60 s, from when a question was due: there are 100 a second. *frame*: the age of the newest event that a frame of the stream tells, when it comes, with `interval=250ms`.',
      ],
    };
  } finally {
    removeTemporaryFolder(folder);
  }
}

async function startSeconds(folder: string, starts: number): Promise<string> {
  const seconds: number[] = [];
  for (let i = 0; i < starts; i++) {
    const fifoDir = fs.mkdtempSync(path.join(folder, 'start-'));
    const begin = performance.now();
    const consumer = await startConsumer(fifoDir);
    seconds.push((performance.now() - begin) / 1000);
    await consumer.end('SIGTERM');
  }
  return spread(seconds, 2);
}

interface Found {
  readonly rate: number;
  readonly probes: readonly number[];
  readonly answers: readonly number[];
  readonly frames: readonly number[];
}

async function measure(
  input: Input,
  folder: string,
  linesPerSecond: number,
  seconds: number,
): Promise<Found> {
  const runFolder = fs.mkdtempSync(path.join(folder, 'run-'));
  const fifo = path.join(runFolder, 'events-0.fifo');
  const held = holdFifo(fifo);
  const state = { DURABILITY: 'journal', STATE_DIR: path.join(runFolder, 'state') };
  const consumer = await startConsumer(runFolder, state);
  const children: Child[] = [];
  const start = async (program: string, args: readonly string[]) => {
    const child = await Child.start(program, args);
    children.push(child);
    return child;
  };
  try {
    const args = [fifo, input.file, String(linesPerSecond), String(PROBES_PER_SECOND)];
    const writer = await start(WRITER, args);
    await consumer.waitFor(({ accepted }) => accepted > 0);
    await consumer.get('/events/countWords?window=60s&until=latest'); // what only the first answer costs
    const watcher = await start(WATCHER, [String(consumer.port)]);
    const before = await linesNow(consumer);
    await delay(1000 * seconds);
    const after = await linesNow(consumer);
    const watched = JSON.parse(await watcher.end()) as {
      seen: [number, number][];
      frames: [number, number][];
      answers: number[];
    };
    const written = JSON.parse(await writer.end()) as number[];
    const [[first] = [0]] = watched.seen;
    const probes: number[] = [];
    let known = first;
    for (const [count, at] of watched.seen) {
      for (; known < count; known++) probes.push(at - (written[known] as number));
    }
    return {
      rate: (1000 * (after.lines - before.lines)) / (after.at - before.at),
      probes,
      answers: watched.answers,
      frames: watched.frames.map(([count, at]) => at - (written[count - 1] as number)),
    };
  } finally {
    for (const child of children) child.kill();
    await consumer.end('SIGTERM');
    fs.closeSync(held);
    fs.rmSync(runFolder, { recursive: true });
  }
}

async function linesNow(consumer: ConsumerProcess): Promise<{ lines: number; at: number }> {
  const { lines } = await consumer.get<StatsDocument>('/stats');
  return { lines, at: performance.now() };
}

function percentiles(values: readonly number[]): string[] {
  const sorted = [...values].sort((a, b) => a - b);
  return [0.5, 0.99, 1].map((share) => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return value === undefined ? '' : value.toFixed(1);
  });
}
