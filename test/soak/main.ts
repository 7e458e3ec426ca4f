/** npm run soak: a consumer under load for long, and whether what it holds stays the same. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { conditions } from '../nemesis/conditions.js';
import { resultLines, SAMPLE_HEAD, Soak, sampleLine } from './soak.js';

const PLACES = 4;
/** On a machine that others use too, an answer may not be made in time, now and then. */
const REFUSED_SHARE_MAX = 0.01;
const USAGE = `Usage: npm run soak -- [--minutes N] [--seed S] [--rate R] [--quick]

Runs a consumer with ${PLACES} producers at a time, which come and go, and clients that ask and stream, and
prints every 10 s what it holds and how fast it answers. Exit code 0: its memory and latency are flat
(first third against last), at most ${REFUSED_SHARE_MAX * 100} % of the answers are 503 or late, it has as many
descriptors afterwards as before, and all is counted.

  --minutes  how long (default 30)
  --seed     of who comes when (default 1)
  --rate     events a second of each producer (default 5000)
  --quick    6 s, and memory and latency are no part of the verdict: shows that it works
`;

const options = parseOptions();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-soak-'));
const { quick } = options;
const soak = new Soak({
  folder,
  seconds: quick ? 6 : options.minutes * 60,
  sampleSeconds: quick ? 1 : 10,
  seed: options.seed,
  places: PLACES,
  eventsPerSecond: options.rate,
  runSecondsMax: quick ? 1 : 20,
  asking: 4,
  streaming: 5,
  streamMsMax: quick ? 1000 : 20_000,
  onSample: (sample) => print(sampleLine(sample)),
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Not once: execa's own listener would find itself alone, and end the process at once.
  process.on(signal, async () => {
    await end();
    process.exit(128 + os.constants.signals[signal]);
  });
}

print(
  `${conditions()}, seed ${options.seed}, ${PLACES} producers of ${options.rate} events a second`,
);
print(SAMPLE_HEAD);
try {
  const result = await soak.run();
  for (const line of resultLines(result)) print(line);
  const isServed = result.refused <= REFUSED_SHARE_MAX * result.answers;
  const isFlat = result.comparisons.every((comparison) => comparison.isFlat);
  process.exitCode = (quick || (isFlat && isServed)) && result.problems.length === 0 ? 0 : 1;
} finally {
  await end();
}

async function end(): Promise<void> {
  await soak.end();
  fs.rmSync(folder, { recursive: true, force: true });
}

function parseOptions() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '30' },
        seed: { type: 'string', default: '1' },
        rate: { type: 'string', default: '5000' },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    const [minutes, seed, rate] = [values.minutes, values.seed, values.rate].map(Number) as [
      number,
      number,
      number,
    ];
    if (!(minutes > 0) || !Number.isSafeInteger(seed) || !(rate > 0)) refuse();
    return { minutes, seed, rate, quick: values.quick };
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
