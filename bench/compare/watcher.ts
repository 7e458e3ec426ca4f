/**
 * Asks a consumer how many events of the type `probe` it has counted, listens to its stream, and asks for
 * the words of the last 60 s. Prints an LF when it has begun; at SIGTERM what it saw and when, in
 * milliseconds of the monotonic clock, as JSON.
 *
 *   node dist-bench/compare/watcher.js PORT
 */
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';

const port = Number(process.argv[2]);
const QUESTION_PAUSE_MS = 2;
const WORDS_PER_SECOND = 100;

const seen: [count: number, at: number][] = [];
const frames: [count: number, at: number][] = [];
const answers: number[] = [];
process.on('SIGTERM', () => {
  process.stdout.write(JSON.stringify({ seen, frames, answers }), () => process.exit());
});

await Promise.all([listen(), askForProbes(), askForWords()]);

async function askForProbes(): Promise<void> {
  const agent = new http.Agent({ keepAlive: true });
  for (;;) {
    const types = JSON.parse(await ask('/events/countByEventType', agent));
    if ('probe' in types) seen.push([types.probe, now()]);
    if (seen.length === 1) process.stdout.write('\n');
    await delay(QUESTION_PAUSE_MS);
  }
}

/** From when each question was due: one that waits for the answer to another is late by that. */
async function askForWords(): Promise<void> {
  const agent = new http.Agent({ keepAlive: true });
  for (let due = now(); ; due += 1000 / WORDS_PER_SECOND) {
    await delay(Math.max(0, due - now()));
    await ask('/events/countWords?window=60s&until=latest', agent);
    answers.push(now() - due);
  }
}

async function listen(): Promise<void> {
  const request = http.get({
    port,
    host: '127.0.0.1',
    path: '/events/stream?of=types&interval=250ms',
  });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const parser = createParser({
    onEvent: ({ data }) => {
      const counts = JSON.parse(data).types?.counts as { key: string; count: number }[] | undefined;
      const probe = counts?.find(({ key }) => key === 'probe');
      if (probe !== undefined) frames.push([probe.count, now()]);
    },
  });
  response.setEncoding('utf8').on('data', (text: string) => parser.feed(text));
}

async function ask(path: string, agent: http.Agent): Promise<string> {
  for (;;) {
    try {
      const request = http.get({ port, host: '127.0.0.1', path, agent });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`);
      return (await response.setEncoding('utf8').toArray()).join('');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
  }
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
