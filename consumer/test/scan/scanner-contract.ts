import { DEFAULT_MAPPING, type FieldMapping } from '@event-tally/shared/event.js';
import type { RejectionReason } from '@event-tally/shared/line.js';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Scanner, ScannerOptions } from '#consumer/scan/scanner.js';
import { KeyTable } from '#consumer/tally/key-table.js';
import { REJECTED_LINES_MAX, type RejectedLine } from '#consumer/tally/rejected-lines.js';
import { modelOf } from '../support/line-model.js';
import { readBatch, type ScannedEvent } from '../support/read-batch.js';
import { cutAt, streamBytes } from '../support/stream-bytes.js';

type Input = string | Uint8Array;
type Becomes = 'blank' | RejectionReason | Partial<ScannedEvent>;
const ARRIVAL_TIME = 1_600_000_000.25;
const LINE_BYTES_MAX = 256;

const good = (fields: object = {}) =>
  JSON.stringify({ event_type: 'foo', data: 'lorem', timestamp: 1, ...fields });
const padded = (bytes: number) => good().padEnd(bytes);
const concat = (...parts: Input[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));

/** One line each, without its LF. */
const LINES: readonly [name: string, line: Input, becomes: Becomes][] = [
  ['an event', good(), { type: 'foo', words: ['lorem'], time: 1, value: null }],
  [
    'the spacing of the original challenge',
    '{ "event_type": "foo", "data": "lorem ipsum", "timestamp": 1509604913 }',
    { words: ['lorem', 'ipsum'], time: 1_509_604_913 },
  ],
  [
    'fields in another order, and others',
    '{"x":[{"event_type":"no"}],"timestamp":2,"data":"","y":null,"event_type":"bar"}',
    { type: 'bar', words: [], time: 2 },
  ],
  ['white space around', ` \t${good()} \t`, { type: 'foo' }],
  ['a CR before the LF', `${good()}\r`, { type: 'foo' }],
  [
    'escapes in a name and in a value',
    String.raw`{"event\u005ftype":"\u0066oo","data":"a\tb\u00a0c\"","timestamp":1}`,
    { type: 'foo', words: ['a', 'b', 'c"'] },
  ],
  [
    'a name that comes twice',
    '{"event_type":"no","data":"a","timestamp":1,"event_type":"foo"}',
    { type: 'foo' },
  ],
  [
    'a name that comes twice, the last one wrong',
    '{"event_type":"foo","data":"a","timestamp":1,"event_type":7}',
    'not_an_event',
  ],
  [
    'every white space of JavaScript between words',
    good({ data: 'a\u0009b\u000bc\u00a0d\u1680e\u2003f\u2028g\u3000h\ufeffi  j ' }),
    { words: [...'abcdefghij'] },
  ],
  [
    'words of digits, and of names that objects have',
    good({ data: '12 007 __proto__ constructor' }),
    { words: ['12', '007', '__proto__', 'constructor'] },
  ],
  ['types that objects have', good({ event_type: '__proto__' }), { type: '__proto__' }],
  [
    'lone surrogates',
    String.raw`{"event_type":"a\ud800","data":"\udfff \ud83d\ude00","timestamp":1}`,
    { type: 'a\ufffd', words: ['\ufffd', '\u{1f600}'] },
  ],
  [
    'invalid bytes in a string',
    concat(
      '{"event_type":"a',
      Uint8Array.of(0xff, 0xc3),
      '","data":"',
      Uint8Array.of(0xe2, 0x82),
      ' b","timestamp":1}',
    ),
    { type: 'a\ufffd\ufffd', words: ['\ufffd', 'b'] },
  ],
  ['a NUL in a string', '{"event_type":"a\0","data":"","timestamp":1}', 'not_json'],
  [
    'an escaped NUL in a string',
    String.raw`{"event_type":"a\u0000","data":"","timestamp":1}`,
    { type: 'a\0' },
  ],
  ['a lone CR in a string', '{"event_type":"a\r","data":"","timestamp":1}', 'not_json'],
  ['a lone CR between fields', '{"event_type":"a",\r"data":"","timestamp":1}', { type: 'a' }],
  ['U+2028, which ends no line', good({ data: 'a\u2028b' }), { words: ['a', 'b'] }],
  ['a fraction of a second', good({ timestamp: 1.5 }), { time: 1.5 }],
  ['an exponent', '{"event_type":"a","data":"","timestamp":15e2}', { time: 1500 }],
  ['a value', good({ value: -2.5 }), { value: -2.5 }],
  ['a value of zero', good({ value: 0 }), { value: 0 }],
  ['nothing', '', 'blank'],
  ['a CR alone', '\r', 'blank'],
  ['white space of all kinds', ' \t\u00a0\u3000\ufeff', 'blank'],
  [
    'the corrupt line of the original challenge',
    concat('{ "', Uint8Array.of(0, 13, 255, 34, 92, 1, 2, 3, 4, 5)),
    'not_json',
  ],
  ['half an event', good().slice(0, -1), 'not_json'],
  ['two events on one line', good() + good(), 'not_json'],
  ['a trailing comma', '{"event_type":"a","data":"","timestamp":1,}', 'not_json'],
  ['single quotes', "{'event_type':'a','data':'','timestamp':1}", 'not_json'],
  ['NaN', '{"event_type":"a","data":"","timestamp":NaN}', 'not_json'],
  ['a number with a leading zero', '{"event_type":"a","data":"","timestamp":01}', 'not_json'],
  ['an array', '[]', 'not_an_event'],
  ['an event in an array', `[${good()}]`, 'not_an_event'],
  ['null', 'null', 'not_an_event'],
  ['a string', '"event_type"', 'not_an_event'],
  ['an empty object', '{}', 'not_an_event'],
  ['an empty type', good({ event_type: '' }), 'not_an_event'],
  ['a type that is a number', good({ event_type: 7 }), 'not_an_event'],
  [
    'a type whose length is an object that cannot be compared',
    good({ event_type: { length: { toString: {}, valueOf: {} } } }),
    'not_an_event',
  ],
  ['no text', '{"event_type":"a","timestamp":1}', 'not_an_event'],
  ['a text that is null', good({ data: null }), 'not_an_event'],
  ['a time before 1970', good({ timestamp: -1 }), 'not_an_event'],
  ['a time that is a string', good({ timestamp: '1' }), 'not_an_event'],
  ['a time past every number', '{"event_type":"a","data":"","timestamp":1e400}', 'not_an_event'],
  ['a value that is a string', good({ value: '1' }), 'not_an_event'],
  ['a value that is null', good({ value: null }), 'not_an_event'],
  ['as many bytes as may be', padded(LINE_BYTES_MAX), { type: 'foo' }],
  ['one byte more', padded(LINE_BYTES_MAX + 1), 'too_long'],
  ['as many bytes as may be, the last a CR', `${padded(LINE_BYTES_MAX - 1)}\r`, { type: 'foo' }],
  ['one byte more, which is a CR', `${padded(LINE_BYTES_MAX)}\r`, 'too_long'],
  ['too many bytes, though fewer characters', good({ data: '€'.repeat(80) }), 'too_long'],
  ['many times too many bytes', 'x'.repeat(LINE_BYTES_MAX * 5), 'too_long'],
  ['too many bytes of white space', ' '.repeat(LINE_BYTES_MAX + 1), 'too_long'],
];

