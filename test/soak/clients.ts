import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { StreamReader } from '../../consumer/dist-test/support/stream-reader.js';
import type { Random } from '../nemesis/random.js';

const QUERIES = [
  '/events/countByEventType',
  '/events/countWords?window=60s&format=list',
  '/events/sumByEventType?window=10m',
  '/events/series?of=types&window=10m',
  '/events/rejected',
  '/stats',
  '/readyz',
  '/metrics',
  '/',
] as const;
const STREAM_QUERIES = ['', '?window=60s', '?of=types&interval=250ms'] as const;
const ANSWER_MS_MAX = 10_000;

export interface ClientsOptions {
  readonly port: number;
  readonly asking: number;
  readonly streaming: number;
  /** Between two questions of one, and how long one streams, at most. */
  readonly pauseMsMax: number;
  readonly streamMsMax: number;
}

/** Clients that ask, and clients that stream for a while; each comes with a connection of its own. */
export class Clients {
  /** Milliseconds until the whole answer was there, since they were taken last. */
  #livez: number[] = [];
  #queries: number[] = [];
  frames = 0;
  answers = 0;
  /** Of these, 503, or none in time: on a busy machine that may be, now and then. */
  refused = 0;
  /** Answers that were not as they should be. */
  readonly problems: string[] = [];
  readonly #options: ClientsOptions;
  readonly #random: Random;
  #isStopping = false;

  constructor(options: ClientsOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Resolves once `stop` was called and all have left. */
  async run(): Promise<void> {
    this.#isStopping = false;
    const { asking, streaming } = this.#options;
    await Promise.all([
      ...Array.from({ length: asking }, () => this.#ask()),
      ...Array.from({ length: streaming }, () => this.#stream()),
    ]);
  }

  /** Each once. */
  async runOnce(): Promise<void> {
    const running = this.run();
    this.stop();
    await running;
  }

  stop(): void {
    this.#isStopping = true;
  }

  /** Latencies since the last time. */
  take(): { livez: readonly number[]; queries: readonly number[] } {
    const taken = { livez: this.#livez, queries: this.#queries };
    this.#livez = [];
    this.#queries = [];
    return taken;
  }

  async #ask(): Promise<void> {
    const { port, pauseMsMax } = this.#options;
    do {
      const query = this.#random.pick(QUERIES);
      this.#livez.push(await this.#timed(port, '/livez'));
      this.#queries.push(await this.#timed(port, query));
      await delay(this.#random.integer(0, pauseMsMax));
    } while (!this.#isStopping);
  }

  async #timed(port: number, path: string): Promise<number> {
    const begin = performance.now();
    const { status } = await ask(port, path);
    this.answers++;
    if (status === null || status === 503) this.refused++;
    else if (status !== 200) this.problems.push(`${path}: ${status}`);
    return performance.now() - begin;
  }

  async #stream(): Promise<void> {
    const { port, streamMsMax } = this.#options;
    do {
      const reader = await StreamReader.open(port, this.#random.pick(STREAM_QUERIES));
      const { statusCode } = reader.response;
      this.answers++;
      const hasFrame = statusCode === 200 && (await reader.waitFor().then(Boolean, () => false));
      if (!hasFrame) this.refused++;
      if (statusCode !== 200 && statusCode !== 503) {
        this.problems.push(`/events/stream: ${statusCode}`);
      }
      const end = performance.now() + this.#random.integer(0, streamMsMax);
      while (performance.now() < end && !this.#isStopping) await delay(50);
      this.frames += reader.events.length;
      reader.close();
    } while (!this.#isStopping);
  }
}

export interface Answer {
  /** null: there was none in time. */
  readonly status: number | null;
  readonly text: string;
}

/** With a connection of its own, which leaves with the answer. */
export function ask(port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent: false, timeout: ANSWER_MS_MAX };
    const request = http.get(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? null, text }));
      response.on('error', reject);
    });
    request.on('timeout', () => {
      resolve({ status: null, text: '' });
      request.destroy();
    });
    request.on('error', reject);
  });
}
