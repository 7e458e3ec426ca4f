import { type Lock, LockedError, lockFolder } from '../state/lock.js';

/**
 * A lock on a folder that is taken again where it is gone: somebody may remove it from the folder, or the
 * whole folder, which is then made again.
 */
export class StandingLock {
  readonly #folder: string;
  readonly #name: string;
  readonly #holder: string;
  #lock: Lock | null = null;
  #taking: Promise<void> | null = null;
  #problem: Error | null = null;

  constructor(folder: string, name: string, holder: string) {
    this.#folder = folder;
    this.#name = name;
    this.#holder = holder;
  }

  /** Why it could not be taken last: a LockedError, or what the file system gave; null when it was. */
  get problem(): Error | null {
    return this.#problem;
  }

  isHeld(): boolean {
    try {
      return this.#lock?.isInPlace() ?? false;
    } catch {
      return true; // a folder without rights: nobody else can take it away there
    }
  }

  /** Nobody else has the folder, as far as that can be told: nothing tells where it cannot be locked. */
  isFree(): boolean {
    if (this.#problem === null) return this.isHeld();
    return !(this.#problem instanceof LockedError);
  }

  /** Resolves when it is taken, or `problem` says why not. */
  take(): Promise<void> {
    this.#taking ??= this.#take().finally(() => {
      this.#taking = null;
    });
    return this.#taking;
  }

  async #take(): Promise<void> {
    this.#lock?.release();
    this.#lock = null;
    try {
      this.#lock = await lockFolder(this.#folder, this.#name, this.#holder);
      this.#problem = null;
    } catch (error) {
      this.#problem = error as Error;
    }
  }
}
