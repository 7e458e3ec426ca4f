import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Corpus } from './corpus.js';
import { type FuzzCase, generateCase } from './fuzz-case.js';
import { type Check, type Disagreement, findDisagreement, shrink } from './shrink.js';

export interface FuzzOptions {
  readonly seed: number;
  /** Number of the first case. */
  readonly first: number;
  /** Asked before each case, with how many there have been. */
  readonly goesOn: (cases: number) => boolean;
  readonly corpora: readonly Corpus[];
  /** As of generateCase. */
  readonly scale?: number;
  readonly check: Check;
}

export interface FuzzResult {
  readonly cases: number;
  readonly lines: number;
  readonly bytes: number;
  /** The first one, as it was found and as small as it could be made; null: none. */
  readonly found: {
    readonly number: number;
    readonly smallest: Disagreement;
  } | null;
}

/** Checks one case after another, until there is a disagreement or no case more. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, first, goesOn, corpora, check } = options;
  let cases = 0;
  let lines = 0;
  let bytes = 0;
  while (goesOn(cases)) {
    const number = first + cases;
    const fuzzCase = generateCase(seed, number, corpora, options.scale);
    const disagreement = findDisagreement(fuzzCase, check);
    cases++;
    for (const read of fuzzCase.reads) {
      bytes += read.bytes.length;
      lines += read.bytes.filter((byte) => byte === 0x0a).length;
    }
    if (disagreement !== null) {
      const smallest = shrink(disagreement, check);
      return { cases, lines, bytes, found: { number, smallest } };
    }
    await nextTurn(); // so that a signal is heard
  }
  return { cases, lines, bytes, found: null };
}

/** What there is to say of a disagreement, for people: enough to have it again, by a command line. */
export function describeFound(
  command: string,
  { number, smallest }: NonNullable<FuzzResult['found']>,
) {
  const { fuzzCase, error } = smallest;
  const { actual, expected } = error as Partial<Record<'actual' | 'expected', unknown>>;
  return [
    `case ${number} disagrees; again: ${command} --first ${number} --cases 1`,
    'the least of it that still does:',
    formatCase(fuzzCase),
    `${error.name}: ${error.message}`,
    ...(expected === undefined ? [`${error.stack}`] : []),
    ...(expected === undefined ? [] : [`expected ${JSON.stringify(expected)}`]),
    ...(expected === undefined ? [] : [`got      ${JSON.stringify(actual)}`]),
  ];
}

/** As JSON; bytes are the code points of a text. */
export function formatCase(fuzzCase: FuzzCase): string {
  const reads = fuzzCase.reads.map(({ bytes, ...read }) => ({
    ...read,
    bytes: Buffer.from(bytes).toString('latin1'),
  }));
  const text = JSON.stringify({ ...fuzzCase, reads });
  return text.replaceAll(/[\u007f-\u00ff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
