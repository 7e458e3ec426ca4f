/**
 * Clients that ask for the words of the last 60 s, each so often a second. Prints an LF when all have
 * their first answer; at SIGTERM how many answers there were a second since then, as JSON.
 *
 *   node dist-bench/compare/clients.js PORT CLIENTS ASKS_PER_SECOND
 */
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const [port, clients, perSecond] = process.argv.slice(2).map(Number) as [number, number, number];
const PATH = '/events/countWords?window=60s&until=latest';
const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
await Promise.all(Array.from({ length: clients }, ask));
const begin = performance.now();
let answers = 0;
process.on('SIGTERM', () => {
  const seconds = (performance.now() - begin) / 1000;
  process.stdout.write(JSON.stringify(answers / seconds), () => process.exit());
});
process.stdout.write('\n');
for (let client = 0; client < clients; client++) void askAgainAndAgain(client / clients);

async function askAgainAndAgain(phase: number): Promise<void> {
  let due = performance.now() + (phase * 1000) / perSecond;
  for (;;) {
    await delay(Math.max(0, due - performance.now()));
    await ask();
    answers++;
    due += 1000 / perSecond;
  }
}

/** Rejects unless it is answered with 200. */
function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path: PATH, agent }, (response) => {
      response.resume();
      response.on('end', () =>
        response.statusCode === 200
          ? resolve()
          : reject(new Error(`it was answered with ${response.statusCode}`)),
      );
    });
    // The server closes connections that were not needed for a while, which may meet a request: asked again.
    request.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(ask()) : reject(error),
    );
  });
}
