import { ReferenceScanner } from '#consumer/scan/reference-scanner.js';
import { describeScanner } from './scanner-contract.js';

describeScanner('ReferenceScanner', (options) => new ReferenceScanner(options));
