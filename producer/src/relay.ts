#!/usr/bin/env node
// Stands between a generator that must not be blocked and a FIFO that may be full.
//
//   generator ── stdin ──▶ LineAssembler ──▶ BoundedBuffer ──▶ block ── stdout ──▶ FIFO
//                read always    whole lines      drops, counts     one write under way
//
// Lines leave in blocks of at most PIPE_BUF bytes: a pipe takes such a block whole or not at all.
// So it is known of each line whether it was delivered, and however this process ends, only a line
// that is longer than a block can be torn.
import { writeSync } from 'node:fs';
import { Command } from 'commander';
import { BoundedBuffer } from './bounded-buffer.js';
import { LineAssembler } from './line-assembler.js';
import { packageVersion } from './options.js';
import { parseRelayConfig, RELAY_CONFIG_HELP, type RelayConfig } from './relay-config.js';

// PIPE_BUF of Linux.
const BLOCK_BYTES = 4096;
// After so much standard input has its turn: draining 64 MiB at one go would block the generator.
const TURN_BYTES_MAX = 65_536;
const DROP_REPORT_SECONDS = 10;
const LAST_DRAIN_MS_MAX = 250;

interface Options {
  check?: true;
  beginWithLf?: true;
}

const command = new Command('relay')
  .description(
    'Passes lines from standard input to standard output. It never stops reading: lines that are not taken in time wait in a buffer, and are dropped when it is full.',
  )
  .option('--check', 'check the environment and exit')
  .option('--begin-with-lf', 'first write an LF, which ends what another writer left unfinished')
  .version(packageVersion())
  .addHelpText('after', RELAY_CONFIG_HELP)
  .parse();
const options = command.opts<Options>();

function log(text: string, onWritten?: () => void): void {
  process.stderr.write(`producer: ${text}\n`, onWritten);
}

function relay(config: RelayConfig): void {
  // Getting it makes a pipe non-blocking, for `writeSync` too.
  const { stdin, stdout } = process;
  const buffer = new BoundedBuffer(config.bufferEvents, config.whenFull);
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  const isPaced = config.intervalMs > 0;

  let readCount = 0;
  let tooLongCount = 0;
  let deliveredCount = 0;
  let reportedDropCount = 0;
  // What the write that is under way holds; null when there is none.
  let linesUnderWay: number | null = null;
  // How many lines may leave before the next tick.
  let allowance = isPaced ? 0 : Number.POSITIVE_INFINITY;
  let turnBytes = 0;
  let isTurnOver = false;
  let isInputOver = false;
  let isStopping = false;
  let isEnding = false;

  const assembler = new LineAssembler(
    buffer.bytesMax,
    (bytes, start, end) => {
      readCount++;
      // One piece may have more lines than the buffer: none is dropped that the pipe would take.
      while (!buffer.hasRoomFor(end - start) && writeNext());
      buffer.put(bytes, start, end);
    },
    () => {
      readCount++;
      tooLongCount++;
    },
  );

  function writeNow(bytes: Buffer): number {
    try {
      return writeSync(stdout.fd, bytes);
    } catch {
      // The pipe is full, or the stream is going to meet the same error and report it.
      return 0;
    }
  }

  function write(bytes: Buffer, lines: number): void {
    const written = writeNow(bytes);
    turnBytes += written;
    if (written === bytes.length) {
      deliveredCount += lines;
      return;
    }
    linesUnderWay = lines;
    stdout.write(bytes.subarray(written), (error) => {
      // The `error` listener ends the process.
      if (error) return;
      linesUnderWay = null;
      deliveredCount += lines;
      drain();
    });
  }

  /** False when nothing may be written just now. */
  function writeNext(): boolean {
    if (linesUnderWay !== null || allowance === 0 || buffer.isEmpty || isEnding) return false;
    const { lines, bytes } = buffer.getInto(block, allowance);
    if (lines > 0) write(block.subarray(0, bytes), lines);
    else write(buffer.get()!, 1);
    allowance -= Math.max(lines, 1);
    return true;
  }

  function drain(): void {
    while (turnBytes < TURN_BYTES_MAX && writeNext());
    if (turnBytes >= TURN_BYTES_MAX) endTurn();
    else if (isInputOver && buffer.isEmpty && linesUnderWay === null) end(0);
  }

  function endTurn(): void {
    if (isTurnOver) return;
    isTurnOver = true;
    setImmediate(() => {
      isTurnOver = false;
      turnBytes = 0;
      drain();
    });
  }

  function reportDrops(): void {
    const dropCount = buffer.dropped + tooLongCount;
    const count = dropCount - reportedDropCount;
    if (count === 0) return;
    reportedDropCount = dropCount;
    log(
      `the relay dropped ${count} lines in ${DROP_REPORT_SECONDS} s (${dropCount} in all): the buffer of ${buffer.capacity} lines and ${buffer.bytesMax} bytes was full`,
    );
  }

  /** The one way to end. Lines that are still here are dropped ones. */
  function end(exitCode: number, problem?: string): void {
    if (isEnding) return;
    isEnding = true;
    stdin.destroy();
    if (problem !== undefined) log(problem);
    const unsentCount = buffer.size + (linesUnderWay ?? 0);
    const dropCount = buffer.dropped + tooLongCount + unsentCount;
    const unsent = unsentCount === 0 ? '' : `, ${unsentCount} of them unsent at the end`;
    // Standard error may be a pipe too, which `process.exit` does not wait for and nobody may read.
    const exit = () => process.exit(exitCode);
    setTimeout(exit, LAST_DRAIN_MS_MAX);
    log(
      `the relay read ${readCount} lines, delivered ${deliveredCount}, dropped ${dropCount}${unsent}`,
      exit,
    );
  }

  function endInput(): void {
    isInputOver = true;
    allowance = Number.POSITIVE_INFINITY;
    if (isStopping) setTimeout(end, LAST_DRAIN_MS_MAX, 0);
    drain();
  }

  // The generator gets the signal too and may have last words: its end is waited for. A second
  // signal is for a generator that does not listen.
  function stop(): void {
    if (isStopping) {
      stdin.destroy();
      isInputOver = true;
    }
    isStopping = true;
    if (isInputOver) endInput();
  }

  process.stderr.on('error', () => {});
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ECONNRESET') end(0);
    else end(1, `the relay cannot write to standard output: ${error.message}`);
  });
  stdin.on('error', (error) => end(1, `the relay cannot read standard input: ${error.message}`));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  setInterval(reportDrops, DROP_REPORT_SECONDS * 1000);
  if (isPaced) {
    setInterval(() => {
      if (isInputOver) return;
      allowance = buffer.size;
      drain();
    }, config.intervalMs);
  }

  if (options.beginWithLf) write(Buffer.from('\n'), 0);
  stdin.on('data', (piece: Buffer) => {
    assembler.push(piece);
    drain();
  });
  stdin.on('end', () => {
    assembler.end();
    endInput();
  });
}

const parsed = parseRelayConfig(process.env);
if (!parsed.ok) {
  for (const problem of parsed.problems) log(problem);
  process.exitCode = 1;
} else if (!options.check) {
  relay(parsed.config);
}
