import { type View, viewQuery } from '../../views/view.js';
import type { CountsFrame, ProblemDocument, StatsDocument } from '../documents.js';
import { LIST_ROWS_MAX } from '../page-limits.js';

/** An answer that takes longer is as good as none. */
const TIMEOUT_MS = 10_000;

/** What the API refused, in its own words. */
export class Refusal extends Error {
  readonly problem: ProblemDocument;
  constructor(problem: ProblemDocument) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Rejects with a Refusal for an answer that is a problem, with another error when there is none. */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(path, {
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  const document: unknown = await response.json();
  if (!response.ok) throw new Refusal(document as ProblemDocument);
  return document as T;
}

export function withQuery(path: string, ...parts: readonly string[]): string {
  const query = parts.filter((part) => part !== '').join('&');
  return query === '' ? path : `${path}?${query}`;
}

/** What an event of the stream has, asked for piece by piece: each piece has a moment of its own. */
export async function getFrame(view: View, signal: AbortSignal): Promise<CountsFrame> {
  const more = `format=list&limit=${LIST_ROWS_MAX}`;
  const [stats, types, words] = await Promise.all([
    getJson<StatsDocument>('/stats', signal),
    getJson<CountsFrame['types']>(
      withQuery('/events/countByEventType', viewQuery(view), more),
      signal,
    ),
    getJson<CountsFrame['words']>(withQuery('/events/countWords', viewQuery(view), more), signal),
  ]);
  return { batch: stats.batch, at: Date.now() / 1000, stats, types, words };
}
