import { expect } from 'chai';
import fc from 'fast-check';
import {
  createEventParser,
  DEFAULT_MAPPING,
  type FieldMapping,
  TIMESTAMP_FORMATS,
} from '#shared/event.js';
import { createEventFaultFinder } from '#shared/event-fault.js';

type Row = [what: string, json: string, field: string | null, problem?: string];

function table(rows: readonly Row[], mapping: Partial<FieldMapping> = {}): void {
  const find = createEventFaultFinder({ ...DEFAULT_MAPPING, ...mapping });
  for (const [what, json, field, problem] of rows) {
    it(field === null ? `finds nothing wrong with ${what}` : `tells of ${what}`, () => {
      expect(find(JSON.parse(json))).to.deep.equal(field === null ? null : { field, problem });
    });
  }
}

describe('createEventFaultFinder', () => {
  context('when nothing is mapped', () => {
    table([
      ['an event', '{"event_type":"a","data":"","timestamp":0}', null],
      ['an event with a value', '{"event_type":"a","data":"","timestamp":0,"value":-1}', null],

      ['no type', '{"data":"","timestamp":1}', 'event_type', 'is missing'],
      [
        'a type that is only inherited',
        '{"__proto__":{"event_type":"a"},"data":"","timestamp":1}',
        'event_type',
        'is missing',
      ],
      [
        'an empty type',
        '{"event_type":"","data":"","timestamp":1}',
        'event_type',
        'is an empty string',
      ],
      [
        'a number as type',
        '{"event_type":7,"data":"","timestamp":1}',
        'event_type',
        'is a number, not a string',
      ],
      [
        'a number past every number as type',
        '{"event_type":1e400,"data":"","timestamp":1}',
        'event_type',
        'is a number, not a string',
      ],
      [
        'null as type',
        '{"event_type":null,"data":"","timestamp":1}',
        'event_type',
        'is null, not a string',
      ],
      [
        'true as type',
        '{"event_type":true,"data":"","timestamp":1}',
        'event_type',
        'is true, not a string',
      ],
      [
        'as type an object whose length cannot be compared',
        '{"event_type":{"length":{"toString":{}}},"data":"","timestamp":1}',
        'event_type',
        'is an object, not a string',
      ],
      [
        'an empty array as type',
        '{"event_type":[],"data":"","timestamp":1}',
        'event_type',
        'is an array, not a string',
      ],
      [
        'an object as type',
        '{"event_type":{},"data":"","timestamp":1}',
        'event_type',
        'is an object, not a string',
      ],

      ['no text', '{"event_type":"a","timestamp":1}', 'data', 'is missing'],
      [
        'a number as text',
        '{"event_type":"a","data":0,"timestamp":1}',
        'data',
        'is a number, not a string',
      ],
      [
        'null as text',
        '{"event_type":"a","data":null,"timestamp":1}',
        'data',
        'is null, not a string',
      ],

      ['no time', '{"event_type":"a","data":""}', 'timestamp', 'is missing'],
      [
        'a negative time',
        '{"event_type":"a","data":"","timestamp":-1}',
        'timestamp',
        'is negative',
      ],
      [
        'a time past every number',
        '{"event_type":"a","data":"","timestamp":1e400}',
        'timestamp',
        'is not a finite number',
      ],
      [
        'a time below every number',
        '{"event_type":"a","data":"","timestamp":-1e400}',
        'timestamp',
        'is not a finite number',
      ],
      [
        'a time in a string',
        '{"event_type":"a","data":"","timestamp":"1"}',
        'timestamp',
        'is a string, not a number',
      ],
      [
        'an empty string as time',
        '{"event_type":"a","data":"","timestamp":""}',
        'timestamp',
        'is a string, not a number',
      ],
      [
        'null as time',
        '{"event_type":"a","data":"","timestamp":null}',
        'timestamp',
        'is null, not a number',
      ],

      [
        'a value past every number',
        '{"event_type":"a","data":"","timestamp":1,"value":1e400}',
        'value',
        'is not a finite number',
      ],
      [
        'a value in a string',
        '{"event_type":"a","data":"","timestamp":1,"value":"2"}',
        'value',
        'is a string, not a number',
      ],
      [
        'null as value',
        '{"event_type":"a","data":"","timestamp":1,"value":null}',
        'value',
        'is null, not a number',
      ],

      ['the first of several fields', '{}', 'event_type', 'is missing'],
      [
        'the first of the last two fields',
        '{"event_type":"a","data":"","timestamp":-1,"value":null}',
        'timestamp',
        'is negative',
      ],
    ]);
  });

  context('when times are Unix milliseconds', () => {
    table(
      [
        ['an event', '{"event_type":"a","data":"","timestamp":1}', null],
        [
          'a negative time',
          '{"event_type":"a","data":"","timestamp":-1}',
          'timestamp',
          'is negative',
        ],
        [
          'a time past every number',
          '{"event_type":"a","data":"","timestamp":1e400}',
          'timestamp',
          'is not a finite number',
        ],
        [
          'a time in a string',
          '{"event_type":"a","data":"","timestamp":"1"}',
          'timestamp',
          'is a string, not a number',
        ],
      ],
      { timestampFormat: 'unix_ms' },
    );
  });

  context('when times are ISO 8601', () => {
    table(
      [
        ['an event', '{"event_type":"a","data":"","timestamp":"2015-09-12T00:46:58Z"}', null],
        ['no time', '{"event_type":"a","data":""}', 'timestamp', 'is missing'],
        [
          'a number as time',
          '{"event_type":"a","data":"","timestamp":-1}',
          'timestamp',
          'is a number, not a string',
        ],
        [
          'a day that its month does not have',
          '{"event_type":"a","data":"","timestamp":"2015-02-29T00:00:00Z"}',
          'timestamp',
          'is not an ISO 8601 date and time',
        ],
        [
          'an empty string as time',
          '{"event_type":"a","data":"","timestamp":""}',
          'timestamp',
          'is not an ISO 8601 date and time',
        ],
        [
          'a time before 1970',
          '{"event_type":"a","data":"","timestamp":"1969-12-31T23:59:59Z"}',
          'timestamp',
          'is before 1970',
        ],
      ],
      { timestampFormat: 'iso8601' },
    );
  });

  context('when time is that of arrival', () => {
    table(
      [
        ['a time of any kind', '{"event_type":"a","data":"","timestamp":null}', null],
        ['no type', '{"data":""}', 'event_type', 'is missing'],
      ],
      { timestampFormat: 'arrival' },
    );
  });

  context('when paths have dots', () => {
    table(
      [
        ['an event', '{"id.orig_h":"a","alert":{"signature":"b"},"timestamp":1}', null],
        [
          'no type, as it is written in the configuration',
          '{"id":{"orig_h":"a"},"alert":{"signature":"b"},"timestamp":1}',
          'id\\.orig_h',
          'is missing',
        ],
        [
          'a path that ends early',
          '{"id.orig_h":"a","alert":"b","timestamp":1}',
          'alert.signature',
          'is missing',
        ],
        [
          'an inner field of another type',
          '{"id.orig_h":"a","alert":{"signature":2},"timestamp":1}',
          'alert.signature',
          'is a number, not a string',
        ],
      ],
      { eventType: ['id.orig_h'], data: ['alert', 'signature'] },
    );
  });

  context('when parts are not read', () => {
    table(
      [['any text and any value', '{"event_type":"a","data":1,"timestamp":1,"value":"x"}', null]],
      {
        data: null,
        value: null,
      },
    );
  });

  it('finds something exactly when the parser refuses', () => {
    const part = fc.oneof(
      fc.constantFrom(undefined, null, '', 'a', -1, 0, 1, Infinity, true, '2015-09-12T00:46:58Z'),
      fc.jsonValue(),
    );
    const json = fc.record({ event_type: part, data: part, timestamp: part, value: part });
    fc.assert(
      fc.property(json, fc.constantFrom(...TIMESTAMP_FORMATS), (object, timestampFormat) => {
        const mapping = { ...DEFAULT_MAPPING, timestampFormat };
        const isEvent = createEventParser(mapping)(object, 1) !== null;
        expect(createEventFaultFinder(mapping)(object) === null).to.equal(isEvent);
      }),
      { numRuns: 2000 },
    );
  });
});
