import { expect } from 'chai';
import fc from 'fast-check';
import { LineAssembler } from '#producer/line-assembler.js';

const TOO_LONG = '(too long)';

function assemble(pieces: Buffer[], lineBytesMax: number): string[] {
  const lines: string[] = [];
  const assembler = new LineAssembler(
    lineBytesMax,
    (bytes, start, end) => lines.push(bytes.toString('latin1', start, end)),
    () => lines.push(TOO_LONG),
  );
  for (const piece of pieces) assembler.push(piece);
  assembler.end();
  return lines;
}

/** Mostly LFs and short runs, in any number of pieces, with a length around the bound. */
const pieces = fc.array(
  fc
    .array(fc.oneof(fc.constant(0x0a), fc.nat(255)), { maxLength: 40 })
    .map((bytes) => Buffer.from(bytes)),
);

describe('LineAssembler', () => {
  it('gives the same lines whatever the pieces are', () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 30 }), (parts, lineBytesMax) => {
        const lines = Buffer.concat(parts).toString('latin1').split('\n');
        const tail = lines.pop()!;
        if (tail !== '') lines.push(tail);
        const expected = lines.map((line) => (line.length < lineBytesMax ? `${line}\n` : TOO_LONG));
        expect(assemble(parts, lineBytesMax)).to.deep.equal(expected);
      }),
    );
  });

  it('holds a tail that grows byte by byte, and one of many megabytes', () => {
    const bytes = Array.from('a tail of a few bytes\n', (byte) => Buffer.from(byte));
    expect(assemble(bytes, 100)).to.deep.equal(['a tail of a few bytes\n']);
    const mebibyte = Buffer.alloc(1024 * 1024, 'm');
    const [first, second] = assemble([mebibyte, mebibyte, mebibyte, Buffer.from('\nb\n')], 1e7);
    expect(first).to.have.length(3 * 1024 * 1024 + 1);
    expect(second).to.equal('b\n');
  });

  it('gives nothing for nothing', () => {
    expect(assemble([], 10)).to.deep.equal([]);
    expect(assemble([Buffer.alloc(0)], 10)).to.deep.equal([]);
  });
});
