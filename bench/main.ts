/** npm run bench -- NAME: measurements that are run by hand; with --quick, small enough for the tests. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { benchClients } from './clients.js';
import { benchMemory } from './memory.js';
import { benchState } from './state.js';
import { benchWindows } from './windows.js';

interface Options {
  readonly quick: boolean;
  readonly seed: number;
  readonly lineBytes: number | null;
}

const BENCHES: Readonly<Record<string, (options: Options) => string[] | Promise<string[]>>> = {
  clients: ({ quick, seed }) =>
    benchClients({
      lines: quick ? 5000 : 1_000_000,
      distinctWords: quick ? 1000 : 200_000,
      clients: quick ? 16 : 100,
      seconds: quick ? 0.2 : 5,
      seed,
    }),
  memory: ({ quick, seed, lineBytes }) => {
    const size = quick ? 1e6 : 1e9;
    return benchMemory({ randomBytes: size, lineBytes: lineBytes ?? 0.256 * size, seed });
  },
  state: ({ quick, seed }) =>
    benchState({
      lines: quick ? 20_000 : 2_000_000,
      distinctWords: quick ? 1000 : 200_000,
      journalBytesMax: quick ? 100_000 : 16_777_216,
      checkpointIntervalMs: quick ? 20 : 1000,
      seed,
    }),
  windows: ({ quick, seed }) =>
    benchWindows({
      lines: quick ? 10_000 : 1_000_000,
      distinctWords: quick ? [10, 1000] : [10, 1000, 20_000, 200_000],
      runs: quick ? 1 : 5,
      seed,
    }),
};

const USAGE = `Usage: npm run bench -- NAME [--quick] [--seed N]

  clients  ingest rate while clients ask what costs the most as fast as they can
  memory   resident memory under 1 GB of random bytes and a 256 MB line without an end
  state    what keeping the state costs: rate, pauses, bytes, the time of a start
  windows  what windows cost: ingest rate with and without, query times, memory

  --quick  small input: shows that the bench works, its figures mean nothing
  --seed   of the input (default 1)
  --line-bytes  of memory's line, such as 4294967296
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    'line-bytes': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const bench = BENCHES[positionals[0] ?? ''];
const seed = Number(values.seed);
const lineBytes = values['line-bytes'] === undefined ? null : Number(values['line-bytes']);
const isRight = [seed, lineBytes ?? 0].every(Number.isSafeInteger);
if (values.help || bench === undefined || !isRight) {
  (values.help ? process.stdout : process.stderr).write(USAGE);
  process.exit(values.help ? 0 : 1);
}

const cpu = os.cpus()[0]?.model ?? 'unknown';
print(
  `${cpu}, ${os.availableParallelism()} cores, ${os.type()} ${os.release()}, Node ${process.version}, seed ${seed}`,
);
for (const line of await bench({ quick: values.quick, seed, lineBytes })) print(line);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
