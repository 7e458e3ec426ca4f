/** Those that are compared: what it takes to read, us, and programs that count the same. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parseCounts } from './checksum.js';
import { Child } from './child.js';
import { type Run, runConsumer, write } from './consumer-run.js';
import { holdFifo, SMALL_PIPE_BYTES } from './hold-fifo.js';
import type { Input, InputName } from './inputs.js';

const PEERS = fileURLToPath(new URL('../../bench/peers/', import.meta.url));
const BARE_READER = fileURLToPath(new URL('./bare-reader.js', import.meta.url));
const OUTPUT_BYTES_MAX = 1_000_000_000;

export interface Contestant {
  readonly name: string;
  /** What it does less than we do, or otherwise. */
  readonly does: string;
  readonly inputs: readonly InputName[];
  /** It takes so long that it is given the first lines only. */
  readonly isSlow?: boolean;
  /** The words of its version; throws where it is not there. */
  version?(): string;
  run(input: Input, folder: string): Promise<Run>;
}

const ALL = ['generator', 'wikipedia', 'github', 'words', 'corrupt'] as const;
const GENERATOR = ['generator'] as const;

/** The consumer with its defaults. */
export const US = 'event-tally';
export const REFERENCE = 'event-tally, reference scanner';
export const WITHOUT_JOURNAL = 'event-tally, no journal';
export const BARE_NODE = 'limit: Node.js reads the FIFO, and does nothing';
export const SMALL_PIPE = 'event-tally, pipe of 64 KiB';
export const BARE_NODE_SMALL_PIPE = 'limit: Node.js, pipe of 64 KiB';
export const DUCKDB_1 = 'DuckDB, 1 thread';
export const DUCKDB_2 = 'DuckDB, 2 threads';
export const JQ = 'jq';
export const MAWK = 'mawk';

export const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'limit: wc -l',
    does: 'from the file; counts LFs',
    inputs: ALL,
    run: ({ file }) => timed(() => execa('wc', ['-l', file])),
  },
  {
    name: 'limit: cat > /dev/null',
    does: 'through the FIFO; counts nothing',
    inputs: ALL,
    run: (input, folder) =>
      throughFifo(input, folder, async (fifo) => {
        const ended = execa('cat', [fifo], { stdout: 'ignore' });
        return { ended };
      }),
  },
  {
    name: BARE_NODE,
    does: 'counts nothing',
    inputs: ALL,
    run: (input, folder) => throughFifo(input, folder, bareReader(input)),
  },
  {
    name: BARE_NODE_SMALL_PIPE,
    does: 'the same, of a FIFO as mkfifo(1) makes it',
    inputs: GENERATOR,
    run: (input, folder) => throughFifo(input, folder, bareReader(input), SMALL_PIPE_BYTES),
  },
  consumer(US, 'through the FIFO; windows and journal too', ALL),
  consumer(REFERENCE, 'the same', ALL, { SCANNER: 'reference' }),
  consumer(WITHOUT_JOURNAL, 'nothing is kept', ALL, { DURABILITY: 'none' }),
  {
    name: SMALL_PIPE,
    does: 'of a FIFO as mkfifo(1) makes it',
    inputs: GENERATOR,
    run: (input, folder) => runConsumer(input, folder, { pipeBytes: SMALL_PIPE_BYTES }),
  },
  {
    name: 'event-tally, asked',
    does: 'for the words of the last 60 s, 100 times a second',
    inputs: GENERATOR,
    run: (input, folder) => runConsumer(input, folder, { clients: 1, asksPerSecond: 100 }),
  },
  {
    name: 'event-tally, 2 FIFOs',
    does: 'INGEST_WORKERS=2; half of the lines in each',
    inputs: GENERATOR,
    run: (input, folder) =>
      runConsumer(input, folder, { sources: 2, env: { INGEST_WORKERS: '2' } }),
  },
  duckDb(DUCKDB_1, '1'),
  duckDb(DUCKDB_2, '2'),
  {
    name: MAWK,
    does: 'from the file; totals only; reads no JSON, takes what is between quotes',
    inputs: GENERATOR,
    version: () => version('mawk', '-W', 'version'),
    run: ({ file }) => peer('mawk', ['-f', path.join(PEERS, 'count.awk'), file]),
  },
  {
    name: 'GoAccess',
    does: 'from the file; totals of types only, and a dozen other statistics',
    inputs: GENERATOR,
    version: () => version('goaccess', '--version'),
    run: goAccess,
  },
  {
    name: 'Node.js, readline and JSON.parse',
    does: 'from the file; totals only',
    inputs: ALL,
    version: () => process.version,
    run: ({ file, typeField, dataField }) =>
      peer(process.execPath, [path.join(PEERS, 'readline.js'), file, typeField, dataField]),
  },
  {
    name: 'Python, json and Counter',
    does: 'from the file; totals only',
    inputs: ALL,
    version: () => version('python3', '--version'),
    run: ({ file, typeField, dataField }) =>
      peer('python3', [path.join(PEERS, 'count.py'), file, typeField, dataField]),
  },
  {
    name: JQ,
    does: 'from the file; totals only',
    inputs: GENERATOR,
    isSlow: true,
    version: () => version('jq', '--version'),
    run: ({ file }) => peer('jq', ['-nRc', '-f', path.join(PEERS, 'count.jq'), file]),
  },
  {
    name: 'Miller',
    does: 'from the file; totals only',
    inputs: GENERATOR,
    isSlow: true,
    version: () => version('mlr', '--version'),
    run: ({ file }) =>
      peer('mlr', ['--inidx', '--ifs', '\x01', 'put', '-q', millerProgram(), file]),
  },
];

