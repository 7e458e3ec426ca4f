/**
 * What is in a thread's folder, and what of it can be kept when not all is whole: the newest whole
 * checkpoint, and the records behind it up to the first that is not as it was written. What comes later
 * is of no use without that one, whole or not.
 */
import path from 'node:path';
import { makeFolder } from '../make-folder.js';
import { EventTimeFront } from '../tally/event-time-front.js';
import { type KeyKind, KeyTable } from '../tally/key-table.js';
import { Tally } from '../tally/tally.js';
import type { SavedSource } from './checkpoint-records.js';
import { fileHead, RECORD_HEADER_BYTES } from './records.js';
import { Restorer } from './restorer.js';
import type { Bounds } from './state-directory.js';
import { type StateFiles, syncFolder } from './state-files.js';
import {
  fileName,
  fileNumbers,
  isWholeCheckpoint,
  readAll,
  StateDamageError,
} from './thread-folder.js';

export interface FileReport {
  readonly name: string;
  readonly bytes: number;
  /** Of these, from the beginning, what can be kept. */
  readonly keptBytes: number;
  readonly records: number;
  /** What is wrong with the rest; null: nothing is, or it is a torn end, which the next start cuts. */
  readonly problem: string | null;
}

export interface FolderReport {
  /** Journals that are older than the checkpoint that counts are not read. */
  readonly files: readonly FileReport[];
  /** Of what can be kept. */
  readonly lines: number;
  readonly accepted: number;
  readonly distinct: Readonly<Record<KeyKind, number>>;
  readonly sources: readonly SavedSource[];
}

/** Reads a folder and changes nothing. */
export function examineFolder(files: StateFiles, folder: string, bounds: Bounds): FolderReport {
  const reports: FileReport[] = [];
  let state = createState(bounds);
  let base: number | null = null;
  for (const number of fileNumbers(files, folder, 'checkpoint').toReversed()) {
    const report = examineCheckpoint(files, folder, number, base === null ? state.restorer : null);
    reports.push(report);
    if (report.problem === null) base ??= number;
    else if (base === null) state = createState(bounds); // what it had given is of no use
  }
  let expected = base ?? 1;
  let broken: string | null = null;
  for (const number of fileNumbers(files, folder, 'journal')) {
    const name = fileName('journal', number);
    if (number < (base ?? 0)) {
      const { length: bytes } = files.readFileSync(path.join(folder, name));
      reports.push({ name, bytes, keptBytes: bytes, records: 0, problem: null });
      continue;
    }
    if (broken === null && number !== expected) {
      broken = `it goes on from ${fileName('journal', expected)}, which is missing`;
    }
    expected = number + 1;
    const report = examineJournal(files, folder, name, state.restorer, broken);
    reports.push(report);
    if (report.problem !== null) broken ??= `it goes on from ${name}`;
    // A torn end is one only where nothing was written after it.
    else if (report.keptBytes < report.bytes) broken = `it goes on from ${name}, whose end is torn`;
  }
  const torn = reports.findIndex(
    ({ keptBytes, bytes, problem }) => problem === null && keptBytes < bytes,
  );
  const isLast = reports
    .slice(torn + 1)
    .every(({ records, problem }) => records === 0 && problem === null);
  if (torn !== -1 && !isLast) {
    reports[torn] = {
      ...(reports[torn] as FileReport),
      problem: 'its end is torn, and more follows',
    };
  }
  const { lines, accepted } = state.tally.stats();
  const distinct = { types: state.tables.types.distinct, words: state.tables.words.distinct };
  return { files: reports, lines, accepted, distinct, sources: state.restorer.sources };
}

/** Moves what cannot be kept into another folder. */
export function repairFolder(
  files: StateFiles,
  folder: string,
  droppedFolder: string,
  { files: reports }: FolderReport,
): void {
  for (const { name, bytes, keptBytes, problem } of reports) {
    if (problem === null) continue;
    makeFolder(droppedFolder, files);
    const file = path.join(folder, name);
    const dropped = path.join(droppedFolder, name);
    if (keptBytes > 0 && keptBytes < bytes) {
      files.copyFileSync(file, dropped);
      const descriptor = files.openSync(file, 'r+');
      try {
        files.ftruncateSync(descriptor, keptBytes);
        files.fsyncSync(descriptor);
      } finally {
        files.closeSync(descriptor);
      }
    } else files.renameSync(file, dropped);
    syncFolder(files, folder);
  }
}

function createState(bounds: Bounds) {
  const keyBytesMax = bounds.KEY_BYTES_MAX;
  const tables = {
    types: new KeyTable({ keysMax: bounds.EVENT_TYPES_MAX, keyBytesMax }),
    words: new KeyTable({ keysMax: bounds.WORDS_MAX, keyBytesMax }),
  };
  const tally = new Tally(tables, {
    retentionSeconds: bounds.RETENTION,
    maxClockSkewSeconds: 0,
    cellsMax: bounds.WINDOW_CELLS_MAX,
    front: new EventTimeFront(),
  });
  return { tables, tally, restorer: new Restorer(tables, tally) };
}

/** `restorer` null: it is not needed, as a newer one is whole. */
function examineCheckpoint(
  files: StateFiles,
  folder: string,
  number: number,
  restorer: Restorer | null,
): FileReport {
  const name = fileName('checkpoint', number);
  const bytes = files.readFileSync(path.join(folder, name));
  let records = 0;
  let problem: string | null = null;
  try {
    if (!isWholeCheckpoint(name, bytes)) problem = 'it is not whole';
    else {
      readAll('checkpoint', name, bytes, (payload) => {
        restorer?.addCheckpointRecord(payload);
        records++;
      });
    }
  } catch (error) {
    problem = problemOf(error);
  }
  const keptBytes = problem === null ? bytes.length : 0;
  return { name, bytes: bytes.length, keptBytes, records, problem };
}

/** `broken`: why it is of no use, whatever is in it. */
function examineJournal(
  files: StateFiles,
  folder: string,
  name: string,
  restorer: Restorer,
  broken: string | null,
): FileReport {
  const bytes = files.readFileSync(path.join(folder, name));
  const report = { name, bytes: bytes.length, keptBytes: 0, records: 0 };
  const isEmpty = bytes.length <= fileHead('journal').length; // begun, and not written to
  if (broken !== null && !isEmpty) return { ...report, problem: broken };
  try {
    const { fault } = readAll('journal', name, bytes, (payload) => {
      if (report.records === 0) report.keptBytes = fileHead('journal').length;
      restorer.addJournalRecord(payload);
      report.records++;
      report.keptBytes += RECORD_HEADER_BYTES + payload.length;
    });
    if (isEmpty) return { ...report, keptBytes: bytes.length, problem: null };
    report.keptBytes ||= fileHead('journal').length;
    const isDamaged = fault === 'damaged';
    return {
      ...report,
      problem: isDamaged ? `the record at byte ${report.keptBytes} is damaged` : null,
    };
  } catch (error) {
    return { ...report, problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (error instanceof StateDamageError) return error.problem;
  throw error;
}
