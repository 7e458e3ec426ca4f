import fs from 'node:fs';
import path from 'node:path';
import type { FieldMapping } from '@event-tally/shared/event.js';
import { z } from 'zod';
import { makeFolder } from '../make-folder.js';
import { FORMAT_VERSION, fileHead } from './records.js';
import { replaceFile, type StateFiles } from './state-files.js';
import { fileName, fileNumbers } from './thread-folder.js';

/** Settings that change what is counted: with others the same folder would mix two kinds of counts. */
export type Mapping = FieldMapping;

/** Settings that bound what is kept. They may change; what they then mean is logged. */
export interface Bounds {
  readonly LINE_BYTES_MAX: number;
  readonly EVENT_TYPES_MAX: number;
  readonly WORDS_MAX: number;
  readonly KEY_BYTES_MAX: number;
  readonly RETENTION: number;
  readonly WINDOW_CELLS_MAX: number;
}

export const MANIFEST = 'state.json';
/** The name of its lock. */
export const LOCK = 'lock';

const manifestSchema = z.object({
  version: z.literal(FORMAT_VERSION),
  generation: z.number(),
  workers: z.number(),
  mapping: z.record(z.string(), z.unknown()),
  bounds: z.record(z.string(), z.number()),
});
type Manifest = z.output<typeof manifestSchema>;

/** The folder cannot be used as it is; the message says why and what can be done. */
export class StateDirectoryError extends Error {
  override readonly name = 'StateDirectoryError';
}

export interface ThreadFolders {
  readonly folder: string;
  /** Folders whose state the thread begins with. */
  readonly from: readonly string[];
}

/**
 * The folder of all ingest threads' state:
 *
 *   state.json            which generation counts, of how many threads, and the settings it was made with
 *   3/0/ 3/1/ …           generation 3: a folder for each thread
 *
 * When the number of threads changes, a new generation is made from the one before. It counts once the
 * manifest says so, which is one step; until then the one before is left as it was.
 */
export class StateDirectory {
  readonly threads: readonly ThreadFolders[];
  /** Bounds that are others than those that the state was made with: name, before, now. */
  readonly changedBounds: readonly (readonly [name: string, before: number, now: number])[];
  readonly #directory: string;
  readonly #files: StateFiles;
  readonly #manifest: Manifest;
  readonly #isNew: boolean;

  /** Throws StateDirectoryError, and what the file system throws. */
  constructor(
    directory: string,
    settings: { readonly workers: number; readonly mapping: Mapping; readonly bounds: Bounds },
    files: StateFiles = fs,
  ) {
    const { workers, mapping, bounds } = settings;
    this.#directory = directory;
    this.#files = files;
    makeFolder(directory, files);
    const before = readManifest(files, path.join(directory, MANIFEST));
    if (before !== null) checkMapping(directory, before.mapping, { ...mapping });
    else checkIsEmpty(files, directory);
    const isSame = before === null || before.workers === workers;
    const generation = before === null ? 1 : before.generation + (isSame ? 0 : 1);
    this.#manifest = {
      version: FORMAT_VERSION,
      generation,
      workers,
      mapping: { ...mapping },
      bounds: { ...bounds },
    };
    this.#isNew = JSON.stringify(before) !== JSON.stringify(this.#manifest);
    const folder = (of: number, thread: number) => path.join(directory, String(of), String(thread));
    if (!isSame || before === null) {
      // What an earlier attempt has left of it.
      files.rmSync(path.join(directory, String(generation)), { recursive: true, force: true });
    }
    this.threads = Array.from({ length: workers }, (_, thread) => {
      const own = folder(generation, thread);
      if (isSame) return { folder: own, from: before === null ? [] : [own] };
      const from = Array.from({ length: before.workers }, (__, old) => old)
        .filter((old) => old % workers === thread)
        .map((old) => folder(before.generation, old));
      return { folder: own, from };
    });
    for (const { folder: own } of this.threads) {
      files.mkdirSync(own, { recursive: true });
      // Told here, at the start, and not by each thread that cannot begin.
      files.accessSync(own, fs.constants.W_OK);
    }
    this.changedBounds = Object.entries(bounds)
      .map(([name, now]) => [name, before?.bounds[name] ?? now, now] as const)
      .filter(([, was, now]) => was !== now);
  }

  /** To be called once every thread has begun in its folder: from now on these count. */
  commit(): void {
    const files = this.#files;
    if (this.#isNew) {
      const text = `${JSON.stringify(this.#manifest, null, 2)}\n`;
      replaceFile(files, path.join(this.#directory, MANIFEST), Buffer.from(text));
    }
    for (const name of files.readdirSync(this.#directory)) {
      if (!/^\d+$/.test(name) || Number(name) === this.#manifest.generation) continue;
      files.rmSync(path.join(this.#directory, name), { recursive: true, force: true });
    }
  }
}

/** null when there is none. Throws StateDirectoryError when it is no manifest that this program reads. */
export function readManifest(files: StateFiles, file: string): Manifest | null {
  let text: string;
  try {
    text = files.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new StateDirectoryError(`${file} is damaged: remove the folder to begin anew`);
  }
  const result = manifestSchema.safeParse(json);
  if (result.success) return result.data;
  const { version } = json as { version?: unknown };
  throw new StateDirectoryError(
    version === FORMAT_VERSION
      ? `${file} is damaged: remove the folder to begin anew`
      : `${file} is of version ${JSON.stringify(version)}; this program reads version ${FORMAT_VERSION}`,
  );
}

/** Without a manifest nobody has counted here: what is begun and not committed holds no record. */
function checkIsEmpty(files: StateFiles, directory: string): void {
  for (const generation of files.readdirSync(directory).filter((name) => /^\d+$/.test(name))) {
    for (const thread of files.readdirSync(path.join(directory, generation))) {
      const folder = path.join(directory, generation, thread);
      if (!holdsCounts(files, folder)) continue;
      const manifest = path.join(directory, MANIFEST);
      throw new StateDirectoryError(
        `${manifest} is missing, and there are counts in ${folder}: put it back, or remove the folder to begin anew`,
      );
    }
  }
}

function holdsCounts(files: StateFiles, folder: string): boolean {
  if (fileNumbers(files, folder, 'checkpoint').length > 0) return true;
  return fileNumbers(files, folder, 'journal').some((number) => {
    const { length } = files.readFileSync(path.join(folder, fileName('journal', number)));
    return length > fileHead('journal').length;
  });
}

function checkMapping(
  directory: string,
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): void {
  const changed = Object.keys(now).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]),
  );
  if (changed.length === 0) return;
  const list = changed.map(
    (name) => `${name} was ${JSON.stringify(before[name])}, is ${JSON.stringify(now[name])}`,
  );
  throw new StateDirectoryError(
    `the counts in STATE_DIR, ${directory}, were made with other fields (${list.join('; ')}), and would be mixed with new ones: set the fields as they were, or STATE_DIR to another folder, or remove this one`,
  );
}
