/**
 * The consumer: configuration, HTTP, ingest thread.
 *
 * Shutdown, at the first SIGTERM or SIGINT: reading stops and what was read is counted, then HTTP
 * closes, then the process exits with 0; each step has a limit and all take less than a second. At the
 * second signal the process exits at once.
 */
import fs from 'node:fs';
import os from 'node:os';
import { pino } from 'pino';
import { parseCommandLine } from './command-line.js';
import { parseConfig } from './config.js';
import { createApp } from './http/app.js';
import { type HttpServer, listen } from './http/server.js';
import { IngestSupervisor } from './ingest/supervisor.js';
import type { Log } from './log.js';

parseCommandLine(process.argv);
const parsed = parseConfig(process.env);
if (!parsed.ok) fail(parsed.problems);
const { config } = parsed;

const logger = pino({ level: config.logLevel, base: null });
const log: Log = (level, message, fields = {}) => logger[level](fields, message);

try {
  fs.mkdirSync(config.fifoDir, { recursive: true });
} catch (error) {
  fail([`cannot make the folder FIFO_DIR: ${(error as Error).message}`]);
}

const ingest = new IngestSupervisor(config, log);
let server: HttpServer | null = null;
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

// The port before the FIFOs: what a process reads that cannot serve it would be lost.
try {
  server = await listen(createApp({ ingest, log }).callback(), config.host, config.port);
} catch (error) {
  fail([listenProblem(error as NodeJS.ErrnoException)]);
}
ingest.start();
log('info', 'listening', { host: config.host, port: server.port });

async function stop(signal: NodeJS.Signals): Promise<void> {
  log('info', 'stopping', { signal });
  for (const second of ['SIGTERM', 'SIGINT'] as const) {
    // In this order: without a listener for a moment, a signal that is on its way would be lost.
    process.on(second, () => process.exit(128 + os.constants.signals[second]));
    process.removeListener(second, stop);
  }
  await ingest.stop();
  await server?.close();
  log('info', 'stopped');
  process.exit(0);
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
