/** What is written to streams, as server-sent events. */
import type { Counts, Snapshot } from '../../ingest/ingest-client.js';
import type { CountedKind } from '../../ingest/protocol.js';
import type { WindowRequest } from '../../tally/interval.js';
import { rank } from '../../tally/ranking.js';
import {
  type ListDocument,
  listDocument,
  type StatsDocument,
  statsDocument,
} from '../documents.js';

/** How long a client waits before it comes again once its stream has ended. */
const RETRY_MS = 2000;

export const HEARTBEAT = ': heartbeat\n\n';

/** What is counted for a client; clients that ask the same share a snapshot. */
export interface StreamSubject {
  /** Each once, in the order of COUNTED_KINDS. */
  readonly kinds: readonly CountedKind[];
  readonly window: WindowRequest | null;
}

/** How a client is told; clients that ask the same share a frame. */
export interface StreamManner {
  readonly limit: number;
  readonly intervalMs: number;
}

export interface StreamRequest {
  readonly subject: StreamSubject;
  readonly manner: StreamManner;
}

/** A snapshot as documents: of all that it counted, no more is kept than some client is told. */
export interface StreamSnapshot {
  /** Unix seconds. */
  readonly at: number;
  readonly stats: StatsDocument;
  /** One for each kind. */
  readonly lists: readonly ListDocument[];
  /** Of each list, the keys at most. */
  readonly limit: number;
}

export interface Frame {
  /** The same for all frames that tell the same, whatever the edges of the window and the ages are. */
  readonly content: string;
  /** One for all clients. */
  readonly bytes: Uint8Array;
}

export function toStreamSnapshot(
  { kinds }: StreamSubject,
  { stats, counts }: Snapshot,
  limit: number,
): StreamSnapshot {
  const lists = kinds.map((of, i) => {
    const ofKind = counts[i] as Counts;
    return listDocument(of, ofKind, rank(ofKind.keys, limit));
  });
  return { at: Date.now() / 1000, stats: statsDocument(stats), lists, limit };
}

/** At most as many keys as the snapshot has. */
export function toFrame({ at, stats, lists }: StreamSnapshot, limit: number): Frame {
  const { batch } = stats;
  const cut = lists.map((list) => ({ ...list, counts: list.counts.slice(0, limit) }));
  const told = cut.map(({ total, distinct, overflow, counts }) => {
    return { total, distinct, overflow, counts };
  });
  const document = { batch, at, stats, ...Object.fromEntries(cut.map((list) => [list.of, list])) };
  return {
    content: JSON.stringify([withoutAges(stats), told]),
    bytes: Buffer.from(
      `retry: ${RETRY_MS}\nevent: counts\nid: ${batch}\ndata: ${JSON.stringify(document)}\n\n`,
    ),
  };
}

/** What moves on by itself is no news; that a source has become idle, or is gone, is. */
export function withoutAges(stats: StatsDocument): object {
  const sources = stats.sources.map((source) => ({ ...source, last_line_seconds_ago: null }));
  return { ...stats, last_line_seconds_ago: null, sources };
}

/** The last frame of a stream that cannot go on. */
export function problemFrame(document: string): Uint8Array {
  return Buffer.from(`event: problem\ndata: ${document}\n\n`);
}
