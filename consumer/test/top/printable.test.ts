import { expect } from 'chai';
import fc from 'fast-check';
import { cut, fit, printable, width } from '#consumer/top/printable.js';

const ESC = '\u{1b}';

describe('printable', () => {
  const rows: [what: string, text: string, shown: string][] = [
    ['plain text', 'lorem', 'lorem'],
    ['other scripts', 'żółć 日本語 ثلاثة', 'żółć 日本語 ثلاثة'],
    ['an escape sequence that sets the title', `${ESC}]0;evil\u{7}`, '\\u{1b}]0;evil\\u{7}'],
    ['a colour', `${ESC}[31mred`, '\\u{1b}[31mred'],
    ['a C1 control', '\u{9b}31m', '\\u{9b}31m'],
    ['line ends and tabs', 'a\r\nb\tc', 'a\\u{d}\\u{a}b\\u{9}c'],
    ['NUL and DEL', '\0\u{7f}', '\\u{0}\\u{7f}'],
    ['bidi controls', 'a\u{202e}b\u{2066}c\u{200f}', 'a\\u{202e}b\\u{2066}c\\u{200f}'],
    ['invisible characters', 'a\u{200b}b\u{feff}c\u{ad}', 'a\\u{200b}b\\u{feff}c\\u{ad}'],
    ['line separators', 'a\u{2028}b\u{2029}', 'a\\u{2028}b\\u{2029}'],
    ['private and unassigned characters', '\u{e000}\u{378}', '\\u{e000}\\u{378}'],
    ['a tag without its emoji', '\u{e0041}', '\\u{e0041}'],
    ['emoji of several characters', '👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇪 👍🏽', '👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇪 👍🏽'],
    ['a joiner between others', 'a\u{200d}b', 'a\\u{200d}b'],
    ['marks piled up', `a${'\u{301}'.repeat(100)}b`, '\u{fffd}b'],
    ['marks as they are written', 'e\u{301}', 'e\u{301}'],
  ];
  for (const [what, text, shown] of rows) {
    it(`shows ${what}`, () => {
      expect(printable(text)).to.equal(shown);
    });
  }

  it('leaves no control and no bidi character of any text', () => {
    const units = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ max: 0xa0, min: 0 })),
    );
    fc.assert(
      fc.property(units, (codes) => {
        const shown = printable(String.fromCharCode(...codes));
        expect(shown).not.to.match(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});

describe('fit and cut', () => {
  const rows: [text: string, columns: number, fitted: string][] = [
    ['abc', 5, 'abc  '],
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日… '],
    ['👨‍👩‍👧x', 3, '👨‍👩‍👧x'],
    ['👨‍👩‍👧👨‍👩‍👧', 3, '👨‍👩‍👧…'],
    ['e\u{301}e\u{301}e', 2, 'e\u{301}…'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ];
  for (const [text, columns, fitted] of rows) {
    it(`puts ${text} in ${columns} columns`, () => {
      expect(fit(text, columns)).to.equal(fitted);
    });
  }

  it('never take more columns than there are', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 20 }), (any, columns) => {
        const shown = printable(any);
        expect(width(cut(shown, columns))).to.be.at.most(columns);
        expect(width(fit(shown, columns))).to.equal(columns);
      }),
    );
  });
});
