import { expect } from 'chai';
import { parseDuration } from '#consumer/duration.js';

describe('parseDuration', () => {
  const rows: [text: string, seconds: number, unit: string][] = [
    ['0s', 0, 's'],
    ['90s', 90, 's'],
    ['10m', 600, 'm'],
    ['168h', 604_800, 'h'],
    ['999999999s', 999_999_999, 's'],
  ];
  for (const [text, seconds, unit] of rows) {
    it(`reads ${text}`, () => {
      expect(parseDuration(text)).to.deep.equal({ seconds, unit });
    });
  }

  for (const text of ['', 's', '60', '-1s', '1.5h', '1d', '1 s', '60s ', '1000000000s']) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      expect(parseDuration(text)).to.equal(null);
    });
  }
});
