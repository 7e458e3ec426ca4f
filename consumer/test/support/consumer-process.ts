import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

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
  readonly state: {
    readonly durability: string;
    readonly journal_bytes: number;
    readonly checkpoints: number;
    readonly last_checkpoint_seconds: number | null;
    readonly fault: string | null;
  } | null;
  readonly sources: readonly SourceDocument[];
}

export interface ConsumerProcess {
  readonly pid: number;
  readonly port: number;
  readonly log: ReadonlyArray<Readonly<Record<string, unknown>>>;
  get<T = Record<string, number>>(path: string): Promise<T>;
  /** Resolves when /stats fulfils the condition; rejects when it does not come to that in time. */
  waitFor(condition: (stats: StatsDocument) => boolean, timeoutMs?: number): Promise<StatsDocument>;
  /** Sends a signal and resolves to the exit code, undefined where a signal ended it. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | undefined>;
}

const running = new Set<ConsumerProcess>();

/** Starts the built consumer on a free port; resolves when it listens. */
export async function startConsumer(
  fifoDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ConsumerProcess> {
  const child = execa('node', [MAIN], {
    env: { FIFO_DIR: fifoDir, PORT: '0', DURABILITY: 'none', ...env },
    reject: false,
    buffer: false,
  });
  const log: Record<string, unknown>[] = [];
  createInterface(child.stdout).on('line', (line) => log.push(JSON.parse(line)));
  const port = await pWaitFor(
    () => {
      const listening = log.find(({ msg }) => msg === 'listening');
      return listening !== undefined && pWaitFor.resolveWith(listening.port as number);
    },
    { interval: 10, timeout: 10_000 },
  );

  const get = async <T>(path: string): Promise<T> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).json() as Promise<T>;
  const consumer: ConsumerProcess = {
    pid: child.pid as number,
    port,
    log,
    get,
    waitFor: (condition, timeoutMs = 20_000) =>
      pWaitFor(
        async () => {
          const stats = await get<StatsDocument>('/stats');
          return 'lines' in stats && condition(stats) && pWaitFor.resolveWith(stats);
        },
        { interval: 20, timeout: timeoutMs },
      ),
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
