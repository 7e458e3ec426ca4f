/** Whatever call to the file system fails, and whenever: what was answered for is there afterwards, once. */
import fs from 'node:fs';
import path from 'node:path';
import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { readWholeManifest, StateDirectory } from '#consumer/state/state-directory.js';
import type { StateFiles } from '#consumer/state/state-files.js';
import { FailingFiles, type FailureMode } from '../support/failing-files.js';
import { IngestSubject } from '../support/ingest-subject.js';
import { useTempDir } from '../support/temp-dir.js';

const BOUNDS = {
  LINE_BYTES_MAX: 65_536,
  EVENT_TYPES_MAX: 100,
  WORDS_MAX: 100,
  KEY_BYTES_MAX: 100,
  RETENTION: 600,
  WINDOW_CELLS_MAX: 100_000,
};
const POSTS = 9;
const WAIT = { interval: 5, timeout: 20_000 };
/** Cases that run at the same time, most of which wait for the next attempt. */
const AT_ONCE = 40;

async function recovered(folder: string): Promise<Readonly<Record<string, number>>> {
  const files = new FailingFiles(Number.POSITIVE_INFINITY, 'once');
  const subject = new IngestSubject();
  await subject.begin(folder, files.files);
  const words = subject.words();
  files.kill();
  return words;
}

/** A state of some checkpoints and a journal with a torn end. */
async function prepare(folder: string): Promise<string[]> {
  const files = new FailingFiles(Number.POSITIVE_INFINITY, 'once');
  const subject = new IngestSubject();
  fs.mkdirSync(folder);
  await subject.begin(folder, files.files);
  const words = Array.from({ length: 9 }, (_, i) => `before${i}`);
  for (const word of words) expect(await subject.post(word)).to.equal(true);
  await pWaitFor(() => fs.readdirSync(folder).some((name) => /^checkpoint-\d+$/.test(name)), WAIT);
  await subject.post('journaled');
  files.kill();
  const journal = fs
    .readdirSync(folder)
    .filter((name) => name.startsWith('journal'))
    .sort()
    .at(-1);
  fs.appendFileSync(path.join(folder, journal as string), 'torn');
  return [...words, 'journaled'];
}

describe('when the nth call to the file system fails', () => {
  const dir = useTempDir();

  /** Runs a case; what has failed, null where there were fewer calls. */
  async function attempt(
    name: string,
    n: number,
    mode: FailureMode,
    end: 'kill' | 'heal' | 'heal and kill',
  ): Promise<string | null> {
    const folder = path.join(dir.path, name);
    const answered = new Set(await prepare(folder));
    const sent = new Set(answered);
    const failing = new FailingFiles(n, mode);
    let subject = new IngestSubject();
    let hasBegun = false;
    const begin = async () => {
      try {
        await subject.begin(folder, failing.files);
        hasBegun = true;
      } catch {
        subject = new IngestSubject(); // as the thread is started again
      }
    };
    void begin();
    await pWaitFor(() => hasBegun || failing.failed !== null, WAIT);
    if (!hasBegun && end !== 'kill') {
      failing.heal();
      while (!hasBegun) {
        await begin();
      }
    }
    for (let i = 0; hasBegun && i < POSTS; i++) {
      await pWaitFor(() => subject.isSettled, WAIT);
      const word = `after${i}`;
      sent.add(word);
      let isAnswered = false;
      const tryPost = async () => {
        if (await subject.post(word)) {
          answered.add(word);
          isAnswered = true;
        }
      };
      let posting = tryPost();
      await pWaitFor(() => isAnswered || subject.fault !== null, WAIT);
      // Before a checkpoint makes up for what went wrong.
      if (isAnswered && end === 'heal and kill' && failing.failed !== null) break;
      if (isAnswered) continue;
      if (end === 'kill') break;
      failing.heal();
      await pWaitFor(() => subject.fault === null, WAIT);
      await posting;
      if (!isAnswered) posting = tryPost(); // it was refused while there was a fault
      await posting;
      expect(isAnswered).to.equal(true);
      if (end === 'heal and kill') break;
    }
    const what = `${mode}, then ${end}, call ${n}: ${failing.failed}`;
    if (end === 'heal') {
      failing.heal();
      await subject.stop();
    }
    failing.kill();
    const words = await recovered(folder);
    expect(
      Object.values(words).every((count) => count === 1),
      `${what}: none twice`,
    ).to.equal(true);
    expect([...sent], `${what}: nothing that was not sent`).to.include.members(Object.keys(words));
    expect(Object.keys(words), `${what}: all that was answered for`).to.include.members([
      ...answered,
    ]);
    if (end !== 'kill') expect(answered).to.deep.equal(sent);
    return failing.failed;
  }

  for (const mode of ['once', 'lasting', 'short'] as const) {
    for (const [end, then] of [
      ['heal', 'the disk takes everything again'],
      ['heal and kill', 'the disk takes everything again, and the process is killed'],
      ['kill', 'the process is killed'],
    ] as const) {
      it(`${mode}, and ${then}: nothing that was answered for is lost, and nothing doubled`, async () => {
        const failed: string[] = [];
        for (let first = 1; ; first += AT_ONCE) {
          const cases = Array.from({ length: AT_ONCE }, (_, i) =>
            attempt(`${mode}-${end}-${first + i}`, first + i, mode, end),
          );
          const results = await Promise.all(cases);
          failed.push(...results.filter((name) => name !== null));
          // One alone may be a close, which never fails.
          if (results.every((name) => name === null)) break;
        }
        const kinds = [
          'writeSync',
          'fsyncSync',
          'fdatasync',
          'fdatasyncSync',
          'renameSync',
          'unlink',
        ];
        expect(failed).to.include.members(kinds);
      }).timeout(120_000);
    }
  }
});

