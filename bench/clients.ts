import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import {
  type ConsumerProcess,
  type StatsDocument,
  startConsumer,
} from '../consumer/dist-test/support/consumer-process.js';
import { ATTACKS, type Attack, type AttackReport } from './attack.js';
import { spread } from './spread.js';
import { makeTemporaryFolder, removeTemporaryFolder } from './temporary-folder.js';

const ATTACKER = fileURLToPath(new URL('./attack.js', import.meta.url));
const BEGIN = 1_509_602_400;
/** How often it is asked whether the consumer is ready, while it is attacked. */
const LOOK_MS = 100;

export interface ClientsBenchOptions {
  readonly lines: number;
  readonly distinctWords: number;
  readonly clients: number;
  /** Of each measurement. */
  readonly seconds: number;
  readonly seed: number;
}

/**
 * How fast a whole consumer reads a FIFO that is always full, alone and while clients ask what costs the
 * most as fast as they can; and how long it takes meanwhile to say that it is ready. Each attack is
 * compared with the rates alone right before and after it. Writer, consumer and clients share the
 * machine's cores.
 */
export async function benchClients(options: ClientsBenchOptions): Promise<string[]> {
  const { lines, distinctWords, clients, seconds } = options;
  const folder = makeTemporaryFolder();
  const body = path.join(folder, 'body');
  fs.writeFileSync(body, makeLines(options));
  execFileSync('mkfifo', [path.join(folder, 'events-bench.fifo')]);
  const consumer = await startConsumer(folder);
  const writer = spawn(
    'sh',
    [
      '-c',
      'exec 3> "$1"; while cat "$2" >&3; do :; done',
      '',
      ...[path.join(folder, 'events-bench.fifo'), body],
    ],
    { detached: true },
  );
  const report = [
    `${lines} lines over two hours, three of ${distinctWords} words each, again and again; ${clients} clients; ${seconds} s each`,
    'clients ask for        M lines/s  of alone  per CPU s  of alone  answers/s  503/s  others  MiB/s  ready after ms       MiB now',
  ];
  try {
    await consumer.waitFor((stats) => stats.lines >= lines, 600_000);
    let before = await measure(consumer, null, options);
    const { now: alone } = consumer.residentMebibytes();
    report.push(row('nothing', before, [before], alone, options));
    for (const attack of [...Object.keys(ATTACKS), 'all of these'] as Attack[]) {
      const measured = await measure(consumer, attack, options);
      const { now } = consumer.residentMebibytes();
      const after = await measure(consumer, null, options);
      report.push(row(attack, measured, [before, after], now, options));
      before = after;
    }
    const { accepted, lines: counted } = await ask<StatsDocument>(consumer, '/stats');
    if (accepted !== counted) throw new Error(`${accepted} of ${counted} lines were accepted`);
  } finally {
    process.kill(-(writer.pid as number));
    await consumer.end('SIGTERM');
    removeTemporaryFolder(folder);
  }
  return report;
}

interface Measured {
  /** Lines a second. */
  readonly rate: number;
  /** Lines a second of the ingest thread's CPU time. */
  readonly cpuRate: number;
  readonly readyMs: readonly number[];
  readonly given: AttackReport;
}

async function measure(
  consumer: ConsumerProcess,
  attack: Attack | null,
  { clients, seconds }: ClientsBenchOptions,
): Promise<Measured> {
  const attacker =
    attack === null
      ? null
      : execa('node', [ATTACKER, String(consumer.port), String(clients), attack], {
          forceKillAfterDelay: false,
        });
  if (attacker !== null) await once(attacker.stdout, 'data');
  await delay(seconds * 100); // until the clients have their first answers
  const readyMs: number[] = [];
  const linesAt = async () => {
    const { lines } = await ask<StatsDocument>(consumer, '/stats');
    return { lines, at: performance.now(), cpuMs: consumer.ingestCpuMs() };
  };
  const before = await linesAt();
  while (performance.now() - before.at < seconds * 1000) {
    const begin = performance.now();
    await ask(consumer, '/readyz').catch(() => {}); // how soon it answers is what is measured
    readyMs.push(performance.now() - begin);
    await delay(LOOK_MS);
  }
  const after = await linesAt();
  attacker?.kill('SIGTERM');
  const given =
    attacker === null ? { statuses: {}, bytes: 0 } : JSON.parse((await attacker).stdout);
  const lines = after.lines - before.lines;
  return {
    rate: (1000 * lines) / (after.at - before.at),
    cpuRate: (1000 * lines) / (after.cpuMs - before.cpuMs),
    readyMs,
    given,
  };
}

/** Over a connection of its own; rejects unless it is answered with 200. */
async function ask<T>({ port }: ConsumerProcess, path: string): Promise<T> {
  const request = http.get({ port, host: '127.0.0.1', path, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const text = (await response.setEncoding('utf8').toArray()).join('');
  if (response.statusCode !== 200) throw new Error(`${path}: ${text}`);
  return JSON.parse(text) as T;
}

function row(
  what: string,
  { rate, cpuRate, readyMs, given }: Measured,
  alone: readonly Measured[],
  mebibytes: number,
  { seconds }: ClientsBenchOptions,
): string {
  const { 200: answers = 0, 503: refused = 0, ...others } = given.statuses;
  const rest = Object.values(others).reduce((sum, each) => sum + each, 0);
  const percent = (value: number, ofAlone: (measured: Measured) => number) => {
    const mean = alone.reduce((sum, each) => sum + ofAlone(each), 0) / alone.length;
    return `${((100 * value) / mean).toFixed(0)} %`;
  };
  return [
    what.padEnd(21),
    (rate / 1e6).toFixed(3).padStart(10),
    percent(rate, (each) => each.rate).padStart(8),
    (cpuRate / 1e6).toFixed(3).padStart(9),
    percent(cpuRate, (each) => each.cpuRate).padStart(8),
    (answers / seconds).toFixed(0).padStart(9),
    (refused / seconds).toFixed(0).padStart(5),
    String(rest).padStart(6),
    (given.bytes / seconds / 2 ** 20).toFixed(0).padStart(5),
    spread(readyMs, 0).padEnd(19),
    mebibytes.toFixed(0).padStart(7),
  ].join('  ');
}

function makeLines({ lines, distinctWords, seed }: ClientsBenchOptions): string {
  const generator = xoroshiro128plus(seed);
  const word = () => `word${uniformInt(generator, 0, distinctWords - 1)}`;
  return Array.from({ length: lines }, (_, i) => {
    const time = BEGIN + Math.floor((i / lines) * 7200);
    return `{"event_type":"type${i % 10}","data":"${word()} ${word()} ${word()}","timestamp":${time}}\n`;
  }).join('');
}
