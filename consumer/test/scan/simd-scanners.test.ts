import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { DEFAULT_MAPPING, type FieldMapping } from '@event-tally/shared/event.js';
import { parseIso8601 } from '@event-tally/shared/iso8601.js';
import { expect } from 'chai';
import { createScanners } from '#consumer/ingest/create-scanners.js';
import { SCAN_BYTES_MAX } from '#consumer/scan/scanner.js';
import { powersOfTen } from '#consumer/scan/simd/powers-of-ten.js';
import { ADDRESSES } from '#consumer/scan/simd/simd-module.js';
import type { SimdScanners } from '#consumer/scan/simd/simd-scanners.js';
import type { EventBatch } from '#consumer/tally/event-batch.js';
import { KeyTable } from '#consumer/tally/key-table.js';
import { Chance } from '../fuzz/chance.js';
import { ScannerComparison } from '../support/compare-scanners.js';
import { readBatch } from '../support/read-batch.js';

const SEED = 1;
const ARRIVAL_TIME = 1_600_000_000;
const EDITS = fileURLToPath(
  new URL('../../../test/data/wikipedia-edits.ndjson.gz', import.meta.url),
);

interface SubjectOptions {
  readonly mapping?: FieldMapping;
  readonly lineBytesMax?: number;
  readonly wordsMax?: number;
  readonly keyBytesMax?: number;
}

/** SIMD scanners with tables of their own. */
class Subject {
  readonly types = new KeyTable({ keysMax: 100, keyBytesMax: 256 });
  readonly words: KeyTable;
  readonly scanners;
  readonly scanner;
  /** How often the table of words was asked for an id. */
  asked = 0;

  constructor(options: SubjectOptions = {}) {
    const { mapping = DEFAULT_MAPPING, lineBytesMax = 65_536 } = options;
    const { wordsMax = 1000, keyBytesMax = 256 } = options;
    this.words = new KeyTable({ keysMax: wordsMax, keyBytesMax });
    const { idOfBytes } = this.words;
    this.words.idOfBytes = (bytes, start, end) => {
      this.asked++;
      return idOfBytes.call(this.words, bytes, start, end);
    };
    const { types, words } = this;
    this.scanners = createScanners('simd', { mapping, lineBytesMax, types, words });
    this.scanner = this.scanners.create();
  }

  scan(...lines: string[]): EventBatch {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    return this.scanner.scan(bytes, ARRIVAL_TIME);
  }

  scanWords(...texts: string[]): string[] {
    const batch = this.scan(...texts.map((data) => event({ data })));
    return readBatch(batch, this.types, this.words).flatMap(({ words }) => words);
  }
}

const event = (fields: object) =>
  JSON.stringify({ event_type: 'foo', data: '', timestamp: 1, ...fields });

