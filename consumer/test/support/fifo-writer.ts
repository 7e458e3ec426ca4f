import fs from 'node:fs';
import { execa, execaSync } from 'execa';

export function makeFifo(path: string): void {
  execaSync('mkfifo', [path]);
}

/** Writes as `printf … > path` does: opens, writes all, closes. Resolves when the pipe took it all. */
export async function writeFifo(path: string, text: string | Uint8Array): Promise<void> {
  // A child: this process's own pool of file threads must not be what a full pipe blocks.
  await execa('sh', ['-c', 'cat > "$0"', path], { input: text });
}

/** Holds a FIFO open, as a producer's entrypoint does; returns the descriptor. */
export function holdFifo(path: string): number {
  return fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
}

export const event = (type: string, data = '', timestamp = 1): string =>
  `${JSON.stringify({ event_type: type, data, timestamp })}\n`;
