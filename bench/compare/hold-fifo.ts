import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const SET_PIPE_SIZE = fileURLToPath(new URL('../../producer/set-pipe-size.pl', import.meta.url));
/** What the producer asks for, if not told otherwise. */
const PIPE_BYTES = 524_288;
/** What mkfifo gives: pipe(7). */
export const SMALL_PIPE_BYTES = 65_536;

/**
 * Makes a FIFO whose pipe is as large as the producer's, and holds it open for reading: the pipe keeps its size,
 * and no writer waits for a reader that has failed. To be closed by the caller.
 */
export function holdFifo(fifo: string, pipeBytes = PIPE_BYTES): number {
  fs.rmSync(fifo, { force: true });
  execFileSync('mkfifo', [fifo]);
  const held = fs.openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  execFileSync('perl', [SET_PIPE_SIZE, String(pipeBytes)], { stdio: [held, 'ignore', 'inherit'] });
  return held;
}
