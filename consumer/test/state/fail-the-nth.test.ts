/** Whatever call to the file system fails, and whenever: what was answered for is there afterwards, once. */
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { Ingest } from '#consumer/ingest/ingest.js';
import type { StatsAnswer } from '#consumer/ingest/protocol.js';
import type { StateFiles } from '#consumer/state/state-files.js';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';
import { FailingFiles, type FailureMode } from '../support/failing-files.js';
import { event } from '../support/fifo-writer.js';
import { POOL_OPTIONS } from '../support/pool-options.js';
import { useTempDir } from '../support/temp-dir.js';

const POSTS = 9;
const JOURNAL_BYTES_MAX = 250;
const WAIT = { interval: 5, timeout: 20_000 };
/** Cases that run at the same time, most of which wait for the next attempt. */
const AT_ONCE = 40;

/** An ingest thread's content, without its thread. */
class Subject {
  fault: string | null = null;
  readonly #ingest: Ingest;

  constructor() {
    const clock = { now: () => 1000, monotonicSeconds: () => performance.now() / 1000 };
    this.#ingest = new Ingest({ ...POOL_OPTIONS, wordsMax: 1000 }, new EventTimeFront(), clock, {
      onOpened: () => {},
      onEnded: () => {},
      onFault: (fault) => {
        this.fault = fault;
      },
    });
  }

  async begin(folder: string, files: StateFiles): Promise<void> {
    const state = {
      folder,
      from: [folder],
      hasJournal: true,
      checkpointIntervalMs: 3_600_000,
      journalSyncIntervalMs: 5,
      // A checkpoint every few posts; and reading waits where several fail.
      journalBytesMax: JOURNAL_BYTES_MAX,
    };
    await this.#ingest.keepState(state, files);
  }

  /** False where it is refused. */
  async post(word: string): Promise<boolean> {
    const lines = new TextEncoder().encode(event('a', word));
    return (await this.#ingest.post({ kind: 'post', lines })).kind === 'post';
  }

  async stop(): Promise<void> {
    await this.#ingest.stop();
  }

  /** No checkpoint is being taken, or none can be. */
  get isSettled(): boolean {
    const answer = this.#ingest.answer({ kind: 'stats' });
    const { state } = answer as StatsAnswer;
    return state === null || state.fault !== null || state.journalBytes <= JOURNAL_BYTES_MAX;
  }

  words(): Readonly<Record<string, number>> {
    const answer = this.#ingest.answer({ kind: 'counts', of: 'words', window: null });
    if (answer.kind !== 'counts') throw new Error(answer.kind);
    const keys = ['', ...(answer.newKeys[0]?.keys ?? [])];
    return Object.fromEntries(
      Array.from(answer.ids, (id, i) => [keys[id], answer.counts[i] as number]),
    );
  }
}

async function recovered(folder: string): Promise<Readonly<Record<string, number>>> {
  const files = new FailingFiles(Number.POSITIVE_INFINITY, 'once');
  const subject = new Subject();
  await subject.begin(folder, files.files);
  const words = subject.words();
  files.kill();
  return words;
}

/** A state of some checkpoints and a journal with a torn end. */
async function prepare(folder: string): Promise<string[]> {
  const files = new FailingFiles(Number.POSITIVE_INFINITY, 'once');
  const subject = new Subject();
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
    end: 'kill' | 'heal',
  ): Promise<string | null> {
    const folder = path.join(dir.path, name);
    const answered = new Set(await prepare(folder));
    const sent = new Set(answered);
    const failing = new FailingFiles(n, mode);
    let subject = new Subject();
    let hasBegun = false;
    const begin = async () => {
      try {
        await subject.begin(folder, failing.files);
        hasBegun = true;
      } catch {
        subject = new Subject(); // as the thread is started again
      }
    };
    void begin();
    await pWaitFor(() => hasBegun || failing.failed !== null, WAIT);
    if (!hasBegun && end === 'heal') {
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
      if (isAnswered) continue;
      if (end === 'kill') break;
      failing.heal();
      await pWaitFor(() => subject.fault === null, WAIT);
      await posting;
      if (!isAnswered) posting = tryPost(); // it was refused while there was a fault
      await posting;
      expect(isAnswered).to.equal(true);
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
    if (end === 'heal') expect(answered).to.deep.equal(sent);
    return failing.failed;
  }

  for (const mode of ['once', 'lasting', 'short'] as const) {
    for (const end of ['heal', 'kill'] as const) {
      const then = end === 'heal' ? 'the disk takes everything again' : 'the process is killed';
      it(`${mode}, and ${then}: nothing that was answered for is lost, and nothing doubled`, async () => {
        const failed: string[] = [];
        for (let first = 1; ; first += AT_ONCE) {
          const cases = Array.from({ length: AT_ONCE }, (_, i) =>
            attempt(`${mode}-${end}-${first + i}`, first + i, mode, end),
          );
          const results = await Promise.all(cases);
          failed.push(...results.filter((name) => name !== null));
          if (results.at(-1) === null) break;
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
