import type { Scanner } from './scanner.js';

export const SCANNER_NAMES = ['simd', 'reference'] as const;
export type ScannerName = (typeof SCANNER_NAMES)[number];

/** auto: SIMD where the engine has it, and a thread the memory for it. */
export const SCANNER_CHOICES = ['auto', ...SCANNER_NAMES] as const;
export type ScannerChoice = (typeof SCANNER_CHOICES)[number];

export interface ScannerCounts {
  /** Lines that came to their end, whatever became of them. */
  readonly lines: number;
  /** Those among them that were handed to the reference scanner. */
  readonly fallbackLines: number;
}

export interface ScannerStats extends ScannerCounts {
  readonly name: ScannerName;
}

/** Where the scanners of a thread come from. A batch of one is valid until the next call of any of them. */
export interface Scanners {
  readonly name: ScannerName;
  /** Bytes that are read into it need not be copied to be scanned. */
  readonly readBuffer: Uint8Array;
  create(): Scanner;
  counts(): ScannerCounts;
}
