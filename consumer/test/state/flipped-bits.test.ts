/** A bit that turns over in a file: what it costs is known, and nothing is counted that was not. */
import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { expect } from 'chai';
import { type FileKind, fileHead } from '#consumer/state/records.js';
import { examineFolder, repairFolder } from '#consumer/state/repair.js';
import { Restorer } from '#consumer/state/restorer.js';
import {
  type Bounds,
  MANIFEST,
  MANIFEST_COPY,
  type Manifest,
  readWholeManifest,
  repairManifest,
  StateDirectory,
  StateDirectoryError,
} from '#consumer/state/state-directory.js';
import { fileName, recover, StateDamageError } from '#consumer/state/thread-folder.js';
import { MemoryFiles } from '../support/memory-files.js';
import { StateSubject } from '../support/state-subject.js';
import { useTempDir } from '../support/temp-dir.js';

const BOUNDS: Bounds = {
  LINE_BYTES_MAX: 65_536,
  EVENT_TYPES_MAX: 100,
  WORDS_MAX: 100,
  KEY_BYTES_MAX: 100,
  RETENTION: 600,
  WINDOW_CELLS_MAX: 100_000,
};
const FOLDER = '/state/1/0';
/** The newest checkpoint's number, of two. */
const NEWEST = 3;
const RECORDS_A_JOURNAL = 2;

/** Its length, a checksum of that, one of itself, and the payload. */
function toRecord(payload: Uint8Array): Uint8Array[] {
  const uint32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  const length = uint32(payload.length);
  return [length, uint32(crc32(length)), uint32(crc32(payload)), payload];
}

function foldersOf({ threads }: StateDirectory): string[] {
  return threads.map(({ folder }) => folder);
}

