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

export function createScanners(name: ScannerName, options: ScannerOptions): Scanners {
  if (name === 'reference') return new ReferenceScanners(options);
  simdModule ??= new WebAssembly.Module(fs.readFileSync(MODULE_FILE));
  return new SimdScanners({
    ...options,
    module: simdModule,
    fillRandom: (bytes) => void crypto.randomFillSync(bytes),
  });
}
