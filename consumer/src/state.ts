/**
 * `node consumer/dist/state.js inspect|repair [STATE_DIR]`: what is in a folder of counts, and what to do
 * when some of it is damaged. Exit codes: 0; 1 where inspect finds something damaged, or nothing could be
 * done.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { DEFAULT_STATE_DIR } from './config.js';
import { VERSION } from './package-manifest.js';
import { LockedError, lockFolder } from './state/lock.js';
import { examineFolder, type FolderReport, repairFolder } from './state/repair.js';
import {
  type Bounds,
  LOCK,
  MANIFEST,
  MANIFEST_COPY,
  readWholeManifest,
  repairManifest,
  StateDirectoryError,
} from './state/state-directory.js';

const stateDirDefault = process.env.STATE_DIR || DEFAULT_STATE_DIR;
const program = new Command('event-tally-state')
  .description('Shows and repairs the counts that a consumer keeps.')
  .version(VERSION);
program
  .command('inspect')
  .description('show what is in there; nothing is changed')
  .argument('[folder]', 'STATE_DIR', stateDirDefault)
  .action(inspect);
program
  .command('repair')
  .description('keep what is provably whole, and move the rest to a folder dropped-<time>')
  .argument('[folder]', 'STATE_DIR', stateDirDefault)
  .action(repair);
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof StateDirectoryError) fail(error.message);
  fail((error as Error).message);
}

function inspect(directory: string): void {
  const { manifest, isCopy, folders } = open(directory);
  if (isCopy) print(`${MANIFEST}: it is damaged or missing; its copy is whole`);
  const { version, generation, workers, mapping, bounds } = manifest;
  print(`version ${version}, generation ${generation}, ingest threads: ${workers}`);
  print(`fields: ${JSON.stringify(mapping)}`);
  print(`bounds: ${JSON.stringify(bounds)}`);
  for (const { name, report } of folders) {
    for (const file of report.files) {
      const { records, bytes, keptBytes, problem } = file;
      const torn =
        problem === null && keptBytes < bytes ? `; a torn end of ${bytes - keptBytes} bytes` : '';
      print(
        `${name}/${file.name}: ${bytes} bytes, ${records} records read; ${problem ?? `whole${torn}`}`,
      );
    }
    printTotals(name, report);
    for (const { name: source, lines, bytes, unfinished } of report.sources) {
      print(
        `${name}: source ${JSON.stringify(source)}: ${lines} lines, ${bytes} bytes, ${unfinished.bytes} of an unfinished line`,
      );
    }
  }
  if (isCopy || folders.some(({ report }) => isDamaged(report))) {
    process.exitCode = 1;
    print('some of it is damaged: repair keeps what is whole');
  }
}

async function repair(directory: string): Promise<void> {
  // Before anything is read: a consumer would write meanwhile.
  const isState = [MANIFEST, MANIFEST_COPY].some((name) =>
    fs.existsSync(path.join(directory, name)),
  );
  const lock = isState ? await lockIt(directory) : null;
  const { manifest, isCopy, folders } = open(directory);
  const droppedName = `dropped-${new Date().toISOString().replaceAll(':', '-')}`;
  const droppedFolder = path.join(directory, droppedName);
  for (const { name, folder, report } of folders) {
    repairFolder(fs, folder, path.join(droppedFolder, name), report);
    for (const file of report.files) {
      if (file.problem === null) continue;
      const bytes = file.bytes - file.keptBytes;
      print(`dropped: ${bytes} of ${file.bytes} bytes of ${name}/${file.name}: ${file.problem}`);
    }
    printTotals(`kept: ${name}`, report);
  }
  // Last: until then a start is refused.
  if (isCopy) {
    repairManifest(fs, directory, droppedFolder, manifest);
    print(`dropped: ${MANIFEST}: it was damaged or missing; its copy is in its place`);
  }
  const wasDamaged = isCopy || folders.some(({ report }) => isDamaged(report));
  print(wasDamaged ? `what was dropped is in ${droppedFolder}` : 'nothing was damaged');
  lock?.release();
}

async function lockIt(directory: string) {
  try {
    return await lockFolder(
      directory,
      LOCK,
      `process ${process.pid} on ${os.hostname()}, a repair`,
    );
  } catch (error) {
    if (error instanceof LockedError)
      fail(`a consumer has ${directory}: ${error.holder}: stop it first`);
    throw error;
  }
}

function open(directory: string) {
  const found = readWholeManifest(fs, directory);
  if (found === null) fail(`there are no counts in ${directory}: ${MANIFEST} is missing`);
  const { manifest } = found;
  const folders = Array.from({ length: manifest.workers }, (_, thread) => {
    const name = `${manifest.generation}/${thread}`;
    const folder = path.join(directory, name);
    return {
      name,
      folder,
      report: examineFolder(fs, folder, manifest.bounds as unknown as Bounds),
    };
  });
  return { ...found, folders };
}

function isDamaged({ files }: FolderReport): boolean {
  return files.some(({ problem }) => problem !== null);
}

function printTotals(name: string, { lines, accepted, distinct }: FolderReport): void {
  const { types, words } = distinct;
  print(`${name}: ${lines} lines, ${accepted} events, ${types} types, ${words} words`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(problem: string): never {
  process.stderr.write(`event-tally: ${problem}\n`);
  process.exit(1);
}
