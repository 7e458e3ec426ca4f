/**
 * The Compose file of this project, run under a project name of the tests' own and on a free port, so
 * that a stack which runs already is left alone.
 *
 * All stacks of a run have the same project name, and with it the same images, built once: one stack
 * at a time, each removed by the test that started it.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import getPort from 'get-port';
import pWaitFor from 'p-wait-for';

export const PROJECT = `event-tally-test-${randomBytes(4).toString('hex')}`;
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const WAIT_MS_MAX = 60_000;

export type Service = 'producer' | 'consumer';
export type Counts = Record<string, number>;

export interface Stats {
  readonly lines: number;
  readonly accepted: number;
  readonly blank: number;
  readonly rejected: Counts;
  readonly words: { readonly distinct: number };
  readonly state: { readonly checkpoints: number } | null;
  readonly sources: readonly { readonly name: string; readonly lines: number }[];
}

/** An answer in list form. */
export interface List {
  readonly batch: number;
  readonly window: {
    readonly start: number;
    readonly end: number;
    readonly resolution: number;
  } | null;
  readonly total: number;
  readonly counts: readonly object[];
}

/** What `docker inspect` says of a container, as far as the tests ask. */
export interface Container {
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health: { readonly Status: string };
  };
  readonly RestartCount: number;
  readonly NetworkSettings: {
    readonly Ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
  };
}

export interface StackOptions {
  /** The variables of the shell in which Compose runs. */
  readonly env?: Readonly<Record<string, string>>;
  /** The text of the file .env; PORT is added. Without it PORT is one of the shell's variables. */
  readonly envFile?: string;
}

/** Why Docker cannot be used, null when it can. */
export async function engineProblem(): Promise<string | null> {
  const plugin = await execa('docker', ['compose', 'version'], { reject: false });
  if (plugin.code === 'ENOENT') return 'there is no docker command';
  if (plugin.failed) return 'docker has no compose plugin';
  const engine = await execa('docker', ['version'], { reject: false });
  if (engine.failed)
    return `the Docker Engine does not answer: ${engine.stderr.split('\n').at(-1)}`;
  return null;
}

export async function docker(...args: string[]): Promise<string> {
  return (await execa('docker', args)).stdout;
}

/** Runs `docker compose` without any variable that whoever runs the tests has set. */
export async function compose(
  args: readonly string[],
  { env = {}, envFile = '/dev/null' }: StackOptions = {},
): Promise<string> {
  const kept = Object.entries(process.env).filter(([name]) => /^(PATH|HOME|DOCKER_.*)$/.test(name));
  const { stdout } = await execa(
    'docker',
    ['compose', '--project-name', PROJECT, '--env-file', envFile, ...args],
    { cwd: ROOT, env: { ...Object.fromEntries(kept), ...env }, extendEnv: false },
  );
  return stdout;
}

export class Stack {
  readonly url: string;
  readonly #port: number;
  readonly #options: StackOptions;

  private constructor(port: number, options: StackOptions) {
    this.url = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#options = options;
  }

  static async create({ env = {}, envFile }: StackOptions = {}): Promise<Stack> {
    const port = await getPort({ host: '127.0.0.1' });
    if (envFile === undefined) return new Stack(port, { env: { ...env, PORT: String(port) } });
    const file = path.join(await makeFolder(), '.env');
    await fs.writeFile(file, `PORT=${port}\n${envFile}`);
    return new Stack(port, { env, envFile: file });
  }

  /** The same stack after somebody changed the shell's variables. */
  withEnv(env: Readonly<Record<string, string>>): Stack {
    return new Stack(this.#port, { ...this.#options, env: { ...this.#options.env, ...env } });
  }

  compose(...args: string[]): Promise<string> {
    return compose(args, this.#options);
  }

  up(...args: string[]): Promise<string> {
    return this.compose('up', '--detach', '--wait', ...args);
  }

  remove(): Promise<string> {
    return this.compose('down', '--volumes');
  }

  async containers(...services: Service[]): Promise<Container[]> {
    const ids = await this.compose('ps', '--all', '--quiet', ...services);
    return JSON.parse(await docker('inspect', ...ids.split('\n'))) as Container[];
  }

  logs(service: Service): Promise<string> {
    return this.compose('logs', '--no-log-prefix', service);
  }

  stats(): Promise<Stats> {
    return this.#get('/stats');
  }

  types(): Promise<Counts> {
    return this.#get('/events/countByEventType');
  }

  words(): Promise<Counts> {
    return this.#get('/events/countWords');
  }

  /** Asks until the numbers are as wanted: a consumer that does not answer yet is asked again. */
  async waitForStats(wanted: string, isReached: (stats: Stats) => boolean): Promise<Stats> {
    let last: Stats | undefined;
    await waitFor(
      () => `${wanted}; the last answer was ${JSON.stringify(last)}`,
      async () => {
        last = await this.stats().catch(() => undefined);
        return last !== undefined && isReached(last);
      },
    );
    return last!;
  }

  async waitForLog(service: Service, text: string): Promise<void> {
    await waitFor(
      () => `${JSON.stringify(text)} in the log of the ${service}`,
      async () => (await this.logs(service)).includes(text),
    );
  }

  list(route: string): Promise<List> {
    return this.#get(route);
  }

  async #get<T>(route: string): Promise<T> {
    const answer = await fetch(this.url + route);
    if (!answer.ok) throw new Error(`${route}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

export async function waitFor(
  wanted: () => string,
  isReached: () => Promise<boolean>,
): Promise<void> {
  try {
    await pWaitFor(isReached, { interval: 100, timeout: WAIT_MS_MAX });
  } catch (cause) {
    throw new Error(`waited for ${wanted()}`, { cause });
  }
}

const folders: string[] = [];

/** A folder that containers may read, gone after the tests. */
export async function makeFolder(): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'event-tally-'));
  folders.push(folder);
  await fs.chmod(folder, 0o755);
  return folder;
}

export async function removeFolders(): Promise<void> {
  for (const folder of folders) await fs.rm(folder, { recursive: true, force: true });
}

/** Puts a shell script into a folder of its own: the two variables that make the producer run it. */
export async function writeGenerator(
  script: string,
): Promise<{ GENERATOR_DIR: string; GENERATOR_CMD: string }> {
  const folder = await makeFolder();
  const file = path.join(folder, 'my-generator');
  await fs.writeFile(file, `#!/bin/sh\n${script}`);
  await fs.chmod(file, 0o755);
  return { GENERATOR_DIR: folder, GENERATOR_CMD: '/generator/my-generator' };
}

export function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** A line under the test that is running. */
export function note(text: string): void {
  process.stdout.write(`      ${text}\n`);
}
