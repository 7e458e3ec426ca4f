import { flatTexts } from './http/documents.js';
import type { IngestClient } from './ingest/ingest-client.js';
import { rank } from './tally/ranking.js';
import { printable } from './top/printable.js';

export interface CountsTextOptions {
  readonly of: 'types' | 'words' | 'sums';
  readonly limit: number | undefined;
  readonly format: 'json' | 'table';
}

/** The counts since the start, as `--once` prints them. */
export async function countsText(
  ingest: IngestClient,
  { of, limit, format }: CountsTextOptions,
): Promise<string> {
  const ranking = rank((await ingest.counts(of, null)).keys, limit);
  if (format === 'json') return [...flatTexts(ranking)].join('');
  const rows = ranking.map(({ key, count, sum }) => ({
    key: printable(key),
    size: JSON.stringify(sum?.total ?? count), // null past the range of doubles, as in JSON
  }));
  const width = rows.reduce((max, { size }) => Math.max(max, size.length), 0);
  return rows.map(({ key, size }) => `${size.padStart(width)}  ${key}\n`).join('');
}
