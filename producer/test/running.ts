// Real processes and real FIFOs for the tests, ended and removed after each of them.
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';

const WAIT_MS_MAX = 10_000;

export const entrypoint = fileURLToPath(new URL('../entrypoint.sh', import.meta.url));
export const generator = fileURLToPath(new URL('../dist/generator.js', import.meta.url));
export const replay = fileURLToPath(new URL('../dist/replay.js', import.meta.url));

const cleanups: (() => Promise<unknown>)[] = [];

/** For `afterEach`: the last thing that was started ends first. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'producer-test-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function waitUntil(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX;
  await pWaitFor(async () => {
    if (await isTrue()) return true;
    if (performance.now() > endMs)
      throw new Error(`waited ${WAIT_MS_MAX} ms in vain until ${what}`);
    return false;
  });
}

export async function waitForFifo(path: string): Promise<void> {
  await waitUntil(`${path} is a FIFO`, () => {
    return stat(path).then(
      (stats) => stats.isFIFO(),
      () => false,
    );
  });
}

/** Has the process killed after the test if it is still there then. */
export function track<T extends PromiseLike<unknown> & { kill(signal: 'SIGKILL'): boolean }>(
  child: T,
): T {
  cleanups.push(async () => {
    child.kill('SIGKILL');
    await child;
  });
  return child;
}

function startEntrypoint(command: string[], folder: string, env: Record<string, string>) {
  return execa(entrypoint, command, {
    env: { FIFO_DIR: folder, PRODUCER_NAME: 'test', ...env },
    stdin: 'ignore',
    stdout: 'ignore',
    reject: false,
  });
}

/** An entrypoint at work: its FIFO, its log so far and its end. */
export class Producer {
  readonly fifo: string;
  readonly #child: ReturnType<typeof startEntrypoint>;
  #log = '';

  constructor(folder: string, command: string[], env: Record<string, string> = {}) {
    this.fifo = join(folder, 'events-test.fifo');
    this.#child = track(startEntrypoint(command, folder, env));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
    // Before the SIGKILL of `track`, which would leave the generator alone in the world.
    cleanups.push(() => this.stop());
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get log(): string {
    return this.#log;
  }

  /** The log's lines that begin with `start`, which is left out. */
  logged(start: string): string[] {
    const lines = this.#log.split('\n').filter((line) => line.startsWith(start));
    return lines.map((line) => line.slice(start.length));
  }

  async waitForLog(text: string): Promise<void> {
    await waitUntil(`the log has "${text}"`, () => this.#log.includes(text));
  }

  /** Its exit code; none when a signal ended it. */
  async ended(): Promise<number | undefined> {
    return (await this.#child).exitCode;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | undefined> {
    this.#child.kill(signal);
    return this.ended();
  }
}

/** Keeps what is in a FIFO, and its writer from ending, while nobody reads. */
export function holdOpen(fifo: string): number {
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  cleanups.push(async () => closeSync(fd));
  return fd;
}

/** Reads a FIFO that somebody holds open. */
export class FifoReader {
  text = '';
  readonly #socket: Socket;

  constructor(fifo: string) {
    const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text;
    });
    cleanups.push(async () => this.close());
  }

  async waitFor(text: string): Promise<void> {
    await waitUntil(`the FIFO gave ${JSON.stringify(text)}`, () => this.text.includes(text));
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** A process that has ended but was not waited for yet is not alive. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export async function childPids(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Bytes that the process has given to `write` and that were taken; 0 when it is gone. */
export async function bytesWritten(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => 'wchar: 0\n');
  return Number(/^wchar: (\d+)$/m.exec(text)?.[1] ?? 0);
}

async function pidsWhere(isIt: (pid: number) => Promise<boolean>): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => isIt(pid).catch(() => false)));
  return pids.filter((pid, index) => found[index] && isAlive(pid));
}

/** The processes of a run. */
export async function groupOf(producer: Producer): Promise<number[]> {
  const [leader] = await childPids(producer.pid);
  return pidsWhere(async (pid) => {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // After the name in parentheses: state, parent, group.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[2]) === leader;
  });
}

/** The processes that have the folder from an entrypoint, which is one of them. */
export async function withFifoDir(folder: string): Promise<number[]> {
  return pidsWhere(async (pid) => {
    const variables = (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0');
    return variables.includes(`FIFO_DIR=${folder}`);
  });
}
