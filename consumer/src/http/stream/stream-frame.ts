/** What is written to streams, as server-sent events. */
import type { Counts, Snapshot } from '../../ingest/ingest-client.js';
import type { CountedKind } from '../../ingest/protocol.js';
import type { WindowRequest } from '../../tally/interval.js';
import { rank } from '../../tally/ranking.js';
import { listDocument, statsDocument } from '../documents.js';

/** How long a client waits before it comes again once its stream has ended. */
const RETRY_MS = 2000;

export const HEARTBEAT = ': heartbeat\n\n';

/** What a client asks for; clients that ask the same are served the same. */
export interface StreamRequest {
  /** Each once, in the order of COUNTED_KINDS. */
  readonly kinds: readonly CountedKind[];
  readonly window: WindowRequest | null;
  readonly limit: number;
  readonly intervalMs: number;
}

export interface Frame {
  /** The same for all frames that tell the same, whatever the edges of the window and the ages are. */
  readonly content: string;
  /** One for all clients. */
  readonly bytes: Uint8Array;
}

/** A snapshot at a time (Unix seconds). */
export function toFrame({ kinds, limit }: StreamRequest, snapshot: Snapshot, at: number): Frame {
  const { batch } = snapshot.stats;
  const lists = kinds.map((of, i) => {
    const counts = snapshot.counts[i] as Counts;
    return listDocument(of, counts, rank(counts.keys, limit));
  });
  const told = lists.map(({ total, distinct, overflow, counts }) => {
    return { total, distinct, overflow, counts };
  });
  const document = {
    batch,
    at,
    stats: statsDocument(snapshot.stats),
    ...Object.fromEntries(lists.map((list) => [list.of, list])),
  };
  return {
    content: JSON.stringify([batch, told]),
    bytes: Buffer.from(
      `retry: ${RETRY_MS}\nevent: counts\nid: ${batch}\ndata: ${JSON.stringify(document)}\n\n`,
    ),
  };
}

/** The last frame of a stream that cannot go on. */
export function problemFrame(document: string): Uint8Array {
  return Buffer.from(`event: problem\ndata: ${document}\n\n`);
}
