import { expect } from 'chai';
import fc from 'fast-check';
import { ChangesBuilder } from '#consumer/tally/changes.js';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';
import { resolveInterval, type WindowRequest } from '#consumer/tally/interval.js';
import { type KeyKind, KeyTable } from '#consumer/tally/key-table.js';
import { Windows } from '#consumer/tally/windows.js';
import { buildBatch, type PlainEvent } from '../support/build-batch.js';

const SKEW = 60;

/** Windows with their tables, asked by name. */
class Subject {
  readonly tables = {
    types: new KeyTable({ keysMax: 1000, keyBytesMax: 100 }),
    words: new KeyTable({ keysMax: 1000, keyBytesMax: 100 }),
  };
  readonly front = new EventTimeFront();
  readonly #builder = new ChangesBuilder();
  readonly retentionSeconds: number;
  readonly windows: Windows;

  constructor(retentionSeconds = 7200, cellsMax = 1_000_000) {
    this.retentionSeconds = retentionSeconds;
    const options = { retentionSeconds, maxClockSkewSeconds: SKEW, cellsMax, front: this.front };
    this.windows = new Windows(options, this.tables);
  }

  add(events: readonly PlainEvent[], now: number): void {
    const batch = buildBatch(events, this.tables);
    const sizes = { types: this.tables.types.size, words: this.tables.words.size };
    this.windows.followClock(now);
    this.windows.apply(this.#builder.build(batch, this.windows.classification(now), sizes));
  }

  resolve(request: Partial<WindowRequest>, now: number) {
    const whole = {
      windowSeconds: 60,
      until: 'now',
      alignSeconds: null,
      stepSeconds: 1,
      ...request,
    } as const;
    this.windows.followClock(now);
    return resolveInterval(whole, { now, front: this.front.value, since: this.windows.since });
  }

  counts(of: KeyKind, start: number, end: number): Record<string, number> {
    const interval = { start, end, resolution: 1 };
    expect(this.windows.fit(interval)).to.include({ start, end });
    const { ids, counts } = this.windows.counts(of, interval);
    const keys = this.tables[of].keysFrom(0);
    return Object.fromEntries(Array.from(ids, (id, i) => [keys[id], counts[i] as number]));
  }

  sums(start: number, end: number): Record<string, number> {
    const keys = this.tables.types.keysFrom(0);
    const sums = this.windows.sums({ start, end, resolution: 1 });
    return Object.fromEntries([...sums].map(([id, { total }]) => [keys[id], total]));
  }
}

/** The same by keeping every event. */
class Model {
  readonly #kept: PlainEvent[] = [];
  front = Number.NEGATIVE_INFINITY;
  late = 0;
  ahead = 0;

  readonly retention: number;

  constructor(retention: number) {
    this.retention = retention;
  }

  /** The clock was set back: the front follows it. */
  followClock(now: number, front: number): void {
    if (this.front <= now + SKEW) return;
    const kept = this.#kept.map(({ time }) => Math.floor(time));
    const newest = Math.max(Number.NEGATIVE_INFINITY, ...kept.filter((time) => time <= now + SKEW));
    // Which event of a minute was the last is no longer known.
    expect(front)
      .to.be.at.least(newest)
      .and.at.most(now + SKEW);
    this.front = front;
  }

  add(event: PlainEvent, now: number): void {
    if (event.time > now + SKEW) this.ahead++;
    else if (event.time < this.front - this.retention) this.late++;
    else {
      this.front = Math.max(this.front, event.time);
      this.#kept.push(event);
    }
  }

