import pTimeout from 'p-timeout';
import {
  type IngestClient,
  type IngestStats,
  IngestUnavailableError,
} from '../ingest/ingest-client.js';

/** Below the timeout of the container's health check, 2 s, which starts a process before it asks. */
const ANSWER_LIMIT_MS = 1000;

export interface Check {
  readonly ok: boolean;
  readonly reason?: string;
}

export type ReadinessChecks = Readonly<Record<string, Check>>;

/** An answer of the ingest threads, or why there is none. */
export type Asked<T> =
  | { readonly ok: true; readonly answer: T }
  | { readonly ok: false; readonly reason: string };

/** Asks the ingest threads if all are there, and gives up soon: a thread may hang. */
export async function askSoon<T>(ingest: IngestClient, ask: () => Promise<T>): Promise<Asked<T>> {
  if (ingest.state !== 'running') {
    const ended = ingest.lastEnd === null ? '' : '; it ended, and the log says why';
    return { ok: false, reason: `an ingest thread is ${ingest.state}${ended}` };
  }
  const message = new IngestUnavailableError(
    `an ingest thread gave no answer in ${ANSWER_LIMIT_MS} ms`,
  );
  try {
    return { ok: true, answer: await pTimeout(ask(), { milliseconds: ANSWER_LIMIT_MS, message }) };
  } catch (error) {
    if (!(error instanceof IngestUnavailableError)) throw error;
    return { ok: false, reason: error.message };
  }
}

/** A stream that is silent, or a folder without a FIFO, is nothing wrong. */
export function readinessChecks(asked: Asked<IngestStats>): ReadinessChecks {
  if (!asked.ok) return { ingest: asked };
  const stats = asked.answer;
  return {
    ingest: { ok: true },
    fifo_dir: fifoDirCheck(stats),
    ...stateCheck(stats),
    ...sourceChecks(stats),
  };
}

export function isReady(checks: ReadinessChecks): boolean {
  return Object.values(checks).every(({ ok }) => ok);
}

function fifoDirCheck({ fifoDir: { ok, reason } }: IngestStats): Check {
  return reason === null ? { ok } : { ok, reason };
}

/** Without durability there is nothing to check. */
function stateCheck({ state }: IngestStats): ReadinessChecks {
  if (state === null) return {};
  return { state: state.fault === null ? { ok: true } : { ok: false, reason: state.fault } };
}

/** A source that is gone is a producer's affair; one that cannot be read is an operator's. */
function sourceChecks({ sources }: IngestStats): ReadinessChecks {
  const checks: Record<string, Check> = {};
  for (const { name, state, reason } of sources) {
    const ok = state !== 'failed' && state !== 'not_a_fifo';
    checks[`source ${name}`] = reason === null ? { ok } : { ok, reason };
  }
  return checks;
}
