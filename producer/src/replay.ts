#!/usr/bin/env node
// Writes the lines of files to standard output. The bytes go through as they are, in pieces: what is no
// UTF-8 stays so, and but for what `--loop` holds no line, of however many megabytes, is held whole.
import { setTimeout as sleep } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { checkFile, PIECE_BYTES, readInput, STDIN } from './input.js';
import { packageVersion, parseRate } from './options.js';
import { InputError, runProgram, type Write } from './output.js';
import { Pace, sleepMs } from './pace.js';

const LF = 0x0a;
const LF_BYTES = Buffer.from('\n');

/**
 * What `--loop` holds in memory, decompressed and with the LFs that are added; where files are larger
 * together, they are read anew each time.
 */
const LOOP_BYTES_MAX = 64 * 1024 * 1024;

interface Options {
  rate?: number;
  loop?: true;
}

const command = new Command('replay')
  .description('Writes the lines of files to standard output, one file after the other.')
  .argument('<files...>', 'decompressed where the name ends with .gz; - is standard input')
  .option(
    '--rate <lines/s>',
    'a number, or max: as fast as they are taken (default: max)',
    parseRate,
  )
  .option(
    '--loop',
    'begin again after the last file, without end; what has up to 64 MiB, decompressed, is read only once',
  )
  .version(packageVersion())
  .parse();

const { rate = Number.POSITIVE_INFINITY, loop = false } = command.opts<Options>();
const paths = command.args;
const stdinCount = paths.filter((path) => path === STDIN).length;
if (stdinCount > 0 && loop) {
  command.error('error: --loop cannot begin again with standard input (-)');
}
if (stdinCount > 1) command.error('error: standard input (-) can be read only once');

/** Shows how much of the files has been read, on a terminal only, and where there is an end. */
function createProgress(fileBytesTotal: number): (fileBytesRead: number) => void {
  if (!process.stderr.isTTY || loop || stdinCount > 0 || fileBytesTotal === 0) return () => {};
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {percentage}% of the files, {eta_formatted} to go',
    hideCursor: true,
  });
  bar.start(fileBytesTotal, 0);
  // Every way to end must give the cursor back.
  process.once('exit', () => bar.stop());
  return (fileBytesRead) => bar.update(fileBytesRead);
}

/** The end of the `linesMax`th line from `start`, or of the piece if that comes first. */
function findEnd(piece: Buffer, start: number, linesMax: number): { end: number; lines: number } {
  if (linesMax === Number.POSITIVE_INFINITY) return { end: piece.length, lines: 0 };
  let end = start;
  let lines = 0;
  while (lines < linesMax) {
    const lf = piece.indexOf(LF, end);
    if (lf === -1) return { end: piece.length, lines };
    end = lf + 1;
    lines++;
  }
  return { end, lines };
}

async function replay(write: Write): Promise<void> {
  // All of them before the first line is written: a mistyped second name is told now, not in an hour.
  const sizes = paths.map((path) => (path === STDIN ? 0 : checkFile(path)));
  const showProgress = createProgress(sizes.reduce((sum, size) => sum + size, 0));
  const pace = new Pace(rate, 1, performance.now());

  async function writePiece(piece: Buffer): Promise<void> {
    let start = 0;
    while (start < piece.length) {
      const due = pace.due(performance.now());
      if (due > 0) {
        const { end, lines } = findEnd(piece, start, due);
        await write(piece.subarray(start, end));
        pace.spend(lines);
        start = end;
      }
      if (start < piece.length) await sleep(sleepMs(pace.waitMs(performance.now())));
    }
  }

  async function writeForever(lines: Buffer): Promise<never> {
    // Little would be as many writes of little, or every other one of next to nothing.
    const times = Math.ceil((16 * PIECE_BYTES) / lines.length);
    const repeated = times === 1 ? lines : Buffer.alloc(times * lines.length, lines);
    for (;;) {
      for (let start = 0; start < repeated.length; start += PIECE_BYTES) {
        await writePiece(repeated.subarray(start, start + PIECE_BYTES));
      }
    }
  }

  /** Every file, with an LF at its end. */
  async function* readAll(): AsyncGenerator<Buffer> {
    let readBefore = 0;
    for (const [index, path] of paths.entries()) {
      let lastByte: number = LF;
      for await (const piece of readInput(path, (read) => showProgress(readBefore + read))) {
        lastByte = piece.at(-1) ?? lastByte;
        yield piece;
      }
      if (lastByte !== LF) yield LF_BYTES;
      readBefore += sizes[index]!;
    }
  }

  if (!loop) {
    for await (const piece of readAll()) await writePiece(piece);
    return;
  }
  // What of it is not filled takes no memory.
  let held: Buffer | null = Buffer.allocUnsafeSlow(LOOP_BYTES_MAX);
  for (;;) {
    let bytes = 0;
    for await (const piece of readAll()) {
      if (held !== null && bytes + piece.length <= held.length) piece.copy(held, bytes);
      else held = null;
      bytes += piece.length;
      await writePiece(piece);
    }
    // Without a line there is nothing that would slow the loop down.
    if (bytes === 0) throw new InputError('nothing to loop over: the files are empty');
    if (held !== null) return writeForever(held.subarray(0, bytes));
  }
}

await runProgram('replay', replay);
