/**
 * Clients that ask for the words of the last 60 s, each so often a second, and note how long the answer takes.
 * Prints an LF when the first has its answer; at SIGTERM the times, as JSON.
 *
 *   node dist-bench/compare/clients.js PORT CLIENTS ASKS_PER_SECOND
 */
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const [port, clients, perSecond] = process.argv.slice(2).map(Number) as [number, number, number];
const PATH = '/events/countWords?window=60s&until=latest';
const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
const milliseconds: number[] = [];

for (let client = 0; client < clients; client++) void askAgainAndAgain(client / clients);
process.on('SIGTERM', () => {
  process.stdout.write(JSON.stringify(milliseconds), () => process.exit());
});

async function askAgainAndAgain(phase: number): Promise<void> {
  let due = performance.now() + (phase * 1000) / perSecond;
  for (;;) {
    await delay(Math.max(0, due - performance.now()));
    const begin = performance.now();
    await ask();
    milliseconds.push(performance.now() - begin);
    if (milliseconds.length === 1) process.stdout.write('\n');
    due = Math.max(due + 1000 / perSecond, performance.now());
  }
}

function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path: PATH, agent }, (response) => {
      response.resume();
      response.on('end', resolve);
    });
    // A connection that was closed while it waited: asked again.
    request.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve() : reject(error),
    );
  });
}
