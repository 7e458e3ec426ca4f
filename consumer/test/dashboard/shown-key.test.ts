import { expect } from 'chai';
import { formatKey } from '#consumer/dashboard/shown-key.js';

const TABLE: [name: string, actual: string, expected: string][] = [
  ['a key', formatKey('lorem'), 'lorem'],
  ['a key with control characters', formatKey('a\nb\0\x7f\x85'), 'a␊b␀␡�'],
  ['a key of white space', formatKey(' \u00a0'), '␣␣'],
  ['a key with half a character', formatKey('a\ud83d'), 'a�'],
  ['a key of as many characters as fit', formatKey('😀'.repeat(200)), '😀'.repeat(200)],
  ['a key of more', formatKey('😀'.repeat(201)), `${'😀'.repeat(200)}…`],
  [
    'a key with an emoji where it is cut',
    formatKey(`${'x'.repeat(199)}😀y`),
    `${'x'.repeat(199)}😀…`,
  ],
];

describe('how the live page writes', () => {
  for (const [name, actual, expected] of TABLE) {
    it(`${name}: ${expected.length > 60 ? `${expected.slice(0, 20)}…` : expected}`, () => {
      expect(actual).to.equal(expected);
    });
  }
});
