import fs from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';

/** Room for the largest state that a run makes, several times. */
const DISK_BYTES = 268_435_456;
/** What is in memory has to hold the disk and what its file system makes of it. */
const MEMORY_BYTES = DISK_BYTES + 16_777_216;
const PIECE_BYTES = 1_048_576;

/**
 * As when the power goes: what the file system has not written by now, it never will (EXT4_IOC_SHUTDOWN
 * with EXT4_GOING_FLAGS_NOLOGFLUSH). Node.js has no ioctl; Debian has Perl.
 */
const SHUTDOWN = `
  sysopen(my $folder, $ARGV[0], 0) or die "$ARGV[0]: $!";
  my $flags = pack("L", 2);
  ioctl($folder, 0x8004587d, $flags) or die "ioctl: $!";
`;

/**
 * A small disk for the state, so that it can be full, and lose its power: ext4 in a file in memory. Where
 * that cannot be had it is a tmpfs, and where that cannot be mounted a folder.
 */
export class Disk {
  /** Where it is mounted. */
  readonly folder: string;
  /** Why it cannot be full, and why it cannot lose its power; null: it can. */
  readonly obstacles: { readonly full: string | null; readonly power: string | null };
  readonly #memory: string;

  private constructor(memory: string, full: string | null, power: string | null) {
    this.#memory = memory;
    this.folder = full === null && power === null ? path.join(memory, 'mounted') : memory;
    this.obstacles = { full, power: full ?? power };
  }

  static async mount(folder: string): Promise<Disk> {
    fs.mkdirSync(folder);
    const full = await problemOf('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${MEMORY_BYTES}`,
      'tmpfs',
      folder,
    ]);
    if (full !== null) return new Disk(folder, full, null);
    const disk = new Disk(folder, null, null);
    fs.writeFileSync(disk.#image, '');
    fs.truncateSync(disk.#image, DISK_BYTES);
    fs.mkdirSync(disk.folder);
    // -m 0: no room that is root's alone.
    const power =
      (await problemOf('perl', ['-e', '1'])) ??
      (await problemOf('mkfs.ext4', ['-q', '-F', '-m', '0', disk.#image])) ??
      (await disk.#powerOn());
    if (power === null) return disk;
    fs.rmSync(disk.#image);
    return new Disk(folder, null, power);
  }

  get #image(): string {
    return path.join(this.#memory, 'image');
  }

  #powerOn(): Promise<string | null> {
    return problemOf('mount', ['-o', 'loop', this.#image, this.folder]);
  }

  /** What was not made to last is gone when it comes back; until then nothing can be written. */
  async losePower(): Promise<void> {
    await execa('perl', ['-e', SHUTDOWN, this.folder]);
  }

  /** Whoever had files of it open has to be gone. */
  async comeBack(): Promise<void> {
    await execa('umount', [this.folder]);
    const problem = await this.#powerOn();
    if (problem !== null) throw new Error(problem);
  }

  /** Also where somebody still has files of it open. */
  async unmount(): Promise<void> {
    const { full, power } = this.obstacles;
    if (power === null) await execa('umount', ['--lazy', this.folder], { reject: false });
    if (full === null) await execa('umount', ['--lazy', this.#memory], { reject: false });
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

/** null where it succeeds. */
async function problemOf(command: string, args: readonly string[]): Promise<string | null> {
  const { failed, stderr } = await execa(command, args, { reject: false });
  return failed ? `${command}: ${stderr?.trim() || 'it is not there'}` : null;
}
