import path from 'node:path';
import type { StateFiles } from '#consumer/state/state-files.js';

interface Inode {
  bytes: Buffer;
  /** What of it outlasts a loss of power. */
  synced: Buffer;
}

type Names = Map<string, Inode>;

interface Folder {
  readonly names: Names;
  /** The names that outlast a loss of power. */
  synced: Names;
}

/** A folder's or a file's. */
type Descriptor = { readonly folder: Folder } | { readonly inode: Inode };

/**
 * What of node:fs the state is kept with, in memory. It knows what has been made to last: the bytes of a
 * file with fsync or fdatasync, the names in a folder with fsync of the folder. A folder lasts once it is
 * made.
 */
export class MemoryFiles {
  readonly #folders = new Map<string, Folder>();
  readonly #open = new Map<number, Descriptor>();
  #nextDescriptor = 3;
  #isDead = false;

  readonly files = new Proxy(this.#methods() as unknown as StateFiles, {
    get: (methods, name: keyof StateFiles) => {
      if (!this.#isDead) return methods[name];
      // Nobody is there to be called back.
      return ['fsync', 'fdatasync', 'unlink'].includes(name) ? () => {} : dead;
    },
  });

  /** As SIGKILL would: whoever has these files does nothing more with them. */
  kill(): void {
    this.#isDead = true;
  }

  /** Nothing would be lost with the power. */
  get isSynced(): boolean {
    return [...this.#folders.values()].every(
      ({ names, synced }) =>
        names.size === synced.size &&
        [...names].every(
          ([name, inode]) => synced.get(name) === inode && inode.bytes.equals(inode.synced),
        ),
    );
  }

