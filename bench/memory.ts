import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type StatsDocument,
  startConsumer,
} from '../consumer/dist-test/support/consumer-process.js';

const BLOCK_BYTES = 1 << 20;
const TIMEOUT_MS = 600_000;

export interface MemoryBenchOptions {
  /** Bytes of noise, seeded: about one in 256 is an LF. */
  readonly randomBytes: number;
  /** Bytes of one line whose LF comes last of all. */
  readonly lineBytes: number;
  readonly seed: number;
}

/**
 * Resident memory of a whole consumer that is fed noise and then one endless line through a real FIFO,
 * and whether /stats is right about both. Throws when it is not.
 */
export async function benchMemory({
  randomBytes,
  lineBytes,
  seed,
}: MemoryBenchOptions): Promise<string[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-bench-'));
  const fifo = path.join(folder, 'events-bench.fifo');
  execFileSync('mkfifo', [fifo]);
  const consumer = await startConsumer(folder);
  const report: string[] = [];
  const row = (what: string, stats: StatsDocument) => {
    const { now, peak } = consumer.residentMebibytes();
    report.push(
      `${what.padEnd(44)} ${now.toFixed(0).padStart(5)} MiB now ${peak.toFixed(0).padStart(5)} MiB peak   ${account(stats)}`,
    );
  };
  try {
    const writer = fs.createWriteStream(fifo);
    const write = (bytes: Uint8Array) =>
      new Promise<void>((resolve, reject) =>
        writer.write(bytes, (error) => (error ? reject(error) : resolve())),
      );
    row('idle', await consumer.waitFor(() => true));

    let newlines = 0;
    for (const block of noise(randomBytes, seed)) {
      newlines += countNewlines(block);
      await write(block);
    }
    const afterNoise = await consumer.waitFor(({ bytes }) => bytes === randomBytes, TIMEOUT_MS);
    check(afterNoise, newlines);
    row(`${randomBytes / 1e6} MB of random bytes`, afterNoise);

    const block = new Uint8Array(BLOCK_BYTES).fill(0x78);
    const startedAt = performance.now();
    for (let left = lineBytes; left > 0; left -= BLOCK_BYTES) {
      await write(block.subarray(0, Math.min(left, BLOCK_BYTES)));
    }
    const unended = await consumer.waitFor(
      ({ bytes }) => bytes === randomBytes + lineBytes,
      TIMEOUT_MS,
    );
    check(unended, newlines);
    const seconds = (performance.now() - startedAt) / 1000;
    row(
      `a ${(lineBytes / 1e6).toFixed(1)} MB line without an end, ${seconds.toFixed(1)} s`,
      unended,
    );

    await write(Uint8Array.of(0x0a));
    const ended = await consumer.waitFor(({ lines }) => lines === newlines + 1);
    check(ended, newlines + 1);
    if (ended.rejected.too_long !== afterNoise.rejected.too_long + 1) {
      throw new Error(`the line is not one too_long: ${account(ended)}`);
    }
    row('its LF', ended);
    writer.end();
  } finally {
    await consumer.end('SIGTERM');
    fs.rmSync(folder, { recursive: true });
  }
  return report;
}

/** A cipher's key stream: noise that a seed brings back, made faster than a FIFO takes it. */
function* noise(bytes: number, seed: number): Generator<Uint8Array> {
  const key = Buffer.alloc(16);
  key.writeDoubleLE(seed);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(BLOCK_BYTES);
  for (let left = bytes; left > 0; left -= BLOCK_BYTES) {
    yield cipher.update(zeros.subarray(0, Math.min(left, BLOCK_BYTES)));
  }
}

function countNewlines(bytes: Uint8Array): number {
  let newlines = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) newlines++;
  return newlines;
}

function check(stats: StatsDocument, newlines: number): void {
  const rejected = Object.values(stats.rejected).reduce((sum, count) => sum + count, 0);
  if (stats.lines !== newlines || stats.lines !== stats.accepted + stats.blank + rejected) {
    throw new Error(`${newlines} LFs were written, /stats says ${account(stats)}`);
  }
}

function account({ lines, accepted, blank, rejected }: StatsDocument): string {
  return `lines ${lines} = ${accepted} accepted + ${blank} blank + ${JSON.stringify(rejected)}`;
}
