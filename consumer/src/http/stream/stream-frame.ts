/** What is written to streams, as server-sent events. */
import type { Counts, Snapshot } from '../../ingest/ingest-client.js';
import type { CountedKind } from '../../ingest/protocol.js';
import type { Interval, WindowRequest } from '../../tally/interval.js';
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
  /** For which window it was asked, and when; `at` is when the answer was there. */
  readonly asked: { readonly window: WindowRequest | null; readonly at: number };
  /** The window that was counted; null: since the start. */
  readonly window: Interval | null;
  /** Whether nothing was counted. */
  readonly isEmpty: boolean;
  /** The news of the stats, to be compared. */
  readonly told: string;
}

export interface Frame {
  /** The same for all frames that tell the same, whatever the edges of the window and the ages are. */
  readonly content: string;
  /** One for all clients. */
  readonly bytes: Uint8Array;
}

export function toStreamSnapshot(
  { kinds, window }: StreamSubject,
  snapshot: Snapshot,
  { limit, askedAt }: { readonly limit: number; readonly askedAt: number },
): StreamSnapshot {
  const counts = kinds.map((of, i) => ({ of, counts: snapshot.counts[i] as Counts }));
  const stats = statsDocument(snapshot.stats);
  return {
    at: Date.now() / 1000,
    stats,
    lists: counts.map(({ of, counts }) => listDocument(of, counts, rank(counts.keys, limit))),
    limit,
    asked: { window, at: askedAt },
    window: snapshot.counts[0]?.interval ?? null,
    isEmpty: snapshot.counts.every(({ keys, overflow }) => keys.length === 0 && overflow === null),
    told: JSON.stringify(newsOf(stats)),
  };
}

/** At most as many keys as the snapshot has. */
export function toFrame({ at, stats, lists, told }: StreamSnapshot, limit: number): Frame {
  const { batch } = stats;
  const cut = lists.map((list) => ({ ...list, counts: list.counts.slice(0, limit) }));
  const counted = cut.map(({ total, distinct, overflow, counts }) => {
    return { total, distinct, overflow, counts };
  });
  const document = { batch, at, stats, ...Object.fromEntries(cut.map((list) => [list.of, list])) };
  return {
    content: JSON.stringify([told, counted]),
    bytes: Buffer.from(
      `retry: ${RETRY_MS}\nevent: counts\nid: ${batch}\ndata: ${JSON.stringify(document)}\n\n`,
    ),
  };
}

/**
 * What of stats is news: not what moves on by itself, ages and the writing of the state, but that a source
 * is gone, or the state cannot be kept.
 */
export function newsOf(stats: StatsDocument): object {
  const sources = stats.sources.map((source) => ({ ...source, last_line_seconds_ago: null }));
  const state = stats.state && { fault: stats.state.fault };
  return { ...stats, last_line_seconds_ago: null, state, sources };
}

/** The last frame of a stream that cannot go on. */
export function problemFrame(document: string): Uint8Array {
  return Buffer.from(`event: problem\ndata: ${document}\n\n`);
}