  in(start: number, end: number): PlainEvent[] {
    return this.#kept.filter(({ time }) => time >= start && time < end);
  }
}

function tallyOf(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

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
      const subject = new Subject(7200, 3);
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

    it('has room again when buckets are dropped', () => {
      const subject = new Subject(7200, 2);
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
          const subject = new Subject(7200, cellsMax);
          for (const event of events) subject.add([event], 3000);
          const total = (of: KeyKind) =>
            Object.values(subject.counts(of, 0, 3060)).reduce((sum, count) => sum + count, 0);
          expect(total('types')).to.equal(events.length);
          expect(total('words')).to.equal(events.flatMap(({ words }) => words).length);
        }),
      );
    });
  });

  it('answers as a plain replay of all events does, in any order, under any clock', () => {
    const BASE = 1_500_000_000;
    const event = fc.record({
      time: fc.oneof(
        fc.integer({ min: -9000, max: 700 }),
        fc.double({ min: -700, max: 100, noNaN: true }),
        fc.constantFrom(-100_000, 100_000),
      ),
      type: fc.constantFrom('a', 'b', 'c'),
      words: fc.array(fc.constantFrom('u', 'v', 'w'), { maxLength: 3 }),
      value: fc.option(fc.integer({ min: -100, max: 100 }), { nil: undefined }),
    });
    const step = fc.record({
      events: fc.array(event, { maxLength: 12 }),
      clockStep: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 0, max: 90 }) },
        fc.integer({ min: -5000, max: 5000 }),
      ),
      window: fc.integer({ min: 1, max: 7200 }),
      until: fc.oneof(
        fc.constantFrom('now' as const, 'latest' as const),
        fc.integer({ min: -8000, max: 800 }),
      ),
      align: fc.constantFrom(null, 60 as const, 3600 as const),
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(300, 3600, 7200),
        (steps, retention) => {
          const subject = new Subject(retention);
          const model = new Model(retention);
          let now = BASE;
          for (const { events, clockStep, window, until, align } of steps) {
            now += clockStep;
            subject.windows.followClock(now);
            model.followClock(now, subject.front.value);
            const timed = events.map((each) => ({ ...each, time: now + each.time }));
            subject.add(timed, now);
            for (const each of timed) model.add(each, now);
            expect(subject.windows.stats()).to.deep.include({
              late: model.late,
              ahead: model.ahead,
            });
            const request = {
              windowSeconds: Math.min(window, retention),
              until: typeof until === 'number' ? now + until : until,
              alignSeconds: align,
            };
            const resolved = subject.resolve(request, now);
            if (!resolved.ok) continue;
            const fitted = subject.windows.fit(resolved.interval);
            if (fitted === null) throw new Error('nothing has moved since it was resolved');
            const { start, end } = fitted;
            expect(start).to.be.at.most(resolved.interval.start);
            expect(end).to.be.at.least(resolved.interval.end);
            const expected = model.in(start, end);
            expect(subject.counts('types', start, end)).to.deep.equal(
              tallyOf(expected.map(({ type }) => type)),
            );
            expect(subject.counts('words', start, end)).to.deep.equal(
              tallyOf(expected.flatMap(({ words = [] }) => words)),
            );
            const sums: Record<string, number> = {};
            for (const { type, value } of expected)
              if (value !== undefined) sums[type] = (sums[type] ?? 0) + value;
            expect(subject.sums(start, end)).to.deep.equal(sums);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('shows the top ten of each last full minute and hour of a busy service, all the time', () => {
    const subject = new Subject();
    const model = new Model(7200);
    const begin = 1_509_602_400;
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 48_271) >>> 0) % 2_147_483_647; // Park–Miller: the same run each time
      return seed % below;
    };
    for (let now = begin; now < begin + 3 * 3600; now++) {
      const events = Array.from({ length: 4 }, () => ({
        time: now - random(90),
        type: `t${random(5) * random(5)}`,
      }));
      subject.add(events, now);
      for (const event of events) model.add(event, now);
      if (now % 60 !== 59) continue;
      for (const [windowSeconds, alignSeconds] of [
        [60, 60],
        [3600, 3600],
      ] as const) {
        const resolved = subject.resolve({ windowSeconds, alignSeconds }, now);
        if (!resolved.ok) throw new Error(`refused at ${now}`);
        const { start, end } = resolved.interval;
        expect(end - start).to.equal(windowSeconds);
        expect(start % alignSeconds).to.equal(0);
        expect(subject.counts('types', start, end)).to.deep.equal(
          tallyOf(model.in(start, end).map(({ type }) => type)),
        );
      }
    }
  });
});
