import fs from 'node:fs';
import type { StateFiles } from '#consumer/state/state-files.js';

/** Which calls fail: the nth alone; it and all after it, until `heal`; the nth after half of a write. */
export type FailureMode = 'once' | 'lasting' | 'short';

const CALLING_BACK: ReadonlySet<string> = new Set(['fdatasync', 'fsync', 'unlink']);

/** node:fs that fails at its nth call, 1 being the first. */
export class FailingFiles {
  calls = 0;
  /** What has failed first; null: nothing yet. */
  failed: string | null = null;
  #isHealed = false;
  #isDead = false;
  readonly #n: number;
  readonly #mode: FailureMode;
  readonly #open = new Set<number>();

  constructor(n: number, mode: FailureMode) {
    this.#n = n;
    this.#mode = mode;
  }

  heal(): void {
    this.#isHealed = true;
  }

  /** As SIGKILL would: whoever has these files does nothing more with them. */
  kill(): void {
    this.#isDead = true;
    for (const descriptor of this.#open) fs.closeSync(descriptor);
    this.#open.clear();
  }

  readonly files: StateFiles = new Proxy(fs, {
    get: (_, name: string) => this.#wrap(name),
  });

  #wrap(name: string) {
    const real = fs[name as keyof StateFiles] as (...args: unknown[]) => unknown;
    return (...args: unknown[]): unknown => {
      if (this.#isDead) return dead(name);
      const isFailing = this.#isFailing(name);
      if (isFailing && CALLING_BACK.has(name)) {
        const callback = args.at(-1) as (error: Error) => void;
        setImmediate(callback, failure(name));
        return undefined;
      }
      if (isFailing && this.#mode === 'short' && name === 'writeSync') {
        const [descriptor, bytes, offset = 0] = args as [number, Uint8Array, number?];
        const length = Math.ceil((bytes.length - offset) / 2);
        return fs.writeSync(descriptor, bytes, offset, length);
      }
      if (isFailing) throw failure(name);
      const result = real(...args);
      if (name === 'openSync') this.#open.add(result as number);
      if (name === 'closeSync') this.#open.delete(args[0] as number);
      return result;
    };
  }

  #isFailing(name: string): boolean {
    const call = ++this.calls;
    // A descriptor is gone also where close(2) tells of an error.
    if (name === 'closeSync' || this.#isHealed) return false;
    // After half of a write the rest fails.
    const isIt =
      this.#mode === 'lasting'
        ? call >= this.#n
        : call === this.#n || (this.#mode === 'short' && call === this.#n + 1);
    if (isIt) this.failed ??= name;
    return isIt;
  }
}

function dead(name: string): undefined {
  if (CALLING_BACK.has(name)) return; // nobody is there to be called back
  throw new Error('killed');
}

function failure(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC' });
}
