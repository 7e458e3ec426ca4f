import { expect } from 'chai';
import fc from 'fast-check';
import { copyOf, firstCharacters, shownText } from '#consumer/tally/shown-text.js';

describe('firstCharacters', () => {
  const rows: [what: string, text: string, max: number, first: string][] = [
    ['all of a short text', 'abc', 3, 'abc'],
    ['the first of a long one', 'abcd', 3, 'abc'],
    ['none', 'abc', 0, ''],
    ['characters of two units each', '😀😃😄', 2, '😀😃'],
    ['all of a text of as many characters, though more units', '😀😃', 2, '😀😃'],
    ['a half that stands alone', 'a\ud800b', 2, 'a\ud800'],
  ];
  for (const [what, text, max, first] of rows) {
    it(`gives ${what}`, () => {
      expect(firstCharacters(text, max)).to.equal(first);
    });
  }

  it('gives as many code points as a text has, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, max) => {
        expect(firstCharacters(text, max)).to.equal([...text].slice(0, max).join(''));
      }),
    );
  });
});

describe('shownText', () => {
  const rows: [what: string, text: string, shown: string][] = [
    ['plain text as it is', 'a "b" \\ é € 😀 \u00a0', 'a "b" \\ é € 😀 \u00a0'],
    ['the first of the controls', '\0', '\\u0000'],
    ['a CR, a tab and an escape', 'a\r\t\u001b[2J', 'a\\u000d\\u0009\\u001b[2J'],
    ['the last of the C0 controls, and DEL', '\u001f\u007f', '\\u001f\\u007f'],
    ['C1 controls', '\u0080\u0085\u009f', '\\u0080\\u0085\\u009f'],
    ['separators of lines and paragraphs', '\u2028\u2029', '\\u2028\\u2029'],
    ['overrides of direction', '\u202e\u202a\u2066\u2069', '\\u202e\\u202a\\u2066\\u2069'],
    ['marks of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
    ['a byte order mark', '\ufeff{}', '\\ufeff{}'],
    ['an emoji of several, joined', '👩‍👩‍👧', '👩‍👩‍👧'],
    ['half a character as U+FFFD', 'a\ud83d', 'a\ufffd'],
  ];
  for (const [what, text, shown] of rows) {
    it(`shows ${what}`, () => {
      expect(shownText(text, 100)).to.equal(shown);
    });
  }

  it('counts characters before they are escaped', () => {
    expect(shownText('\0😀\0x', 3)).to.equal('\\u0000😀\\u0000');
  });
});

describe('copyOf', () => {
  it('gives the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(copyOf(text)).to.equal(text.toWellFormed());
      }),
    );
  });
});
