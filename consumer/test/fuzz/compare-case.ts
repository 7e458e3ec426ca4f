import type { ScannerCounts } from '#consumer/scan/scanners.js';
import { ScannerComparison } from '../support/compare-scanners.js';
import { AFTER, type FuzzCase } from './fuzz-case.js';

/** Without the model, cases may be so many times as long. */
export const COMPARED_SCALE = 20;

/**
 * Has a case read by both scanners, and compares every batch. Throws at the first difference; gives what the
 * SIMD scanner has counted.
 */
export function compareCase({ mapping, bounds, reads }: FuzzCase): ScannerCounts {
  const comparison = new ScannerComparison({ mapping, ...bounds });
  for (const { source, bytes, after } of reads) {
    comparison.scan(bytes, source);
    if (after === AFTER.restart) comparison.restart();
  }
  comparison.compareKeys();
  return comparison.counts;
}
