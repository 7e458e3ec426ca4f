import type { FuzzCase, Read } from './fuzz-case.js';

/** Has a case read, and throws where those who read it do not agree. */
export type Check = (fuzzCase: FuzzCase) => void;

export interface Disagreement {
  readonly fuzzCase: FuzzCase;
  readonly error: Error;
}

const LF = 0x0a;
/** Of leaving something out. */
const ATTEMPTS_MAX = 20_000;

/** What there is to disagree on in a case; null when there is nothing. */
export function findDisagreement(fuzzCase: FuzzCase, check: Check): Disagreement | null {
  try {
    check(fuzzCase);
    return null;
  } catch (error) {
    return { fuzzCase, error: error as Error };
  }
}

/**
 * Of a case that disagrees, one with nothing in it that could be left out: no read, no line and no byte,
 * or after ATTEMPTS_MAX as far as it has come. What it disagrees on may be something else. (fast-check leaves out the beginning of an
 * array, but nothing of its middle.)
 */
export function shrink(disagreement: Disagreement, check: Check): Disagreement {
  let attempts = 0;
  let smallest = disagreement;
  const disagrees = (reads: readonly Read[]) => {
    if (++attempts > ATTEMPTS_MAX) return false;
    const found = findDisagreement({ ...smallest.fuzzCase, reads }, check);
    if (found !== null) smallest = found;
    return found !== null;
  };
  const reads = () => smallest.fuzzCase.reads;
  const tryWith = (i: number, changed: Partial<Read>) =>
    disagrees(reads().with(i, { ...(reads()[i] as Read), ...changed }));

  for (let before = Number.POSITIVE_INFINITY; sizeOf(reads()) < before; ) {
    before = sizeOf(reads());
    leaveOut(reads(), disagrees);
    for (const i of reads().keys()) {
      leaveOut(linesOf((reads()[i] as Read).bytes), (lines) =>
        tryWith(i, { bytes: Buffer.concat(lines) }),
      );
      leaveOut([...(reads()[i] as Read).bytes], (bytes) =>
        tryWith(i, { bytes: Uint8Array.from(bytes) }),
      );
      for (const changed of [{ source: 0 }, { clock: 0 }, { after: 0 }]) tryWith(i, changed);
    }
  }
  return smallest;
}

/** Half of what there is, a quarter, …, and each single one is left out wherever that may be. */
function leaveOut<T>(all: readonly T[], mayBe: (fewer: readonly T[]) => boolean): void {
  let kept = all;
  for (let length = kept.length; length >= 1; length = Math.floor(length / 2)) {
    for (let at = 0; at < kept.length; ) {
      const fewer = kept.toSpliced(at, length);
      if (mayBe(fewer)) kept = fewer;
      else at += length;
    }
  }
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(LF, start) + 1 || bytes.length;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

function sizeOf(reads: readonly Read[]): number {
  return reads.reduce((sum, { bytes }) => sum + 1 + bytes.length, 0);
}
