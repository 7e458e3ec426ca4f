import type Router from '@koa/router';
import {
  type IngestClient,
  type IngestStats,
  IngestUnavailableError,
} from '../ingest/ingest-client.js';

import { sendJson } from './send-json.js';

interface Check {
  readonly ok: boolean;
  readonly reason?: string;
}

/**
 * /livez: this process answers. /readyz: it also reads and counts; 503 otherwise, with what is wrong.
 * A stream that is silent, or a folder without a FIFO, is nothing wrong.
 */
export function addHealthRoutes(router: Router, ingest: IngestClient): void {
  router.get('/livez', (context) => {
    sendJson(context, JSON.stringify({ status: 'alive' }));
  });

  router.get('/readyz', async (context) => {
    const checks = await readinessChecks(ingest);
    const ready = Object.values(checks).every(({ ok }) => ok);
    context.status = ready ? 200 : 503;
    sendJson(context, JSON.stringify({ status: ready ? 'ready' : 'not ready', checks }));
  });
}

async function readinessChecks(ingest: IngestClient): Promise<Record<string, Check>> {
  if (ingest.state !== 'running') {
    const reason = `an ingest thread is ${ingest.state}`;
    const ended = ingest.lastEnd === null ? '' : '; it ended, and the log says why';
    return { ingest: { ok: false, reason: reason + ended } };
  }
  let stats: IngestStats;
  try {
    stats = await ingest.stats();
  } catch (error) {
    if (!(error instanceof IngestUnavailableError)) throw error;
    return { ingest: { ok: false, reason: error.message } };
  }
  return { ingest: { ok: true }, fifo_dir: fifoDirCheck(stats), ...sourceChecks(stats) };
}

function fifoDirCheck({ fifoDirFault }: IngestStats): Check {
  return fifoDirFault === null ? { ok: true } : { ok: false, reason: fifoDirFault };
}

/** A source that is gone is a producer's affair; one that cannot be read is an operator's. */
function sourceChecks({ sources }: IngestStats): Record<string, Check> {
  const checks: Record<string, Check> = {};
  for (const { name, state, reason } of sources) {
    const ok = state !== 'failed' && state !== 'not_a_fifo';
    checks[`source ${name}`] = reason === null ? { ok } : { ok, reason };
  }
  return checks;
}
