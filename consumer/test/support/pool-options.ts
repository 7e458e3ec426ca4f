import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { chooseScanner } from '#consumer/ingest/create-scanners.js';
import type { IngestPoolOptions } from '#consumer/ingest/ingest-pool.js';
import { SCANNER_CHOICES, type ScannerName } from '#consumer/scan/scanners.js';

/** What tests of more than a scanner run with: as the environment says, as it does to the program. */
export const TESTED_SCANNER: ScannerName = testedScanner();

function testedScanner(): ScannerName {
  const { SCANNER = 'auto' } = process.env;
  const choice = SCANNER_CHOICES.find((each) => each === SCANNER);
  const scanner = choice === undefined ? null : chooseScanner(choice);
  if (scanner === null) throw new Error(`SCANNER is ${SCANNER}: it cannot be tested`);
  return scanner;
}

/** One thread without a source, with limits that a test can reach. */
export const POOL_OPTIONS: IngestPoolOptions = {
  fifoDir: null,
  readsStdin: false,
  ingestWorkers: 1,
  scanner: TESTED_SCANNER,
  mapping: DEFAULT_MAPPING,
  lineBytesMax: 1000,
  eventTypesMax: 5,
  wordsMax: 5,
  keyBytesMax: 16,
  retentionSeconds: 7200,
  maxClockSkewSeconds: 60,
  windowCellsMax: 100_000,
};
