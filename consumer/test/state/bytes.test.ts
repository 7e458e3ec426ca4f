import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader } from '#consumer/state/bytes.js';
import { written } from '../support/state-subject.js';

const uint = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.bigInt({ min: 0n, max: 2n ** 53n }).map(Number),
  fc.constantFrom(127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53),
);
const double = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Number.NEGATIVE_INFINITY, Number.MIN_VALUE),
);
const text = fc.string({ unit: 'binary', maxLength: 300 }).map((each) => each.toWellFormed());
const part = fc.oneof(
  uint.map((value) => ({ kind: 'uint' as const, value })),
  double.map((value) => ({ kind: 'double' as const, value })),
  text.map((value) => ({ kind: 'text' as const, value })),
  fc.uint8Array({ maxLength: 300 }).map((value) => ({ kind: 'blob' as const, value })),
);
type Part = typeof part extends fc.Arbitrary<infer P> ? P : never;

function write(parts: readonly Part[]): Uint8Array {
  return written((writer) => {
    for (const { kind, value } of parts) {
      if (kind === 'uint') writer.uint(value);
      else if (kind === 'double') writer.double(value);
      else if (kind === 'text') writer.text(value);
      else writer.blob(value);
    }
  });
}

function read(bytes: Uint8Array, kinds: readonly Part['kind'][]): unknown[] {
  const reader = new ByteReader(bytes);
  const values = kinds.map((kind) => reader[kind]());
  expect(reader.isAtEnd).to.equal(true);
  return values;
}

describe('ByteWriter and ByteReader', () => {
  it('give back what was written, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const values = read(
          write(parts),
          parts.map(({ kind }) => kind),
        );
        for (const [i, { value }] of parts.entries()) {
          if (value instanceof Uint8Array) expect(values[i]).to.deep.equal(value);
          else expect(Object.is(values[i], value), `${values[i]} is ${value}`).to.equal(true);
        }
      }),
    );
  });

  it('throw a RangeError where the bytes end too early, wherever that is', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), fc.nat(), (parts, cut) => {
        const bytes = write(parts);
        const kinds = parts.map(({ kind }) => kind);
        expect(() => read(bytes.subarray(0, cut % bytes.length), kinds)).to.throw(RangeError);
      }),
    );
  });

  it('patch a number into what was written before', () => {
    const bytes = written((writer) => {
      const at = writer.reserveUint32();
      writer.text('x'.repeat(10_000)); // grows meanwhile
      writer.patchUint32(at, 0xdead_beef);
    });
    expect(new DataView(bytes.buffer).getUint32(0, true)).to.equal(0xdead_beef);
  });
});
