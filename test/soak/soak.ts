import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pWaitFor from 'p-wait-for';
import {
  type ConsumerProcess,
  type StatsDocument,
  startConsumer,
} from '../../consumer/dist-test/support/consumer-process.js';
import { Random } from '../nemesis/random.js';
import { ask, Clients } from './clients.js';
import { type Comparison, compareThirds, quantile, type Sample } from './samples.js';
import { Writers } from './writers.js';

const WAIT = { interval: 100, timeout: 120_000 };

export interface SoakOptions {
  readonly folder: string;
  readonly seconds: number;
  readonly sampleSeconds: number;
  readonly seed: number;
  /** Producers at a time. */
  readonly places: number;
  /** Of each of them. */
  readonly eventsPerSecond: number;
  readonly runSecondsMax: number;
  readonly asking: number;
  readonly streaming: number;
  readonly streamMsMax: number;
  onSample(sample: Sample): void;
}

export interface SoakResult {
  readonly samples: readonly Sample[];
  readonly comparisons: readonly Comparison[];
  readonly runs: number;
  readonly bytes: number;
  readonly lines: number;
  readonly frames: number;
  readonly answers: number;
  readonly refused: number;
  /** With no writer and no client, before and after. */
  readonly descriptors: readonly [before: number, after: number];
  /** What is wrong whatever the machine: counts, descriptors, answers. */
  readonly problems: readonly string[];
}

/** A consumer with writers and clients that come and go; what it holds meanwhile and afterwards. */
export class Soak {
  readonly #options: SoakOptions;
  readonly #samples: Sample[] = [];
  #consumer: ConsumerProcess | null = null;
  #writers: Writers | null = null;

