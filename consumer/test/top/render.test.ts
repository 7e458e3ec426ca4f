import { expect } from 'chai';
import fc from 'fast-check';
import pc from 'picocolors';
import type { Connection } from '#consumer/top/frames.js';
import { width } from '#consumer/top/printable.js';
import { render, type Screen } from '#consumer/top/render.js';
import { UNTIL } from '#consumer/top/views.js';
import { PRESETS } from '#consumer/views/view.js';
import { frameOf } from '../support/frames.js';

const PLAIN = pc.createColors(false);
const COLORS = pc.createColors(true);

const SCREEN: Screen = {
  url: 'http://127.0.0.1:5000/',
  choice: { preset: PRESETS[0], until: 'now' },
  connection: { state: 'live' },
  frame: frameOf({
    stats: {
      accepted: 2300,
      rejected: { not_json: 600, not_an_event: 100 },
      late: 3,
      sources: [{ state: 'open' }],
    },
    types: { foo: 1200, baz: 800, 'bar\u{1b}]0;evil\u{7}': 300 },
    words: { dolor: 12, 日本語: 3 },
  }),
  rates: { accepted: 12.34, rejected: 0 },
  frameAgeSeconds: 1,
};

const lines = (screen: Partial<Screen>, columns: number, rows: number) =>
  render({ ...SCREEN, ...screen }, { columns, rows }, PLAIN);

describe('render', () => {
  it('puts the lists side by side on a wide terminal', () => {
    expect(lines({}, 80, 8).map((line) => line.trimEnd())).to.deep.equal([
      'event-tally http://127.0.0.1:5000/                                      counting',
      '12.3 events/s · 2,300 accepted · 700 rejected (23.3%) · 3 late · 1 source',
      'all-time',
      'types: 3 distinct, 2,300 counted         words: 2 distinct, 15 counted',
      'foo          ████████████ 1,200  52.2%   dolor  █████████████████████ 12  80.0%',
      'baz          ████████       800  34.8%   日本語 █████▎                 3  20.0%',
      'bar\\u{1b}]0… ███            300  13.0%',
      '1–6 window  u until  q quit',
    ]);
  });

  it('puts them one below the other on a narrow one', () => {
    expect(lines({}, 40, 10).map((line) => line.trimEnd())).to.deep.equal([
      'event-tally http://127.0.0.1:…  counting',
      '12.3 events/s · 2,300 accepted · 700 re…',
      'all-time',
      'types: 3 distinct, 2,300 counted',
      'foo  ██████████████████████ 1,200  52.2%',
      'baz  ██████████████▋          800  34.8%',
      'words: 2 distinct, 15 counted',
      'dolor  ███████████████████████ 12  80.0%',
      '日本語 █████▊                   3  20.0%',
      '1–6 window  u until  q quit',
    ]);
  });

  it('marks the window that is shown, where all have room', () => {
    const choice = { preset: PRESETS[2], until: 'latest' } as const;
    const last = render({ ...SCREEN, choice }, { columns: 140, rows: 10 }, COLORS).at(-1);
    expect(last).to.include(COLORS.inverse('3 last full minute')).and.to.include('u until now');
  });

  it('tells the interval that was counted, and that all of the stream is older', () => {
    const window = { start: 1795250460, end: 1795250520 };
    const choice = { preset: PRESETS[2], until: 'now' } as const;
    const frame = frameOf({ window, stats: { last_event_time: 1442018818 } });
    expect(lines({ choice, frame }, 200, 10)[2]).to.equal(
      'last full minute · 2026-11-21 08:41:00 – 08:42:00 UTC · until now · the newest event is of 2015-09-12 00:46:58: press u',
    );
  });

  const states: [what: string, screen: Partial<Screen>, state: string][] = [
    ['connecting', { connection: { state: 'connecting' }, frame: null }, 'connecting'],
    [
      'that nothing was read',
      { frame: frameOf({ stats: { last_line_seconds_ago: null } }) },
      'no line yet',
    ],
    ['counting', { frameAgeSeconds: 9 }, 'counting'],
    ['idle', { frameAgeSeconds: 12 }, 'idle for 12 s'],
    [
      'a lost connection',
      { connection: { state: 'lost', reason: 'nobody listens there', refused: false } },
      'reconnecting: nobody listens there',
    ],
    [
      'a refusal, with nothing that orders the terminal about',
      { connection: { state: 'lost', reason: 'bad \u{1b}[2J', refused: true } },
      'refused: bad \\u{1b}[2J',
    ],
  ];
  for (const [what, screen, state] of states) {
    it(`tells ${what}`, () => {
      expect(lines(screen, 80, 10)[0]).to.match(/^event-tally http.* {2}/);
      expect(lines(screen, 80, 10)[0]?.endsWith(`  ${state}`)).to.equal(true);
    });
  }

  it('shows no rate that is no longer true', () => {
    const connection: Connection = { state: 'lost', reason: 'gone', refused: false };
    expect(lines({ connection }, 80, 10)[1]).to.match(/^– events\/s/);
  });

  const key = fc.string({ unit: 'binary', maxLength: 30 });
  const counts = fc.dictionary(key, fc.integer({ min: 0, max: 1e15 }), { maxKeys: 12 });
  const anyScreen = fc.record({
    url: fc.webUrl(),
    choice: fc.record({ preset: fc.constantFrom(...PRESETS), until: fc.constantFrom(...UNTIL) }),
    connection: fc.oneof(
      fc.constantFrom<Connection>({ state: 'connecting' }, { state: 'live' }),
      fc.record({ state: fc.constant('lost' as const), reason: key, refused: fc.boolean() }),
    ),
    frame: fc.option(
      fc
        .record({
          types: counts,
          words: counts,
          window: fc.option(fc.record({ start: fc.nat(2e9), end: fc.nat(2e9) })),
        })
        .map(frameOf),
    ),
    rates: fc.option(fc.record({ accepted: fc.nat(1e9), rejected: fc.nat(1e9) })),
    frameAgeSeconds: fc.nat(1e6),
  });

  it('fits any terminal, and orders none about, whatever the keys are', () => {
    fc.assert(
      fc.property(anyScreen, fc.nat(250), fc.nat(60), (screen, columns, rows) => {
        const drawn = render(screen, { columns, rows }, PLAIN);
        expect(drawn.length).to.equal(rows);
        for (const line of drawn) {
          expect(width(line)).to.be.at.most(columns);
          expect(line).not.to.match(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
        }
      }),
    );
  });
});
