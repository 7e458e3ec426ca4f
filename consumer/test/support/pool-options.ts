import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import type { IngestPoolOptions } from '#consumer/ingest/ingest-pool.js';

/** One thread without a source, with limits that a test can reach. */
export const POOL_OPTIONS: IngestPoolOptions = {
  fifoDir: null,
  readsStdin: false,
  ingestWorkers: 1,
  mapping: DEFAULT_MAPPING,
  lineBytesMax: 1000,
  eventTypesMax: 5,
  wordsMax: 5,
  keyBytesMax: 16,
  retentionSeconds: 7200,
  maxClockSkewSeconds: 60,
  windowCellsMax: 100_000,
};
