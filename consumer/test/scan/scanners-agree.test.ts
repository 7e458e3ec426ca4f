import { DEFAULT_MAPPING, type FieldMapping } from '@event-tally/shared/event.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { Chance } from '../fuzz/chance.js';
import { generateLine } from '../fuzz/grammar.js';
import {
  ARRIVAL_TIME,
  type CompareOptions,
  ScannerComparison,
} from '../support/compare-scanners.js';
import { cutAt, streamBytes } from '../support/stream-bytes.js';

const SEED = 1;
/** Of the grammar, under each mapping. */
const LINES = 10_000;
const LF = Buffer.from('\n');
const mapped = (fields: Partial<FieldMapping>): FieldMapping => ({ ...DEFAULT_MAPPING, ...fields });
const NESTED = mapped({
  eventType: ['a', 'b'],
  data: ['a', 'c', 'd'],
  timestamp: ['t'],
  timestampFormat: 'iso8601',
  value: ['a', 'b2'],
});

/** Scans them as one source, or each as its own, with both scanners. */
function agreeOn(
  streams: Iterable<Uint8Array>,
  options: CompareOptions = { mapping: DEFAULT_MAPPING },
): ScannerComparison {
  const comparison = new ScannerComparison(options);
  for (const stream of streams) {
    comparison.beginSource();
    comparison.scan(stream);
  }
  comparison.compareKeys();
  return comparison;
}

