import { expect } from 'chai';
import {
  formatCount,
  formatDateTime,
  formatDuration,
  formatInterval,
  formatRate,
  formatShare,
  formatTime,
} from '#consumer/views/format.js';

const TABLE: [name: string, actual: string, expected: string][] = [
  ['a count', formatCount(1_234_567), '1,234,567'],
  ['a large count', formatCount(2 ** 53), '9,007,199,254,740,992'],
  ['a small rate', formatRate(0.04), '0.0'],
  ['a rate', formatRate(99.94), '99.9'],
  ['a large rate', formatRate(12_345.6), '12,346'],
  ['a share of nothing', formatShare(0, 0), '0%'],
  ['no share', formatShare(0, 7), '0%'],
  ['all', formatShare(7, 7), '100%'],
  ['a share', formatShare(1, 3), '33.3%'],
  ['a tiny share', formatShare(1, 10_000), '<0.1%'],
  ['nearly all', formatShare(99_999, 100_000), '>99.9%'],
  ['seconds', formatDuration(119.9), '119 s'],
  ['minutes', formatDuration(120), '2 min'],
  ['hours', formatDuration(7200), '2 h'],
  ['days', formatDuration(172_800), '2 days'],
  ['a time', formatTime(1_509_604_913.9), '06:41:53'],
  ['a date', formatDateTime(1_509_604_913), '2017-11-02 06:41:53'],
  ['a time past the year 9999', formatTime(253_402_300_800), '00:00:00'],
  ['a time that no Date holds', formatDateTime(1e15), '1000000000000000'],
  [
    'an interval within a day',
    formatInterval({ start: 1_509_604_860, end: 1_509_604_920 }),
    '2017-11-02 06:41:00 – 06:42:00 UTC',
  ],
  [
    'an interval over midnight',
    formatInterval({ start: 1_509_580_740, end: 1_509_580_860 }),
    '2017-11-01 23:59:00 – 2017-11-02 00:01:00 UTC',
  ],
];

describe('how the terminal and the live page write', () => {
  for (const [name, actual, expected] of TABLE) {
    it(`${name}: ${expected.length > 60 ? `${expected.slice(0, 20)}…` : expected}`, () => {
      expect(actual).to.equal(expected);
    });
  }
});
