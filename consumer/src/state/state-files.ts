import type fs from 'node:fs';
import path from 'node:path';

/** What of node:fs the state is kept with. A test puts one in its place that fails on purpose. */
export type StateFiles = Pick<
  typeof fs,
  | 'accessSync'
  | 'mkdirSync'
  | 'readdirSync'
  | 'readFileSync'
  | 'openSync'
  | 'writeSync'
  | 'ftruncateSync'
  | 'fsyncSync'
  | 'fsync'
  | 'fdatasync'
  | 'fdatasyncSync'
  | 'closeSync'
  | 'renameSync'
  | 'copyFileSync'
  | 'rmSync'
  | 'unlink'
>;

/** Makes the names in a folder last, not only what is in its files. */
export function syncFolder(files: StateFiles, folder: string): void {
  const descriptor = files.openSync(folder, 'r');
  try {
    files.fsyncSync(descriptor);
  } finally {
    files.closeSync(descriptor);
  }
}

/** The same by a thread of the pool. */
export async function folderSynced(files: StateFiles, folder: string): Promise<void> {
  const descriptor = files.openSync(folder, 'r');
  try {
    await new Promise<void>((resolve, reject) => {
      files.fsync(descriptor, (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    files.closeSync(descriptor);
  }
}

/** Removes a file by a thread of the pool: to give back the room of a large one takes its time. */
export function removed(files: StateFiles, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    files.unlink(file, (error) => {
      if (error === null || error.code === 'ENOENT') resolve();
      else reject(error);
    });
  });
}

/** fdatasync by a thread of the pool. */
export function dataSynced(files: StateFiles, descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    files.fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** write(2) may write less than it is given; this writes all, or throws. */
export function writeAll(files: StateFiles, descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += files.writeSync(descriptor, bytes, at);
}

/** Puts a file in the place of another in one step: whoever reads it finds the one or the other, whole. */
export function replaceFile(files: StateFiles, file: string, bytes: Uint8Array): void {
  const beside = `${file}.tmp`;
  const descriptor = files.openSync(beside, 'w');
  try {
    writeAll(files, descriptor, bytes);
    files.fsyncSync(descriptor);
  } finally {
    files.closeSync(descriptor);
  }
  files.renameSync(beside, file);
  syncFolder(files, path.dirname(file));
}
