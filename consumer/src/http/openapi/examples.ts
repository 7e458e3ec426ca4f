/** An answer of each kind, as the OpenAPI document shows it; typed by what it is an example of. */
import type { z } from 'zod';
import type {
  countListSchema,
  flatCountsSchema,
  flatSumsSchema,
  livenessSchema,
  postedSchema,
  readinessSchema,
  rejectedSchema,
  seriesSchema,
  statsSchema,
  streamFrameSchema,
  sumListSchema,
} from '../documents.js';

const interval = { start: 1795251027, end: 1795251087, resolution: 1 };
const moment = { batch: 640, since: 1795243800 };

const stats: z.output<typeof statsSchema> = {
  ...moment,
  lines: 800,
  bytes: 47_120,
  accepted: 639,
  blank: 1,
  rejected: { too_long: 0, not_json: 158, not_an_event: 2 },
  late: 0,
  ahead: 0,
  event_types: { distinct: 3, overflow: 0 },
  words: { distinct: 5, overflow: 0 },
  window_cells: { used: 1051, max: 2_000_000, folded: 0 },
  last_event_time: 1795251086,
  last_line_seconds_ago: 0.129,
  scanner: { name: 'simd', lines: 800, fallback_lines: 0 },
  state: {
    durability: 'journal',
    journal_bytes: 5120,
    checkpoints: 12,
    last_checkpoint_seconds: 0.004,
    last_checkpoint_pause_seconds: 0.001,
    fault: null,
  },
  sources: [
    {
      name: 'events-3f1c2b7a9d04.fifo',
      state: 'open',
      reason: null,
      lines: 800,
      bytes: 47_120,
      last_line_seconds_ago: 0.129,
    },
  ],
};

const countTypes: z.output<typeof countListSchema> = {
  of: 'types',
  ...moment,
  window: interval,
  total: 197,
  distinct: 3,
  overflow: 0,
  counts: [
    { key: 'foo', count: 71 },
    { key: 'baz', count: 66 },
    { key: 'bar', count: 60 },
  ],
};

const countWords: z.output<typeof countListSchema> = {
  of: 'words',
  ...moment,
  window: interval,
  total: 413,
  distinct: 2,
  overflow: 0,
  counts: [
    { key: 'dolor', count: 262 },
    { key: 'lorem', count: 151 },
  ],
};

export const EXAMPLES = {
  flatTypes: { foo: 71, baz: 66, bar: 60 } satisfies z.output<typeof flatCountsSchema>,
  flatWords: { dolor: 262, lorem: 151 } satisfies z.output<typeof flatCountsSchema>,
  flatSums: { foo: 12.5, bar: -3 } satisfies z.output<typeof flatSumsSchema>,
  countTypes,
  countWords,
  sums: {
    of: 'sums',
    ...moment,
    window: interval,
    total: 9.5,
    distinct: 2,
    overflow: 0,
    counts: [
      { key: 'foo', sum: 12.5, count: 7 },
      { key: 'bar', sum: -3, count: 2 },
    ],
  } satisfies z.output<typeof sumListSchema>,
  csvTypes: 'key,count\r\nfoo,71\r\nbaz,66\r\nbar,60\r\n',
  csvWords: 'key,count\r\ndolor,262\r\nlorem,151\r\n',
  csvSums: 'key,sum,count\r\nfoo,12.5,7\r\nbar,-3,2\r\n',
  series: {
    of: 'types',
    ...moment,
    window: { start: 1795250940, end: 1795251120, resolution: 1 },
    step: 60,
    starts: [1795250940, 1795251000, 1795251060],
    series: [
      { key: 'foo', counts: [71, 68, 30] },
      { key: 'baz', counts: [66, 70, 27] },
    ],
    other: [60, 59, 31],
  } satisfies z.output<typeof seriesSchema>,
  stats,
  rejected: {
    rejected: [
      {
        reason: 'not_an_event',
        at: 1795251086.123,
        source: 'events-3f1c2b7a9d04.fifo',
        bytes: 45,
        text: '{"type":"foo","data":"lorem","ts":1795251086}',
        field: 'event_type',
        problem: 'is missing',
        fields: ['type', 'data', 'ts'],
      },
      {
        reason: 'not_json',
        at: 1795251085.907,
        source: 'events-3f1c2b7a9d04.fifo',
        bytes: 13,
        text: '{ "\\u0000Zq\ufffd\ufffdk+9a;',
      },
    ],
  } satisfies z.output<typeof rejectedSchema>,
  streamFrame: {
    batch: moment.batch,
    at: 1795251086.123,
    stats,
    types: countTypes,
    words: countWords,
  } satisfies z.output<typeof streamFrameSchema>,
  posted: {
    accepted: 1,
    blank: 0,
    rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
  } satisfies z.output<typeof postedSchema>,
  alive: { status: 'alive' } satisfies z.output<typeof livenessSchema>,
  ready: {
    status: 'ready',
    checks: {
      ingest: { ok: true },
      fifo_dir: { ok: true },
      state: { ok: true },
      'source events-a.fifo': { ok: true },
    },
  } satisfies z.output<typeof readinessSchema>,
  notReady: {
    status: 'not ready',
    checks: { ingest: { ok: false, reason: 'an ingest thread is restarting' } },
  } satisfies z.output<typeof readinessSchema>,
} as const;
