import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A folder of its own for each test of the enclosing describe, removed after it. */
export function useTempDir(): { readonly path: string } {
  const dir = { path: '' };
  beforeEach(() => {
    dir.path = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-'));
  });
  afterEach(() => {
    fs.rmSync(dir.path, { recursive: true, force: true });
  });
  return dir;
}
