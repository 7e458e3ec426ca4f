import fc from 'fast-check';

const text = (...texts: string[]) => texts.map((each) => new TextEncoder().encode(each));

const event = fc
  .record({
    event_type: fc.oneof(
      fc.constantFrom('foo', 'bar', '__proto__', 'constructor', '', '7'),
      fc.string(),
    ),
    data: fc.oneof(
      fc.constantFrom(
        'lorem ipsum',
        ' a\u00a0b\u2003c ',
        '',
        '\u2028x\ufeffy',
        '12 3',
        '\ud800 \udfff',
      ),
      fc.string({ unit: 'binary' }),
    ),
    timestamp: fc.oneof(fc.nat(), fc.double(), fc.constantFrom(-1, '1', null)),
    value: fc.option(fc.oneof(fc.double(), fc.constantFrom('1', null)), {
      nil: undefined,
      freq: 2,
    }),
  })
  .map((fields) => new TextEncoder().encode(`${JSON.stringify(fields)}\n`));

/** Pieces of what a stream may hold: events, near-events, line ends, and bytes of no meaning. */
const piece = fc.oneof(
  { weight: 4, arbitrary: event },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 8 }) },
  { weight: 1, arbitrary: fc.uint8Array({ min: 0x80, maxLength: 6 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...text(
        '\n',
        '\r\n',
        '\r',
        ' ',
        '\t\u00a0\n',
        '\ufeff',
        '\0',
        'é',
        '€',
        '😀',
        '{ "',
        'null\n',
        '[]\n',
        ' '.repeat(90),
      ),
    ),
  },
);

export const streamBytes: fc.Arbitrary<Uint8Array> = fc
  .array(piece, { maxLength: 24 })
  .map((pieces) => Buffer.concat(pieces));

/** Cuts bytes at any places, the same place more than once among them. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((start, i) => bytes.subarray(start, cuts[i] ?? bytes.length));
}
