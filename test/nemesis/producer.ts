import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';
import { GeneratorFiles } from './generator-files.js';

const ENTRYPOINT = fileURLToPath(new URL('../../producer/entrypoint.sh', import.meta.url));
const GENERATOR = fileURLToPath(new URL('./generator.js', import.meta.url));

function startEntrypoint(fifoDir: string, folder: string) {
  return execa(ENTRYPOINT, [process.execPath, GENERATOR, folder], {
    env: { FIFO_DIR: fifoDir, PRODUCER_NAME: 'nemesis' },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    reject: false,
  });
}

/** An entrypoint and its generator: real processes. */
export class Producer {
  readonly files: GeneratorFiles;
  readonly #runsBefore: number;
  readonly #entrypoint: ReturnType<typeof startEntrypoint>;

  /** `folder`: where the generator is told what to do. */
  constructor(fifoDir: string, folder: string) {
    this.files = new GeneratorFiles(folder);
    this.#runsBefore = this.files.runs.length;
    this.#entrypoint = startEntrypoint(fifoDir, folder);
  }

  /** Whether its generator has begun. */
  get hasBegun(): boolean {
    return this.files.runs.length > this.#runsBefore;
  }

  get #isGeneratorAlive(): boolean {
    const { pid } = this.files.runs.at(-1) ?? {};
    // Its id may be another's by now.
    return pid !== undefined && this.hasBegun && commandLine(pid).includes(this.files.folder);
  }

  signalGenerator(signal: NodeJS.Signals): void {
    if (this.#isGeneratorAlive) process.kill(this.files.runs.at(-1)?.pid as number, signal);
  }

  signalEntrypoint(signal: NodeJS.Signals): void {
    this.#entrypoint.kill(signal);
  }

  async kill(): Promise<void> {
    this.signalEntrypoint('SIGKILL');
    this.signalGenerator('SIGKILL');
    await this.#entrypoint;
    await pWaitFor(() => !this.#isGeneratorAlive, { interval: 5 });
  }

  async stop(): Promise<void> {
    this.signalEntrypoint('SIGTERM');
    await this.#entrypoint;
  }
}

function commandLine(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
