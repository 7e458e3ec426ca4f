import fs from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';

/** Room for the largest state that a run makes, several times. */
const DISK_BYTES = 268_435_456;
const PIECE_BYTES = 1_048_576;

/** A small disk for the state: a tmpfs, so that it can be full, or a folder where none can be mounted. */
export class Disk {
  readonly folder: string;
  /** Why it is a folder; null: it is a disk. */
  readonly problem: string | null;

  private constructor(folder: string, problem: string | null) {
    this.folder = folder;
    this.problem = problem;
  }

  static async mount(folder: string): Promise<Disk> {
    fs.mkdirSync(folder);
    const options = ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder];
    const { failed, stderr } = await execa('mount', options, { reject: false });
    return new Disk(folder, failed ? stderr.trim() || 'there is no mount command' : null);
  }

  async unmount(): Promise<void> {
    if (this.problem === null) await execa('umount', [this.folder], { reject: false });
  }

  /** Takes all room that there is now. */
  fill(): void {
    const filler = fs.openSync(this.#filler, 'a');
    try {
      for (let bytes = PIECE_BYTES; bytes > 0; ) {
        try {
          fs.writeSync(filler, Buffer.alloc(bytes));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          bytes >>= 1;
        }
      }
    } finally {
      fs.closeSync(filler);
    }
  }

  makeRoom(): void {
    fs.rmSync(this.#filler, { force: true });
  }

  get #filler(): string {
    return path.join(this.folder, 'filler');
  }
}