describe('when a bit of a state file turns over', () => {
  /** What was counted after each record, by number of the batch. */
  let history: string[];

  const answers = (subject: StateSubject) => JSON.stringify(subject.answers());

  const write = (
    { files }: MemoryFiles,
    kind: FileKind,
    number: number,
    payloads: Uint8Array[],
  ) => {
    const descriptor = files.openSync(path.join(FOLDER, fileName(kind, number)), 'w');
    files.writeSync(descriptor, Buffer.concat([fileHead(kind), ...payloads.flatMap(toRecord)]));
    files.closeSync(descriptor);
  };

  /** Two checkpoints with their journals, and an empty one where the last has just been begun. */
  const prepare = (lastIsEmpty: boolean): MemoryFiles => {
    const memory = new MemoryFiles();
    memory.files.mkdirSync(FOLDER);
    const subject = new StateSubject();
    history = [answers(subject)];
    const count = () => {
      const words = [`word${history.length}`];
      const record = subject.add([{ time: 1000, type: 'a', words, value: 1 }], 1000);
      history.push(answers(subject));
      return record;
    };
    for (let number = 1; number <= NEWEST; number++) {
      if (number > 1) write(memory, 'checkpoint', number, subject.checkpoint());
      const isEmpty = lastIsEmpty && number === NEWEST;
      const records = Array.from({ length: isEmpty ? 0 : RECORDS_A_JOURNAL }, count);
      if (number > 1) write(memory, 'journal', number, records);
    }
    return memory;
  };

  /** What a start finds, or why it is refused. */
  const start = ({ files }: MemoryFiles): StateSubject | StateDamageError => {
    const subject = new StateSubject();
    try {
      recover(files, FOLDER, new Restorer(subject.tables, subject.tally));
      return subject;
    } catch (error) {
      if (error instanceof StateDamageError) return error;
      throw error;
    }
  };

  for (const lastIsEmpty of [false, true]) {
    const what = lastIsEmpty ? 'an empty journal at the end' : 'records at the end';
    it(`starts with what was counted, or is refused and can be repaired: ${what}`, () => {
      const whole = prepare(lastIsEmpty);
      const all = history.length - 1;
      const outcomes = { startedWithAll: 0, startedWithoutLast: 0, repaired: 0 };
      for (const name of whole.files.readdirSync(FOLDER)) {
        const file = path.join(FOLDER, name);
        const { length } = whole.files.readFileSync(file);
        for (let byte = 0; byte < length; byte++) {
          const at = `byte ${byte} of ${name}`;
          const memory = whole.copy();
          const { files } = memory;
          const bytes = files.readFileSync(file);
          bytes[byte]! ^= 1 << (byte % 8);
          files.writeSync(files.openSync(file, 'w'), bytes);

          const report = examineFolder(files, FOLDER, BOUNDS);
          let found = start(memory);
          if (found instanceof StateDamageError) {
            repairFolder(files, FOLDER, path.join(FOLDER, 'dropped'), report);
            found = start(memory);
            if (found instanceof StateDamageError) throw new Error(`${at}: ${found.message}`);
            outcomes.repaired++;
          } else if (found.tally.batch === all) outcomes.startedWithAll++;
          else {
            // The last record: it cannot be told from one that was not written to its end.
            expect(found.tally.batch, at).to.equal(all - 1);
            outcomes.startedWithoutLast++;
          }
          expect(report.accepted, at).to.equal(found.tally.stats().accepted);
          expect(answers(found), at).to.equal(history[found.tally.batch]);
        }
      }
      expect(outcomes.repaired).to.be.above(0);
      expect(outcomes.startedWithAll).to.be.above(0);
      expect(outcomes.startedWithoutLast > 0).to.equal(!lastIsEmpty);
    });
  }

  context('of state.json', () => {
    const dir = useTempDir();
    /** Nothing here has to outlast a loss of power, two thousand times. */
    const files = { ...fs, fsyncSync: () => {} };
    const open = () =>
      new StateDirectory(dir.path, { workers: 2, mapping: DEFAULT_MAPPING, bounds: BOUNDS });

    it('starts with the same folders, or is refused and can be repaired', () => {
      const folders = foldersOf(open());
      open().commit();
      const whole = fs.readFileSync(path.join(dir.path, MANIFEST));
      expect(fs.readFileSync(path.join(dir.path, MANIFEST_COPY))).to.deep.equal(whole);
      let refused = 0;
      for (let byte = 0; byte < whole.length; byte++) {
        const at = `byte ${byte}`;
        const bytes = Buffer.from(whole);
        bytes[byte]! ^= 1 << (byte % 8);
        fs.writeFileSync(path.join(dir.path, MANIFEST), bytes);
        try {
          expect(foldersOf(open()), at).to.deep.equal(folders);
        } catch (error) {
          if (!(error instanceof StateDirectoryError)) throw error;
          expect(error.message, at)
            .to.include('state.js repair')
            .and.to.include('removing the folder');
          refused++;
          const found = readWholeManifest(fs, dir.path);
          expect(found?.isCopy, at).to.equal(true);
          repairManifest(
            files,
            dir.path,
            path.join(dir.path, 'dropped'),
            found?.manifest as Manifest,
          );
          expect(fs.readFileSync(path.join(dir.path, MANIFEST)), at).to.deep.equal(whole);
        }
      }
      // All but white space that has become other white space.
      expect(refused).to.be.above(0.8 * whole.length);
    });

    it('is refused for good where its copy is damaged too', () => {
      open().commit();
      for (const name of [MANIFEST, MANIFEST_COPY]) fs.truncateSync(path.join(dir.path, name), 20);
      expect(() => readWholeManifest(fs, dir.path)).to.throw(StateDirectoryError, 'its copy');
    });

    it('has its copy made again at a start', () => {
      open().commit();
      const copy = path.join(dir.path, MANIFEST_COPY);
      fs.rmSync(copy);
      open().commit();
      expect(fs.readFileSync(copy)).to.deep.equal(fs.readFileSync(path.join(dir.path, MANIFEST)));
    });
  });
});
