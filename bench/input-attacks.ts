import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {
  type ConsumerProcess,
  endConsumers,
  type StatsDocument,
  startConsumer,
} from '../consumer/dist-test/support/consumer-process.js';
import { memoryBytesMax } from '../consumer/dist-test/support/memory-bound.js';
import type { ListDocument } from '../consumer/dist-test/support/plain-counts.js';
import { type Attack, type AttackSizes, attacks, type Expected } from './attack-lines.js';
import { makeTemporaryFolder, removeTemporaryFolder } from './temporary-folder.js';

const TIMEOUT_MS = 1_800_000;
/** Of each thread, as in the container. */
const HEAP_MEBIBYTES_MAX = 300;

/**
 * Feeds whole consumers, one after another, what would fill the memory of a careless one, or take its time,
 * through a real FIFO. Checks all totals exactly, the peak of resident memory against what the bounds allow
 * for, and that corrupt lines are not much slower than good ones; throws at the end where any of it is not so.
 */
export async function* benchAttacks(
  sizes: AttackSizes,
  seed: number,
  only: string,
): AsyncIterable<string> {
  yield row('attack', 'lines', 'MB', 's', 'k lines/CPU s', 'MiB idle', 'MiB peak', 'MiB may be');
  const problems: string[] = [];
  const passed = { too_long: 0, types: 0, words: 0, cells: 0, late: 0, ahead: 0 };
  let isAny = false;
  for (const attack of attacks(sizes, seed)) {
    if (!attack.parts.some(({ name }) => name.includes(only))) continue;
    isAny = true;
    const { measured, stats } = await run(attack);
    passed.too_long += stats.rejected.too_long;
    passed.types += stats.event_types.overflow;
    passed.words += stats.words.overflow;
    passed.cells += stats.window_cells.folded;
    passed.late += stats.late;
    passed.ahead += stats.ahead;
    const [first] = measured as [Measured, ...Measured[]];
    for (const { name, lines, bytes, seconds, rate, idle, peak, may } of measured) {
      const numbers = [lines, bytes / 1e6, seconds, rate / 1000, idle, peak, may];
      yield row(name, ...numbers.map((number, i) => number.toFixed(i === 2 ? 1 : 0)));
      if (peak > may) problems.push(`${name}: ${peak.toFixed(0)} MiB are more than may be`);
      const timesSlower = first.rate / rate;
      if (timesSlower > sizes.timesSlowerMax) {
        problems.push(`${name}: ${timesSlower.toFixed(1)} times slower than ${first.name}`);
      }
    }
  }
  if (!isAny) throw new Error(`no attack has ${only} in its name`);
  yield `counted past bounds: ${JSON.stringify(passed)}`;
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

interface Measured {
  readonly name: string;
  readonly lines: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Lines a second of the ingest thread's CPU time. */
  readonly rate: number;
  /** MiB of resident memory before all, at the peak, and as much as it may be. */
  readonly idle: number;
  readonly peak: number;
  readonly may: number;
}

interface Fed {
  /** Each part. */
  readonly measured: readonly Measured[];
  /** At the end. */
  readonly stats: StatsDocument;
}

async function run(attack: Attack): Promise<Fed> {
  const folder = makeTemporaryFolder();
  try {
    return await feed(attack, folder);
  } catch (error) {
    const [{ name }] = attack.parts;
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  } finally {
    await endConsumers();
    removeTemporaryFolder(folder);
  }
}

async function feed({ bounds, parts, expected }: Attack, folder: string): Promise<Fed> {
  const fifo = path.join(folder, 'events-attack.fifo');
  execFileSync('mkfifo', [fifo]);
  const consumer = await startConsumer(folder, {
    DURABILITY: 'journal',
    STATE_DIR: path.join(folder, 'state'),
    NODE_OPTIONS: `--max-old-space-size=${HEAP_MEBIBYTES_MAX}`,
    LINE_BYTES_MAX: String(bounds.lineBytesMax),
    EVENT_TYPES_MAX: String(bounds.typesMax),
    WORDS_MAX: String(bounds.wordsMax),
    KEY_BYTES_MAX: String(bounds.keyBytesMax),
    WINDOW_CELLS_MAX: String(bounds.cellsMax),
  });
  const look = (stats: StatsDocument) => ({
    lines: stats.lines,
    bytes: stats.bytes,
    at: performance.now(),
    cpuMs: consumer.ingestCpuMs(),
  });
  let before = look(await consumer.waitFor(({ sources }) => sources.length === 1, TIMEOUT_MS));
  const idle = consumer.residentMebibytes().now;
  const may = idle + memoryBytesMax(bounds) / 2 ** 20;
  const writer = fs.createWriteStream(fifo);
  const write = (block: Uint8Array) =>
    new Promise<void>((resolve, reject) =>
      writer.write(block, (error) => (error ? reject(error) : resolve())),
    );
  const measured: Measured[] = [];
  for (const { name, blocks } of parts) {
    let written = before.bytes;
    for (const block of blocks) {
      written += block.length;
      await write(block);
    }
    const after = look(await consumer.waitFor((stats) => stats.bytes === written, TIMEOUT_MS));
    const lines = after.lines - before.lines;
    const rate = (1000 * lines) / (after.cpuMs - before.cpuMs);
    const seconds = (after.at - before.at) / 1000;
    if (measured.length === parts.length - 1) await check(consumer, expected);
    const { peak } = consumer.residentMebibytes();
    measured.push({ name, lines, bytes: written - before.bytes, seconds, rate, idle, peak, may });
    before = after;
  }
  writer.end();
  return { measured, stats: await consumer.get('/stats') };
}

/** Throws where anything that is told of the lines is not so. */
async function check(consumer: ConsumerProcess, expected: Expected): Promise<void> {
  const { types, words, inWindows, ...account } = expected;
  const stats = await consumer.get<StatsDocument>('/stats');
  const { lines, accepted, blank, rejected, late, ahead } = stats;
  equal('/stats', { lines, accepted, blank, ...rejected, late, ahead }, account);
  for (const [request, told, keys, totalInWindows] of [
    ['/events/countByEventType', stats.event_types, types, inWindows.types],
    ['/events/countWords', stats.words, words, inWindows.words],
  ] as const) {
    const { total, ...others } = keys;
    equal(`/stats, of ${request}`, told, others);
    const list = await consumer.get<ListDocument>(`${request}?format=list&limit=1`);
    equal(request, { distinct: list.distinct, overflow: list.overflow, total: list.total }, keys);
    const flat = await flatCounts(consumer, request);
    if (flat !== null) {
      equal(`${request}, flat`, flat.length, others.distinct);
      const counted = flat.reduce((sum, count) => sum + count, 0);
      equal(`${request}, flat`, counted, total - others.overflow);
    }
    const window = `${request}?window=2h&until=latest&format=list&limit=1`;
    equal(window, (await consumer.get<ListDocument>(window)).total, totalInWindows);
  }
  const { too_long, not_json, not_an_event } = expected;
  const reports = await consumer.get<{ readonly rejected: object[] }>('/events/rejected');
  equal(
    '/events/rejected',
    reports.rejected.length,
    Math.min(20, too_long + not_json + not_an_event),
  );
}

/** null: they are refused, as the answer would be too large. */
async function flatCounts({ port }: ConsumerProcess, request: string): Promise<number[] | null> {
  const response = await fetch(`http://127.0.0.1:${port}${request}`);
  const document = await response.json();
  if (response.ok) return Object.values(document as Record<string, number>);
  const { status, parameter } = document as { status: number; parameter?: string };
  equal(request, { status, parameter }, { status: 400, parameter: 'limit' });
  return null;
}

function equal(what: string, got: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what} is ${a}, and must be ${b}`);
}

function row(name: string, ...cells: readonly string[]): string {
  return [name.padEnd(52), ...cells.map((cell) => cell.padStart(10))].join(' ');
}
