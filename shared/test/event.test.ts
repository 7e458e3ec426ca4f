import { expect } from 'chai';
import fc from 'fast-check';
import {
  createEventParser,
  DEFAULT_MAPPING,
  type FieldMapping,
  TIMESTAMP_FORMATS,
} from '#shared/event.js';

const ARRIVAL = 1_700_000_000.25;

type Parts = [type: string, data: string, time: number, value?: number];
type Row = [what: string, json: string, parts: Parts | null];

/** The event's parts in their order, its value left out where it has none. */
function parse(json: string, mapping: Partial<FieldMapping> = {}): Parts | null {
  const event = createEventParser({ ...DEFAULT_MAPPING, ...mapping })(JSON.parse(json), ARRIVAL);
  if (event === null) return null;
  const parts: Parts = [event.type, event.data, event.time];
  if (event.value !== undefined) parts.push(event.value);
  return parts;
}

function table(rows: readonly Row[], mapping: Partial<FieldMapping> = {}): void {
  for (const [what, json, parts] of rows) {
    it(`${parts === null ? 'refuses' : 'takes'} ${what}`, () => {
      expect(parse(json, mapping)).to.deep.equal(parts);
    });
  }
}

describe('createEventParser', () => {
  context('when nothing is mapped', () => {
    table([
      [
        'an event as the original challenge writes it',
        '{ "event_type": "foo", "data": "lorem ipsum", "timestamp": 1509604913 }',
        ['foo', 'lorem ipsum', 1509604913],
      ],
      [
        'fields that it does not know',
        '{"id":7,"event_type":"a","data":"b","timestamp":1,"nested":{"data":2}}',
        ['a', 'b', 1],
      ],
      [
        'the last of repeated fields',
        '{"event_type":1,"event_type":"a","data":"x","data":"b","timestamp":9,"timestamp":1}',
        ['a', 'b', 1],
      ],
      [
        'names of inherited properties as content',
        '{"event_type":"__proto__","data":"constructor","timestamp":1}',
        ['__proto__', 'constructor', 1],
      ],
      [
        'lone surrogates as they are',
        '{"event_type":"\\ud800","data":"\\udfff","timestamp":1}',
        ['\ud800', '\udfff', 1],
      ],

      ['no event type', '{"data":"b","timestamp":1}', null],
      ['an empty event type', '{"event_type":"","data":"b","timestamp":1}', null],
      [
        'an event type of white space',
        '{"event_type":" ","data":"b","timestamp":1}',
        [' ', 'b', 1],
      ],
      ['a number as event type', '{"event_type":1,"data":"b","timestamp":1}', null],
      ['null as event type', '{"event_type":null,"data":"b","timestamp":1}', null],
      ['an array as event type', '{"event_type":["a"],"data":"b","timestamp":1}', null],
      ['an object as event type', '{"event_type":{"a":1},"data":"b","timestamp":1}', null],
      [
        'as event type an object whose length cannot be compared',
        '{"event_type":{"length":{"toString":{}}},"data":"b","timestamp":1}',
        null,
      ],
      [
        'an event type that is only inherited',
        '{"__proto__":{"event_type":"a"},"data":"b","timestamp":1}',
        null,
      ],

      ['no data', '{"event_type":"a","timestamp":1}', null],
      ['empty data', '{"event_type":"a","data":"","timestamp":1}', ['a', '', 1]],
      ['a number as data', '{"event_type":"a","data":1,"timestamp":1}', null],
      ['null as data', '{"event_type":"a","data":null,"timestamp":1}', null],
      ['an array as data', '{"event_type":"a","data":["b"],"timestamp":1}', null],
      ['an object as data', '{"event_type":"a","data":{},"timestamp":1}', null],

      ['no timestamp', '{"event_type":"a","data":"b"}', null],
      ['the timestamp 0', '{"event_type":"a","data":"b","timestamp":0}', ['a', 'b', 0]],
      ['the timestamp -0', '{"event_type":"a","data":"b","timestamp":-0}', ['a', 'b', -0]],
      [
        'a timestamp with a fraction',
        '{"event_type":"a","data":"b","timestamp":1509604913.75}',
        ['a', 'b', 1509604913.75],
      ],
      [
        'a timestamp with an exponent',
        '{"event_type":"a","data":"b","timestamp":1.5e9}',
        ['a', 'b', 1_500_000_000],
      ],
      [
        'the largest timestamp',
        '{"event_type":"a","data":"b","timestamp":1.7976931348623157e308}',
        ['a', 'b', Number.MAX_VALUE],
      ],
      ['a negative timestamp', '{"event_type":"a","data":"b","timestamp":-1}', null],
      ['a timestamp just below 0', '{"event_type":"a","data":"b","timestamp":-5e-324}', null],
      ['an infinite timestamp', '{"event_type":"a","data":"b","timestamp":1e400}', null],
      ['a timestamp in a string', '{"event_type":"a","data":"b","timestamp":"1"}', null],
      ['an empty string as timestamp', '{"event_type":"a","data":"b","timestamp":""}', null],
      ['null as timestamp', '{"event_type":"a","data":"b","timestamp":null}', null],
      ['true as timestamp', '{"event_type":"a","data":"b","timestamp":true}', null],

      ['a value', '{"event_type":"a","data":"b","timestamp":1,"value":2.5}', ['a', 'b', 1, 2.5]],
      ['the value 0', '{"event_type":"a","data":"b","timestamp":1,"value":0}', ['a', 'b', 1, 0]],
      [
        'a negative value',
        '{"event_type":"a","data":"b","timestamp":1,"value":-3}',
        ['a', 'b', 1, -3],
      ],
      ['an infinite value', '{"event_type":"a","data":"b","timestamp":1,"value":1e400}', null],
      ['a value in a string', '{"event_type":"a","data":"b","timestamp":1,"value":"2"}', null],
      [
        'NaN in a string as value',
        '{"event_type":"a","data":"b","timestamp":1,"value":"NaN"}',
        null,
      ],
      ['null as value', '{"event_type":"a","data":"b","timestamp":1,"value":null}', null],
      ['false as value', '{"event_type":"a","data":"b","timestamp":1,"value":false}', null],

      ['an empty object', '{}', null],
      ['an array', '[]', null],
      ['an array of an event', '[{"event_type":"a","data":"b","timestamp":1}]', null],
      ['a string', '"a"', null],
      ['a number', '1', null],
      ['true', 'true', null],
      ['null', 'null', null],
    ]);
  });

  context('when timestamps are Unix milliseconds', () => {
    table(
      [
        [
          'milliseconds',
          '{"event_type":"a","data":"b","timestamp":1509604913123}',
          ['a', 'b', 1509604913.123],
        ],
        ['the timestamp 0', '{"event_type":"a","data":"b","timestamp":0}', ['a', 'b', 0]],
        ['a negative timestamp', '{"event_type":"a","data":"b","timestamp":-1}', null],
        ['an infinite timestamp', '{"event_type":"a","data":"b","timestamp":1e400}', null],
        ['a string', '{"event_type":"a","data":"b","timestamp":"1509604913123"}', null],
        ['null', '{"event_type":"a","data":"b","timestamp":null}', null],
        ['no timestamp', '{"event_type":"a","data":"b"}', null],
      ],
      { timestampFormat: 'unix_ms' },
    );
  });

  context('when timestamps are ISO 8601', () => {
    table(
      [
        [
          'a date and time',
          '{"event_type":"a","data":"b","timestamp":"2015-09-12T00:46:58.771Z"}',
          ['a', 'b', 1442018818.771],
        ],
        [
          'the epoch',
          '{"event_type":"a","data":"b","timestamp":"1970-01-01T00:00:00Z"}',
          ['a', 'b', 0],
        ],
        [
          'a time before 1970',
          '{"event_type":"a","data":"b","timestamp":"1969-12-31T23:59:59Z"}',
          null,
        ],
        ['a text that is no date', '{"event_type":"a","data":"b","timestamp":"today"}', null],
        ['an empty text', '{"event_type":"a","data":"b","timestamp":""}', null],
        ['a number', '{"event_type":"a","data":"b","timestamp":1442018818}', null],
        ['null', '{"event_type":"a","data":"b","timestamp":null}', null],
        ['no timestamp', '{"event_type":"a","data":"b"}', null],
      ],
      { timestampFormat: 'iso8601' },
    );
  });

  context('when event time is arrival time', () => {
    table(
      [
        ['an event without a timestamp', '{"event_type":"a","data":"b"}', ['a', 'b', ARRIVAL]],
        [
          'any timestamp, unread',
          '{"event_type":"a","data":"b","timestamp":1}',
          ['a', 'b', ARRIVAL],
        ],
        [
          'a timestamp of another type, unread',
          '{"event_type":"a","data":"b","timestamp":"soon"}',
          ['a', 'b', ARRIVAL],
        ],
        ['no event type', '{"data":"b"}', null],
      ],
      { timestampFormat: 'arrival' },
    );
  });

  context('when data is not read', () => {
    table(
      [
        ['an event without data', '{"event_type":"a","timestamp":1}', ['a', '', 1]],
        ['data, unread', '{"event_type":"a","data":"b","timestamp":1}', ['a', '', 1]],
        ['data of another type, unread', '{"event_type":"a","data":7,"timestamp":1}', ['a', '', 1]],
        ['no event type', '{"timestamp":1}', null],
      ],
      { data: null },
    );
  });

  context('when the value is not read', () => {
    table(
      [
        ['a value, unread', '{"event_type":"a","data":"b","timestamp":1,"value":2}', ['a', 'b', 1]],
        [
          'a value of another type, unread',
          '{"event_type":"a","data":"b","timestamp":1,"value":"much"}',
          ['a', 'b', 1],
        ],
      ],
      { value: null },
    );
  });

  context('when fields are nested', () => {
    table(
      [
        [
          'an event from all of them',
          '{"alert":{"signature":"scan","severity":2},"http":{"url":"/a b"},"id.at":5}',
          ['scan', '/a b', 5, 2],
        ],
        ['an outer field missing', '{"http":{"url":"x"},"id.at":5}', null],
        ['an outer field that is null', '{"alert":null,"http":{"url":"x"},"id.at":5}', null],
        [
          'an outer field that is an array',
          '{"alert":[{"signature":"scan"}],"http":{"url":"x"},"id.at":5}',
          null,
        ],
        ['an inner field missing', '{"alert":{"severity":2},"http":{"url":"x"},"id.at":5}', null],
        [
          'an event whose nested value is missing',
          '{"alert":{"signature":"scan"},"http":{"url":"x"},"id.at":5}',
          ['scan', 'x', 5],
        ],
        [
          'no timestamp where only its parts are names',
          '{"alert":{"signature":"scan"},"http":{"url":"x"},"id":{"at":5}}',
          null,
        ],
      ],
      {
        eventType: ['alert', 'signature'],
        data: ['http', 'url'],
        timestamp: ['id.at'],
        value: ['alert', 'severity'],
      },
    );
  });

  context('when a field has the name of an inherited property', () => {
    table(
      [
        ['the own property', '{"constructor":"a","data":"b","timestamp":1}', ['a', 'b', 1]],
        ['an object without it', '{"data":"b","timestamp":1}', null],
      ],
      { eventType: ['constructor'] },
    );
  });

  it('gives back the content of any event', () => {
    const event = fc.record({
      event_type: fc.string({ unit: 'binary', minLength: 1 }),
      data: fc.string({ unit: 'binary' }),
      timestamp: fc.double({ min: 0, noDefaultInfinity: true, noNaN: true }),
      value: fc.double({ noDefaultInfinity: true, noNaN: true }),
    });
    fc.assert(
      fc.property(event, (given) => {
        const { event_type, data, timestamp, value } = given;
        // JSON writes -0 as 0.
        expect(parse(JSON.stringify(given))).to.deep.equal([
          event_type,
          data,
          timestamp,
          value + 0,
        ]);
      }),
    );
  });

  it('takes any JSON without throwing', () => {
    const formats = fc.constantFrom(...TIMESTAMP_FORMATS);
    const field = fc.constantFrom('event_type', 'data', 'timestamp', 'value');
    const json = fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.jsonValue()));
    fc.assert(
      fc.property(json, formats, (value, timestampFormat) => {
        const parts = parse(JSON.stringify(value), { timestampFormat });
        if (parts !== null) expect(parts[0]).to.be.a('string').and.not.equal('');
      }),
    );
  });
});