describe('a post that the disk does not take before the end', () => {
  const dir = useTempDir();

  it('is not answered as if it were counted', async () => {
    const count = async (failsAfter: number, word: string) => {
      const failing = new FailingFiles(failsAfter + 1, 'lasting');
      const subject = new IngestSubject();
      await subject.begin(path.join(dir.path, String(failsAfter)), failing.files);
      const begun = failing.calls;
      const answer = subject.post(word);
      await pWaitFor(() => subject.fault !== null || failing.calls > begun, WAIT);
      await subject.stop();
      return { begun, isAnswered: await answer };
    };
    const { begun, isAnswered } = await count(Number.POSITIVE_INFINITY, 'kept');
    expect(isAnswered).to.equal(true);
    expect((await count(begun, 'lost')).isAnswered).to.equal(false);
  });
});

describe('when the nth call to the file system fails while the threads become more', () => {
  const dir = useTempDir();
  const settings = (workers: number) => ({ workers, mapping: DEFAULT_MAPPING, bounds: BOUNDS });

  /** As threads do: each has its state once it has begun. */
  const begin = (state: StateDirectory, files: StateFiles) => {
    for (const { folder } of state.threads) {
      files.mkdirSync(folder, { recursive: true });
      const file = path.join(folder, 'checkpoint-000001');
      files.closeSync(files.openSync(file, 'w'));
    }
    state.commit();
  };

  for (const mode of ['once', 'short'] as const) {
    it(`${mode}: the next start finds the counts of before, or those of after`, () => {
      const kinds = new Set<string>();
      for (let n = 1; ; n++) {
        const folder = path.join(dir.path, `${mode}-${n}`);
        begin(new StateDirectory(folder, settings(1)), fs);
        const failing = new FailingFiles(n, mode);
        try {
          begin(new StateDirectory(folder, settings(2), failing.files), failing.files);
        } catch {
          // told to whoever starts it
        }
        failing.kill();
        const { failed } = failing;
        const next = new StateDirectory(folder, settings(2));
        const found = next.threads.flatMap(({ from }) => from);
        expect(found, `call ${n}: ${failed}`).to.not.be.empty;
        for (const each of found) {
          expect(fs.existsSync(path.join(each, 'checkpoint-000001')), `${n}: ${failed}`).to.equal(
            true,
          );
        }
        begin(next, fs);
        expect(readWholeManifest(fs, folder)).to.deep.include({ isCopy: false });
        expect(fs.readdirSync(folder).filter((name) => /^\d+$/.test(name))).to.deep.equal(['2']);
        if (failing.calls < n) break;
        if (failed !== null) kinds.add(failed);
      }
      expect([...kinds]).to.include.members(['writeSync', 'fsyncSync', 'renameSync', 'rmSync']);
    });
  }
});