const mapped = (fields: Partial<FieldMapping>): FieldMapping => ({ ...DEFAULT_MAPPING, ...fields });

const MAPPED_LINES: readonly [
  name: string,
  mapping: FieldMapping,
  line: string,
  becomes: Becomes,
][] = [
  [
    'a dotted path',
    mapped({ data: ['alert', 'signature'] }),
    '{"event_type":"alert","alert":{"signature":"ET SCAN"},"timestamp":1}',
    { words: ['ET', 'SCAN'] },
  ],
  [
    'a dotted path that ends early',
    mapped({ data: ['alert', 'signature'] }),
    '{"event_type":"alert","alert":"signature","timestamp":1}',
    'not_an_event',
  ],
  [
    'a dotted path into an array',
    mapped({ data: ['alert', '0'] }),
    '{"event_type":"alert","alert":["x"],"timestamp":1}',
    'not_an_event',
  ],
  [
    'a name with a dot in it',
    mapped({ eventType: ['id.orig_h'] }),
    '{"id.orig_h":"10.0.0.1","id":{"orig_h":"no"},"data":"","timestamp":1}',
    { type: '10.0.0.1' },
  ],
  [
    'an outer name that comes twice',
    mapped({ data: ['a', 'b'] }),
    '{"a":{"b":"no"},"a":{"b":"yes"},"event_type":"x","timestamp":1}',
    { words: ['yes'] },
  ],
  [
    'an outer name that comes twice, the last without the inner',
    mapped({ data: ['a', 'b'] }),
    '{"a":{"b":"no"},"a":{},"event_type":"x","timestamp":1}',
    'not_an_event',
  ],
  [
    'the name __proto__',
    mapped({ eventType: ['__proto__', 'x'] }),
    '{"__proto__":{"x":"yes"},"data":"","timestamp":1}',
    { type: 'yes' },
  ],
  [
    'a name that only objects have',
    mapped({ eventType: ['constructor', 'name'] }),
    '{"data":"","timestamp":1}',
    'not_an_event',
  ],
  [
    'one field for type and text',
    mapped({ data: ['event_type'] }),
    '{"event_type":"a b","timestamp":1}',
    { type: 'a b', words: ['a', 'b'] },
  ],
  [
    'no text asked for',
    mapped({ data: null }),
    '{"event_type":"a","data":7,"timestamp":1}',
    { words: [] },
  ],
  [
    'no value asked for',
    mapped({ value: null }),
    '{"event_type":"a","data":"","timestamp":1,"value":"x"}',
    { value: null },
  ],
  [
    'milliseconds',
    mapped({ timestampFormat: 'unix_ms' }),
    good({ timestamp: 1_509_604_913_250 }),
    { time: 1_509_604_913.25 },
  ],
  [
    'ISO 8601',
    mapped({ timestampFormat: 'iso8601' }),
    good({ timestamp: '2015-09-12T00:46:58.771Z' }),
    { time: 1_442_018_818.771 },
  ],
  [
    'ISO 8601 with a zone',
    mapped({ timestampFormat: 'iso8601' }),
    good({ timestamp: '2015-03-29T11:01:38.221126-0600' }),
    { time: 1_427_648_498.221126 },
  ],
  [
    'ISO 8601 that is no date',
    mapped({ timestampFormat: 'iso8601' }),
    good({ timestamp: '2015-02-29T00:00:00Z' }),
    'not_an_event',
  ],
  [
    'a number where ISO 8601 is asked for',
    mapped({ timestampFormat: 'iso8601' }),
    good(),
    'not_an_event',
  ],
  [
    'a string where Unix seconds are asked for',
    DEFAULT_MAPPING,
    good({ timestamp: '2015-09-12T00:46:58Z' }),
    'not_an_event',
  ],
  [
    'arrival',
    mapped({ timestampFormat: 'arrival' }),
    '{"event_type":"a","data":""}',
    { time: ARRIVAL_TIME },
  ],
];

