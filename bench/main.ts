/** npm run bench -- NAME: measurements that are run by hand; with --quick, small enough for the tests. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { ATTACKS, QUICK_ATTACKS } from './attack-lines.js';
import { benchClients } from './clients.js';
import { benchAttacks } from './input-attacks.js';
import { benchState } from './state.js';
import { benchWindows } from './windows.js';

interface Options {
  readonly quick: boolean;
  readonly seed: number;
  /** Of several parts, those whose name has this in it. */
  readonly only: string;
}

const BENCHES: Readonly<
  Record<string, (options: Options) => string[] | Promise<string[]> | AsyncIterable<string>>
> = {
  attacks: ({ quick, seed, only }) => benchAttacks(quick ? QUICK_ATTACKS : ATTACKS, seed, only),
  clients: ({ quick, seed }) =>
    benchClients({
      lines: quick ? 5000 : 1_000_000,
      distinctWords: quick ? 1000 : 200_000,
      clients: quick ? 16 : 100,
      seconds: quick ? 0.2 : 5,
      seed,
    }),
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

const USAGE = `Usage: npm run bench -- NAME [--quick] [--seed N] [--only TEXT]

  attacks  input that would fill a careless service's memory, or its time: totals, memory, rates
  clients  ingest rate while clients ask what costs the most as fast as they can
  state    what keeping the state costs: rate, pauses, bytes, the time of a start
  windows  what windows cost: ingest rate with and without, query times, memory

  --quick  small input: shows that the bench works, its figures mean nothing
  --seed   of the input (default 1)
  --only   the attacks with this in their name
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
const bench = BENCHES[positionals[0] ?? ''];
const seed = Number(values.seed);
if (values.help || bench === undefined || !Number.isSafeInteger(seed)) {
  (values.help ? process.stdout : process.stderr).write(USAGE);
  process.exit(values.help ? 0 : 1);
}

const cpu = os.cpus()[0]?.model ?? 'unknown';
print(
  `${cpu}, ${os.availableParallelism()} cores, ${os.type()} ${os.release()}, Node ${process.version}, seed ${seed}`,
);
const { quick, only } = values;
for await (const line of await bench({ quick, seed, only })) print(line);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
