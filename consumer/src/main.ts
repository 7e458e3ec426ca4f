/**
 * The consumer: configuration, HTTP, ingest threads; or, with `- --once`, standard input to counts on
 * standard output.
 *
 * Shutdown, at the first SIGTERM, SIGINT or SIGHUP: reading stops and what was read is counted and kept, then streams end
 * and HTTP closes, then the process exits with 0 (with --once, as the signal says); each step has a limit
 * and all take less than a second, but for a slow disk. More signals change nothing: timeout(1) and a terminal send one to
 * the process and one to its group, and a stop that is broken off would lose counts.
 */
import os from 'node:os';
import { pino } from 'pino';
import { parseCommandLine } from './command-line.js';
import { parseConfig } from './config.js';
import { createApp } from './http/app.js';
import { Connections } from './http/connections.js';
import { type HttpServer, listen } from './http/server.js';
import { StreamHub } from './http/stream/stream-hub.js';
import { chooseScanner } from './ingest/create-scanners.js';
import { IngestPool, type PoolState } from './ingest/ingest-pool.js';
import type { Log } from './log.js';
import { makeFolder } from './make-folder.js';
import { countsText } from './once.js';
import { StandingLock } from './sources/standing-lock.js';
import { LockedError, lockFolder } from './state/lock.js';
import { LOCK, StateDirectory, StateDirectoryError } from './state/state-directory.js';

/** In FIFO_DIR. */
const FIFO_LOCK = '.event-tally.lock';

const { readsStdin, once, ...output } = parseCommandLine(process.argv);
const parsed = parseConfig(process.env);
if (!parsed.ok) fail(parsed.problems);
const { config } = parsed;

// With --once, standard output is the counts'.
const destination = pino.destination({ dest: once ? 2 : 1, sync: true });
const logger = pino({ level: config.logLevel, base: null }, destination);
const log: Log = (level, message, fields = {}) => logger[level](fields, message);

const fifoDir = readsStdin ? null : config.fifoDir;
try {
  if (fifoDir !== null) makeFolder(fifoDir);
} catch (error) {
  const { message } = error as Error;
  fail([`cannot make the folder FIFO_DIR: ${message}: set FIFO_DIR to one that can be made`]);
}

const scanner = chooseScanner(config.scanner);
if (scanner === null) {
  fail(['SCANNER is simd, which this processor or this Node.js cannot run: set it to auto']);
}

const holder = `process ${process.pid} on ${os.hostname()}`;
const fifoLock = fifoDir === null ? null : new StandingLock(fifoDir, FIFO_LOCK, holder);
await fifoLock?.take();
if (fifoLock?.problem instanceof LockedError) failLocked('FIFO_DIR', fifoDir, fifoLock.problem);
const ingest = new IngestPool(
  {
    ...config,
    // auto is the threads' to decide, where there is SIMD: each needs memory for it.
    scanner: scanner === 'reference' ? scanner : config.scanner,
    fifoDir,
    fifoLock,
    readsStdin,
  },
  log,
  await openState(),
);
const streams = new StreamHub(ingest, { clientsMax: config.streamClientsMax });
let server: HttpServer | null = null;
let isStopping = false;
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
// Node would open its debugger, to whoever reaches that port (as --disable-sigusr1 of Node 22.14 and later).
process.on('SIGUSR1', () => log('warn', 'SIGUSR1 opens no debugger here'));

if (once) {
  ingest.start();
  const problem = await ingest.stdinEnded;
  if (problem !== null) fail([`cannot read standard input: ${problem}`]);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever reads the counts has seen enough of them.
    if (error.code !== 'EPIPE') fail([`cannot write to standard output: ${error.message}`]);
  });
  try {
    process.stdout.write(await countsText(ingest, output));
  } catch (error) {
    fail([`cannot count: ${(error as Error).message}`]);
  }
  await ingest.stop();
} else {
  // The port before the sources: what a process reads that cannot serve it would be lost.
  try {
    const connections = new Connections();
    const app = createApp({ ingest, streams, connections, log, config });
    server = await listen(app.callback(), config.host, config.port, connections);
  } catch (error) {
    fail([listenProblem(error as NodeJS.ErrnoException)]);
  }
  ingest.start();
  log('info', 'listening', { host: config.host, port: server.port, scanner });
  if (config.ingestToken === null) log('info', 'POST /events is off: INGEST_TOKEN turns it on');
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  log('info', 'stopping', { signal });
  await ingest.stop();
  streams.close();
  await server?.close();
  log('info', 'stopped');
  // With --once the counts were not printed: that is no success.
  process.exit(once ? 128 + os.constants.signals[signal] : 0);
}

/** null: nothing is kept. */
async function openState(): Promise<PoolState | null> {
  const { durability, stateDir, mapping, ingestWorkers } = config;
  // With --once the counts are those of one input.
  if (once || durability === 'none') return null;
  try {
    makeFolder(stateDir);
    await lockState(stateDir);
    const bounds = {
      LINE_BYTES_MAX: config.lineBytesMax,
      EVENT_TYPES_MAX: config.eventTypesMax,
      WORDS_MAX: config.wordsMax,
      KEY_BYTES_MAX: config.keyBytesMax,
      RETENTION: config.retentionSeconds,
      WINDOW_CELLS_MAX: config.windowCellsMax,
    };
    const state = new StateDirectory(stateDir, { workers: ingestWorkers, mapping, bounds });
    for (const [name, before, now] of state.changedBounds) {
      const message =
        'a bound is another than before: totals stay, keys that a lower one has no room for become overflow';
      log('warn', message, { name, before, now });
    }
    return {
      threads: state.threads,
      hasJournal: durability === 'journal',
      checkpointIntervalMs: config.checkpointIntervalMs,
      journalSyncIntervalMs: config.journalSyncIntervalMs,
      journalBytesMax: config.journalBytesMax,
      onBegun: () => state.commit(),
      onDamaged: (problem) =>
        fail([
          `the state is damaged: ${problem}`,
          'node consumer/dist/state.js repair keeps all that is provably whole, and says what it drops',
          `removing STATE_DIR, ${stateDir}, begins anew`,
        ]),
    };
  } catch (error) {
    if (error instanceof StateDirectoryError) fail([error.message]);
    const { code, message } = error as NodeJS.ErrnoException;
    const problems = [`cannot keep the state in STATE_DIR, ${stateDir}: ${message}`];
    if (code === 'EACCES') {
      problems.push(`the user whose id is ${process.getuid?.()} has to be allowed to write there`);
    }
    fail(problems);
  }
}

/** One consumer for a folder: two would overwrite each other's counts. */
async function lockState(folder: string): Promise<void> {
  try {
    await lockFolder(folder, LOCK, holder);
  } catch (error) {
    if (error instanceof LockedError) failLocked('STATE_DIR', folder, error);
    const { message } = error as Error;
    log('warn', 'a folder cannot be locked against a second consumer', { folder, reason: message });
  }
}

function failLocked(variable: string, folder: string | null, { holder }: LockedError): never {
  fail([`another consumer has ${variable}, ${folder}: ${holder}`]);
}

function listenProblem({ code, message }: NodeJS.ErrnoException): string {
  const address = `${config.host}:${config.port}`;
  if (code === 'EADDRINUSE') return `${address} is in use: set PORT to a free port`;
  return `cannot listen on ${address}: ${message}`;
}

function fail(problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`event-tally: ${problem}\n`);
  process.exit(1);
}
