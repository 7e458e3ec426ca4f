import fs from 'node:fs';
import path from 'node:path';
import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { Ingest } from '../consumer/dist/ingest/ingest.js';
import type { StatsAnswer } from '../consumer/dist/ingest/protocol.js';
import { RecordWriter } from '../consumer/dist/state/records.js';
import { EventTimeFront } from '../consumer/dist/tally/event-time-front.js';
import { makeTemporaryFolder, removeTemporaryFolder } from './temporary-folder.js';

const BEGIN = 1_509_602_400;
const POLL_MS = 100;
const READ_BYTES = 65_536;
const DURABILITIES = ['none', 'checkpoint', 'journal'] as const;

export interface StateBenchOptions {
  readonly lines: number;
  readonly distinctWords: number;
  readonly journalBytesMax: number;
  readonly checkpointIntervalMs: number;
  readonly seed: number;
}

/**
 * What keeping the state costs: how fast lines are counted, how long reading stands still at a time for
 * a checkpoint (median and longest of all checkpoints; a garbage collection may fall into it), how many bytes the journal takes for those that were read, what it would cost to keep
 * these instead of what they change, and how long a start takes with a checkpoint and a full journal. Lines come in reads of 64 KiB, one a turn of the
 * event loop.
 */
export async function benchState(options: StateBenchOptions): Promise<string[]> {
  const { lines, distinctWords, journalBytesMax } = options;
  const report = [
    `${lines} lines, three of ${distinctWords} words each`,
    'event time  durability   M lines/s  pause ms  longest ms  checkpoints  last s  MiB read  MiB of journal',
  ];
  for (const [name, seconds] of [
    ['one minute', 60],
    ['two hours', 7200],
  ] as const) {
    const body = makeLines(options, seconds);
    for (const durability of DURABILITIES) {
      const folder = makeTemporaryFolder();
      const subject = new Subject();
      let journal = 0;
      if (durability !== 'none') {
        const files = Object.assign(Object.create(fs) as typeof fs, {
          writeSync: (descriptor: number, bytes: Uint8Array, at = 0) => {
            const count = fs.writeSync(descriptor, bytes, at);
            if (fs.readlinkSync(`/proc/self/fd/${descriptor}`).includes('/journal-'))
              journal += count;
            return count;
          },
        });
        await subject.keep(folder, options, durability === 'journal', files);
      }
      const pauses = new Map<number, number>();
      const poll = setInterval(() => {
        const { checkpoints = 0, lastCheckpointPauseSeconds = null } = subject.stats().state ?? {};
        pauses.set(checkpoints, 1000 * (lastCheckpointPauseSeconds ?? 0));
      }, POLL_MS);
      const begin = performance.now();
      await subject.count(body);
      const rate = lines / (performance.now() - begin) / 1000;
      clearInterval(poll);
      const sorted = [...pauses.values()].sort((a, b) => a - b);
      const [median = 0, longest = 0] = [sorted[sorted.length >> 1], sorted.at(-1)];
      const { state, accepted } = subject.stats();
      if (accepted !== lines) throw new Error(`${accepted} of ${lines} lines were counted`);
      report.push(
        [
          name.padEnd(10),
          durability.padEnd(11),
          rate.toFixed(2).padStart(10),
          median.toFixed(1).padStart(8),
          longest.toFixed(1).padStart(10),
          String(state?.checkpoints ?? 0).padStart(11),
          (state?.lastCheckpointSeconds ?? 0).toFixed(2).padStart(6),
          (body.length / 2 ** 20).toFixed(0).padStart(8),
          (journal / 2 ** 20).toFixed(1).padStart(14),
        ].join('  '),
      );
      await subject.stop();
      removeTemporaryFolder(folder);
    }
  }
  report.push(rawJournal(makeLines(options, 60)));
  report.push(await recovery(options, journalBytesMax));
  return report;
}