describe('the SIMD scanner and the reference scanner agree', () => {
  const typical = Buffer.from(
    '{ "event_type": "foo", "data": "lorem \\u00e9t\\u00e9 ü", "timestamp": 1509604913.5, "value": -1e2, "x": [true, {"y": null}], "z": "ü lorem ipsum dolor é" }\n',
  );

  it('on every byte at every place of a typical line', () => {
    const streams = Array.from(typical.subarray(0, -1), (_, place) =>
      Buffer.concat(
        Array.from({ length: 256 }, (_, byte) => {
          const line = Buffer.from(typical);
          line[place] = byte;
          return line;
        }),
      ),
    );
    const { lines, fallbackLines } = agreeOn(streams).counts;
    expect(lines).to.be.at.least(256 * streams.length);
    expect(fallbackLines).to.be.below(lines / 100);
  });

  it('on all that bytes next to each other can be in UTF-8, wherever sixteen bytes end', () => {
    // The bounds of what the first byte of a sequence may be, the second, and those that follow.
    const bounds = Buffer.from('417f808f909fa0bfc0c1c2dfe0e1ecedeeeff0f1f3f4f5ff', 'hex');
    const rows = (length: number): Buffer[] =>
      length === 0
        ? [Buffer.alloc(0)]
        : rows(length - 1).flatMap((row) =>
            Array.from(bounds, (byte) => Buffer.concat([row, Buffer.of(byte)])),
          );
    const mapping = mapped({ data: null, timestampFormat: 'arrival' });
    const threes = rows(3);
    const fours = rows(4).filter(([first]) => (first as number) >= 0xe0);
    const placeOf = (row: Buffer) => row.reduce((sum, byte) => sum + bounds.indexOf(byte), 0) % 16;
    for (let place = 0; place < 16; place++) {
      for (const some of [threes, fours.filter((row) => placeOf(row) === place)]) {
        // What is put in place of bytes that are no UTF-8 is mostly longer than they are, and too long for a key.
        const keyBytesMax = place + (some[0] as Buffer).length;
        const comparison = new ScannerComparison({ mapping, keyBytesMax, typesMax: 30_000 });
        const begin = Buffer.from(`{"event_type":"${'a'.repeat(place)}`);
        const end = Buffer.from('"}\n');
        const lines = some.flatMap((row) => [begin, row, end]);
        comparison.scanInPieces(new Chance(SEED), Buffer.concat(lines));
        comparison.compareKeys();
        expect(comparison.counts).to.deep.equal({ lines: some.length, fallbackLines: 0 });
      }
    }
  });

  it('on a name with the bounds of UTF-8 in it, wherever sixteen bytes end, and whatever follows', () => {
    const bounds =
      '\u0080\u07ff\u0800\u0fff\ucfff\ud7ff\ue000\ufffc\u{10000}\u{3ffff}\u{40000}\u{10ffff}';
    for (let place = 0; place < 16; place++) {
      const name = 'a'.repeat(place) + bounds;
      const mapping = mapped({ eventType: [name], data: null, timestampFormat: 'arrival' });
      const begin = Buffer.from(`{"${name}":"`);
      const end = Buffer.from('"}\n');
      const comparison = new ScannerComparison({ mapping });
      comparison.scan(Buffer.concat([begin, Buffer.from('b'), end, begin, Buffer.of(0xff), end]));
      expect(comparison.keys).to.deep.equal([['', 'b', '\ufffd'], ['']]);
    }
  });

  it('on every beginning and every end of a typical line, and on it without any one byte', () => {
    const places = [...typical.keys()];
    agreeOn([
      Buffer.concat(places.map((place) => Buffer.concat([typical.subarray(0, place), LF]))),
      Buffer.concat(places.map((place) => typical.subarray(place))),
      Buffer.concat(
        places.map((place) =>
          Buffer.concat([typical.subarray(0, place), typical.subarray(place + 1), LF]),
        ),
      ),
    ]);
  });

  it('on every cutting of a short stream into two and three', () => {
    const bytes = Buffer.from('\ufeff{"event_type":"é","data":"a\\nb","timestamp":1}\r\n\n{"\n😀');
    const comparison = new ScannerComparison({ mapping: DEFAULT_MAPPING, lineBytesMax: 48 });
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        comparison.beginSource();
        for (const part of cutAt(bytes, [first, second])) comparison.scan(part);
        comparison.finish();
      }
    }
    comparison.compareKeys();
  });

  it('on every way of two sources to take turns', () => {
    // A tail that one leaves behind is in nobody's way.
    const comparison = new ScannerComparison({ mapping: DEFAULT_MAPPING, lineBytesMax: 64 });
    const turns = fc.array(fc.record({ place: fc.nat(), source: fc.constantFrom(0, 1) }));
    fc.assert(
      fc.property(streamBytes, turns, fc.boolean(), (bytes, turns, isRestarted) => {
        comparison.beginSource();
        const parts = cutAt(
          bytes,
          turns.map(({ place }) => place),
        );
        for (const [i, part] of parts.entries()) {
          comparison.scan(part, turns[i]?.source);
          if (isRestarted) comparison.restart();
        }
        for (const source of [0, 1]) comparison.finish(source);
      }),
      { numRuns: 100 },
    );
    comparison.compareKeys();
  });

  it('on every short row of fields, braces and commas, whatever was expected there', () => {
    const mapping = mapped({ eventType: ['a'], data: ['b', 'c'], timestampFormat: 'arrival' });
    const pieces = [',', '"a":"x"', '"b":{', '"c":"y"', '"d":1', '}'];
    let rows = ['{'];
    const lines: string[] = [];
    for (let length = 1; length <= 5; length++) {
      rows = rows.flatMap((row) => pieces.map((piece) => row + piece));
      lines.push(...rows.map((row) => `${row}\n`));
    }
    const typical = ['{"a":"x","b":{"c":"y"}}\n', '{"d":1,"a":"x","b":{"d":1,"c":"y"}}\n'];
    const comparison = new ScannerComparison({ mapping });
    const chance = new Chance(SEED);
    for (const before of typical) {
      const bytes = Buffer.from(lines.map((line) => before + line).join(''));
      comparison.scanInPieces(chance, bytes);
    }
  });

  for (const name of [
    'a\\b',
    'a"b',
    'a\tb',
    'a\nb',
    'a\0',
    '"',
    '\\',
    '\n',
    '\\"',
    '\\u0061',
    'é',
  ]) {
    it(`on a name that is ${JSON.stringify(name)}, written as JSON and as it is`, () => {
      const mapping = mapped({ eventType: [name] });
      const comparison = new ScannerComparison({ mapping });
      const rest = '"foo","data":"a b","timestamp":1}';
      const escaped = Array.from(
        { length: name.length },
        (_, i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, '0')}`,
      ).join('');
      const written = [JSON.stringify(name), `"${name}"`, `"${escaped}"`];
      const lines = written.map((json) => `{${json}:${rest}\n`);
      for (const line of [...lines, ...lines.toReversed(), ...lines]) {
        comparison.scan(Buffer.from(line));
        comparison.scan(Buffer.from(line));
        // Behind what is scanned is the end of the line before.
        for (const part of cutAt(Buffer.from(line), [2 + name.length])) comparison.scan(part);
        comparison.scan(Buffer.from(`{"${name}`));
        comparison.scan(LF);
      }
      comparison.compareKeys();
    });
  }

  for (const [name, mapping] of [
    ['the default mapping', DEFAULT_MAPPING],
    ['dotted paths and ISO 8601', NESTED],
    ['one field for all', mapped({ eventType: ['a'], data: ['a'], timestampFormat: 'arrival' })],
    [
      'a path into another',
      mapped({ eventType: ['a', 'b'], data: ['data'], value: ['a'], timestampFormat: 'unix_ms' }),
    ],
  ] as const) {
    it(`on JSON and what is nearly JSON, under ${name}`, () => {
      const options = { mapping, lineBytesMax: 2000, now: ARRIVAL_TIME };
      const comparison = new ScannerComparison({ ...options, wordsMax: 500, keyBytesMax: 40 });
      const chance = new Chance(SEED);
      for (let lines = 0; lines < LINES; lines++) {
        comparison.scanInPieces(chance, Buffer.concat([generateLine(chance, options), LF]));
      }
      comparison.compareKeys();
      const { lines, fallbackLines } = comparison.counts;
      expect(lines).to.be.at.least(LINES);
      expect(fallbackLines).to.be.within(1, LINES / 10);
    });
  }
});