  constructor(options: SoakOptions) {
    this.#options = options;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  async run(): Promise<SoakResult> {
    const { folder, seconds, sampleSeconds, seed, onSample } = this.#options;
    const fifoDir = path.join(folder, 'fifos');
    const consumer = await startConsumer(fifoDir, {
      DURABILITY: 'journal',
      STATE_DIR: path.join(folder, 'state'),
    });
    this.#consumer = consumer;
    const { port } = consumer;
    const stats = () =>
      pWaitFor(async () => {
        const { status, text } = await ask(port, '/stats');
        return status === 200 && pWaitFor.resolveWith(JSON.parse(text) as StatsDocument);
      }, WAIT);
    const random = new Random(seed);
    const writers = new Writers(
      {
        ...this.#options,
        fifoDir,
        pauseSecondsMax: Math.min(2, this.#options.runSecondsMax),
        counted: (source, bytes) =>
          pWaitFor(
            async () =>
              (await stats()).sources.find(({ name }) => name === source)?.bytes === bytes,
            WAIT,
          ),
      },
      random,
    );
    this.#writers = writers;
    const clients = new Clients({ ...this.#options, port, pauseMsMax: 200 }, random);

    /** No writer, no FIFO, no client: what is open then is the consumer's own. */
    const atRest = async (expected: number | null): Promise<number> => {
      for (const name of fs.readdirSync(fifoDir)) {
        if (name.endsWith('.fifo')) fs.rmSync(path.join(fifoDir, name));
      }
      await pWaitFor(async () => {
        return (await stats()).sources.every(({ state }) => state === 'gone');
      }, WAIT);
      // A checkpoint may be being written, a last connection may be about to go.
      const found = new Set<number>();
      const look = () => {
        const now = descriptorsOf(consumer.pid);
        found.add(now);
        return now === expected;
      };
      if (expected === null) await quiet(look);
      else await pWaitFor(look, { interval: 20, timeout: 30_000 }).catch(() => {});
      return expected !== null && found.has(expected) ? expected : Math.min(...found);
    };

    // Once, so that all is there that comes with the first of each.
    await Promise.all([writers.runOnce(), clients.runOnce()]);
    const before = await atRest(null);

    clients.take();
    const begin = performance.now();
    const busy = Promise.all([writers.run(), clients.run()]);
    let { lines } = await stats();
    let at = begin;
    while (performance.now() - begin < seconds * 1000) {
      await Promise.race([delay(sampleSeconds * 1000), busy]);
      const now = performance.now();
      const current = await stats();
      const sample: Sample = {
        seconds: (now - begin) / 1000,
        residentBytes: residentBytesOf(consumer.pid),
        descriptors: descriptorsOf(consumer.pid),
        linesPerSecond: ((current.lines - lines) * 1000) / (now - at),
        ...clients.take(),
      };
      lines = current.lines;
      at = now;
      this.#samples.push(sample);
      onSample(sample);
    }
    writers.stop();
    clients.stop();
    await busy;
    const after = await atRest(before);
    const total = await stats();
    return {
      samples: this.#samples,
      comparisons: compareThirds(this.#samples),
      runs: writers.runs,
      bytes: total.bytes,
      lines: total.lines,
      frames: clients.frames,
      answers: clients.answers,
      refused: clients.refused,
      descriptors: [before, after],
      problems: [
        ...wrongCounts(total, writers.bytes),
        ...(after === before ? [] : [`${after} descriptors are open, and ${before} were before`]),
        ...new Set(clients.problems),
      ],
    };
  }

  async end(): Promise<void> {
    this.#writers?.kill();
    await this.#consumer?.end('SIGKILL');
  }
}

/** Calls for a while. */
async function quiet(look: () => unknown): Promise<void> {
  for (let i = 0; i < 50; i++) {
    look();
    await delay(20);
  }
}

function wrongCounts(stats: StatsDocument, bytesWritten: number): string[] {
  const { bytes, lines, accepted, blank, rejected } = stats;
  const problems: string[] = [];
  if (bytes !== bytesWritten) problems.push(`${bytes} bytes were read, ${bytesWritten} written`);
  const sum = accepted + blank + rejected.too_long + rejected.not_json + rejected.not_an_event;
  if (lines !== sum) problems.push(`${lines} lines were read, and ${sum} accounted for`);
  return problems;
}

function descriptorsOf(pid: number): number {
  return fs.readdirSync(`/proc/${pid}/fd`).length;
}

function residentBytesOf(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

export const SAMPLE_HEAD =
  '     s  lines/s  resident MiB  descriptors  /livez p50  p99 ms  queries p50  p99 ms';

export function sampleLine({
  seconds,
  linesPerSecond,
  residentBytes,
  descriptors,
  livez,
  queries,
}: Sample): string {
  const ms = (values: readonly number[], share: number) => quantile(values, share).toFixed(1);
  return [
    seconds.toFixed(0).padStart(6),
    linesPerSecond.toFixed(0).padStart(7),
    (residentBytes / 1_048_576).toFixed(1).padStart(12),
    String(descriptors).padStart(11),
    ms(livez, 0.5).padStart(10),
    ms(livez, 0.99).padStart(6),
    ms(queries, 0.5).padStart(11),
    ms(queries, 0.99).padStart(6),
  ].join('  ');
}

export function resultLines(result: SoakResult): string[] {
  const { comparisons, runs, bytes, lines, frames, answers, refused, descriptors, problems } =
    result;
  const [before, after] = descriptors;
  return [
    '',
    `${runs} runs of producers, ${lines} lines, ${bytes} bytes${problems.length === 0 ? ', all counted' : ''}`,
    `${answers} answers, ${refused} of them 503, or none in 10 s; ${frames} frames of streams`,
    `descriptors at rest: ${before} before, ${after} after`,
    ...comparisons.map(({ what, first, last, max, isFlat }) => {
      const figures = `first third ${first.toFixed(1)}, last third ${last.toFixed(1)}, at most ${max.toFixed(1)}`;
      return `${what}: ${figures}: ${isFlat ? 'flat' : 'NOT FLAT'}`;
    }),
    ...problems.map((problem) => `BROKEN: ${problem}`),
  ];
}
