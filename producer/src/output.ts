// Standard output as a generator needs it: at most one write is under way, so what waits for a slow
// reader is in the pipe and not in our memory, and every way to end is quiet.
//
// `process.stdout` and not `fs.writeSync(1)`: on a pipe Node makes it non-blocking, so the event
// loop stays free while the pipe is full and a signal is answered at once. A blocking write would
// leave the process deaf until somebody reads.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves when the reader (or the kernel's pipe) has taken all of it; only then write again. Never
 * in the same turn of the event loop, even if the pipe has room: a signal is heard between any two.
 */
export type Write = (bytes: Uint8Array) => Promise<void>;

/** What the user can put right. Told in one line, exit code 1. */
export class InputError extends Error {}

// A signal lets the write that is under way end, so that the last line is whole when somebody
// still reads, but only so long: nobody may.
const LAST_WRITE_MS_MAX = 250;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

function endWith(message: string): void {
  // Standard error may be a pipe too, and `process.exit` does not wait for it.
  process.stderr.write(`${message}\n`, () => process.exit(1));
}

/**
 * Runs `produce` and ends the process: with 0 when it is done, when standard output is closed or at
 * a signal; with 1 and one line on standard error at an `InputError` or a failed write.
 */
export async function runProgram(
  name: string,
  produce: (write: Write) => Promise<void>,
): Promise<void> {
  const never = new Promise<never>(() => {});
  let lastWrite: Promise<void> = Promise.resolve();
  let stopping = false;

  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ECONNRESET') process.exit(0);
    endWith(`${name}: cannot write to standard output: ${error.message}`);
  });

  const stop = () => {
    if (stopping) return;
    stopping = true;
    void Promise.race([lastWrite, sleep(LAST_WRITE_MS_MAX)]).then(() => process.exit(0));
  };
  for (const signal of SIGNALS) process.on(signal, stop);

  const write: Write = (bytes) => {
    if (stopping) return never;
    lastWrite = new Promise((resolve) => {
      // After a failed write nothing is to be done here: the `error` listener ends the process.
      process.stdout.write(bytes, (error) => (error ? undefined : setImmediate(resolve)));
    });
    return lastWrite;
  };

  try {
    await produce(write);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    endWith(`${name}: ${error.message}`);
  }
}