/** What a journal of the bytes that were read would cost: a checksum and a write of each read. */
function rawJournal(body: Uint8Array): string {
  const folder = makeTemporaryFolder();
  const descriptor = fs.openSync(path.join(folder, 'journal'), 'w');
  const records = new RecordWriter();
  const begin = performance.now();
  for (let at = 0; at < body.length; at += READ_BYTES) {
    records.clear();
    records.add((writer) => writer.blob(body.subarray(at, at + READ_BYTES)));
    fs.writeSync(descriptor, records.bytes);
  }
  const seconds = (performance.now() - begin) / 1000;
  fs.closeSync(descriptor);
  removeTemporaryFolder(folder);
  const reads = Math.ceil(body.length / READ_BYTES);
  const perRead = ((1e6 * seconds) / reads).toFixed(0);
  return `a journal of the bytes read: ${perRead} µs a read of 64 KiB, ${(body.length / 2 ** 20).toFixed(1)} MiB`;
}

/** How long a start takes with all words in the checkpoint, and as much journal as there may be. */
async function recovery(options: StateBenchOptions, journalBytes: number): Promise<string> {
  const folder = makeTemporaryFolder();
  const quiet = { ...options, checkpointIntervalMs: 3_600_000, journalBytesMax: 2 ** 40 };
  const first = new Subject();
  const body = makeLines(options, 7200);
  await first.keep(folder, quiet, true, fs);
  await first.count(body);
  await first.stop();
  const second = new Subject();
  await second.keep(folder, quiet, true, fs);
  for (let at = 0; (second.stats().state?.journalBytes ?? 0) < journalBytes; at += READ_BYTES) {
    await second.count(body.slice(at % body.length, (at % body.length) + READ_BYTES));
  }
  const expected = second.stats();
  // Not stopped: as after SIGKILL there is no other checkpoint.
  const begin = performance.now();
  const third = new Subject();
  await third.keep(folder, quiet, true, fs);
  const seconds = (performance.now() - begin) / 1000;
  const { accepted, words, state } = third.stats();
  if (accepted !== expected.accepted) throw new Error(`${accepted} are ${expected.accepted}`);
  const checkpoints = fs.readdirSync(folder).filter((name) => name.startsWith('checkpoint'));
  const { size } = fs.statSync(path.join(folder, checkpoints.sort().at(-1) as string));
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  const text = `recovery: ${seconds.toFixed(2)} s for ${words.distinct} words, a checkpoint of ${mebibytes(size)} MiB and ${mebibytes(state?.journalBytes ?? 0)} MiB of journal`;
  await Promise.all([second.stop(), third.stop()]);
  removeTemporaryFolder(folder);
  return text;
}

class Subject {
  readonly #ingest: Ingest;

  constructor() {
    const clock = {
      now: () => BEGIN + 7200,
      monotonicSeconds: () => performance.now() / 1000,
    };
    const options = {
      scanner: 'simd',
      mapping: DEFAULT_MAPPING,
      lineBytesMax: 65_536,
      eventTypesMax: 10_000,
      wordsMax: 200_000,
      keyBytesMax: 256,
      retentionSeconds: 7200,
      maxClockSkewSeconds: 60,
      windowCellsMax: 2_000_000,
    } as const;
    this.#ingest = new Ingest(options, new EventTimeFront(), clock, {
      onOpened: () => {},
      onEnded: () => {},
      onFault: () => {},
    });
  }

  async keep(
    folder: string,
    options: StateBenchOptions,
    hasJournal: boolean,
    files: typeof fs,
  ): Promise<void> {
    const { checkpointIntervalMs, journalBytesMax } = options;
    const state = {
      hasJournal,
      checkpointIntervalMs,
      journalBytesMax,
      journalSyncIntervalMs: 1000,
    };
    await this.#ingest.keepState({ ...state, folder, from: [folder] }, files);
  }

  async count(body: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#ingest.post({ kind: 'post', lines: body });
  }

  stats(): StatsAnswer {
    return this.#ingest.answer({ kind: 'stats' }) as StatsAnswer;
  }

  stop(): Promise<void> {
    return this.#ingest.stop();
  }
}

function makeLines({ lines, distinctWords, seed }: StateBenchOptions, seconds: number) {
  const generator = xoroshiro128plus(seed);
  const word = () => `word${uniformInt(generator, 0, distinctWords - 1)}`;
  const texts = Array.from({ length: lines }, (_, i) => {
    const time = BEGIN + Math.floor((i / lines) * seconds);
    const data = `${word()} ${word()} ${word()}`;
    return `{"event_type":"type${i % 10}","data":"${data}","timestamp":${time},"value":${i % 100}}\n`;
  });
  return new TextEncoder().encode(texts.join(''));
}
