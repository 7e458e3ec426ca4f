import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program of the bench: it prints when it has begun, and what it found when it is told to end. */
export class Child {
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;

  private constructor(program: string, args: readonly string[]) {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const output = child.stdout.setEncoding('utf8').toArray();
    this.#ended = once(child, 'close').then(async ([exitCode]) => {
      if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode ?? 'a signal'}`);
      return (await output).join('');
    });
    this.#ended.catch(() => {}); // told to whoever waits for it
  }

  /** Resolves when it has begun; rejects when it ends before. */
  static async start(program: string, args: readonly string[]): Promise<Child> {
    const child = new Child(program, args);
    await Promise.race([
      once(child.#child.stdout as NodeJS.ReadableStream, 'readable'),
      child.#ended,
    ]);
    return child;
  }

  /** Resolves to all that it has printed. Rejects when it has failed, then or before. */
  end(): Promise<string> {
    this.#child.kill('SIGTERM');
    return this.#ended;
  }

  /** Resolves when it ends by itself. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** Whatever it does. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
