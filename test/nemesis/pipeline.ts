import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';
import { DURABILITIES, type Durability } from '../../consumer/dist/state/durability.js';
import {
  type ConsumerProcess,
  type StatsDocument,
  startConsumer,
} from '../../consumer/dist-test/support/consumer-process.js';
import type { Disk } from './disk.js';
import { GeneratorFiles } from './generator-files.js';
import { Ledger, type Settlement } from './ledger.js';
import { bytesOf, lastType } from './numbered-events.js';
import { Producer } from './producer.js';

const STATE_COMMAND = fileURLToPath(new URL('../../consumer/dist/state.js', import.meta.url));
const CLOCK = new URL('./clock.js', import.meta.url);
/** How long anything may take that has to come: long, as it is no measurement. */
const WAIT_MS_MAX = 120_000;
const ANSWER_MS_MAX = 2000;
/** All words may be hundreds of thousands. */
const WORDS_ANSWER_MS_MAX = 60_000;
const LOOK_MS = 10;
/** More than the events of an epoch, with a wide margin. */
const WORDS_MAX = 5_000_000;

export { DURABILITIES, type Durability };

export interface PipelineOptions {
  readonly folder: string;
  readonly disk: Disk;
  readonly durability: Durability;
  /** 0: as fast as they are taken. */
  readonly eventsPerSecond: number;
}

/** What has become of the events of a load, and what else is wrong. */
export interface Rest extends Settlement {
  /** Bytes that were written and not counted as read; null where a generator died over a line. */
  readonly missingBytes: number | null;
  /** Lines that were rejected, and torn lines that became an event. */
  readonly torn: number;
  /** The input of at most the last so many seconds before a sudden end is lost. */
  readonly lostSeconds: number;
  readonly problems: readonly string[];
}

export interface Readiness {
  readonly status: 'ready' | 'not ready';
  readonly checks: Readonly<Record<string, { readonly ok: boolean }>>;
}

/** What /stats said. */
interface Seen {
  readonly at: number;
  readonly checkpoints: number;
  readonly bytes: number;
}

/** A copy of what a consumer kept that came to a sudden end. */
interface Kept {
  readonly copy: string;
  readonly diedAt: number;
  /** Bytes that have to be in there. */
  readonly surely: number;
  readonly seen: readonly Seen[];
}

/** A producer and a consumer, real processes, and what they were seen to do. */
export class Pipeline {
  readonly disk: Disk;
  readonly durability: Durability;
  readonly stateDir: string;
  readonly #folder: string;
  readonly #options: PipelineOptions;
  readonly #files: GeneratorFiles;
  #consumer: ConsumerProcess | null = null;
  /** The consumer has ended, and nobody has ended it. */
  #isGone = false;
  #producer: Producer | null = null;
  #order = 0;
  #ledger = new Ledger(0);
  /** Number of the epoch's first event, and how many runs of the generator there were before it. */
  #first = 0;
  #runsKnown = 0;
  #settled = { done: 0, bytes: 0, rejected: 0, runs: 0 };
  /** Bytes that are known to be kept whatever happens to the process, and whatever to the power. */
  #surelyKept = { process: 0, power: 0 };
  #seen: Seen[] = [];
  #isSpoilt = false;
  #copies = 0;
  readonly #keptToCheck: Kept[] = [];

  constructor(options: PipelineOptions) {
    const { folder, disk, durability } = options;
    this.#options = options;
    this.#folder = folder;
    this.disk = disk;
    this.durability = durability;
    this.stateDir = path.join(disk.folder, 'state');
    const control = path.join(folder, 'control');
    fs.mkdirSync(control);
    this.#files = new GeneratorFiles(control);
    this.setClock(0);
  }

