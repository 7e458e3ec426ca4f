import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * A folder of its own for each test of the enclosing describe. They are removed when all its tests are over: by then
 * every afterEach has ended what a test had left running, and might still write there.
 */
export function useTempDir(): { readonly path: string } {
  const dir = { path: '' };
  const made: string[] = [];
  beforeEach(() => {
    dir.path = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-'));
    made.push(dir.path);
  });
  after(() => {
    for (const folder of made.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
  });
  return dir;
}
