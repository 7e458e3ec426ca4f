/** npm run bench: measurements that are run by hand; with --quick, small ones. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { ATTACKS, QUICK_ATTACKS } from './attack-lines.js';
import { benchClients } from './clients.js';
import { benchComparison } from './compare/compare.js';
import { installPeers, peerVersions } from './compare/contestants.js';
import { benchGrowth } from './compare/growth.js';
import { benchLatency } from './compare/latency.js';
import { benchAttacks } from './input-attacks.js';
import { type Report, render } from './report.js';
import { writeResults } from './results.js';
import { benchState } from './state.js';
import { benchWindows } from './windows.js';

interface Options {
  readonly quick: boolean;
  readonly seed: number;
  /** Of several parts, those whose name has this in it. */
  readonly only: string;
  readonly data: string | null;
  /** Instead of the sizes that `quick` stands for. */
  readonly lines: number | null;
  readonly runs: number | null;
}

type Bench = (options: Options) => string[] | Promise<string[]> | AsyncIterable<string | Report>;

const BENCHES: Readonly<Record<string, Bench>> = {
  attacks: ({ quick, seed, only }) => benchAttacks(quick ? QUICK_ATTACKS : ATTACKS, seed, only),
  clients: ({ quick, seed }) =>
    benchClients({
      lines: quick ? 5000 : 1_000_000,
      distinctWords: quick ? 1000 : 200_000,
      clients: quick ? 16 : 100,
      seconds: quick ? 0.2 : 5,
      seed,
    }),
  compare: ({ quick, seed, only, data, lines: linesGiven, runs }) => {
    const lines = linesGiven ?? (quick ? 200_000 : 3_000_000);
    return benchComparison({
      lines,
      realBytes: linesGiven === null ? (quick ? 20e6 : 500e6) : 100 * lines,
      slowLines: Math.ceil(lines / 10),
      runs: runs ?? (quick ? 2 : 5),
      seed,
      only,
      data,
    });
  },
  growth: ({ quick, seed, lines, runs }) =>
    benchGrowth({
      lines: lines ?? (quick ? 100_000 : 3_000_000),
      distinctWords: quick ? [10, 10_000] : [10, 1000, 10_000, 100_000, 1_000_000],
      lineBytes: quick ? [600, 6000] : [600, 6000, 60_000],
      sources: quick ? [16] : [1, 4, 16, 64],
      windowSeconds: quick ? [600] : [1, 60, 600, 7200],
      clients: quick ? [10] : [0, 1, 10, 100],
      runs: runs ?? (quick ? 1 : 5),
      seed,
    }),
  latency: ({ quick, seed, lines, runs }) =>
    benchLatency({
      lines: lines ?? (quick ? 200_000 : 3_000_000),
      seconds: quick ? 1 : 20,
      starts: runs ?? (quick ? 3 : 5),
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

/** What is run where no name is given. */
const COMPARISON = ['compare', 'latency', 'growth'];

const USAGE = `Usage: npm run bench -- [NAME] [--quick] [--seed N] [--only TEXT] [--lines N] [--runs N] [--data DIR] [--offline] [--write]

  compare  rates beside what the machine can do and what other programs do, counts compared
  latency  from a write into the FIFO to an answer and to a frame of the stream; of answers
  growth   rate and memory against words, line length, FIFOs, event time, clients
  (none: these three)

  attacks  input that would fill a careless service's memory, or its time: totals, memory, rates
  clients  ingest rate while clients ask what costs the most as fast as they can
  state    what keeping the state costs: rate, pauses, bytes, the time of a start
  windows  what windows cost: ingest rate with and without, query times, memory

  --quick  small input, few runs: the comparison in under three minutes; of others it shows that they work
  --seed   of the input (default 1)
  --only   of compare, the inputs with this in their name; of attacks, these
  --lines, --runs
           of compare, latency and growth
  --data   a folder with wikiticker-2015-09-12-sampled.json.gz and gharchive.ndjson, whole;
           without it their excerpts in test/data are repeated
  --offline
           leaves out peers that would have to be installed first
  --write  keeps the results of all three: bench/RESULTS.md, docs/rates.svg, README.md
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    offline: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    data: { type: 'string' },
    lines: { type: 'string' },
    runs: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const names = positionals.length === 0 ? COMPARISON : positionals;
const [seed, lines, runs] = [values.seed, values.lines, values.runs].map((text) =>
  text === undefined ? null : Number(text),
);
const areNumbers = [seed, lines, runs].every(
  (n) => n == null || (Number.isSafeInteger(n) && n > 0),
);
if (values.help || !names.every((name) => Object.hasOwn(BENCHES, name)) || !areNumbers) {
  (values.help ? process.stdout : process.stderr).write(USAGE);
  process.exit(values.help ? 0 : 1);
}

const { quick, only, data = null } = values;
const isWhole = names === COMPARISON && !quick && only === '' && lines == null && runs == null;
if (values.write && !isWhole) {
  process.stderr.write(
    '--write keeps the results of all three, at their whole size, and of nothing less\n',
  );
  process.exit(1);
}
const options = { quick, seed: seed ?? 1, only, data, lines: lines ?? null, runs: runs ?? null };
const cpu = os.cpus()[0]?.model ?? 'unknown';
const conditions = [
  `${cpu}, ${os.availableParallelism()} cores, ${os.type()} ${os.release()}, Node ${process.version}, seed ${options.seed}`,
];
if (!values.offline && (names === COMPARISON || names.includes('compare'))) await installPeers();
if (names === COMPARISON) {
  const [load = 0] = os.loadavg();
  const { stdout: commit } = await execa('git', ['describe', '--always', '--dirty']);
  conditions.push(`commit ${commit}, load before ${load.toFixed(2)}`, peerVersions().join(', '));
}
for (const condition of conditions) print(condition);
const reports: Report[] = [];
try {
  for (const name of names) {
    for await (const part of await (BENCHES[name] as Bench)(options)) {
      if (typeof part !== 'string') reports.push(part);
      print(typeof part === 'string' ? part : render(part));
    }
  }
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exit(1);
}
if (values.write) writeResults(conditions, reports);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
