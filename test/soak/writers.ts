import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { EventStream } from '../../producer/dist/event-stream.js';
import type { Random } from '../nemesis/random.js';

const ENTRYPOINT = fileURLToPath(new URL('../../producer/entrypoint.sh', import.meta.url));
const GENERATOR = fileURLToPath(new URL('../../producer/dist/generator.js', import.meta.url));
const CORRUPT_SHARE = 0.05;
/** Sources of a place: each writer has a FIFO of its own. */
const NAMES_A_PLACE = 3;
const SEED_MAX = 2 ** 31 - 1;

export interface WritersOptions {
  readonly fifoDir: string;
  /** How many write at a time. */
  readonly places: number;
  /** Of each. */
  readonly eventsPerSecond: number;
  /** How long one writes, and how long its place is empty then, at most. */
  readonly runSecondsMax: number;
  readonly pauseSecondsMax: number;
  /** Resolves once a source has as many bytes. */
  counted(source: string, bytes: number): Promise<void>;
}

/** Producers that come and go, with FIFOs that are left, used again, or removed. */
export class Writers {
  runs = 0;
  readonly #options: WritersOptions;
  readonly #random: Random;
  readonly #bytes = new Map<string, number>();
  #isStopping = false;
  readonly #running = new Set<{ kill(signal: 'SIGTERM'): boolean }>();

  constructor(options: WritersOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** All that was written. */
  get bytes(): number {
    return Array.from(this.#bytes.values()).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Resolves once `stop` was called and all have ended. */
  async run(): Promise<void> {
    this.#isStopping = false;
    const { places } = this.#options;
    await Promise.all(Array.from({ length: places }, (_, place) => this.#fillPlace(place)));
  }

  /** One run in each place. */
  async runOnce(): Promise<void> {
    const running = this.run();
    this.stop();
    await running;
  }

  stop(): void {
    this.#isStopping = true;
  }

  /** At once; what they were writing is lost. */
  kill(): void {
    for (const entrypoint of this.#running) entrypoint.kill('SIGTERM');
  }

  async #fillPlace(place: number): Promise<void> {
    const { runSecondsMax, pauseSecondsMax, eventsPerSecond, fifoDir } = this.#options;
    do {
      const name = `${place}-${this.#random.integer(1, NAMES_A_PLACE)}`;
      const count = this.#random.integer(1, Math.ceil(eventsPerSecond * runSecondsMax));
      await this.#write(name, count);
      if (this.#random.integer(0, 1) === 0) fs.rmSync(path.join(fifoDir, `events-${name}.fifo`));
      await delay(this.#random.integer(0, 1000 * pauseSecondsMax));
    } while (!this.#isStopping);
  }

  /** A producer from its start to its end; all that it wrote is counted by then. */
  async #write(name: string, count: number): Promise<void> {
    const { fifoDir, eventsPerSecond, counted } = this.#options;
    const seed = this.#random.integer(0, SEED_MAX);
    const args = { rate: eventsPerSecond, corrupt: CORRUPT_SHARE, count, seed, start: 'now' };
    const options = Object.entries(args).flatMap(([key, value]) => [`--${key}`, String(value)]);
    const entrypoint = execa(ENTRYPOINT, [process.execPath, GENERATOR, ...options], {
      env: { FIFO_DIR: fifoDir, PRODUCER_NAME: name },
      stdin: 'ignore',
      stdout: 'ignore',
      reject: false,
      buffer: false,
    });
    this.#running.add(entrypoint);
    const said = await endOf(entrypoint.stderr);
    if (!said.includes('ended with exit code 0')) throw new Error(`${name}: ${said}`);
    const source = `events-${name}.fifo`;
    const bytes = (this.#bytes.get(source) ?? 0) + 1 + bytesOf(seed, count); // 1: each run begins with an LF
    this.#bytes.set(source, bytes);
    await counted(source, bytes);
    entrypoint.kill('SIGTERM');
    await entrypoint;
    this.#running.delete(entrypoint);
    this.runs++;
  }
}

/** What an entrypoint says of its generator's end; before that it may tell what the kernel does not allow. */
async function endOf(stream: Readable): Promise<string> {
  for await (const line of createInterface(stream)) if (line.includes('the generator')) return line;
  return 'it ended without a word';
}

/** As many as the generator writes with the same seed: event times are all as long as now's. */
function bytesOf(seed: number, count: number): number {
  const stream = new EventStream({
    seed,
    corruptShare: CORRUPT_SHARE,
    jitterSecondsMax: 0,
    timestampAt: () => Date.now() / 1000,
  });
  let bytes = 0;
  while (stream.made < count) bytes += stream.next(count - stream.made).length;
  return bytes;
}