describe('SimdScanners', () => {
  it('scan the edits of Wikipedias themselves, all of them', () => {
    const mapping: FieldMapping = {
      eventType: ['channel'],
      data: ['comment'],
      timestamp: ['time'],
      timestampFormat: 'iso8601',
      value: ['delta'],
    };
    const comparison = new ScannerComparison({ mapping });
    comparison.scanInPieces(new Chance(SEED), gunzipSync(fs.readFileSync(EDITS)));
    comparison.compareKeys();
    expect(comparison.counts).to.deep.equal({ lines: 980, fallbackLines: 0 });
  });

  it('refuse more bytes at once than there is room for', () => {
    const { scanner } = new Subject();
    expect(() => scanner.scan(new Uint8Array(SCAN_BYTES_MAX + 1), 0)).to.throw(RangeError);
  });

  it('know every address that the module writes, and every power that it has room for', () => {
    const assembly = (name: string) =>
      fs.readFileSync(new URL(`../../src/scan/simd/assembly/${name}.ts`, import.meta.url), 'utf8');
    const written = assembly('index').matchAll(/store<usize>\(addresses, .*, (\d+)\);/g);
    const offsets = Array.from(written, ([, offset]) => Number(offset));
    expect(offsets).to.deep.equal(ADDRESSES.map((_, i) => 4 * i));
    const [, least, most] =
      /const POWER_MIN: i32 = (-\d+);\nconst POWER_MAX: i32 = (\d+);/.exec(assembly('number')) ??
      [];
    expect(powersOfTen()).to.have.lengthOf(2 * (Number(most) - Number(least) + 1));
  });

  it('throw where they are given no LF to stop at', () => {
    const { scanner, scanners } = new Subject();
    scanner.scan(Buffer.from('1\n2\n'), 0);
    const [simd, nothing] = [scanners as SimdScanners, new Uint8Array(0)];
    const scan = () => simd.scanLines(nothing, Buffer.from('3'), 0);
    expect(scan).to.throw('1 bytes more');
  });

  context('when it comes to numbers', () => {
    const expectNumbers = (texts: readonly string[]): Subject => {
      const subject = new Subject();
      for (const text of texts) {
        const batch = subject.scan(`{"event_type":"a","data":"","timestamp":1,"value":${text}}`);
        const same = Object.is(batch.values[0], Number(text));
        if (!same || batch.length !== 1) expect(`${batch.values[0]} of ${text}`).to.equal(text);
      }
      return subject;
    };

    it('give the nearest double of doubles written in full, from the least to the largest', () => {
      const chance = new Chance(SEED);
      const bits = new Uint32Array(2);
      const double = new Float64Array(bits.buffer);
      const texts = [Number.MIN_VALUE, 2 ** -1022, 2 ** -1022 - Number.MIN_VALUE].map(String);
      texts.push(String(Number.MAX_VALUE), `-${Number.MAX_VALUE}`);
      while (texts.length < 20_000) {
        bits[0] = chance.int(-0x8000_0000, 0x7fff_ffff);
        bits[1] = chance.int(-0x8000_0000, 0x7fff_ffff);
        if (!Number.isFinite(double[0])) continue;
        texts.push(String(double[0]), (double[0] as number).toExponential(chance.int(0, 20)));
      }
      expect(expectNumbers(texts).scanners.counts().fallbackLines).to.equal(0);
    });

    it('give it of any digits, with a point and an exponent anywhere', () => {
      const chance = new Chance(SEED);
      const digits = (length: number) => chance.some(length, () => chance.int(0, 9)).join('');
      const texts = Array.from({ length: 20_000 }, () => {
        const length = chance.pick([1, 18, 40, 400]);
        const whole = chance.oneIn(3) ? '0' : `${chance.int(1, 9)}${digits(chance.int(0, length))}`;
        const fraction = chance.oneIn(3) ? '' : `.${digits(chance.int(1, length))}`;
        const exponent = chance.oneIn(2) ? '' : `e${chance.int(-400, 400)}`;
        return `${chance.pick(['', '-'])}${whole}${fraction}${exponent}`;
      }).filter((text) => Number.isFinite(Number(text)));
      expect(texts).to.have.lengthOf.at.least(10_000);
      // Whole numbers of some twenty digits, one in some hundred of which is just in the middle.
      expect(expectNumbers(texts).scanners.counts().fallbackLines).to.be.within(1, 50);
    });

    it('give it of what lies in the middle of two doubles, or next to that', () => {
      const texts: string[] = [];
      for (let power = 53n; power < 64n; power++) {
        const middle = (1n << power) + (1n << (power - 53n));
        for (const near of [-1n, 0n, 1n]) {
          const whole = String(middle + near);
          texts.push(whole, `${whole}.0`, `${whole}e0`, `${whole}e1`, `${whole}e-1`, `-${whole}`);
          texts.push(`${whole.slice(0, -3)}.${whole.slice(-3)}e3`);
        }
      }
      expectNumbers(texts);
    });

    it('give it of so many digits that only an exponent brings them back', () => {
      const lineBytesMax = 1_048_576;
      const zeros = '0'.repeat(300_000);
      const comparison = new ScannerComparison({ mapping: DEFAULT_MAPPING, lineBytesMax });
      for (const text of [`0.${zeros}1e300001`, `1${zeros}e-300000`, `0.${zeros}1`, `1${zeros}`]) {
        const line = `${event({ value: 7 }).replace(':7', `:${text}`)}\n`;
        comparison.scanInPieces(new Chance(SEED), Buffer.from(line));
      }
      expect(comparison.counts).to.deep.equal({ lines: 4, fallbackLines: 0 });
    });

    it('hand over what lies too near the middle of two doubles, and nothing else', () => {
      for (const [text, isHandedOver] of [
        ['1234567890123456789', false],
        ['12345678901234567890', false],
        ['0.1234567890123456789', false],
        ['0.10000000000000000555', false],
        ['18446744073709551616', false],
        ['0e999', false],
        ['9007199254740993', false],
        ['9007199254740993.0', true],
        ['9007199254740993.00000000000000000001', true],
        ['9007199254740992.99999999999999999999', true],
        ['2.5e-324', false],
        ['2e-324', false],
        ['1e-99999999999999999999', false],
        ['1e23', false],
        ['8e23', false],
        ['9007199254740996e1', false],
        ['9007199254740993e27', false],
      ] as const) {
        const { scanners } = expectNumbers([text]);
        expect(scanners.counts().fallbackLines, text).to.equal(Number(isHandedOver));
      }
    });
  });

  it('hand over no number that no double is as large as', () => {
    const comparison = new ScannerComparison({ mapping: DEFAULT_MAPPING });
    for (const text of [
      '1e309',
      '-1e400',
      `${'9'.repeat(30)}e280`,
      '9'.repeat(400),
      `0.${'0'.repeat(340)}1e700`,
    ]) {
      comparison.scan(Buffer.from(`${event({}).replace(':1', `:${text}`)}\n`));
      comparison.scan(Buffer.from(`${event({ value: 7 }).replace(':7', `:${text}`)}\n`));
    }
    expect(comparison.counts).to.deep.equal({ lines: 10, fallbackLines: 0 });
  });

  it('hand over no time that is below zero, however it is written', () => {
    for (const timestampFormat of ['unix', 'unix_ms'] as const) {
      const comparison = new ScannerComparison({
        mapping: { ...DEFAULT_MAPPING, timestampFormat },
      });
      for (const time of ['-1e100', '-1e-100', '-12345678901234567890', `-0.${'1'.repeat(30)}`]) {
        comparison.scan(Buffer.from(`${event({}).replace(':1', `:${time}`)}\n`));
      }
      expect(comparison.counts).to.deep.equal({ lines: 4, fallbackLines: 0 });
      // These are zero.
      for (const time of [
        '-1e-323',
        '-2e-324',
        '-1e-324',
        '-12345678901234567890e-343',
        '-5e-321',
      ]) {
        comparison.scan(Buffer.from(`${event({}).replace(':1', `:${time}`)}\n`));
      }
    }
  });

  it('read times as parseIso8601 does, and refuse what it refuses', () => {
    const subject = new Subject({ mapping: { ...DEFAULT_MAPPING, timestampFormat: 'iso8601' } });
    const chance = new Chance(SEED);
    const two = (max: number) => String(chance.int(0, max)).padStart(2, '0');
    // No date was read before that could be the same.
    expect(subject.scan(event({ timestamp: `${'\0'.repeat(10)}T00:46` }))).to.have.lengthOf(0);
    let accepted = 0;
    let date = '';
    for (let i = 0; i < 20_000; i++) {
      const year = chance.oneIn(3) ? chance.pick(['1969', '1970', '2000', '1900', '9999']) : '20';
      if (i === 0 || chance.oneIn(2)) date = `${year.padEnd(4, two(99))}-${two(13)}-${two(32)}`;
      const time = `${two(24)}:${two(60)}${chance.pick(['', `:${two(61)}`])}`;
      const fraction = chance.pick([
        '',
        `.${two(99)}`,
        `,${two(99)}${two(99)}${two(99)}${two(99)}`,
      ]);
      const zone = chance.pick(['', 'Z', 'z', '+0530', `-${two(24)}:${two(60)}`, '+1', '-00:00']);
      let text = `${date}${chance.pick(['T', ' ', 't'])}${time}${fraction}${zone}`;
      if (chance.oneIn(5)) {
        const at = chance.int(0, text.length - 1);
        text = text.slice(0, at) + chance.pick(['', 'x', '0', ':', '\u0130']) + text.slice(at + 1);
      }
      const batch = subject.scan(event({ timestamp: text }));
      const expected = parseIso8601(text);
      const given = batch.length === 1 ? batch.eventTimes[0] : Number.NaN;
      if (!Object.is(given, expected >= 0 ? expected : Number.NaN)) {
        expect(`${given} of ${text}`).to.equal(`${expected} of ${text}`);
      }
      accepted += batch.length;
    }
    expect(accepted).to.be.greaterThan(2000);
  });

  context('when it comes to keys', () => {
    const numbered = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`);

    it('ask for each once', () => {
      const subject = new Subject();
      for (let i = 0; i < 3; i++) expect(subject.scanWords('a b a c')).to.deep.equal([...'abac']);
      expect(subject.asked).to.equal(3);
    });

    it('know those that the tables got from elsewhere', () => {
      const subject = new Subject();
      const known = ['restored', 'é'.repeat(100), 'x'.repeat(17)];
      for (const key of known) subject.words.idOf(key);
      subject.asked = 0;
      expect(subject.scanWords(known.join(' '))).to.deep.equal(known);
      expect(subject.asked).to.equal(0);
    });

    it('keep apart keys that are alike', () => {
      const subject = new Subject();
      // Of every length up to past the second sixteen bytes, and each with one byte changed.
      const keys: string[] = [];
      for (let length = 1; length <= 40; length++) {
        const key = 'k'.repeat(length);
        keys.push(key, ...Array.from(key, (_, i) => `${key.slice(0, i)}x${key.slice(i + 1)}`));
      }
      keys.push('\0', '\0\0', 'a\0', 'a\0\0', `${'k'.repeat(16)}\0`);
      expect(subject.scanWords(...keys)).to.deep.equal(keys);
      expect(subject.scanWords(...keys)).to.deep.equal(keys);
      expect(subject.words.distinct).to.equal(new Set(keys).size);
    });

    it('grow with them, in memory that stays where it is', () => {
      const subject = new Subject({ wordsMax: 50_000 });
      const { buffer } = subject.scanners.readBuffer;
      const keys = numbered(50_000);
      for (let i = 0; i < keys.length; i += 1000)
        subject.scanWords(keys.slice(i, i + 1000).join(' '));
      subject.asked = 0;
      for (let i = 0; i < keys.length; i += 1000) {
        const words = keys.slice(i, i + 1000);
        expect(subject.scanWords(words.join(' '))).to.deep.equal(words);
      }
      expect(subject.asked).to.equal(0);
      expect(subject.scanners.readBuffer.buffer).to.equal(buffer);
      expect(buffer.byteLength).to.be.greaterThan(0);
    });

    it('do not ask for further ones when the table is full', () => {
      const subject = new Subject({ wordsMax: 10 });
      const words = numbered(1000);
      const seen = subject.scanWords(words.join(' '));
      expect(seen).to.deep.equal(words.map((word, i) => (i < 10 ? word : '')));
      expect(subject.asked).to.equal(11);
    });

    it('do not ask for those that are too long', () => {
      const subject = new Subject({ keyBytesMax: 20 });
      const words = ['x'.repeat(20), 'x'.repeat(21), 'é'.repeat(10), 'é'.repeat(11)];
      expect(subject.scanWords(words.join(' '))).to.deep.equal([words[0], '', words[2], '']);
      expect(subject.asked).to.equal(2);
    });
  });

  it('follow nesting as deep as a line is long', () => {
    const lineBytesMax = 1_048_576;
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
      ['[{"":', '}]'],
    ] as const) {
      const depth = Math.floor(900_000 / (open.length + close.length));
      for (const [inside, missing] of [
        ['0', 0],
        ['0', 1],
        ['', 0],
      ] as const) {
        const comparison = new ScannerComparison({ mapping: DEFAULT_MAPPING, lineBytesMax });
        const nested = `${open.repeat(depth)}${inside}${close.repeat(depth - missing)}`;
        const line = `${event({}).slice(0, -1)},"nested":${nested}}\n`;
        comparison.scanInPieces(new Chance(SEED), Buffer.from(line));
      }
    }
  });

  it('hand over lines with a name that may be one that is asked for', () => {
    const mapping = { ...DEFAULT_MAPPING, data: ['a\ufffd'] } as const;
    const comparison = new ScannerComparison({ mapping });
    const line = (name: string) => `{"event_type":"x","timestamp":1,${name}:"w"}\n`;
    comparison.scan(Buffer.from(line('"a\ufffd"')));
    comparison.scan(Buffer.from(line(String.raw`"a\ufffd"`)));
    expect(comparison.counts).to.deep.equal({ lines: 2, fallbackLines: 0 });
    comparison.scan(Buffer.from(line(String.raw`"a\ud800"`)));
    comparison.scan(Buffer.from(line('"a\xff"'), 'latin1'));
    expect(comparison.counts).to.deep.equal({ lines: 4, fallbackLines: 2 });
  });
});
