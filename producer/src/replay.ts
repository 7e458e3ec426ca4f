#!/usr/bin/env node
// Writes the lines of files to standard output. The bytes go through as they are, in the pieces in
// which they were read: a line of many megabytes is never held whole, and what is no UTF-8 stays so.
import { setTimeout as sleep } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { checkFile, readInput, STDIN } from './input.js';
import { packageVersion, parseRate } from './options.js';
import { InputError, runProgram, type Write } from './output.js';
import { Pace, sleepMs } from './pace.js';

const LF = 0x0a;

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
  .option('--loop', 'begin again after the last file, without end')
  .version(packageVersion())
  .parse();

const { rate = Number.POSITIVE_INFINITY, loop = false } = command.opts<Options>();
const paths = command.args;
const stdinCount = paths.filter((path) => path === STDIN).length;
if (stdinCount > 0 && loop) {
  command.error('error: --loop cannot begin again with standard input (-)');
}
if (stdinCount > 1) command.error('error: standard input (-) can be read only once');

/** Shows how much of the files has been read, on a terminal only. */
function createProgress(fileBytesTotal: number): (fileBytesRead: number) => void {
  if (!process.stderr.isTTY || stdinCount > 0 || fileBytesTotal === 0) return () => {};
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

  do {
    let readBefore = 0;
    let wroteAny = false;
    for (const [index, path] of paths.entries()) {
      let lastByte: number = LF;
      for await (const piece of readInput(path, (read) => showProgress(readBefore + read))) {
        await writePiece(piece);
        lastByte = piece.at(-1) ?? lastByte;
        wroteAny = true;
      }
      if (lastByte !== LF) {
        await write(Buffer.from('\n'));
        pace.spend(1);
      }
      readBefore += sizes[index]!;
    }
    // Without a line there is nothing that would slow the loop down.
    if (loop && !wroteAny) throw new InputError('nothing to loop over: the files are empty');
  } while (loop);
}

await runProgram('replay', replay);
