import fs from 'node:fs';
import path from 'node:path';

/**
 * Makes a folder with all its parents; one that is there already is left as it is. Throws what mkdir(2)
 * gives.
 *
 * As fs.mkdirSync with `recursive` does, which never comes back on a file system that has no room for
 * folders, such as /proc: ENOENT is for it a missing parent, however often it finds the parent there.
 */
export function makeFolder(folder: string, files: Pick<typeof fs, 'mkdirSync'> = fs): void {
  try {
    files.mkdirSync(folder);
  } catch (error) {
    if (isFolder(folder)) return;
    const parent = path.dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isFolder(parent)) throw error;
    makeFolder(parent, files);
    makeFolder(folder, files);
  }
}

function isFolder(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