  get consumer(): ConsumerProcess {
    if (this.#consumer === null) throw new Error('there is no consumer');
    return this.#consumer;
  }

  get producer(): Producer {
    if (this.#producer === null) throw new Error('there is no producer');
    return this.#producer;
  }

  /** Events since the state is what it is. */
  get epochEvents(): number {
    return this.#settled.done - this.#first;
  }

  /** Its files may be damaged in a way that nobody has come upon yet: the next fault needs others. */
  get isSpoilt(): boolean {
    return this.#isSpoilt;
  }

  get generatorRuns(): number {
    return this.#files.runs.length;
  }

  /** Begins with a state of nothing, and processes that nothing has happened to. */
  async beginEpoch(): Promise<void> {
    if (this.#consumer !== null) await this.stopConsumer();
    await this.#producer?.stop();
    fs.rmSync(this.stateDir, { recursive: true, force: true });
    this.setClock(0);
    const { done, doing } = this.#files.progress;
    if (done !== doing) throw new Error('the generator does not rest');
    const runs = this.#files.runs.length;
    this.#first = done;
    this.#runsKnown = runs;
    this.#ledger = new Ledger(done);
    this.#settled = { done, bytes: 0, rejected: 0, runs };
    this.#surelyKept = { process: 0, power: 0 };
    this.#isSpoilt = false;
    this.#seen = [];
    this.#give(true); // what begins before all is ready writes nothing
    await this.startConsumer();
    this.startProducer();
    await this.waitUntil('the generator begins', () => this.producer.hasBegun);
    await this.rest();
  }

  async startConsumer(): Promise<void> {
    this.#seen = [{ at: performance.now(), checkpoints: 0, bytes: 0 }];
    const consumer = await startConsumer(path.join(this.#folder, 'fifos'), {
      DURABILITY: this.durability,
      STATE_DIR: this.stateDir,
      CHECKPOINT_INTERVAL: '1s',
      // Small, so that many checkpoints are begun early.
      JOURNAL_BYTES_MAX: '1048576',
      WORDS_MAX: String(WORDS_MAX),
      WINDOW_CELLS_MAX: String(WORDS_MAX),
      CLOCK_OFFSET_FILE: this.#clockFile,
      NODE_OPTIONS: `--import=${CLOCK}`,
    });
    this.#consumer = consumer;
    this.#isGone = false;
    void consumer.ended.then(() => {
      this.#isGone = this.#consumer === consumer;
    });
  }

  /** Starts the consumer; what it says where it ends before it is ready, and null where it is. */
  async tryToStart(): Promise<string | null> {
    try {
      await this.startConsumer();
    } catch (error) {
      return (error as Error).message;
    }
    const { consumer } = this;
    const isReady = async () => (await this.readiness())?.status === 'ready';
    await pWaitFor(async () => this.#isGone || (await isReady()), {
      interval: LOOK_MS,
      timeout: WAIT_MS_MAX,
    });
    if (!this.#isGone) return null;
    this.#consumer = null;
    await consumer.end('SIGKILL'); // it is forgotten
    return consumer.errors.join('\n');
  }

  startProducer(): void {
    this.#producer = new Producer(path.join(this.#folder, 'fifos'), this.#files.folder);
  }

  /** SIGTERM, and its end. */
  async stopConsumer(): Promise<void> {
    const { consumer } = this;
    this.#consumer = null;
    const exitCode = await consumer.end('SIGTERM');
    if (exitCode !== 0) throw new Error(`the consumer ended with exit code ${exitCode}`);
  }

  async killConsumer(): Promise<void> {
    const { consumer } = this;
    this.#consumer = null;
    await consumer.end('SIGKILL');
    this.#keepsWhatWasSeen(performance.now());
  }

  /** The power goes, and comes back: all processes are gone, and what was not made to last. */
  async losePower(): Promise<void> {
    const { consumer } = this;
    this.#consumer = null;
    await this.disk.losePower();
    const diedAt = performance.now();
    await Promise.all([consumer.end('SIGKILL'), this.producer.kill()]);
    await this.disk.comeBack();
    this.#keepsWhatWasSeen(diedAt, 'power');
  }

  /** Waits for a sudden end that is to come. */
  async consumerDies(): Promise<void> {
    const { consumer } = this;
    this.#consumer = null;
    let hasEnded = false;
    void consumer.ended.then(() => {
      hasEnded = true;
    });
    await this.waitUntil('the consumer has died', () => hasEnded);
    await consumer.end('SIGKILL'); // it is forgotten
    this.#keepsWhatWasSeen(performance.now());
  }

  /** The consumer has come to a sudden end: what it kept is looked at later. */
  #keepsWhatWasSeen(diedAt: number, gone: 'process' | 'power' = 'process'): void {
    if (this.durability === 'none') return;
    const seen = this.#seen;
    const last = seen.at(-1);
    // A checkpoint that was begun after the answer has all of it: not the next one, which may have been
    // under way, but the one after that.
    const covered = seen.findLast(({ checkpoints }) => checkpoints + 2 <= (last?.checkpoints ?? 0));
    const inJournal = this.durability === 'journal' ? last : covered;
    const power = Math.max(this.#surelyKept.power, covered?.bytes ?? 0);
    const process = Math.max(this.#surelyKept.process, inJournal?.bytes ?? 0);
    this.#surelyKept = gone === 'power' ? { process: power, power } : { process, power };
    const copy = path.join(this.#folder, `copy-${this.#copies++}`);
    const filter = (file: string) => path.basename(file) !== 'lock'; // a socket
    if (fs.existsSync(this.stateDir)) fs.cpSync(this.stateDir, copy, { recursive: true, filter });
    this.#keptToCheck.push({ copy, diedAt, surely: this.#surelyKept[gone], seen });
  }

  /** Its files were damaged: what is kept may be less from now on. */
  spoil(bytes: number): void {
    this.#isSpoilt = true;
    const { process, power } = this.#surelyKept;
    this.#surelyKept = { process: Math.min(process, bytes), power: Math.min(power, bytes) };
  }

  /** Seconds that the consumer's clock is ahead of the machine's. */
  setClock(offsetSeconds: number): void {
    fs.writeFileSync(`${this.#clockFile}.tmp`, String(offsetSeconds));
    fs.renameSync(`${this.#clockFile}.tmp`, this.#clockFile);
  }

  get #clockFile(): string {
    return path.join(this.#folder, 'clock');
  }

  /** Has the generator write, and looks at the consumer for a while. */
  async load(ms: number): Promise<void> {
    this.#give(false);
    await this.untilReading();
    const end = performance.now() + ms;
    while (performance.now() < end) await this.#look();
  }

  /** Resolves once lines are counted that were not before. */
  async untilReading(): Promise<void> {
    let before: number | null = null;
    await this.waitUntil('lines are counted', async () => {
      const lines = (await this.#look())?.lines ?? null;
      if (lines === null) return false;
      before ??= lines;
      return lines > before;
    });
  }

  async untilReady(): Promise<void> {
    await this.waitUntil('it is ready', async () => (await this.readiness())?.status === 'ready');
  }

  /** What /readyz says; null where there is no answer. */
  async readiness(): Promise<Readiness | null> {
    return this.#ask<Readiness>('/readyz', ANSWER_MS_MAX, [200, 503]);
  }

  /** An answer of the consumer; null where it gives none, or another status. */
  async get<T>(path: string, msMax = ANSWER_MS_MAX): Promise<T | null> {
    return this.#ask<T>(path, msMax, [200]);
  }

  /** Has the generator rest, waits until all is counted, and settles. */
  async rest(): Promise<Rest> {
    const id = this.#give(true);
    await this.waitUntil('the generator rests', () => this.#restedBy() === id);
    const types = await this.waitFor('what was written last is counted', async () => {
      const counted = await this.get<Record<string, number>>('/events/countByEventType');
      return counted?.[lastType(id)] === undefined ? null : counted;
    });
    const words = await this.waitFor('all words', () =>
      this.get<Record<string, number>>('/events/countWords', WORDS_ANSWER_MS_MAX),
    );
    const stats = await this.waitFor('all counts', () => this.#look());

    const { runs } = this.#files;
    for (const run of runs.slice(this.#runsKnown)) this.#ledger.addUnsure(run);
    this.#runsKnown = runs.length;
    const { done } = this.#files.progress;
    const settlement = this.#ledger.settle(done, words, stats.words.overflow);
    const before = this.#settled;
    const rejected = Object.values(stats.rejected).reduce((sum, count) => sum + count, 0);
    this.#settled = { done, bytes: stats.bytes, rejected, runs: runs.length };
    const written = bytesOf(before.done, done);
    const { problems, lostSeconds } = await this.#checkKept();
    return {
      ...settlement,
      missingBytes: runs.length === before.runs ? written - (stats.bytes - before.bytes) : null,
      torn: Math.max(0, rejected - before.rejected) + settlement.joined,
      lostSeconds,
      problems: [...wrongSums(stats, types, words), ...problems],
    };
  }

  /** Bytes of input that are in the state, as `state.js inspect` tells. */
  async inspect(folder = this.stateDir): Promise<{ bytes: number; isDamaged: boolean }> {
    const { stdout, exitCode } = await this.runState('inspect', folder);
    const bytes = Array.from(
      stdout.matchAll(/: source .*: \d+ lines, (\d+) bytes/g),
      ([, digits]) => Number(digits),
    );
    return { bytes: bytes.reduce((sum, each) => sum + each, 0), isDamaged: exitCode !== 0 };
  }

  runState(command: 'inspect' | 'repair', folder = this.stateDir) {
    return execa(process.execPath, [STATE_COMMAND, command, folder], { reject: false });
  }

  /** Throws when it does not come to that. */
  async waitUntil(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
    await this.waitFor(what, async () => ((await isTrue()) ? true : null));
  }

  /** Resolves to the first answer that is not null. */
  async waitFor<T>(what: string, answer: () => Promise<T | null>): Promise<T> {
    const message = `waited ${WAIT_MS_MAX / 1000} s in vain until: ${what}`;
    const wait = { interval: LOOK_MS, timeout: { milliseconds: WAIT_MS_MAX, message } };
    return pWaitFor(async () => {
      if (this.#isGone) throw new Error(`the consumer has ended; until then: ${what}`);
      const found = await answer();
      return found !== null && pWaitFor.resolveWith(found);
    }, wait);
  }

  /** What the consumer said last. */
  lastWords(): string[] {
    const { log = [], errors = [] } = this.#consumer ?? {};
    return [...log.slice(-10).map((line) => JSON.stringify(line)), ...errors.slice(-10)];
  }

  async end(): Promise<void> {
    await this.#consumer?.end('SIGKILL');
    await this.#producer?.kill();
  }

  #give(isRest: boolean): number {
    this.#order++;
    const { eventsPerSecond } = this.#options;
    this.#files.order = { id: this.#order, isRest, eventsPerSecond };
    return this.#order;
  }

  /** null while it is being written. */
  #restedBy(): number | null {
    try {
      return this.#files.progress.restedBy;
    } catch (error) {
      if (error instanceof SyntaxError) return null;
      throw error;
    }
  }

  async #look(): Promise<StatsDocument | null> {
    const stats = await this.get<StatsDocument>('/stats');
    if (stats !== null) {
      const checkpoints = stats.state?.checkpoints ?? 0;
      this.#seen.push({ at: performance.now(), checkpoints, bytes: stats.bytes });
    }
    return stats;
  }

  async #ask<T>(path: string, msMax: number, statuses: readonly number[]): Promise<T | null> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.consumer.port}${path}`, {
        signal: AbortSignal.timeout(msMax),
      });
      const answer = (await response.json()) as T;
      return statuses.includes(response.status) ? answer : null;
    } catch {
      return null; // it is dead, halted, or about to be
    }
  }

  /** What the consumer kept when it came to a sudden end. */
  async #checkKept(): Promise<{ problems: string[]; lostSeconds: number }> {
    const problems: string[] = [];
    let lostSeconds = 0;
    for (const { copy, diedAt, surely, seen } of this.#keptToCheck.splice(0)) {
      const { bytes, isDamaged } = await this.inspect(copy);
      if (bytes < surely) problems.push(`${bytes} bytes were kept, and ${surely} should be`);
      if (isDamaged && surely > 0) problems.push('what was kept is damaged');
      const last = seen.findLast((stats) => stats.bytes <= bytes);
      lostSeconds = Math.max(lostSeconds, (diedAt - (last?.at ?? diedAt)) / 1000);
      fs.rmSync(copy, { recursive: true, force: true });
    }
    return { problems, lostSeconds };
  }
}

function wrongSums(
  { accepted, lines, blank, rejected, words: { overflow } }: StatsDocument,
  types: Readonly<Record<string, number>>,
  words: Readonly<Record<string, number>>,
): string[] {
  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  const problems: string[] = [];
  const check = (what: string, found: number, expected: number) => {
    if (found !== expected) problems.push(`${what}: ${found}, and not ${expected}`);
  };
  check('words of all events', sum(words) + overflow, accepted);
  check('events of all types', sum(types), accepted);
  check('lines', lines, accepted + blank + sum(rejected));
  return problems;
}
