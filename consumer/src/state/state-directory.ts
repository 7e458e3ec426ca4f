import fs from 'node:fs';
import path from 'node:path';
import type { FieldMapping } from '@event-tally/shared/event.js';
import { z } from 'zod';
import { makeFolder } from '../make-folder.js';
import { checksum, FORMAT_VERSION, fileHead } from './records.js';
import { replaceFile, type StateFiles } from './state-files.js';
import { fileName, fileNumbers } from './thread-folder.js';

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
/** The same: what is in there stands nowhere else. */
export const MANIFEST_COPY = 'state.copy.json';
/** The name of its lock. */
export const LOCK = 'lock';

const manifestSchema = z.object({
  version: z.literal(FORMAT_VERSION),
  generation: z.number(),
  workers: z.number(),
  mapping: z.record(z.string(), z.unknown()),
  bounds: z.record(z.string(), z.number()),
});
export type Manifest = z.output<typeof manifestSchema>;
/** CRC-32 of the rest: with another generation or mapping, whole counts would be taken for none. */
const fileSchema = manifestSchema.extend({ checksum: z.number() });
const WAYS_OUT =
  'node consumer/dist/state.js repair puts its copy in its place; removing the folder begins anew';

/** The folder cannot be used as it is; the message says why and what can be done. */
export class StateDirectoryError extends Error {
  override readonly name: string = 'StateDirectoryError';
}

/** What is in the folder is whole, for all that is known, and another program's. */
export class StateVersionError extends StateDirectoryError {
  override readonly name = 'StateVersionError';
}

export interface ThreadFolders {
  readonly folder: string;
  /** Folders whose state the thread begins with. */
  readonly from: readonly string[];
}

/**
 * The folder of all ingest threads' state:
 *
 *   state.json            which generation counts, of how many threads, and the settings it was made with;
 *                         and a copy
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

  /** Throws StateDirectoryError, and what the file system throws. */
  constructor(
    directory: string,
    settings: { readonly workers: number; readonly mapping: FieldMapping; readonly bounds: Bounds },
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
      makeFolder(own, files);
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
    const bytes = manifestBytes(this.#manifest);
    for (const name of [MANIFEST, MANIFEST_COPY]) {
      const file = path.join(this.#directory, name);
      if (!holds(files, file, bytes)) replaceFile(files, file, bytes);
    }
    for (const name of files.readdirSync(this.#directory)) {
      if (!/^\d+$/.test(name) || Number(name) === this.#manifest.generation) continue;
      files.rmSync(path.join(this.#directory, name), { recursive: true, force: true });
    }
  }
}

function manifestBytes(manifest: Manifest): Buffer {
  const withChecksum = { ...manifest, checksum: checksumOf(manifest) };
  return Buffer.from(`${JSON.stringify(withChecksum, null, 2)}\n`);
}

function checksumOf(manifest: Manifest): number {
  return checksum(Buffer.from(JSON.stringify(manifest)));
}

function holds(files: StateFiles, file: string, bytes: Buffer): boolean {
  try {
    return files.readFileSync(file).equals(bytes);
  } catch {
    return false; // whatever is there instead is replaced
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
    throw new StateDirectoryError(`${file} is damaged: ${WAYS_OUT}`);
  }
  const result = fileSchema.safeParse(json);
  if (result.success) {
    const { checksum: expected, ...manifest } = result.data;
    if (checksumOf(manifest) === expected) return manifest;
  }
  const { version } = (json ?? {}) as { version?: unknown };
  if (typeof version !== 'number' || version === FORMAT_VERSION) {
    throw new StateDirectoryError(`${file} is damaged: ${WAYS_OUT}`);
  }
  throw new StateVersionError(
    `${file} is of version ${version}; this program reads version ${FORMAT_VERSION}: ` +
      'removing the folder begins anew (with Docker, docker compose down --volumes); ' +
      'another STATE_DIR leaves it to the program that wrote it',
  );
}

/** The manifest of a folder, or where that is damaged or missing its copy, if that is whole. */
export function readWholeManifest(
  files: StateFiles,
  directory: string,
): { readonly manifest: Manifest; readonly isCopy: boolean } | null {
  const [file, copy] = [MANIFEST, MANIFEST_COPY].map((name) => path.join(directory, name));
  let refusal: StateDirectoryError | null = null;
  try {
    const manifest = readManifest(files, file as string);
    if (manifest !== null) return { manifest, isCopy: false };
  } catch (error) {
    if (!(error instanceof StateDirectoryError)) throw error;
    if (error instanceof StateVersionError) throw error;
    refusal = error;
  }
  try {
    const manifest = readManifest(files, copy as string);
    if (manifest !== null) return { manifest, isCopy: true };
  } catch (error) {
    if (!(error instanceof StateDirectoryError)) throw error;
    refusal ??= error;
  }
  if (refusal === null) return null;
  throw new StateDirectoryError(
    `neither ${file} nor its copy is whole: remove the folder to begin anew`,
  );
}

/** Moves a manifest that is damaged to another folder, and puts its copy in its place. */
export function repairManifest(
  files: StateFiles,
  directory: string,
  droppedFolder: string,
  manifest: Manifest,
): void {
  const file = path.join(directory, MANIFEST);
  makeFolder(droppedFolder, files);
  if (files.readdirSync(directory).includes(MANIFEST)) {
    files.renameSync(file, path.join(droppedFolder, MANIFEST));
  }
  replaceFile(files, file, manifestBytes(manifest));
}

/** Without a manifest nobody has counted here: what is begun and not committed holds no record. */
function checkIsEmpty(files: StateFiles, directory: string): void {
  for (const generation of files.readdirSync(directory).filter((name) => /^\d+$/.test(name))) {
    for (const thread of files.readdirSync(path.join(directory, generation))) {
      const folder = path.join(directory, generation, thread);
      if (!holdsCounts(files, folder)) continue;
      const manifest = path.join(directory, MANIFEST);
      throw new StateDirectoryError(
        `${manifest} is missing, and there are counts in ${folder}: ${WAYS_OUT}`,
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

/** Which variable sets what. */
const VARIABLES: Readonly<Record<keyof FieldMapping, string>> = {
  eventType: 'EVENT_TYPE_FIELD',
  data: 'DATA_FIELD',
  timestamp: 'TIMESTAMP_FIELD',
  value: 'VALUE_FIELD',
  timestampFormat: 'TIMESTAMP_FORMAT',
};

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
    (name) =>
      `${VARIABLES[name as keyof FieldMapping]} was ${asSet(before[name])}, is ${asSet(now[name])}`,
  );
  throw new StateDirectoryError(
    `the counts in STATE_DIR, ${directory}, were made with other fields (${list.join('; ')}), and would be mixed with new ones: set the fields as they were, or begin anew: docker compose down --volumes, or, without Docker, another STATE_DIR`,
  );
}

/** As a variable has it: a path is kept as its parts. */
function asSet(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (!Array.isArray(value)) return String(value);
  return value.map((part: string) => part.replaceAll('.', '\\.')).join('.');
}
