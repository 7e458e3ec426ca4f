import { expect } from 'chai';
import fc from 'fast-check';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';
import type { KeyKind } from '#consumer/tally/key-table.js';
import { SKEW_SECONDS as SKEW, WindowsSubject as Subject } from '../support/windows-subject.js';

describe('Windows', () => {
  context('when events stand at the edges of an interval', () => {
    const T = 1_509_604_913;
    const rows: readonly [name: string, time: number, isIn: boolean][] = [
      ['a second before the start', T - 1, false],
      ['a microsecond before the start', T - 0.000_001, false],
      ['exactly at the start', T, true],
      ['in the middle', T + 30.5, true],
      ['a microsecond before the end', T + 60 - 0.000_001, true],
      ['exactly at the end', T + 60, false],
    ];
    for (const [name, time, isIn] of rows) {
      it(`${isIn ? 'counts' : 'leaves out'} one ${name}`, () => {
        const subject = new Subject();
        subject.add(
          [
            { time, type: 'a', words: ['w'], value: 2 },
            { time: T + 100, type: 'b' },
          ],
          T + 100,
        );
        expect(subject.counts('types', T, T + 60)).to.deep.equal(isIn ? { a: 1 } : {});
        expect(subject.counts('words', T, T + 60)).to.deep.equal(isIn ? { w: 1 } : {});
        expect(subject.sums(T, T + 60)).to.deep.equal(isIn ? { a: 2 } : {});
      });
    }
  });

  context('when events stand at the edges of a minute, an hour, or a leap day', () => {
    const edges: readonly [what: string, text: string, seconds: number][] = [
      ['a minute', '2017-11-02T10:32:00Z', 60],
      ['an hour', '2017-11-02T10:00:00Z', 3600],
      ['a day', '2017-11-02T00:00:00Z', 3600],
      ['a leap day, its start', '2016-02-29T00:00:00Z', 3600],
      ['a leap day, its end', '2016-03-01T00:00:00Z', 3600],
      ['the year', '2017-01-01T00:00:00Z', 3600],
    ];
    const ages: readonly [what: string, seconds: number][] = [
      ['seconds', 0],
      ['minutes', 3600],
    ];
    for (const [what, text, seconds] of edges) {
      for (const [buckets, age] of ages) {
        it(`tells what is before from what is after: ${what}, kept in ${buckets}`, () => {
          const subject = new Subject();
          const edge = Date.parse(text) / 1000;
          const events = [-1, -0.000_001, 0, 59.999].map((offset) => ({
            time: edge + offset,
            type: offset < 0 ? 'before' : 'after',
          }));
          subject.add([...events, { time: edge + 59 + age, type: 'newest' }], edge + 59 + age);
          const end = edge + seconds;
          expect(subject.counts('types', edge - seconds, edge)).to.deep.equal({ before: 2 });
          expect(subject.counts('types', edge, end).after).to.equal(2);
          expect(subject.counts('types', edge, end)).not.to.have.property('before');
        });
      }
    }
  });

  context('when seconds grow old', () => {
    it('keeps them in minutes, exact to the minute', () => {
      const subject = new Subject();
      const start = 1_509_602_400; // a whole hour
      const events = Array.from({ length: 3600 }, (_, i) => ({
        time: start + i,
        type: `t${i % 3}`,
      }));
      subject.add(events, start + 3600);
      expect(subject.counts('types', start, start + 60)).to.deep.equal({ t0: 20, t1: 20, t2: 20 });
      expect(subject.counts('types', start, start + 3600)).to.deep.equal({
        t0: 1200,
        t1: 1200,
        t2: 1200,
      });
      expect(
        subject.windows.fit({ start: start + 1, end: start + 61, resolution: 1 }),
      ).to.deep.equal({ start, end: start + 120, resolution: 60 });
    });

    it('is exact to the second for the last ten minutes', () => {
      const subject = new Subject();
      const start = 1_509_602_400;
      subject.add(
        Array.from({ length: 3600 }, (_, i) => ({ time: start + i, type: 'a' })),
        start + 3600,
      );
      const front = start + 3599;
      for (const back of [600, 599, 61, 1]) {
        expect(subject.counts('types', front - back, front + 1)).to.deep.equal({ a: back + 1 });
      }
    });
  });

  context('when the front jumps by hours', () => {
    it('forgets what is past the retention, and counts what comes behind as late', () => {
      const subject = new Subject();
      subject.add(
        [
          { time: 10_000, type: 'a' },
          { time: 40_000, type: 'b' },
          { time: 10_001, type: 'c' },
        ],
        40_000,
      );
      expect(subject.windows.stats()).to.deep.include({ late: 1, ahead: 0 });
      expect(subject.windows.stats().cells.used).to.equal(1);
      expect(subject.counts('types', 39_990, 40_010)).to.deep.equal({ b: 1 });
    });

    it('does not when the event is ahead of the clock', () => {
      const subject = new Subject();
      const now = 1_509_604_913;
      subject.add(
        [
          { time: now, type: 'a' },
          { time: 4_070_908_800, type: '2099' },
          { time: now + SKEW, type: 'b' },
        ],
        now,
      );
      expect(subject.windows.stats()).to.deep.include({ late: 0, ahead: 1 });
      expect(subject.front.value).to.equal(now + SKEW);
      expect(subject.counts('types', now, now + 61)).to.deep.equal({ a: 1, b: 1 });
    });
  });

  context('when the clock is set back', () => {
    const now = 1_509_602_405;

    it('keeps what comes by where the front is then, not by where it was', () => {
      const subject = new Subject();
      subject.add([{ time: now, type: 'a' }], now);
      subject.windows.stats();
      const back = now - 7200;
      subject.add(
        [
          { time: back, type: 'b' },
          { time: back - 7200, type: 'c' },
          { time: back, type: 'd' },
        ],
        back,
      );
      expect(subject.counts('types', back - 7205, back + 1)).to.deep.equal({ b: 1, c: 1, d: 1 });
    });

    it('counts all that is kept of a minute of which something was dropped', () => {
      const subject = new Subject();
      subject.add([{ time: now, type: 'dropped' }], now);
      subject.add([{ time: now + 100_000, type: 'ahead of time' }], now + 100_000);
      const back = now + 2000;
      subject.add(
        [
          { time: back, type: 'a' },
          { time: now + 2, type: 'b' },
        ],
        back,
      );
      expect(subject.windows.since).to.equal(now + 1);
      expect(subject.windows.fit({ start: now, end: back + 1, resolution: 1 })).to.equal(null);
      expect(subject.counts('types', now + 1, back + 1)).to.deep.equal({ a: 1, b: 1 });
    });

    it('forth and back again leaves every event counted once', () => {
      const subject = new Subject();
      const times = [now, now + 5000, now + 30, now + 6000, now + 60];
      for (const time of times) {
        subject.windows.followClock(time);
        subject.add([{ time, type: `t${time - now}` }], time);
      }
      expect(subject.windows.stats()).to.deep.include({ late: 0, ahead: 0 });
      expect(subject.front.value).to.equal(now + 60);
      for (const time of times) {
        const end = (Math.floor(time / 60) + 1) * 60;
        const counted = subject.counts('types', end - 60, end);
        expect(counted[`t${time - now}`]).to.equal(1);
      }
      expect(subject.counts('types', now - 5, now + 6055)).to.deep.equal(
        Object.fromEntries(times.map((time) => [`t${time - now}`, 1])),
      );
    });
  });

  context('when another thread moves the front', () => {
    it('keeps the edges of an interval from fit on until it is asked again', () => {
      const subject = new Subject();
      const start = 1_509_602_400;
      subject.add(
        Array.from({ length: 600 }, (_, i) => ({ time: start + i, type: 'a', value: 1 })),
        start + 600,
      );
      const interval = { start: start + 50, end: start + 60, resolution: 1 };
      expect(subject.windows.fit(interval)).to.deep.equal(interval);
      new EventTimeFront(subject.front.buffer).advanceTo(start + 3600);
      expect([...subject.windows.counts('types', interval).counts]).to.deep.equal([10]);
      expect(subject.windows.sums(interval).get(1)?.total).to.equal(10);
      expect(subject.windows.fit(interval)).to.deep.equal({
        start,
        end: start + 60,
        resolution: 60,
      });
    });
  });

  context('when all cells are taken', () => {
    it('counts keys that are new to a bucket as overflow, known ones as themselves', () => {
      const subject = new Subject({ cellsMax: 3 });
      const time = 1_509_604_913;
      const words = ['a', 'b', 'c', 'd', 'a'];
      subject.add(
        [
          { time, type: 't', words },
          { time, type: 't', words },
        ],
        time,
      );
      expect(subject.counts('words', time, time + 1)).to.deep.equal({ a: 4, b: 2, '': 4 });
      expect(subject.counts('types', time, time + 1)).to.deep.equal({ t: 2 });
      expect(subject.windows.stats().cells).to.deep.equal({ used: 4, max: 3, folded: 4 });
    });

    it('gives them to what came first, whatever is asked in between', () => {
      const now = 1100;
      const words = fc.array(
        fc.nat(150).map((n) => `w${n}`),
        { maxLength: 80, size: 'max' },
      );
      const event = fc.record({ time: fc.integer({ min: 1000, max: 1005 }), words });
      const batch = fc.record({ events: fc.array(event, { maxLength: 6 }), isAsked: fc.boolean() });
      const countsOf = (subject: Subject) =>
        Array.from({ length: 6 }, (_, i) => subject.counts('words', 1000 + i, 1001 + i));
      fc.assert(
        fc.property(fc.array(batch), fc.nat(400), (batches, cellsMax) => {
          const asked = new Subject({ cellsMax });
          const unasked = new Subject({ cellsMax });
          for (const { events, isAsked } of batches) {
            const typed = events.map(({ time, words }) => ({ time, type: 'a', words }));
            asked.add(typed, now);
            unasked.add(typed, now);
            if (isAsked) asked.windows.stats();
          }
          expect(countsOf(asked)).to.deep.equal(countsOf(unasked));
          expect(asked.windows.stats()).to.deep.equal(unasked.windows.stats());
        }),
        { numRuns: 500, endOnFailure: true },
      );
    });

    it('has room again when buckets are dropped', () => {
      const subject = new Subject({ cellsMax: 2 });
      subject.add([{ time: 1000, type: 'a', words: ['x'] }], 1000);
      subject.add([{ time: 100_000, type: 'b', words: ['y'] }], 100_000);
      expect(subject.counts('words', 100_000, 100_001)).to.deep.equal({ y: 1 });
      expect(subject.windows.stats().cells).to.deep.equal({ used: 2, max: 2, folded: 0 });
    });

    it('keeps totals true, whatever comes', () => {
      const arbitraryEvents = fc.array(
        fc.record({
          time: fc.integer({ min: 0, max: 3000 }),
          type: fc.constantFrom('a', 'b', 'c'),
          words: fc.array(fc.constantFrom('u', 'v', 'w')),
        }),
      );
      fc.assert(
        fc.property(arbitraryEvents, fc.nat(20), (events, cellsMax) => {
          const subject = new Subject({ cellsMax });
          for (const event of events) subject.add([event], 3000);
          const total = (of: KeyKind) =>
            Object.values(subject.counts(of, 0, 3060)).reduce((sum, count) => sum + count, 0);
          expect(total('types')).to.equal(events.length);
          expect(total('words')).to.equal(events.flatMap(({ words }) => words).length);
        }),
      );
    });
  });
});
