import fs from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';

export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface SourceDocument {
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly lines: number;
  readonly bytes: number;
  readonly last_line_seconds_ago: number | null;
}

/** Idle, too: it is open, and no line came for a while, or none yet. */
export function isRead({ state }: SourceDocument): boolean {
  return state === 'open' || state === 'idle';
}

export interface StatsDocument {
  readonly batch: number;
  readonly lines: number;
  readonly bytes: number;
  readonly accepted: number;
  readonly blank: number;
  readonly rejected: Readonly<Record<'too_long' | 'not_json' | 'not_an_event', number>>;
  readonly late: number;
  readonly ahead: number;
  readonly event_types: { readonly distinct: number; readonly overflow: number };
  readonly words: { readonly distinct: number; readonly overflow: number };
  readonly window_cells: { readonly used: number; readonly max: number; readonly folded: number };
  readonly last_event_time: number | null;
  readonly since: number | null;
  readonly last_line_seconds_ago: number | null;
  readonly scanner: {
    readonly name: string;
    readonly lines: number;
    readonly fallback_lines: number;
  };
  readonly state: {
    readonly durability: string;
    readonly journal_bytes: number;
    readonly checkpoints: number;
    readonly last_checkpoint_seconds: number | null;
    readonly fault: string | null;
  } | null;
  readonly sources: readonly SourceDocument[];
}

export interface Readiness {
  readonly status: number;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly reason?: string }>>;
}

/** How a process came to its end. */
export interface ProcessEnd {
  /** undefined where a signal ended it. */
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
}

export interface ConsumerProcess {
  readonly pid: number;
  readonly port: number;
  readonly log: ReadonlyArray<Readonly<Record<string, unknown>>>;
  /** Lines of its standard error so far. */
  readonly errors: readonly string[];
  /** Resolves at its end, whoever ended it. */
  readonly ended: Promise<ProcessEnd>;
  get<T = Record<string, number>>(path: string): Promise<T>;
  /** Resolves when /stats fulfils the condition; rejects when it does not come to that in time. */
  waitFor(condition: (stats: StatsDocument) => boolean, timeoutMs?: number): Promise<StatsDocument>;
  /** The same of /readyz. */
  waitForReadiness(condition: (readiness: Readiness) => boolean): Promise<Readiness>;
  /** Resolves to the first line of its log whose message matches, once there is one. */
  waitForLog(message: RegExp): Promise<Readonly<Record<string, unknown>>>;
  /** What its open descriptors are, but for sockets and what Node.js has opened for itself. */
  descriptors(): string[];
  /** Resident memory, now and at its peak, as the kernel accounts it (proc(5)). */
  residentMebibytes(): { readonly now: number; readonly peak: number };
  /** CPU time of the thread that has had the most, but for the main thread: the ingest thread. */
  ingestCpuMs(): number;
  /** Sends a signal and resolves to the exit code, undefined where a signal ended it. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGKILL'): Promise<number | undefined>;
}

/** For root, for whom the rights of files count only without these capabilities. */
export const BOUND_BY_RIGHTS: readonly string[] =
  process.getuid?.() === 0
    ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--']
    : [];

const running = new Set<ConsumerProcess>();

/** Starts the built consumer on a free port; resolves when it listens. Rejects when it ends before. */
export async function startConsumer(
  fifoDir: string,
  env: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
): Promise<ConsumerProcess> {
  const [command = 'node', ...args] = [...wrapper, 'node', MAIN];
  const child = execa(command, args, {
    env: { FIFO_DIR: fifoDir, PORT: '0', DURABILITY: 'none', ...env },
    reject: false,
    buffer: false,
  });
  const log: Record<string, unknown>[] = [];
  const errors: string[] = [];
  createInterface(child.stdout).on('line', (line) => log.push(JSON.parse(line)));
  createInterface(child.stderr).on('line', (line) => errors.push(line));
  const port = await pWaitFor(
    async () => {
      if (child.exitCode !== null || child.signalCode !== null) {
        await child; // and all that it has said
        throw new Error(errors.join('\n'));
      }
      const listening = log.find(({ msg }) => msg === 'listening');
      return listening !== undefined && pWaitFor.resolveWith(listening.port as number);
    },
    { interval: 10, timeout: 120_000 },
  );

  const get = async <T>(path: string): Promise<T> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).json() as Promise<T>;
  const consumer: ConsumerProcess = {
    pid: child.pid as number,
    port,
    log,
    errors,
    ended: child.then(({ exitCode, signal }) => ({ exitCode, signal })),
    get,
    waitFor: (condition, timeoutMs = 20_000) =>
      pWaitFor(
        async () => {
          const stats = await get<StatsDocument>('/stats');
          return 'lines' in stats && condition(stats) && pWaitFor.resolveWith(stats);
        },
        { interval: 20, timeout: timeoutMs },
      ),
    waitForLog: (message) =>
      pWaitFor(
        () => {
          const line = log.find(({ msg }) => message.test(String(msg)));
          return line !== undefined && pWaitFor.resolveWith(line);
        },
        { interval: 10, timeout: { milliseconds: 20_000, message: `no ${message} was logged` } },
      ),
    waitForReadiness: (condition) =>
      pWaitFor(
        async () => {
          const response = await fetch(`http://127.0.0.1:${port}/readyz`);
          const { checks } = (await response.json()) as Readiness;
          const readiness = { status: response.status, checks };
          return condition(readiness) && pWaitFor.resolveWith(readiness);
        },
        { interval: 20, timeout: 20_000 },
      ),
    descriptors: () => descriptorsOf(consumer.pid),
    residentMebibytes: () => residentMebibytes(consumer.pid),
    ingestCpuMs: () => ingestCpuMs(consumer.pid),
    end: async (signal) => {
      running.delete(consumer);
      child.kill(signal);
      return (await child).exitCode;
    },
  };
  running.add(consumer);
  return consumer;
}

/** For afterEach: no consumer outlives its test, failed ones included. */
export async function endConsumers(): Promise<void> {
  await Promise.all([...running].map((consumer) => consumer.end('SIGKILL')));
}

function descriptorsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  const files = fs.readdirSync(folder).map((descriptor) => {
    try {
      return fs.readlinkSync(`${folder}/${descriptor}`);
    } catch {
      return ''; // closed since it was listed
    }
  });
  return files.filter((file) => file.startsWith('/') && !file.startsWith('/dev/')).sort();
}

function residentMebibytes(pid: number): { readonly now: number; readonly peak: number } {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { now: mebibytes('VmRSS'), peak: mebibytes('VmHWM') };
}

function ingestCpuMs(pid: number): number {
  const tasks = fs.readdirSync(`/proc/${pid}/task`).filter((task) => task !== String(pid));
  const times = tasks.map((task) => {
    // In nanoseconds (proc(5)).
    const [running] = fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
    return Number(running) / 1e6;
  });
  return Math.max(...times);
}
