import { createHash } from 'node:crypto';

export interface Counts {
  readonly types: Readonly<Record<string, number>>;
  /** null where whoever counted does not count words. */
  readonly words: Readonly<Record<string, number>> | null;
}

/** Of what a peer prints: an array of kind, key and count on each line. */
export function parseCounts(text: string): Counts {
  const counts = { type: Object.create(null), word: Object.create(null) };
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [kind, key, count] = JSON.parse(line) as ['type' | 'word', string, number];
    counts[kind][key] = count;
  }
  return { types: counts.type, words: counts.word };
}

/** The same for the same counts, in whatever order they come. */
export function checksum(counts: Readonly<Record<string, number>>): string {
  const lines = Object.entries(counts).map(([key, count]) => `${key}\t${count}\n`);
  const hash = createHash('sha256');
  for (const line of lines.sort()) hash.update(line);
  return hash.digest('hex').slice(0, 8);
}