/**
 * Installs what npm has of the peers, next to their programs; does nothing where that is done. They have no lock file: it
 * would name packages for all platforms, and fail where one cannot be had.
 */
export async function installPeers(): Promise<void> {
  if (fs.existsSync(path.join(PEERS, 'node_modules'))) return;
  const options = ['--no-package-lock', '--no-audit', '--no-fund'];
  await execa('npm', ['install', ...options], { cwd: PEERS, reject: false });
}

/** Of those that are there. */
export function peerVersions(): string[] {
  return CONTESTANTS.flatMap((contestant) => {
    try {
      return contestant.version === undefined
        ? []
        : [`${contestant.name}: ${contestant.version()}`];
    } catch {
      return [];
    }
  });
}

function consumer(
  name: string,
  does: string,
  inputs: readonly InputName[],
  env: Readonly<Record<string, string>> = {},
): Contestant {
  return { name, does, inputs, run: (input, folder) => runConsumer(input, folder, { env }) };
}

function duckDb(name: string, threads: string): Contestant {
  return {
    name,
    does: 'from the file; totals only',
    inputs: ALL,
    version: () => {
      const manifest = path.join(PEERS, 'node_modules/@duckdb/node-api/package.json');
      return (JSON.parse(fs.readFileSync(manifest, 'utf8')) as { version: string }).version;
    },
    run: ({ file, typeField, dataField, hasOtherSpaces }) =>
      peer(process.execPath, [
        path.join(PEERS, 'duckdb.js'),
        ...[file, typeField, dataField, threads, hasOtherSpaces ? 'any' : 'space'],
      ]),
  };
}

/** Its whole process: a program that prints what it counted. */
async function peer(command: string, args: readonly string[]): Promise<Run> {
  const begin = performance.now();
  const { stdout } = await execa(command, args, { maxBuffer: OUTPUT_BYTES_MAX });
  const seconds = (performance.now() - begin) / 1000;
  return { seconds, counts: parseCounts(stdout) };
}

async function goAccess({ file }: Input, folder: string): Promise<Run> {
  const report = path.join(folder, 'goaccess.json');
  const format = '{ "event_type": "%U", "data": "%h", "timestamp": %x }';
  const times = ['datetime', 'date', 'time'].map((what) => `--${what}-format=%s`);
  const begin = performance.now();
  await execa('goaccess', [
    ...[file, '--no-global-config', '--no-ip-validation', '--no-progress'],
    ...[`--log-format=${format}`, ...times, '-o', report],
  ]);
  const seconds = (performance.now() - begin) / 1000;
  const { requests } = JSON.parse(fs.readFileSync(report, 'utf8')) as {
    requests: { data: { data: string; hits: { count: number } }[] };
  };
  const types = Object.fromEntries(requests.data.map(({ data, hits }) => [data, hits.count]));
  return { seconds, counts: { types, words: null } };
}

/** The function that reads JSON has had two names. */
function millerProgram(): string {
  const names = execFileSync('mlr', ['help', 'list-functions'], { encoding: 'utf8' }).split('\n');
  const decode = names.includes('json_decode') ? 'json_decode' : 'json_parse';
  return fs.readFileSync(path.join(PEERS, 'count.mlr'), 'utf8').replace('JSON_DECODE', decode);
}

function bareReader({ bytes }: Input): (fifo: string) => Promise<Child> {
  return (fifo) => Child.start(BARE_READER, [fifo, String(bytes)]);
}

/** Nothing is counted. `start` resolves when the reader reads. */
async function throughFifo(
  { file }: Input,
  folder: string,
  start: (fifo: string) => Promise<{ readonly ended: Promise<unknown> }>,
  pipeBytes?: number,
): Promise<Run> {
  const fifo = path.join(folder, 'limit.fifo');
  const held = holdFifo(fifo, pipeBytes);
  try {
    const { ended } = await start(fifo);
    return await timed(() => Promise.all([write(file, fifo), ended]));
  } finally {
    fs.closeSync(held);
  }
}

/** Nothing is counted. */
async function timed(work: () => PromiseLike<unknown>): Promise<Run> {
  const begin = performance.now();
  await work();
  return { seconds: (performance.now() - begin) / 1000, counts: null };
}

function version(command: string, ...args: string[]): string {
  const [line = ''] = execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' }).split('\n');
  return line.replace(/[,;].*|\.$/g, '').trim();
}
