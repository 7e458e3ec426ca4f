import { expect } from 'chai';
import fc from 'fast-check';
import {
  answerableSince,
  keptSeconds,
  resolveInterval,
  secondsFrom,
  type WindowRequest,
} from '#consumer/tally/interval.js';

const H = 3600;
const RETENTION = 2 * H;
const NOTHING_SEEN = Number.NEGATIVE_INFINITY;

/** Unix seconds of a time of 2 November 2017, or of another day where there is one. */
function at(text: string): number {
  const whole = text.includes('T') ? text : `2017-11-02T${text}`;
  return Date.parse(`${whole}Z`) / 1000;
}

interface Given extends Partial<WindowRequest> {
  /** Where it is not given, the front is at it. */
  readonly now: string;
  readonly front?: string | number;
  /** How far back from the front there are buckets. */
  readonly kept?: number;
  readonly retention?: number;
}

function resolve({ now, front = now, kept = RETENTION, retention = kept, ...request }: Given) {
  const whole: WindowRequest = {
    windowSeconds: 60,
    until: 'now',
    alignSeconds: null,
    stepSeconds: 1,
    ...request,
  };
  const frontSeconds = typeof front === 'number' ? front : at(front);
  const since = answerableSince(frontSeconds, kept);
  return resolveInterval(whole, {
    now: at(now),
    front: frontSeconds,
    since,
    retentionSeconds: retention,
  });
}

type Row = [what: string, given: Given, start: string, end: string, resolution?: number];

const ENDS: Row[] = [
  ['now, on the second', { now: '10:32:15' }, '10:31:16', '10:32:16'],
  ['now, just before the next second', { now: '10:32:15.999' }, '10:31:16', '10:32:16'],
  ['now, for one second', { now: '10:32:15', windowSeconds: 1 }, '10:32:15', '10:32:16'],
  [
    'now, on an idle stream',
    { now: '10:32:15', front: '2016-01-01T00:00:00' },
    '10:31:16',
    '10:32:16',
  ],
  [
    'now, with an event ahead of the clock',
    { now: '10:32:15', front: '10:33:10' },
    '10:31:16',
    '10:32:16',
  ],
  ['now, with nothing seen', { now: '10:32:15', front: NOTHING_SEEN }, '10:31:16', '10:32:16'],
  [
    'latest, on the second',
    { now: '10:32:15', until: 'latest', front: '10:20:00' },
    '10:19:01',
    '10:20:01',
  ],
  [
    'latest, between seconds',
    { now: '10:32:15', until: 'latest', front: '10:20:00.999' },
    '10:19:01',
    '10:20:01',
  ],
  [
    'latest, of last year',
    { now: '10:32:15', until: 'latest', front: '2016-11-02T00:00:30' },
    '2016-11-01T23:59:31',
    '2016-11-02T00:00:31',
  ],
  [
    'latest, with nothing seen: as now',
    { now: '10:32:15', until: 'latest', front: NOTHING_SEEN },
    '10:31:16',
    '10:32:16',
  ],
  ['a given time', { now: '10:32:15', until: at('10:30:00') }, '10:29:00', '10:30:00'],
  ['a given time to come', { now: '10:32:15', until: at('10:40:00') }, '10:39:00', '10:40:00'],
  [
    'a given time before all data, with nothing seen',
    { now: '10:32:15', front: NOTHING_SEEN, until: 0 },
    '1970-01-01T00:00:00',
    '1970-01-01T00:00:00',
  ],
];

