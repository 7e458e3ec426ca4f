/** npm run nemesis: real processes under load, harmed in random order, and what each harm has cost. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { conditions } from './conditions.js';
import { Disk } from './disk.js';
import { FAULTS } from './faults.js';
import { faultsInOrder, inflict, obstacle, type Round } from './nemesis.js';
import { DURABILITIES, type Durability, Pipeline } from './pipeline.js';
import { Random } from './random.js';
import { ROUND_HEAD, roundLine, summary } from './report.js';

const NAMES = FAULTS.map(({ name }) => name);
const USAGE = `Usage: npm run nemesis -- [--kills N] [--seed S] [--durability D] [--faults A,B] [--rate R]

Runs a producer and a consumer, real processes, with events that each have a word of their own, harms
them in random order, and compares after each fault what was written with what is counted.

  --kills       how many faults (default 20)
  --seed        of their order and moments (default 1)
  --durability  ${DURABILITIES.join(', ')} (default journal)
  --faults      only these, with commas between (default all):
                ${NAMES.join('\n                ')}
  --rate        events a second; 0: as fast as they are taken (default 0)

Exit codes: 0 all guarantees held, 1 one was broken, 2 wrong usage, 130 ended by SIGINT,
which prints the table of what was done.
`;

const options = parseOptions();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-nemesis-'));
const disk = await Disk.mount(path.join(folder, 'disk'));
const { durability, eventsPerSecond } = options;
const pipeline = new Pipeline({ folder, disk, durability, eventsPerSecond });
const rounds: Round[] = [];
let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Not once: execa's own listener would find itself alone, and end the process at once.
  process.on(signal, async () => {
    if (isInterrupted) return;
    isInterrupted = true;
    await finish();
    process.exit(128 + os.constants.signals[signal]);
  });
}

print(
  `${conditions()}, seed ${options.seed}, durability ${durability}, ${eventsPerSecond || 'as many'} events a second${eventsPerSecond === 0 ? ' as are taken' : ''}`,
);
try {
  await run();
} catch (error) {
  if (!isInterrupted) {
    print(`broken: ${(error as Error).stack}`);
    for (const line of pipeline.lastWords()) print(`  ${line}`);
    process.exitCode = 1;
  }
}
if (!isInterrupted) {
  await finish();
  if (rounds.some(({ breaches }) => breaches.length > 0)) process.exitCode = 1;
}

async function run(): Promise<void> {
  const faults = options.faults.filter((fault) => {
    const reason = obstacle(fault, pipeline);
    if (reason !== null) print(`skipped: ${fault.name}: ${reason}`);
    return reason === null;
  });
  const random = new Random(options.seed);
  await pipeline.beginEpoch();
  print(ROUND_HEAD);
  for (const fault of faultsInOrder(faults, random)) {
    if (rounds.length === options.kills || isInterrupted) break;
    const round = await inflict(pipeline, fault, random);
    rounds.push(round);
    print(roundLine(rounds.length, round));
  }
}

async function finish(): Promise<void> {
  for (const line of summary(rounds)) print(line);
  await pipeline.end();
  await disk.unmount();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

function parseOptions() {
  const { values } = parse();
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const faults = FAULTS.filter(({ name }) => values.faults.split(',').includes(name));
  const numbers = {
    kills: Number(values.kills),
    seed: Number(values.seed),
    eventsPerSecond: Number(values.rate),
  };
  const isWrong =
    faults.length < values.faults.split(',').length ||
    !(DURABILITIES as readonly string[]).includes(values.durability) ||
    Object.values(numbers).some((number) => !Number.isSafeInteger(number) || number < 0);
  if (isWrong) refuse();
  return { ...numbers, durability: values.durability as Durability, faults };
}

function parse() {
  try {
    return parseArgs({
      options: {
        kills: { type: 'string', default: '20' },
        seed: { type: 'string', default: '1' },
        durability: { type: 'string', default: 'journal' },
        faults: { type: 'string', default: NAMES.join() },
        rate: { type: 'string', default: '0' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch {
    refuse();
  }
}

function refuse(): never {
  process.stderr.write(USAGE);
  process.exit(2);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
