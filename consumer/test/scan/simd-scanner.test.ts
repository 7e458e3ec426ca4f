import { createScanners } from '#consumer/ingest/create-scanners.js';
import { describeScanner } from './scanner-contract.js';

describeScanner('SimdScanner', (options) => createScanners('simd', options).create());