const hour = { windowSeconds: H, alignSeconds: 3600 } as const;
const minute = { windowSeconds: 60, alignSeconds: 60 } as const;
const ALIGNED: Row[] = [
  ['an hour, in the middle of one', { now: '10:32:15', ...hour }, '09:00:00', '10:00:00', 60],
  ['an hour, in its last second', { now: '10:59:59', ...hour }, '09:00:00', '10:00:00', 60],
  ['an hour, just before it is over', { now: '10:59:59.999', ...hour }, '09:00:00', '10:00:00', 60],
  ['an hour, once it is over', { now: '11:00:00', ...hour }, '10:00:00', '11:00:00', 60],
  [
    'an hour, over midnight',
    { now: '00:00:00', ...hour },
    '2017-11-01T23:00:00',
    '2017-11-02T00:00:00',
    60,
  ],
  [
    'an hour, that ends a leap day',
    { now: '2016-03-01T00:10:00', ...hour },
    '2016-02-29T23:00:00',
    '2016-03-01T00:00:00',
    60,
  ],
  [
    'an hour, that begins a leap day',
    { now: '2016-02-29T01:00:00', ...hour },
    '2016-02-29T00:00:00',
    '2016-02-29T01:00:00',
    60,
  ],
  [
    'an hour, before 1 March of a year without a leap day',
    { now: '2017-03-01T00:00:00', ...hour },
    '2017-02-28T23:00:00',
    '2017-03-01T00:00:00',
    60,
  ],
  ['a minute, in its last second', { now: '10:32:59', ...minute }, '10:31:00', '10:32:00'],
  ['a minute, once it is over', { now: '10:33:00', ...minute }, '10:32:00', '10:33:00'],
  [
    'five minutes, which need not begin at a fifth',
    { now: '10:33:10', ...minute, windowSeconds: 300 },
    '10:28:00',
    '10:33:00',
  ],
  [
    'sixty minutes, in minutes',
    { now: '10:32:15', ...minute, windowSeconds: H },
    '09:32:00',
    '10:32:00',
    60,
  ],
  [
    'an hour, to the latest event',
    { now: '12:00:00', ...hour, until: 'latest', front: '10:59:59.5' },
    '09:00:00',
    '10:00:00',
    60,
  ],
  [
    'an hour, to a given full hour',
    { now: '11:10:00', ...hour, until: at('11:00:00') },
    '10:00:00',
    '11:00:00',
    60,
  ],
  [
    'an hour, to a second before',
    { now: '10:59:59', ...hour, until: at('10:59:59') },
    '09:00:00',
    '10:00:00',
    60,
  ],
];

// With the front at 10:32:15, seconds are kept from 10:22:00 on and minutes from 08:33:00 on.
const RESOLUTIONS: Row[] = [
  [
    'seconds, back to the first one',
    { now: '10:32:15', until: at('10:32:00'), windowSeconds: 600 },
    '10:22:00',
    '10:32:00',
    1,
  ],
  [
    'minutes, from a second before that on',
    { now: '10:32:15', until: at('10:31:59'), windowSeconds: 600 },
    '10:21:00',
    '10:31:59',
    60,
  ],
  [
    'whole minutes, before that',
    { now: '10:32:15', until: at('10:00:30') },
    '09:59:00',
    '10:01:00',
    60,
  ],
  [
    'whole minutes, up to the first second',
    { now: '10:32:15', until: at('10:22:00') },
    '10:21:00',
    '10:22:00',
    60,
  ],
  [
    'one minute, for one second of it',
    { now: '10:32:15', until: at('10:00:30'), windowSeconds: 1 },
    '10:00:00',
    '10:01:00',
    60,
  ],
  [
    'minutes, where the front has moved on by hours at once',
    { now: '10:32:15', front: '11:32:15', until: at('10:32:15') },
    '10:31:00',
    '10:33:00',
    60,
  ],
  [
    'seconds, over a retention that is short',
    { now: '10:32:15.5', kept: 60 },
    '10:31:16',
    '10:32:16',
    1,
  ],
];

const CUT: Row[] = [
  [
    'the retention, at the first whole minute in it',
    { now: '10:32:15', windowSeconds: RETENTION },
    '08:33:00',
    '10:32:16',
    60,
  ],
  [
    'the retention, where it begins with a minute',
    { now: '10:32:00', windowSeconds: RETENTION },
    '08:32:00',
    '10:32:01',
    60,
  ],
  [
    'the retention up to the latest event',
    { now: '12:00:00', until: 'latest', front: '10:32:15.5', windowSeconds: RETENTION },
    '08:33:00',
    '10:32:16',
    60,
  ],
  [
    'a window that an event ahead of the clock has overtaken',
    { now: '10:32:15', front: '12:30:00', windowSeconds: RETENTION },
    '10:30:00',
    '10:33:00',
    60,
  ],
  [
    'seconds, where all that an event ahead of the clock has left is in seconds',
    { now: '10:00:00', front: '10:06:40', windowSeconds: 500, kept: 500 },
    '09:58:20',
    '10:00:01',
    1,
  ],
  [
    'the retention, in the middle of its first step',
    { now: '10:32:15', windowSeconds: RETENTION, stepSeconds: 1800 },
    '08:33:00',
    '11:00:00',
    60,
  ],
];