/** What every scanner does with every input. */
export function describeScanner(name: string, create: (options: ScannerOptions) => Scanner): void {
  describe(name, () => {
    for (const [what, line, becomes] of LINES) {
      it(`takes ${what}: ${outcome(becomes)}`, () => {
        expectLine(create, DEFAULT_MAPPING, concat(line, '\n'), becomes);
      });
    }

    context('when fields are mapped', () => {
      for (const [what, mapping, line, becomes] of MAPPED_LINES) {
        it(`takes ${what}: ${outcome(becomes)}`, () => {
          expectLine(create, mapping, concat(line, '\n'), becomes);
        });
      }
    });

    context('when a byte order mark comes', () => {
      it('drops it at the first line', () => {
        expectLine(create, DEFAULT_MAPPING, concat('\ufeff', good(), '\n'), { type: 'foo' });
      });
      it('drops it at the first line that is not blank', () => {
        const run = scanAll(create, DEFAULT_MAPPING, [concat('\n\r\n\ufeff', good(), '\n')]);
        expect(run).to.deep.include({ lines: 3, blank: 2 });
        expect(run.events).to.have.lengthOf(1);
      });
      it('rejects it at a later line, as JSON does', () => {
        const run = scanAll(create, DEFAULT_MAPPING, [concat(good(), '\n\ufeff', good(), '\n')]);
        expect(run.rejected.not_json).to.equal(1);
      });
      it('rejects it after a line that was too long', () => {
        const long = ['x'.repeat(300), 'x'.repeat(300), '\n\ufeff', good(), '\n'];
        const run = scanAll(
          create,
          DEFAULT_MAPPING,
          long.map((part) => concat(part)),
        );
        expect(run.rejected).to.deep.equal({ too_long: 1, not_json: 1, not_an_event: 0 });
      });
    });

    context('when lines have their fields in the order of those before', () => {
      const first = '{"event_type":"foo","data":"","timestamp":1}\n';
      const later = '{"x":0,"event_type":"foo","data":"","timestamp":1}\n';
      for (const [what, before, line] of [
        ['without a comma before it', first, later.replace('0,', '0')],
        ['with a comma before it', later, first.replace('{', '{,')],
        ['with two commas', first, first.replace(',', ',,')],
      ] as const) {
        it(`rejects one with the same field ${what}`, () => {
          const lines = [before, before, line, before, line];
          const run = scanAll(
            create,
            DEFAULT_MAPPING,
            lines.map((each) => concat(each)),
          );
          expect(run.events).to.have.lengthOf(3);
          expect(run.rejected).to.deep.equal({ too_long: 0, not_json: 2, not_an_event: 0 });
        });
      }
    });

    context('when a line is not ended yet', () => {
      it('counts its bytes and nothing else', () => {
        const run = scanAll(create, DEFAULT_MAPPING, [concat(good())]);
        expect(run).to.deep.include({ bytes: good().length, lines: 0, blank: 0, events: [] });
      });
      it('counts it with its LF, whenever that comes', () => {
        const run = scanAll(create, DEFAULT_MAPPING, [concat(good()), concat('\n')]);
        expect(run.events).to.have.lengthOf(1);
      });
      it('counts a too long one once, however long it goes on', () => {
        const parts = Array.from({ length: 50 }, () => concat('x'.repeat(100)));
        const run = scanAll(create, DEFAULT_MAPPING, [...parts, concat('\n', good(), '\n')]);
        expect(run.rejected.too_long).to.equal(1);
        expect(run.events).to.have.lengthOf(1);
      });
    });

    context('when lines are rejected', () => {
      const rejectedOf = (parts: readonly Input[]) =>
        scanAll(
          create,
          DEFAULT_MAPPING,
          parts.map((part) => concat(part)),
        ).rejectedLines;
      const huge = LINE_BYTES_MAX * 5;

      const rows: readonly [
        what: string,
        parts: readonly Input[],
        lines: readonly RejectedLine[],
      ][] = [
        [
          'the whole of each, in their order',
          ['{"a\n', good(), '\n\n[ 1 ]\n'],
          [
            { reason: 'not_json', bytes: 3, text: '{"a' },
            { reason: 'not_an_event', bytes: 5, text: '[ 1 ]' },
          ],
        ],
        [
          'white space, and a CR before the LF',
          [' {} \r\n'],
          [{ reason: 'not_an_event', bytes: 5, text: ' {} \r' }],
        ],
        ['bytes, not characters', ['{"€"}\n'], [{ reason: 'not_json', bytes: 7, text: '{"€"}' }]],
        [
          'invalid bytes as U+FFFD',
          [concat('{', Uint8Array.of(0xff, 0xc3), '}\n')],
          [{ reason: 'not_json', bytes: 4, text: '{\ufffd\ufffd}' }],
        ],
        [
          'no byte order mark that was dropped',
          ['\ufeff{}\n\ufeff{}\n'],
          [
            { reason: 'not_an_event', bytes: 5, text: '{}' },
            { reason: 'not_json', bytes: 5, text: '\ufeff{}' },
          ],
        ],
        [
          'a line that came in pieces',
          ['{"a', '":', '1}', '\n'],
          [{ reason: 'not_an_event', bytes: 7, text: '{"a":1}' }],
        ],
        [
          'the beginning of one that is too long, and all its bytes',
          [`${'x'.repeat(LINE_BYTES_MAX + 1)}\n`],
          [{ reason: 'too_long', bytes: LINE_BYTES_MAX + 1, text: 'x'.repeat(64) }],
        ],
        [
          'as much of one that came in pieces',
          [...'xy'.repeat(huge), '\n{}\n'],
          [
            { reason: 'too_long', bytes: 2 * huge, text: 'xy'.repeat(32) },
            { reason: 'not_an_event', bytes: 2, text: '{}' },
          ],
        ],
        [
          'no half character at the end of a beginning',
          [`${'😀'.repeat(huge)}\n`],
          [{ reason: 'too_long', bytes: 4 * huge, text: '😀'.repeat(64) }],
        ],
      ];
      for (const [what, parts, lines] of rows) {
        it(`gives ${what}`, () => {
          expect(rejectedOf(parts)).to.deep.equal(lines);
        });
      }

      it('gives 200 characters of a too long line where as many may be kept', () => {
        const [line] = scanAll(
          create,
          DEFAULT_MAPPING,
          [concat('é'.repeat(5000), '\n')],
          4096,
        ).rejectedLines;
        expect(line).to.deep.equal({ reason: 'too_long', bytes: 10_000, text: 'é'.repeat(200) });
      });

      it('gives the last ones of a batch', () => {
        const lines = Array.from({ length: 3 * REJECTED_LINES_MAX + 7 }, (_, i) => `${i}\n`);
        expect(rejectedOf([lines.join('')]).map(({ text }) => `${text}\n`)).to.deep.equal(
          lines.slice(-REJECTED_LINES_MAX),
        );
      });

      it('gives them once', () => {
        const scanner = createScanner(create, DEFAULT_MAPPING).scanner;
        const batch = scanner.scan(concat('{\n'), ARRIVAL_TIME);
        expect(batch.takeRejectedLines()).to.have.lengthOf(1);
        expect(batch.takeRejectedLines()).to.deep.equal([]);
        scanner.scan(concat('{\n'), ARRIVAL_TIME);
        expect(scanner.scan(concat('\n'), ARRIVAL_TIME).takeRejectedLines()).to.deep.equal([]);
      });

      it('gives the line that only the end of the source ends', () => {
        for (const [line, bytes] of [
          ['{"a', 3],
          ['x'.repeat(huge), huge],
        ] as const) {
          const { scanner } = createScanner(create, DEFAULT_MAPPING);
          scanner.scan(concat(line), ARRIVAL_TIME);
          expect(scanner.finish(ARRIVAL_TIME).takeRejectedLines()).to.have.nested.property(
            '[0].bytes',
            bytes,
          );
        }
      });
    });

    it('does what the model does, for any bytes', () => {
      fc.assert(
        fc.property(streamBytes, (bytes) => {
          const run = scanAll(create, DEFAULT_MAPPING, [bytes]);
          const { events, blank, rejected, rejectedLines, lines } = run;
          const model = modelOf(bytes, LINE_BYTES_MAX);
          expect({ events, blank, rejected }).to.deep.equal({
            events: model.events,
            blank: model.blank,
            rejected: model.rejected,
          });
          expect(rejectedLines).to.deep.equal(model.rejectedLines.slice(-REJECTED_LINES_MAX));
          const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
          expect(lines).to.equal(bytes.filter((byte) => byte === 10).length);
          expect(lines).to.equal(events.length + blank + refused);
        }),
        { numRuns: 500 },
      );
    });

    it('gives the same batches, end to end, however the bytes are cut', () => {
      fc.assert(
        fc.property(streamBytes, fc.array(fc.nat()), (bytes, places) => {
          const whole = scanAll(create, DEFAULT_MAPPING, [bytes]);
          expect(scanAll(create, DEFAULT_MAPPING, cutAt(bytes, places))).to.deep.equal(whole);
          const singly = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
          expect(scanAll(create, DEFAULT_MAPPING, singly)).to.deep.equal(whole);
        }),
        { numRuns: 500 },
      );
    });

    it('gives the same batches at every single cut of a typical stream', () => {
      const bytes = concat(
        `\ufeff${good({ data: 'ü € 😀' })}\r\n\n{ "\0\r\n`,
        good({ event_type: '€' }),
        '\n',
      );
      const whole = scanAll(create, DEFAULT_MAPPING, [bytes]);
      for (let i = 0; i <= bytes.length; i++) {
        expect(scanAll(create, DEFAULT_MAPPING, cutAt(bytes, [i])), `cut at ${i}`).to.deep.equal(
          whole,
        );
      }
    });
  });
}

