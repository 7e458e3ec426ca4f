import { expect } from 'chai';
import fc from 'fast-check';
import { parseIso8601 } from '#shared/iso8601.js';

const DAY_MS = 86_400_000;
const YEAR_0 = new Date('0000-01-01T00:00:00Z').getTime();
const YEAR_10000 = new Date('9999-12-31T23:59:59.999Z').getTime() + 1;

describe('parseIso8601', () => {
  const accepted: [what: string, text: string, unixSeconds: number][] = [
    ['the zone Z', '2015-09-12T00:46:58Z', 1442018818],
    ['lower-case letters', '2015-09-12t00:46:58z', 1442018818],
    ['no zone, which is UTC', '2015-09-12T00:46:58', 1442018818],
    ['a space for the T', '2015-09-12 00:46:58Z', 1442018818],
    ['a space and no zone', '2015-09-12 00:46:58', 1442018818],
    ['a zone east of UTC', '2015-09-12T02:46:58+02:00', 1442018818],
    ['a zone west of UTC', '2015-09-11T19:46:58-05:00', 1442018818],
    ['a zone without a colon', '2015-09-12T02:46:58+0200', 1442018818],
    ['a zone with minutes', '2015-09-12T06:31:58+05:45', 1442018818],
    ['the zone -00:00', '2015-09-12T00:46:58-00:00', 1442018818],
    ['the largest zone', '2015-09-13T00:45:58+23:59', 1442018818],
    ['no seconds', '2015-09-12T00:46Z', 1442018760],
    ['no seconds and a zone', '2015-09-12T02:46+02:00', 1442018760],
    ['one fraction digit', '2015-09-12T00:46:58.5Z', 1442018818.5],
    ['three fraction digits', '2015-09-12T00:46:58.047Z', 1442018818.047],
    ['six fraction digits and a zone', '2015-09-12T02:46:58.250000+0200', 1442018818.25],
    ['nine fraction digits', '2015-09-12T00:46:58.500000000Z', 1442018818.5],
    ['400 fraction digits', `2015-09-12T00:46:58.5${'0'.repeat(399)}Z`, 1442018818.5],
    ['a fraction after a comma', '2015-09-12T00:46:58,5Z', 1442018818.5],
    ['a leap second', '2016-12-31T23:59:60Z', 1483228800],
    ['a fraction of a leap second', '2016-12-31T23:59:60.5Z', 1483228800.5],
    ['a leap day', '2016-02-29T00:00:00Z', 1456704000],
    ['the leap day of 2000', '2000-02-29T00:00:00Z', 951782400],
    ['the last day of a long month', '2015-01-31T00:00:00Z', 1422662400],
    ['the last day of a short month', '2015-04-30T00:00:00Z', 1430352000],
    ['the last second of a day', '2015-09-12T23:59:59Z', 1442102399],
    ['the epoch', '1970-01-01T00:00:00Z', 0],
    ['a time before 1970', '1969-12-31T23:59:59Z', -1],
    ['a fraction before 1970', '1969-12-31T23:59:58.5Z', -1.5],
    ['a zone that takes it before 1970', '1970-01-01T00:00:00+01:00', -3600],
    ['the year 0', '0000-01-01T00:00:00Z', -62167219200],
    ['the leap day of the year 0', '0000-02-29T00:00:00Z', -62162121600],
    ['the year 99', '0099-12-31T23:59:59Z', -59011459201],
    ['the year 9999', '9999-12-31T23:59:59Z', 253402300799],
  ];
  for (const [what, text, unixSeconds] of accepted) {
    it(`reads ${what}`, () => {
      expect(parseIso8601(text)).to.equal(unixSeconds);
    });
  }

  const refused: [what: string, text: string][] = [
    ['an empty text', ''],
    ['a text that is no date', 'yesterday'],
    ['Unix seconds', '1442018818'],
    ['a date alone', '2015-09-12'],
    ['hours alone', '2015-09-12T00Z'],
    ['the basic form', '20150912T004658Z'],
    ['a week date', '2015-W37-6T00:46:58Z'],
    ['an ordinal date', '2015-255T00:46:58Z'],
    ['a year of five digits', '12015-09-12T00:46:58Z'],
    ['a year of two digits', '15-09-12T00:46:58Z'],
    ['a signed year', '+002015-09-12T00:46:58Z'],
    ['a month of one digit', '2015-9-12T00:46:58Z'],
    ['month 0', '2015-00-12T00:46:58Z'],
    ['month 13', '2015-13-12T00:46:58Z'],
    ['day 0', '2015-09-00T00:46:58Z'],
    ['day 31 of a month of 30', '2015-09-31T00:46:58Z'],
    ['day 32', '2015-08-32T00:46:58Z'],
    ['a leap day in a common year', '2015-02-29T00:46:58Z'],
    ['a leap day in 1900', '1900-02-29T00:46:58Z'],
    ['hour 24', '2015-09-12T24:00:00Z'],
    ['minute 60', '2015-09-12T00:60:00Z'],
    ['second 61', '2015-09-12T00:46:61Z'],
    ['a dot without digits', '2015-09-12T00:46:58.Z'],
    ['a fraction of a minute', '2015-09-12T00:46.5Z'],
    ['a sign in the fraction', '2015-09-12T00:46:58.-5Z'],
    ['a zone of hours alone', '2015-09-12T00:46:58+02'],
    ['a zone of one digit', '2015-09-12T00:46:58+2:00'],
    ['a zone of 24 hours', '2015-09-12T00:46:58+24:00'],
    ['a zone of 60 minutes', '2015-09-12T00:46:58+02:60'],
    ['a named zone', '2015-09-12T00:46:58 CET'],
    ['a zone after Z', '2015-09-12T00:46:58Z+02:00'],
    ['the minus sign of typographers', '2015-09-12T00:46:58\u221202:00'],
    ['two spaces for the T', '2015-09-12  00:46:58Z'],
    ['an underscore for the T', '2015-09-12_00:46:58Z'],
    ['a space before', ' 2015-09-12T00:46:58Z'],
    ['a space after', '2015-09-12T00:46:58Z '],
    ['a line feed after', '2015-09-12T00:46:58Z\n'],
    ['a second line', 'x\n2015-09-12T00:46:58Z'],
    ['digits that are not ASCII', '\u0662015-09-12T00:46:58Z'],
  ];
  for (const [what, text] of refused) {
    it(`refuses ${what}`, () => {
      expect(parseIso8601(text)).to.be.NaN;
    });
  }

  it('keeps a fraction of nines in its own second', () => {
    const seconds = parseIso8601('2015-09-12T00:46:59.9999999999Z');
    expect(Math.floor(seconds)).to.equal(1442018819);
  });

  it('agrees with Date.parse on every millisecond in UTC', () => {
    const date = fc.date({
      min: new Date(YEAR_0),
      max: new Date(YEAR_10000 - 1),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, (at) => {
        const text = at.toISOString();
        expect(Math.round(parseIso8601(text) * 1000)).to.equal(Date.parse(text));
      }),
    );
  });

  it('agrees with Date.parse on every second in every zone, however it is written', () => {
    const unixSeconds = fc.integer({
      min: (YEAR_0 + DAY_MS) / 1000,
      max: (YEAR_10000 - DAY_MS) / 1000 - 1,
    });
    const zoneMinutes = fc.integer({ min: -1439, max: 1439 });
    fc.assert(
      fc.property(
        unixSeconds,
        zoneMinutes,
        fc.constantFrom('T', 't', ' '),
        fc.constantFrom(':', ''),
        (seconds, offset, separator, colon) => {
          const local = new Date((seconds + offset * 60) * 1000).toISOString().slice(0, 19);
          const sign = offset < 0 ? '-' : '+';
          const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0');
          const minutes = String(Math.abs(offset) % 60).padStart(2, '0');
          const plain = `${local}${sign}${hours}:${minutes}`;
          const text = `${local.replace('T', separator)}${sign}${hours}${colon}${minutes}`;
          expect(parseIso8601(text)).to.equal(Date.parse(plain) / 1000);
        },
      ),
    );
  });

  it('reads a date when the calendar has it, and only then', () => {
    const number = (max: number) => fc.integer({ min: 0, max });
    fc.assert(
      fc.property(number(9999), number(14), number(33), (year, month, day) => {
        const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
        const monthDays = [0, 31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        const exists = day >= 1 && day <= (monthDays[month] ?? 0);
        const [y, m, d] = [String(year).padStart(4, '0'), month, day].map((part) =>
          String(part).padStart(2, '0'),
        );
        expect(Number.isFinite(parseIso8601(`${y}-${m}-${d}T00:00:00Z`))).to.equal(exists);
      }),
    );
  });
});
