import { ReferenceScanner } from './reference-scanner.js';
import { SCAN_BYTES_MAX, type Scanner, type ScannerOptions } from './scanner.js';
import type { ScannerCounts, Scanners } from './scanners.js';

export class ReferenceScanners implements Scanners {
  readonly name = 'reference';
  readonly readBuffer = new Uint8Array(SCAN_BYTES_MAX);
  readonly #options: ScannerOptions;
  readonly #counts = { lines: 0, fallbackLines: 0 };

  constructor(options: ScannerOptions) {
    this.#options = options;
  }

  create(): Scanner {
    return new ReferenceScanner(this.#options, this.#counts);
  }

  counts(): ScannerCounts {
    return { ...this.#counts };
  }
}
