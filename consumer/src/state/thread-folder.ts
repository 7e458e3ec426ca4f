/**
 * The files of one ingest thread, and the state that is in them.
 *
 *   checkpoint-000007   the state as it was when journal-000007 was begun
 *   journal-000007      what was read after that, until journal-000008 was begun
 *   checkpoint-000008   …
 *
 * The newest whole checkpoint and the journals from its number on make the state. The checkpoint before
 * it is kept with its journals, for the case that the newest is damaged. Records of journals are numbered
 * through, so that none can be missing unnoticed.
 */
import path from 'node:path';
import { ByteReader } from './bytes.js';
import { readCheckpointRecord } from './checkpoint-records.js';
import {
  type FileKind,
  ForeignFileError,
  fileHead,
  hasHead,
  type RecordsRead,
  readRecords,
} from './records.js';
import { RecordGapError, type Restorer } from './restorer.js';
import { type StateFiles, syncFolder } from './state-files.js';

/** The state in a folder cannot be read as it is. */
export class StateDamageError extends Error {
  override readonly name = 'StateDamageError';
  /** Without the file's name. */
  readonly problem: string;

  constructor(file: string, problem: string) {
    super(`${file}: ${problem}`);
    this.problem = problem;
  }
}

export interface Recovery {
  /** Of the checkpoint that was read; null: there was none. */
  readonly checkpoint: number | null;
  readonly journalRecords: number;
  readonly journalBytes: number;
  /** Of the torn tail that was cut. */
  readonly cutBytes: number;
  /** Checkpoints that were not whole and did without. */
  readonly skipped: readonly string[];
}

export function fileName(kind: FileKind, number: number): string {
  return `${kind}-${String(number).padStart(6, '0')}`;
}

/** Numbers of a folder's files of a kind, the least first. */
export function fileNumbers(files: StateFiles, folder: string, kind: FileKind): number[] {
  return files
    .readdirSync(folder)
    .map((name) => new RegExp(`^${kind}-(\\d{6,})$`).exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Gives the state in a folder to a restorer. Cuts a torn tail off the last journal, and removes what was
 * never finished. Throws StateDamageError when that state is not all there; what was given is then of no
 * use.
 */
export function recover(files: StateFiles, folder: string, restorer: Restorer): Recovery {
  removeUnfinished(files, folder);
  const skipped: string[] = [];
  let checkpoint: number | null = null;
  for (const number of fileNumbers(files, folder, 'checkpoint').toReversed()) {
    const file = path.join(folder, fileName('checkpoint', number));
    const bytes = files.readFileSync(file);
    if (isWholeCheckpoint(file, bytes)) {
      readAll('checkpoint', file, bytes, (payload) => restorer.addCheckpointRecord(payload));
      checkpoint = number;
      break;
    }
    skipped.push(file);
  }
  const journals = fileNumbers(files, folder, 'journal').filter((n) => n >= (checkpoint ?? 0));
  const [damaged] = skipped;
  if (checkpoint === null && damaged !== undefined && journals[0] !== 1) {
    throw new StateDamageError(damaged, 'it is not whole, and there is no older one');
  }
  let expected = checkpoint ?? 1;
  const counted = { journalRecords: 0, journalBytes: 0, cutBytes: 0 };
  for (const number of journals) {
    if (number !== expected++) {
      const missing = path.join(folder, fileName('journal', expected - 1));
      throw new StateDamageError(
        missing,
        `it is missing, and ${fileName('journal', number)} is there`,
      );
    }
    const isLast = number === journals.at(-1);
    replay(files, path.join(folder, fileName('journal', number)), isLast, restorer, counted);
  }
  return { checkpoint, skipped, ...counted };
}

/** Checkpoints that were being written, and journals that were begun but not written to, at the end. */
function removeUnfinished(files: StateFiles, folder: string): void {
  for (const name of files.readdirSync(folder)) {
    if (name.endsWith('.tmp')) files.rmSync(path.join(folder, name), { force: true });
  }
  for (const number of fileNumbers(files, folder, 'journal').toReversed()) {
    const file = path.join(folder, fileName('journal', number));
    const bytes = files.readFileSync(file);
    if (bytes.length > fileHead('journal').length) return;
    readAll('journal', file, bytes, () => {}); // it is a journal of ours
    files.rmSync(file);
  }
}

/** The last record says how many there are before it. */
export function isWholeCheckpoint(file: string, bytes: Uint8Array): boolean {
  let records = 0;
  let end: number | null = null;
  if (!hasHead('checkpoint', bytes)) return false;
  const { fault } = readAll('checkpoint', file, bytes, (payload) => {
    const record = payload.length < 16 ? readCheckpointRecord(new ByteReader(payload)) : null;
    if (record?.kind === 'end') end = record.records;
    else records++;
  });
  return fault === null && end === records;
}

function replay(
  files: StateFiles,
  file: string,
  isLast: boolean,
  restorer: Restorer,
  counted: { journalRecords: number; journalBytes: number; cutBytes: number },
): void {
  const bytes = files.readFileSync(file);
  const { fault, wholeBytes } = readAll('journal', file, bytes, (payload) => {
    restorer.addJournalRecord(payload);
    counted.journalRecords++;
  });
  counted.journalBytes += wholeBytes;
  if (fault === null) return;
  if (fault === 'damaged' || !isLast) {
    const problem = `the record at byte ${wholeBytes} of ${bytes.length} is damaged`;
    throw new StateDamageError(file, problem);
  }
  counted.cutBytes += bytes.length - wholeBytes;
  const descriptor = files.openSync(file, 'r+');
  try {
    files.ftruncateSync(descriptor, wholeBytes);
    files.fsyncSync(descriptor);
  } finally {
    files.closeSync(descriptor);
  }
  syncFolder(files, path.dirname(file));
}

/** As readRecords, with StateDamageError for all that the bytes of a file may have wrong. */
export function readAll(
  kind: FileKind,
  file: string,
  bytes: Uint8Array,
  onPayload: (payload: Uint8Array) => void,
): RecordsRead {
  try {
    return readRecords(kind, bytes, onPayload);
  } catch (error) {
    if (error instanceof ForeignFileError || error instanceof RecordGapError) {
      throw new StateDamageError(file, error.message);
    }
    if (error instanceof RangeError || error instanceof TypeError) {
      throw new StateDamageError(file, `a record is whole but makes no sense: ${error.message}`);
    }
    throw error;
  }
}