  /** The same files, all of which last. */
  copy(): MemoryFiles {
    return this.#after(
      ({ names }) => names,
      ({ bytes }) => bytes,
    );
  }

  /** The same files for whoever comes after a kill: what does not last yet still does not. */
  afterKill(): MemoryFiles {
    const next = new MemoryFiles();
    const inodes = new Map<Inode, Inode>();
    const copyOf = (names: Names): Names =>
      new Map(
        Array.from(names, ([name, inode]) => {
          const copy = inodes.get(inode) ?? { ...inode };
          inodes.set(inode, copy);
          return [name, copy];
        }),
      );
    for (const [path, { names, synced }] of this.#folders) {
      next.#folders.set(path, { names: copyOf(names), synced: copyOf(synced) });
    }
    return next;
  }

  /**
   * What is there after a loss of power: what was made to last, and of the rest some: names as they are or
   * were, and of what was appended a beginning. `chance` is a whole number from 0 to its argument; 0 is
   * the least that there can be.
   */
  afterPowerLoss(chance: (max: number) => number): MemoryFiles {
    return this.#after(
      ({ names, synced }) => {
        const left = new Map<string, Inode>();
        for (const name of new Set([...names.keys(), ...synced.keys()])) {
          const inode = (chance(1) === 0 ? synced : names).get(name);
          if (inode !== undefined) left.set(name, inode);
        }
        return left;
      },
      ({ bytes, synced }) => {
        const shorter = Math.min(bytes.length, synced.length);
        const longer = Math.max(bytes.length, synced.length);
        return (bytes.length > synced.length ? bytes : synced).subarray(
          0,
          shorter + chance(longer - shorter),
        );
      },
    );
  }

  #after(names: (folder: Folder) => Names, bytes: (inode: Inode) => Buffer): MemoryFiles {
    const next = new MemoryFiles();
    for (const [path, folder] of this.#folders) {
      const left: Names = new Map();
      for (const [name, inode] of names(folder)) {
        const found = Buffer.from(bytes(inode));
        left.set(name, { bytes: found, synced: found });
      }
      next.#folders.set(path, { names: left, synced: new Map(left) });
    }
    return next;
  }

  #methods() {
    return {
      mkdirSync: (folder: string) => {
        if (this.#folders.has(folder)) return;
        this.#folders.set(folder, { names: new Map(), synced: new Map() });
      },
      accessSync: () => {},
      readdirSync: (folder: string) => [...this.#folder(folder).names.keys()],
      readFileSync: (file: string) => Buffer.from(this.#inode(file).bytes),
      openSync: (file: string, flags: string) => {
        const folder = this.#folders.get(file);
        const descriptor = this.#nextDescriptor++;
        if (folder !== undefined) this.#open.set(descriptor, { folder });
        else this.#open.set(descriptor, { inode: this.#opened(file, flags) });
        return descriptor;
      },
      /** All that is written is appended. */
      writeSync: (descriptor: number, bytes: Uint8Array, offset = 0) => {
        const inode = this.#file(descriptor);
        inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(offset)]);
        return bytes.length - offset;
      },
      ftruncateSync: (descriptor: number, length: number) => {
        const inode = this.#file(descriptor);
        inode.bytes = inode.bytes.subarray(0, length);
      },
      fsyncSync: (descriptor: number) => this.#sync(descriptor),
      fdatasyncSync: (descriptor: number) => this.#sync(descriptor),
      fsync: (descriptor: number, callback: (error: null) => void) =>
        this.#syncLater(descriptor, callback),
      fdatasync: (descriptor: number, callback: (error: null) => void) =>
        this.#syncLater(descriptor, callback),
      closeSync: (descriptor: number) => void this.#open.delete(descriptor),
      renameSync: (from: string, to: string) => {
        this.#folder(path.dirname(to)).names.set(path.basename(to), this.#inode(from));
        this.#folder(path.dirname(from)).names.delete(path.basename(from));
      },
      copyFileSync: (from: string, to: string) => {
        this.#opened(to, 'w').bytes = this.#inode(from).bytes;
      },
      rmSync: (file: string) => {
        this.#folder(path.dirname(file)).names.delete(path.basename(file));
      },
      unlink: (file: string, callback: (error: null) => void) => {
        setImmediate(() => {
          if (this.#isDead) return;
          this.#folder(path.dirname(file)).names.delete(path.basename(file));
          callback(null);
        });
      },
    } satisfies Record<keyof StateFiles, unknown>;
  }

  /** What was there when it was called for lasts once it has ended. */
  #syncLater(descriptor: number, callback: (error: null) => void): void {
    const opened = this.#open.get(descriptor) as Descriptor;
    const names = 'folder' in opened ? new Map(opened.folder.names) : null;
    const bytes = 'inode' in opened ? opened.inode.bytes : null;
    setImmediate(() => {
      if (this.#isDead) return;
      if ('folder' in opened && names !== null) opened.folder.synced = names;
      if ('inode' in opened && bytes !== null) opened.inode.synced = bytes;
      callback(null);
    });
  }

  #sync(descriptor: number): void {
    const opened = this.#open.get(descriptor) as Descriptor;
    if ('folder' in opened) {
      opened.folder.synced = new Map(opened.folder.names);
    } else {
      opened.inode.synced = opened.inode.bytes;
    }
  }

  #opened(file: string, flags: string): Inode {
    const { names } = this.#folder(path.dirname(file));
    const name = path.basename(file);
    if (!names.has(name) && (flags === 'w' || flags === 'a')) {
      names.set(name, { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) });
    }
    const inode = this.#inode(file);
    if (flags === 'w') inode.bytes = Buffer.alloc(0);
    return inode;
  }

  #file(descriptor: number): Inode {
    const opened = this.#open.get(descriptor);
    if (opened === undefined || !('inode' in opened)) throw failure('EBADF', `${descriptor}`);
    return opened.inode;
  }

  #folder(folder: string): Folder {
    const found = this.#folders.get(folder);
    if (found === undefined) throw failure('ENOENT', folder);
    return found;
  }

  #inode(file: string): Inode {
    const inode = this.#folders.get(path.dirname(file))?.names.get(path.basename(file));
    if (inode === undefined) throw failure('ENOENT', file);
    return inode;
  }
}

function dead(): never {
  throw new Error('killed');
}

function failure(code: string, what: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
