import { expect } from 'chai';
import {
  FORMAT_VERSION,
  ForeignFileError,
  fileHead,
  hasHead,
  RecordWriter,
  readRecords,
} from '#consumer/state/records.js';

const PAYLOADS = ['one', '', 'three, which is longer than the others'];

function fileOf(payloads: readonly string[]): Buffer {
  const records = new RecordWriter();
  for (const payload of payloads) records.add((writer) => writer.text(payload));
  return Buffer.concat([fileHead('journal'), records.bytes]);
}

function read(bytes: Uint8Array) {
  const payloads: string[] = [];
  const result = readRecords('journal', bytes, (payload) => {
    payloads.push(Buffer.from(payload.subarray(1)).toString()); // behind the text's length
  });
  return { payloads, ...result };
}

describe('readRecords', () => {
  const whole = fileOf(PAYLOADS);
  /** Where each record ends, the head among them. */
  const ends = PAYLOADS.map((_, i) => fileOf(PAYLOADS.slice(0, i)).length).concat(whole.length);

  it('gives all records of a file that is whole', () => {
    expect(read(whole)).to.deep.equal({
      payloads: PAYLOADS,
      wholeBytes: whole.length,
      fault: null,
    });
  });

  it('calls a file that was cut torn, at every byte, and gives the records before', () => {
    for (let length = 0; length < whole.length; length++) {
      const before = ends.filter((end) => end <= length);
      const result = read(whole.subarray(0, length));
      const what = `cut at ${length}`;
      expect(result.payloads, what).to.deep.equal(
        PAYLOADS.slice(0, Math.max(before.length - 1, 0)),
      );
      expect(result.wholeBytes, what).to.equal(before.at(-1) ?? 0);
      const isAtEdge = length === 0 || ends.includes(length);
      expect(result.fault, what).to.equal(isAtEdge ? null : 'torn');
    }
  });

  it('finds every single bit that is another, and gives only the records before', () => {
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const what = `bit ${bit}`;
      if (bit >> 3 < (ends[0] as number)) {
        expect(() => read(bytes), what).to.throw(ForeignFileError);
        continue;
      }
      const record = ends.findIndex((end) => end > bit >> 3) - 1;
      const result = read(bytes);
      expect(result.payloads, what).to.deep.equal(PAYLOADS.slice(0, record));
      expect(result.wholeBytes, what).to.equal(ends[record]);
      // The last record's content cannot be told from one of which not every page was written.
      const isLastPayload =
        record === PAYLOADS.length - 1 && (bit >> 3) - (ends[record] as number) >= 8;
      expect(result.fault, what).to.equal(isLastPayload ? 'torn' : 'damaged');
    }
  });

  it('calls zeros at the end torn: a file system had made room for what was not written', () => {
    const result = read(Buffer.concat([whole, Buffer.alloc(1000)]));
    expect(result).to.deep.equal({
      payloads: PAYLOADS,
      wholeBytes: whole.length,
      fault: 'torn',
    });
  });

  it('calls what follows zeros damage', () => {
    const result = read(Buffer.concat([whole, Buffer.alloc(1000), whole.subarray(ends[0])]));
    expect(result.fault).to.equal('damaged');
  });

  const foreign: readonly [what: string, bytes: string, message: RegExp][] = [
    ['another version', `event-tally journal ${FORMAT_VERSION + 1}\n`, /version 3.*version 2/],
    ['another kind', `event-tally checkpoint ${FORMAT_VERSION}\n`, /no journal of event-tally/],
    ['something else', '{"event_type":"a"}\n', /no journal of event-tally/],
  ];
  for (const [what, text, message] of foreign) {
    it(`refuses a file of ${what}, and says so`, () => {
      expect(() => read(Buffer.from(text))).to.throw(ForeignFileError, message);
    });
  }

  it('knows a file of its kind by its head, of whatever version', () => {
    expect(hasHead('journal', whole)).to.equal(true);
    expect(hasHead('journal', Buffer.from('event-tally journal 99\n'))).to.equal(true);
    expect(hasHead('checkpoint', whole)).to.equal(false);
    expect(hasHead('journal', Buffer.from('event-tally jour'))).to.equal(false);
  });
});
