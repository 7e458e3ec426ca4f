#!/usr/bin/env node
// The bundled generator: events of the original challenge on standard output, one a line, until it
// is stopped, its output closes or --count is reached.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { BlockCycle } from './block-cycle.js';
import { EventStream } from './event-stream.js';
import { packageVersion, parseRate, parseShare, wholeNumber } from './options.js';
import { runProgram, type Write } from './output.js';
import { Pace, sleepMs } from './pace.js';

// The timestamp in the challenge's example.
const SEEDED_START = 1_509_604_913;
// The last second of the year 9999.
const START_MAX = 253_402_300_799;

interface Options {
  rate: number;
  burst: number;
  corrupt: number;
  count?: number;
  seed?: number;
  start?: number | 'now';
  jitter: number;
}

const parseStartSeconds = wholeNumber(0, START_MAX);

const command = new Command('generator')
  .description('Writes random events to standard output, one JSON object a line.')
  .option(
    '--rate <events/s>',
    'a number, or max: as fast as they are taken, the first four megabytes again and again',
    parseRate,
    5,
  )
  .option(
    '--burst <n>',
    'events written together, at the same mean rate',
    wholeNumber(1, 10_000_000),
    1,
  )
  .option('--corrupt <share>', 'share of corrupt lines, 0 to 1', parseShare, 0.2)
  .option('--count <n>', 'stop after n events', wholeNumber(0, Number.MAX_SAFE_INTEGER))
  .option(
    '--seed <n>',
    'the same bytes each time for the same options',
    wholeNumber(0, 2 ** 32 - 1),
  )
  .option(
    '--start <seconds>',
    `timestamp of the first event, Unix seconds; the others follow at --rate (with max all have the same); now: the clock's time (default: ${SEEDED_START} with --seed, now without)`,
    (text: string) => (text === 'now' ? text : parseStartSeconds(text)),
  )
  .option(
    '--jitter <s>',
    'timestamps moved back by a random 0 to s seconds',
    wholeNumber(0, START_MAX),
    0,
  )
  .version(packageVersion())
  .parse();

const options = command.opts<Options>();
const countMax = options.count ?? Number.POSITIVE_INFINITY;
const start = options.start ?? (options.seed === undefined ? 'now' : SEEDED_START);

const timestampAt =
  start === 'now' ? () => Date.now() / 1000 : (index: number) => start + index / options.rate;
const stream = new EventStream({
  seed: options.seed ?? randomInt(2 ** 32),
  corruptShare: options.corrupt,
  jitterSecondsMax: options.jitter,
  timestampAt,
});
const isCycle = options.rate === Number.POSITIVE_INFINITY && options.jitter === 0;
const events = isCycle ? new BlockCycle(stream, timestampAt) : stream;

async function generate(write: Write): Promise<void> {
  const pace = new Pace(options.rate, options.burst, performance.now());
  while (events.made < countMax) {
    const madeBefore = events.made;
    const target = Math.min(madeBefore + pace.due(performance.now()), countMax);
    while (events.made < target) {
      await write(events.next(target - events.made));
    }
    pace.spend(events.made - madeBefore);
    if (events.made < countMax) await sleep(sleepMs(pace.waitMs(performance.now())));
  }
}

await runProgram('generator', generate);
