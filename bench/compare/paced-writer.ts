/**
 * Writes an input into a FIFO again and again, so many lines a second, and among them events of the type
 * `probe`. At SIGTERM it prints when each of those was written, in milliseconds of the monotonic clock, as JSON.
 *
 *   node dist-bench/compare/paced-writer.js FIFO FILE LINES_PER_SECOND PROBES_PER_SECOND
 */
import fs from 'node:fs';

const [fifo, file] = process.argv.slice(2) as [string, string];
/** Infinity: as fast as they are taken. */
const linesPerSecond = Number(process.argv[4]);
const probesPerSecond = Number(process.argv[5]);
const BLOCK_BYTES = 16_384;
const PROBE = Buffer.from('{"event_type":"probe","data":"","timestamp":1509604913}\n');

const blocks = blocksOf(fs.readFileSync(file));
const descriptor = fs.openSync(fifo, 'w');
const written: number[] = [];
const begin = now();
let lines = 0;
let next = 0;
let isStopped = false;
process.on('SIGTERM', () => {
  isStopped = true;
});
process.stdout.write('\n');
turn();

/** Writes what is due, and looks whether it is to stop. */
function turn(): void {
  const stop = now() + 5;
  while (now() < stop) {
    if (written.length < ((now() - begin) / 1000) * probesPerSecond) {
      written.push(now());
      fs.writeSync(descriptor, PROBE);
    }
    if (lines >= ((now() - begin) / 1000) * linesPerSecond) break;
    const block = blocks[next++ % blocks.length] as (typeof blocks)[number];
    writeAll(block.bytes);
    lines += block.lines;
  }
  if (isStopped) process.stdout.write(JSON.stringify(written), () => process.exit());
  else if (lines >= ((now() - begin) / 1000) * linesPerSecond) setTimeout(turn, 1);
  else setImmediate(turn);
}

function writeAll(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(descriptor, bytes, at);
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Whole lines. */
function blocksOf(bytes: Buffer): { readonly bytes: Buffer; readonly lines: number }[] {
  const found = [];
  for (let start = 0; start < bytes.length; ) {
    const stop = Math.min(start + BLOCK_BYTES, bytes.length - 1);
    const end = bytes.lastIndexOf(10, stop) + 1;
    const block = bytes.subarray(start, end);
    let count = 0;
    for (let at = block.indexOf(10); at !== -1; at = block.indexOf(10, at + 1)) count++;
    found.push({ bytes: block, lines: count });
    start = end;
  }
  return found;
}
