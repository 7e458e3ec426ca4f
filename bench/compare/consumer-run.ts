import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type ConsumerProcess,
  isRead,
  type StatsDocument,
  startConsumer,
} from '../../consumer/dist-test/support/consumer-process.js';
import type { Counts } from './checksum.js';
import { Child } from './child.js';
import { holdFifo } from './hold-fifo.js';
import type { Input } from './inputs.js';

const CLIENTS = fileURLToPath(new URL('./clients.js', import.meta.url));
/** How often it is asked whether all is counted, once all is written: before that, questions would take its time. */
const LOOK_MS = 5;
const COUNT_MS_MAX = 600_000;

export interface Run {
  /** Of ours from the start of what writes, to a consumer that reads, until the counts are answered; of a program all. */
  readonly seconds: number;
  /** null where nothing is counted, or no counts were asked for. */
  readonly counts: Counts | null;
  /** Of the consumer, with all its threads. */
  readonly cpuSeconds?: number;
  readonly mebibytes?: number;
  /** Events that came too late for the windows. */
  readonly late?: number;
  /** How often all clients together have asked. */
  readonly asksPerSecond?: number;
}

export interface ConsumerRunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** FIFOs, each with as much of the input. */
  readonly sources?: number;
  /** Of each FIFO; by default what the producer asks for. */
  readonly pipeBytes?: number;
  /** Of clients that each ask for a window of 60 s so often a second. */
  readonly clients?: number;
  readonly asksPerSecond?: number;
  /** Counts are not compared: only /stats is asked. */
  readonly withoutCounts?: boolean;
}

/** A fresh consumer reads an input from FIFOs, that cat(1) writes. */
export async function runConsumer(
  { file, bytes, lines, env: mapping }: Input,
  folder: string,
  {
    env = {},
    sources = 1,
    pipeBytes,
    clients = 0,
    asksPerSecond = 0,
    withoutCounts = false,
  }: ConsumerRunOptions = {},
): Promise<Run> {
  const runFolder = fs.mkdtempSync(path.join(folder, 'run-'));
  const fifos = Array.from({ length: sources }, (_, i) => path.join(runFolder, `events-${i}.fifo`));
  const held = fifos.map((fifo) => holdFifo(fifo, pipeBytes));
  const parts = sources === 1 ? [file] : split(file, sources, runFolder);
  const consumer = await startConsumer(runFolder, {
    DURABILITY: 'journal',
    STATE_DIR: path.join(runFolder, 'state'),
    ...mapping,
    ...env,
  });
  let askers: Child | null = null;
  try {
    await consumer.waitFor(
      (stats) => stats.sources.length === sources && stats.sources.every(isRead),
    );
    if (clients > 0)
      askers = await Child.start(CLIENTS, [consumer.port, clients, asksPerSecond].map(String));
    const cpuBefore = cpuSeconds(consumer.pid);
    const begin = performance.now();
    const written = Promise.all(fifos.map((fifo, i) => write(parts[i] as string, fifo)));
    await Promise.race([written, failAtEnd(consumer), failLate()]);
    const stats = await counted(consumer, bytes, lines);
    const counts = withoutCounts ? null : await ask(consumer, stats);
    const seconds = (performance.now() - begin) / 1000;
    return {
      seconds,
      counts,
      cpuSeconds: cpuSeconds(consumer.pid) - cpuBefore,
      mebibytes: consumer.residentMebibytes().peak,
      late: stats.late,
      ...(askers === null ? {} : { asksPerSecond: JSON.parse(await askers.end()) as number }),
    };
  } finally {
    askers?.kill();
    await consumer.end('SIGTERM');
    for (const descriptor of held) fs.closeSync(descriptor);
    fs.rmSync(runFolder, { recursive: true });
  }
}

/** Who writes would wait for ever. */
async function failAtEnd(consumer: ConsumerProcess): Promise<never> {
  await consumer.ended;
  throw new Error(`the consumer has ended: ${consumer.errors.join('\n')}`);
}

/** It may live and not read. */
async function failLate(): Promise<never> {
  await delay(COUNT_MS_MAX, undefined, { ref: false });
  throw new Error('the input is not taken in time');
}

/** Writes a file into a FIFO; resolves when all is taken. */
export async function write(file: string, fifo: string): Promise<void> {
  const writer = spawn('sh', ['-c', 'exec cat "$1" > "$2"', '', file, fifo], { stdio: 'inherit' });
  const [exitCode] = await once(writer, 'exit');
  if (exitCode !== 0) throw new Error(`cat ended with ${exitCode}`);
}

async function counted(
  consumer: ConsumerProcess,
  bytes: number,
  lines: number,
): Promise<StatsDocument> {
  const end = performance.now() + COUNT_MS_MAX;
  for (;;) {
    const stats = await consumer.get<StatsDocument>('/stats');
    if ('bytes' in stats && stats.bytes >= bytes) {
      if (stats.lines !== lines || stats.bytes !== bytes)
        throw new Error(
          `${stats.lines} lines of ${lines}, ${stats.bytes} bytes of ${bytes} are counted`,
        );
      return stats;
    }
    if (performance.now() > end) throw new Error('the input is not counted in time');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function ask(consumer: ConsumerProcess, { accepted }: StatsDocument): Promise<Counts> {
  const types = await consumer.get('/events/countByEventType');
  const words = await consumer.get('/events/countWords');
  const events = Object.values(types).reduce((sum, count) => sum + count, 0);
  if (events !== accepted) throw new Error(`${accepted} events, but ${events} by type`);
  return { types, words };
}

/** Into as many files of as many lines. */
function split(file: string, parts: number, folder: string): string[] {
  const prefix = path.join(folder, 'part-');
  execFileSync('split', ['--number', `l/${parts}`, '--suffix-length', '3', file, prefix]);
  return fs
    .readdirSync(folder)
    .filter((name) => name.startsWith('part-'))
    .sort()
    .map((name) => path.join(folder, name));
}

/** User and system time of a process's threads (proc(5)), in hundredths. */
function cpuSeconds(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