const STEPS: Row[] = [
  ['ten seconds', { now: '10:32:15', stepSeconds: 10 }, '10:31:10', '10:32:20'],
  ['ten seconds, at their edge', { now: '10:32:19', stepSeconds: 10 }, '10:31:20', '10:32:20'],
  ['as long as the window', { now: '10:32:15', stepSeconds: 60 }, '10:31:00', '10:33:00'],
  [
    'a minute over an hour',
    { now: '10:32:15', windowSeconds: H, stepSeconds: 60 },
    '09:32:00',
    '10:33:00',
    60,
  ],
  [
    'a minute, of an aligned hour',
    { now: '10:32:15', ...hour, stepSeconds: 60 },
    '09:00:00',
    '10:00:00',
    60,
  ],
];

describe('resolveInterval', () => {
  const describeRows = (context_: string, rows: readonly Row[]) =>
    context(context_, () => {
      for (const [what, given, start, end, resolution = 1] of rows) {
        it(`gives ${start} to ${end} for ${what}`, () => {
          expect(resolve(given)).to.deep.equal({
            ok: true,
            interval: { start: at(start), end: at(end), resolution },
          });
        });
      }
    });

  describeRows('when a window ends', ENDS);
  describeRows('when a window is aligned', ALIGNED);
  describeRows('when buckets are as coarse as', RESOLUTIONS);
  describeRows('when a window is cut to what buckets can answer', CUT);
  describeRows('when there are steps of', STEPS);

  context('when a window reaches back beyond the retention', () => {
    const rows: [what: string, given: Given, since: string][] = [
      ['up to a time before all data', { now: '10:32:15', until: 0 }, '08:33:00'],
      ['by a second', { now: '10:32:15', until: at('08:33:14') }, '08:33:00'],
      ['and is aligned', { now: '10:32:15', ...hour, windowSeconds: 2 * H }, '08:33:00'],
      [
        'by a second, where there are still buckets',
        { now: '10:32:15', kept: RETENTION + 120, retention: RETENTION, until: at('08:33:14') },
        '08:33:00',
      ],
      ['and ends before it', { now: '10:32:15', until: at('05:00:00') }, '08:33:00'],
      [
        'because the clock was set back by hours',
        { now: '05:32:15', front: '10:32:15' },
        '08:33:00',
      ],
      [
        'because the retention is short',
        { now: '10:32:15', kept: 60, until: at('10:32:00') },
        '10:31:15',
      ],
    ];
    for (const [what, given, since] of rows) {
      it(`refuses it ${what}, and says that ${since} can be reached`, () => {
        expect(resolve(given)).to.deep.equal({ ok: false, since: at(since) });
      });
    }

    it('takes one that begins exactly with the retention', () => {
      expect(resolve({ now: '10:32:00', until: at('08:33:00') }).ok).to.equal(true);
      expect(resolve({ now: '10:32:00', until: at('08:32:59') }).ok).to.equal(false);
    });
  });
});

