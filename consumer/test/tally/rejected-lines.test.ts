import v8 from 'node:v8';
import vm from 'node:vm';
import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import type { RejectionReason } from '@event-tally/shared/line.js';
import { expect } from 'chai';
import { ReferenceScanner } from '#consumer/scan/reference-scanner.js';
import { KeyTable } from '#consumer/tally/key-table.js';
import { REJECTED_LINES_MAX, RejectedLines } from '#consumer/tally/rejected-lines.js';

const MEBIBYTE = 2 ** 20;

function line(text: string, reason: RejectionReason = 'not_an_event') {
  return { reason, bytes: Buffer.byteLength(text), text };
}

function reportOf(text: string, reason?: RejectionReason) {
  const lines = new RejectedLines(DEFAULT_MAPPING);
  lines.add([line(text, reason)], 'a', 1);
  return lines.reports()[0];
}

describe('RejectedLines', () => {
  it('reports nothing before the first', () => {
    expect(new RejectedLines(DEFAULT_MAPPING).reports()).to.deep.equal([]);
  });

  it('reports a line with its source and time', () => {
    const lines = new RejectedLines(DEFAULT_MAPPING);
    lines.add([line('{"type":"a","data":"b"}\r')], 'events-a.fifo', 1.5);
    expect(lines.reports()).to.deep.equal([
      {
        reason: 'not_an_event',
        at: 1.5,
        source: 'events-a.fifo',
        bytes: 24,
        text: '{"type":"a","data":"b"}\\u000d',
        fault: { field: 'event_type', problem: 'is missing' },
        fields: ['type', 'data'],
      },
    ]);
  });

  it('reports the newest first, asked for between two or not', () => {
    const lines = new RejectedLines(DEFAULT_MAPPING);
    lines.add([line('1'), line('2')], 'a', 1);
    expect(lines.reports().map(({ text }) => text)).to.deep.equal(['2', '1']);
    lines.add([line('3')], 'b', 2);
    for (let i = 0; i < 2; i++) {
      expect(lines.reports().map(({ text }) => text)).to.deep.equal(['3', '2', '1']);
    }
  });

  it('keeps the last ones', () => {
    const lines = new RejectedLines(DEFAULT_MAPPING);
    for (let i = 0; i < 3 * REJECTED_LINES_MAX; i++) {
      lines.add([line(`${2 * i}`), line(`${2 * i + 1}`)], 'a', i);
    }
    const texts = lines.reports().map(({ text }) => Number(text));
    expect(texts).to.deep.equal(
      Array.from({ length: REJECTED_LINES_MAX }, (_, i) => 6 * REJECTED_LINES_MAX - 1 - i),
    );
  });

  for (const [what, text, reason] of [
    ['an array', '[{"event_type":"a"}]', 'not_an_event'],
    ['null', 'null', 'not_an_event'],
    ['what is not JSON', '{"event_type":', 'not_json'],
    ['the beginning of what is too long', '{"event_type":"a"}', 'too_long'],
  ] as const) {
    it(`tells of no field of ${what}`, () => {
      expect(reportOf(text, reason)).to.deep.include({ reason, text, fault: null, fields: null });
    });
  }

  it('tells of an object without fields', () => {
    expect(reportOf('{}')).to.deep.include({ fields: [] });
  });

  it('reports what is no JSON, whatever it was taken for', () => {
    const { text, fault, fields } = reportOf('{"a', 'not_an_event') ?? {};
    expect({ text, fault, fields }).to.deep.equal({ text: '{"a', fault: null, fields: null });
  });

  it('shows 200 characters of a text', () => {
    expect(reportOf(`{"${'😀'.repeat(300)}`, 'not_json')).to.deep.include({
      bytes: 1202,
      text: `{"${'😀'.repeat(198)}`,
    });
  });

  it('shows 20 fields, 100 characters of each', () => {
    const names = Array.from({ length: 21 }, (_, i) => `${i}\u202e${'😀'.repeat(100)}`);
    const report = reportOf(JSON.stringify(Object.fromEntries(names.map((name) => [name, 1]))));
    expect(report?.fields).to.deep.equal(
      names
        .slice(0, 20)
        .map((name) => [...name].slice(0, 100).join('').replace('\u202e', '\\u202e')),
    );
  });

  it('keeps no more than it has to of what was read', () => {
    v8.setFlagsFromString('--expose-gc');
    const collectGarbage = vm.runInNewContext('gc') as () => void;
    const lineBytesMax = MEBIBYTE / 2;
    const limits = { keysMax: 10, keyBytesMax: 10 };
    const lines = new RejectedLines(DEFAULT_MAPPING);
    const scanners = Array.from({ length: 200 }, () => {
      const [types, words] = [new KeyTable(limits), new KeyTable(limits)];
      return new ReferenceScanner({ mapping: DEFAULT_MAPPING, lineBytesMax, types, words });
    });
    const bytes = Buffer.from(`{"a":"${'x'.repeat(lineBytesMax - 100)}"}\n`);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (const scanner of scanners) lines.add(scanner.scan(bytes, 1).takeRejectedLines(), 'a', 1);
    collectGarbage();
    const kept = process.memoryUsage().heapUsed - before;
    expect(kept).to.be.below((REJECTED_LINES_MAX + 5) * lineBytesMax);
    expect(lines.reports()).to.have.lengthOf(REJECTED_LINES_MAX);
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).to.be.below(5 * lineBytesMax);
    // Until here, or there would be nothing to keep.
    expect(scanners).to.have.lengthOf(200);
  });
});