function outcome(becomes: Becomes): string {
  return typeof becomes === 'string' ? becomes : 'accepted';
}

function expectLine(
  create: (options: ScannerOptions) => Scanner,
  mapping: FieldMapping,
  bytes: Uint8Array,
  becomes: Becomes,
): void {
  const run = scanAll(create, mapping, [bytes]);
  const expected = { blank: 0, rejected: { too_long: 0, not_json: 0, not_an_event: 0 } };
  if (becomes === 'blank') expected.blank = 1;
  else if (typeof becomes === 'string') expected.rejected[becomes] = 1;
  expect(run).to.deep.include({ ...expected, lines: 1, bytes: bytes.length });
  if (typeof becomes === 'string') expect(run.events).to.deep.equal([]);
  else expect(run.events[0]).to.deep.include(becomes);
}

/** All batches of a stream put end to end; of the rejected lines, the last ones. */
function scanAll(
  create: (options: ScannerOptions) => Scanner,
  mapping: FieldMapping,
  parts: readonly Uint8Array[],
  lineBytesMax = LINE_BYTES_MAX,
) {
  const { scanner, types, words } = createScanner(create, mapping, lineBytesMax);
  const all = {
    events: [] as ScannedEvent[],
    bytes: 0,
    lines: 0,
    blank: 0,
    rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
    rejectedLines: [] as RejectedLine[],
  };
  for (const part of parts) {
    const batch = scanner.scan(part, ARRIVAL_TIME);
    all.events.push(...readBatch(batch, types, words));
    all.bytes += batch.bytes;
    all.lines += batch.lines;
    all.blank += batch.blank;
    all.rejected.too_long += batch.rejected.too_long;
    all.rejected.not_json += batch.rejected.not_json;
    all.rejected.not_an_event += batch.rejected.not_an_event;
    all.rejectedLines.push(...batch.takeRejectedLines());
  }
  // Of a batch its last ones are given: of one that is cut, they may be more.
  all.rejectedLines.splice(0, all.rejectedLines.length - REJECTED_LINES_MAX);
  return all;
}

function createScanner(
  create: (options: ScannerOptions) => Scanner,
  mapping: FieldMapping,
  lineBytesMax = LINE_BYTES_MAX,
) {
  const types = new KeyTable({ keysMax: 1000, keyBytesMax: 256 });
  const words = new KeyTable({ keysMax: 1000, keyBytesMax: 256 });
  return { scanner: create({ mapping, lineBytesMax, types, words }), types, words };
}
