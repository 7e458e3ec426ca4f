/**
 * What the nemesis and its generator tell each other, in a folder: a generator may die at any moment, and
 * what it has told by then stays.
 *
 *   order      nemesis → generator   write on, or come to rest
 *   progress   generator → nemesis   which events it has written
 *   runs       generator → nemesis   a line for each run of it
 */
import fs from 'node:fs';
import path from 'node:path';

export interface Order {
  /** Larger than that of the order before. */
  readonly id: number;
  /** Write the last event of a load, and then nothing more. */
  readonly isRest: boolean;
  /** 0: as fast as they are taken. */
  readonly eventsPerSecond: number;
}

export interface Progress {
  /** All events before this one are in the pipe. */
  readonly done: number;
  /** Those from `done` to before this one may be there: a part from the beginning, the last of it torn. */
  readonly doing: number;
  /** The order at which it came to rest last. */
  readonly restedBy: number;
}

/** One run of the generator, and how far the one before it had come. */
export interface Run extends Progress {
  readonly pid: number;
}

const FIRST: Progress = { done: 0, doing: 0, restedBy: 0 };

export class GeneratorFiles {
  readonly folder: string;
  #progress: number | null = null;

  constructor(folder: string) {
    this.folder = folder;
  }

  get order(): Order {
    return JSON.parse(this.#read('order') ?? '') as Order;
  }

  set order(order: Order) {
    const file = this.#file('order');
    fs.writeFileSync(`${file}.tmp`, JSON.stringify(order));
    fs.renameSync(`${file}.tmp`, file);
  }

  /** Only for when nobody writes it. */
  get progress(): Progress {
    return JSON.parse(this.#read('progress') ?? JSON.stringify(FIRST)) as Progress;
  }

  /** One write of always as many bytes: a kill comes before or after it. */
  set progress(progress: Progress) {
    // What the run before it has told stays there until it is overwritten.
    const { O_WRONLY, O_CREAT } = fs.constants;
    this.#progress ??= fs.openSync(this.#file('progress'), O_WRONLY | O_CREAT);
    fs.writeSync(this.#progress, JSON.stringify(progress).padEnd(100), 0);
  }

  get runs(): Run[] {
    const lines = (this.#read('runs') ?? '').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Run);
  }

  addRun(run: Run): void {
    fs.appendFileSync(this.#file('runs'), `${JSON.stringify(run)}\n`);
  }

  #file(name: string): string {
    return path.join(this.folder, name);
  }

  #read(name: string): string | null {
    try {
      return fs.readFileSync(this.#file(name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
}
