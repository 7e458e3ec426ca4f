import { DEFAULT_MAPPING, type FieldMapping } from '@event-tally/shared/event.js';
import { expect } from 'chai';
import { warmUpLines } from '#consumer/ingest/warm-up.js';
import { ReferenceScanners } from '#consumer/scan/reference-scanners.js';
import { KeyTable } from '#consumer/tally/key-table.js';

const MAPPINGS: Readonly<Record<string, Partial<FieldMapping>>> = {
  'the default': {},
  'no words and no values': { data: null, value: null },
  'milliseconds, in an object of several fields': {
    eventType: ['e', 'type'],
    data: ['e', 'text'],
    timestamp: ['e', 'at', 'ms'],
    timestampFormat: 'unix_ms',
  },
  'ISO 8601': { timestamp: ['time'], timestampFormat: 'iso8601' },
  'time of arrival': { timestampFormat: 'arrival' },
};

describe('the lines of the warm-up', () => {
  const table = () => new KeyTable({ keysMax: 100, keyBytesMax: 100 });

  for (const [name, fields] of Object.entries(MAPPINGS)) {
    it(`are events under the mapping ${name}, but for one in fifty`, () => {
      const mapping = { ...DEFAULT_MAPPING, ...fields };
      const lines = warmUpLines(mapping, 1509604913);
      const scanner = new ReferenceScanners({
        mapping,
        lineBytesMax: 1000,
        types: table(),
        words: table(),
      }).create();
      const batch = scanner.scan(lines, 1509604913);
      expect(batch.lines).to.be.above(100);
      expect(batch.rejected).to.deep.equal({
        too_long: 0,
        not_json: batch.lines / 50,
        not_an_event: 0,
      });
      expect(batch.length).to.equal(batch.lines - batch.lines / 50);
      const words = batch.wordOffsets[batch.length] as number;
      if (mapping.data === null) expect(words).to.equal(0);
      else expect(words).to.equal(2 * batch.length);
      const values = batch.values.subarray(0, batch.length);
      expect(values.some((value) => !Number.isNaN(value))).to.equal(mapping.value !== null);
    });
  }
});
