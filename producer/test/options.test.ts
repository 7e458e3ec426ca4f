import { expect } from 'chai';
import { InvalidArgumentError } from 'commander';
import { parseRate, parseShare, wholeNumber } from '#producer/options.js';

const parsers: [string, (text: string) => number, Record<string, number>, string[]][] = [
  [
    'parseRate',
    parseRate,
    { '5': 5, '0.5': 0.5, '1e3': 1000, '0.000001': 1e-6, '10000000': 1e7, max: Infinity },
    ['0', '0.0', '1e-7', '10000001', '1e400', 'MAX', 'Infinity'],
  ],
  ['parseShare', parseShare, { '0': 0, '1': 1, '0.25': 0.25, '1e-3': 0.001 }, ['1.1', '20%', '2']],
  [
    'wholeNumber(2, 9)',
    wholeNumber(2, 9),
    { '2': 2, '9': 9 },
    ['1', '10', '2.5', '1e99', '3.0', '3e0'],
  ],
];

describe('options', () => {
  for (const [name, parse, accepted, refused] of parsers) {
    describe(name, () => {
      for (const [text, value] of Object.entries(accepted)) {
        it(`takes ${text}`, () => {
          expect(parse(text)).to.equal(value);
        });
      }
      for (const text of [...refused, '', ' ', ' 5', '5 ', '-1', '+5', '0x5', 'NaN', '5s', '.']) {
        it(`refuses '${text}'`, () => {
          expect(() => parse(text)).to.throw(InvalidArgumentError, 'It must be a');
        });
      }
    });
  }
});