describe('keptSeconds', () => {
  const SKEW = 60;
  const kept = keptSeconds(RETENTION, SKEW);
  /** The front as far ahead of the clock as may be: the buckets that are left are the fewest. */
  const resolveAhead = ({ now, ...given }: Given) =>
    resolve({ now, front: at(now) + SKEW, kept, ...given });

  const rows: Row[] = [
    [
      'the retention up to now, in the last second of an hour',
      { now: '10:59:59', windowSeconds: RETENTION },
      '09:00:00',
      '11:00:00',
      60,
    ],
    [
      'the retention up to now, in the first second of an hour',
      { now: '11:00:00', windowSeconds: RETENTION },
      '09:00:00',
      '11:00:01',
      60,
    ],
    [
      'the last full hour, in the last second of the next one',
      { now: '10:59:59.999', ...hour },
      '09:00:00',
      '10:00:00',
      60,
    ],
    [
      'the retention in steps of a minute',
      { now: '10:59:59', windowSeconds: RETENTION, stepSeconds: 60 },
      '09:00:00',
      '11:00:00',
      60,
    ],
  ];
  for (const [what, given, start, end, resolution] of rows) {
    it(`is enough for ${what}`, () => {
      const interval = { start: at(start), end: at(end), resolution };
      expect(resolveAhead(given)).to.deep.equal({ ok: true, interval });
    });
  }

  it('is enough for every window up to now, or to the latest event, as long as the retention', () => {
    const T = at('10:00:00');
    const arbitrary = fc.record({
      now: fc.double({ min: T, max: T + H, noNaN: true }),
      ahead: fc.double({ min: -9000, max: 1, noNaN: true }),
      retention: fc.integer({ min: 60, max: 9000 }),
      skew: fc.constantFrom(0, 1, 59, 60, 3600),
      until: fc.constantFrom('now' as const, 'latest' as const),
      stepSeconds: fc.constantFrom(1, 10, 60),
    });
    fc.assert(
      fc.property(arbitrary, ({ now, ahead, retention, skew, until, stepSeconds }) => {
        const front = now + (ahead > 0 ? ahead * skew : ahead);
        const since = answerableSince(front, keptSeconds(retention, skew));
        const request = { windowSeconds: retention, until, alignSeconds: null, stepSeconds };
        const result = resolveInterval(request, {
          now,
          front,
          since,
          retentionSeconds: retention,
        });
        if (!result.ok) throw new Error(`refused: ${result.since}`);
        const end = Math.floor(until === 'now' ? now : front) + 1;
        expect(result.interval.start).to.be.at.most(end - retention);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('any interval', () => {
  const T = at('10:00:00');
  const request = fc.record({
    windowSeconds: fc.integer({ min: 1, max: 7200 }),
    until: fc.oneof(
      fc.constantFrom('now' as const, 'latest' as const),
      fc.integer({ min: T - 10_000, max: T + 10_000 }),
    ),
    alignSeconds: fc.constantFrom(null, 60 as const, 3600 as const),
  });
  const clock = fc.record({
    now: fc.double({ min: T - 9000, max: T + 9000, noNaN: true }),
    front: fc.double({ min: T - 9000, max: T + 9000, noNaN: true }),
    retentionSeconds: fc.constantFrom(60, 599, 600, 3600, 7200),
  });

  it('has whole buckets, and all of the window that is not before what can be answered', () => {
    fc.assert(
      fc.property(request, clock, (asked, { now, front, retentionSeconds }) => {
        const windowSeconds = Math.min(asked.windowSeconds, retentionSeconds);
        const whole = { ...asked, windowSeconds, stepSeconds: 1 };
        const since = answerableSince(front, retentionSeconds);
        const result = resolveInterval(whole, { now, front, since, retentionSeconds });
        if (!result.ok) {
          expect(result.since).to.equal(since);
          return;
        }
        const { start, end } = result.interval;
        const isEdge = (time: number) => time >= secondsFrom(front) || time % 60 === 0;
        expect([isEdge(start), isEdge(end)]).to.deep.equal([true, true]);
        expect(end).to.be.at.least(start);
        expect(start).to.be.at.least(Math.min(since, end));
        const named = { now: Math.floor(now) + 1, latest: Math.floor(front) + 1 };
        const askedEnd = typeof asked.until === 'number' ? asked.until : named[asked.until];
        if (asked.alignSeconds === null) {
          expect(end)
            .to.be.at.least(askedEnd)
            .and.below(askedEnd + 60);
          expect(start).to.be.at.most(Math.max(since, askedEnd - windowSeconds));
        } else {
          expect(end % asked.alignSeconds).to.equal(0);
          expect(end).to.be.at.most(askedEnd);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
