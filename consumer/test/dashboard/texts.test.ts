import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { expect } from 'chai';
import type { ListDocument, StatsDocument } from '#consumer/dashboard/documents.js';
import { pageSettings } from '#consumer/dashboard/settings.js';
import * as texts from '#consumer/dashboard/texts.js';

const STATS: StatsDocument = {
  batch: 7,
  lines: 10,
  bytes: 500,
  accepted: 8,
  blank: 0,
  rejected: { too_long: 0, not_json: 1, not_an_event: 1 },
  late: 0,
  ahead: 0,
  event_types: { distinct: 3, overflow: 0 },
  words: { distinct: 5, overflow: 0 },
  window_cells: { used: 2, max: 100, folded: 0 },
  last_event_time: 1000,
  since: 0,
  last_line_seconds_ago: 1,
  scanner: { name: 'simd', lines: 10, fallback_lines: 0 },
  state: null,
  sources: [],
};

const LIST: ListDocument = {
  of: 'words',
  batch: 7,
  window: null,
  since: 0,
  total: 12,
  distinct: 3,
  overflow: 2,
  counts: [
    { key: 'Lorem', count: 6 },
    { key: 'ipsum', count: 3 },
    { key: 'dolor', count: 1 },
  ],
};

const SETTINGS = pageSettings({ mapping: DEFAULT_MAPPING, ingestToken: null }, 7200);

function source(state: string) {
  const row = { name: 'a', reason: null, lines: 0, bytes: 0, last_line_seconds_ago: null };
  return { ...row, state } as StatsDocument['sources'][number];
}

const TABLE: [name: string, actual: unknown, expected: unknown][] = [
  ['no answer', texts.stateOf(null, null).text, 'Reconnecting'],
  ['nothing read', texts.stateOf(STATS, null).text, 'Waiting for the first line'],
  ['a line just now', texts.stateOf(STATS, 9.9).text, 'Counting'],
  ['no line for a while', texts.stateOf(STATS, 12.7).text, 'Idle for 12 s'],
  ['no line for long', texts.stateOf(STATS, 600).text, 'Idle for 10 min'],
  ['no source', texts.sourcesText(STATS), 'no sources'],
  ['one source', texts.sourcesText({ ...STATS, sources: [source('idle')] }), '1 source: idle'],
  [
    'several sources',
    texts.sourcesText({ ...STATS, sources: ['open', 'not_a_fifo', 'open'].map(source) }),
    '3 sources: 2 open, 1 not a FIFO',
  ],
  ['a list', texts.listSummary('words', LIST), '3 distinct words · 12 in all'],
  ['a type', texts.listSummary('types', { ...LIST, distinct: 1 }), '1 distinct type · 12 events'],
  ['a filter', texts.filterText(1, LIST), '1 of 3 words'],
  [
    'a filter of more than was asked for',
    texts.filterText(100, { ...LIST, distinct: 200_000 }),
    'at least 100 of the 3 most frequent of 200,000 words',
  ],
  ['no overflow', texts.overflowText('words', { ...LIST, overflow: 0 }), ''],
  ['a whole retention', texts.retentionText(7200), ''],
  ['a short retention', texts.retentionText(3600), 'Last full hour: not with RETENTION at 60 min.'],
  ['all-time', texts.intervalText(LIST), 'All events since the start'],
  [
    'a window',
    texts.intervalText({ since: 5, window: { start: 60, end: 120, resolution: 1 } }),
    '1970-01-01 00:01:00 – 00:02:00 UTC, event time, to the second',
  ],
  [
    'a window that was cut',
    texts.intervalText({ since: 60, window: { start: 60, end: 120, resolution: 60 } }),
    '1970-01-01 00:01:00 – 00:02:00 UTC, event time, to whole minutes, as far as the retention reaches',
  ],
  [
    'words off',
    texts.emptyListText(
      'words',
      { ...SETTINGS, fields: { ...SETTINGS.fields, DATA_FIELD: '' } },
      false,
    ),
    'Words are not counted: DATA_FIELD is set to nothing.',
  ],
  ['a field that is there', texts.presenceText('type', ['type', 'ts']), 'is there'],
  ['a nested field', texts.presenceText('alert.type', ['alert']), 'is there'],
  ['a field that is not', texts.presenceText('event_type', ['type']), 'is not there'],
  ['unknown fields', texts.presenceText('event_type', []), ''],
];

describe('what the live page says', () => {
  for (const [name, actual, expected] of TABLE) {
    it(`of ${name}: ${expected || 'nothing'}`, () => {
      expect(actual).to.equal(expected);
    });
  }

  it('overflow tells the bounds that it may be past', () => {
    expect(texts.overflowText('types', LIST)).to.match(/^2 more are .*EVENT_TYPES_MAX/);
    expect(texts.overflowText('words', { ...LIST, overflow: 1 })).to.match(
      /^1 more is .*WORDS_MAX/,
    );
  });

  it('shares are of accepted and rejected lines', () => {
    const notes = texts.figuresOf(STATS).map(({ name, note }) => [name, note]);
    expect(notes.slice(0, 2)).to.deep.equal([
      ['accepted', '80.0%'],
      ['rejected', '20.0%'],
    ]);
  });

  it('rows have their share of all, their part of the largest, and their colour', () => {
    const rows = texts.rowsOf(LIST, { rowsMax: 2, colours: new Map([['ipsum', 4]]) });
    expect(rows).to.deep.equal([
      {
        rank: 1,
        key: 'Lorem',
        shown: 'Lorem',
        count: 6,
        share: '50.0%',
        barPercent: 100,
        colour: null,
      },
      {
        rank: 2,
        key: 'ipsum',
        shown: 'ipsum',
        count: 3,
        share: '25.0%',
        barPercent: 50,
        colour: 4,
      },
    ]);
  });

  it('a filter finds keys in any case, which keep their rank', () => {
    const found = (filter: string) =>
      texts.rowsOf(LIST, { filter, rowsMax: 10 }).map(({ rank, key }) => [rank, key]);
    expect(found('LOREM')).to.deep.equal([[1, 'Lorem']]);
    expect(found('o')).to.deep.equal([
      [1, 'Lorem'],
      [3, 'dolor'],
    ]);
  });

  it('advice is needed when lines come and none is an event', () => {
    expect(texts.needsAdvice(STATS)).to.equal(false);
    expect(texts.needsAdvice({ ...STATS, accepted: 0 })).to.equal(true);
    const rejected = { too_long: 0, not_json: 0, not_an_event: 0 };
    expect(texts.needsAdvice({ ...STATS, accepted: 0, rejected })).to.equal(false);
  });

  it('fields are those of the last line that has any', () => {
    const line = { reason: 'not_json' as const, at: 1, source: 'a', bytes: 3, text: '{' };
    const fields = ['type'];
    expect(
      texts.rejectedFields([line, { ...line, fields }, { ...line, fields: ['old'] }]),
    ).to.equal(fields);
    expect(texts.rejectedFields([line])).to.deep.equal([]);
  });
});
