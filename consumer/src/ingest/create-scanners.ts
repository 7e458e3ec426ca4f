import crypto from 'node:crypto';
import fs from 'node:fs';
import { ReferenceScanners } from '../scan/reference-scanners.js';
import type { ScannerOptions } from '../scan/scanner.js';
import type { ScannerChoice, ScannerName, Scanners } from '../scan/scanners.js';
import { SimdScanners } from '../scan/simd/simd-scanners.js';
import { WebAssembly, type WebAssemblyModule } from '../scan/simd/web-assembly.js';

/** Made by the build of what is in `scan/simd/assembly`. */
const MODULE_FILE = new URL('../scan/simd/scanner.wasm', import.meta.url);

/** null: the engine has no SIMD, or the processor has none. */
export function chooseScanner(choice: ScannerChoice): ScannerName | null {
  if (choice === 'reference') return choice;
  if (WebAssembly.validate(fs.readFileSync(MODULE_FILE))) return 'simd';
  return choice === 'auto' ? 'reference' : null;
}

/** Compiled once for a thread. */
let simdModule: WebAssemblyModule | null = null;

/**
 * auto: the reference scanners where there is not enough memory for the SIMD scanners, of which
 * `onFallback` is told. Throws where simd is asked for and there is not enough.
 */
export function createScanners(
  choice: ScannerChoice,
  options: ScannerOptions,
  onFallback: (cause: string) => void = () => {},
): Scanners {
  if (choice === 'reference') return new ReferenceScanners(options);
  try {
    return createSimdScanners(options);
  } catch (error) {
    const cause = (error as Error).message;
    if (choice === 'simd') {
      const advice = 'lower WORDS_MAX, EVENT_TYPES_MAX or INGEST_WORKERS, or set SCANNER to auto';
      throw new Error(`no memory for the SIMD scanner (${cause}): ${advice}`, { cause: error });
    }
    onFallback(cause);
    return new ReferenceScanners(options);
  }
}

function createSimdScanners(options: ScannerOptions): SimdScanners {
  simdModule ??= new WebAssembly.Module(fs.readFileSync(MODULE_FILE));
  return new SimdScanners({
    ...options,
    module: simdModule,
    fillRandom: (bytes) => void crypto.randomFillSync(bytes),
  });
}
