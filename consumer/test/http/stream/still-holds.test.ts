import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { statsDocument } from '#consumer/http/documents.js';
import { stillHolds } from '#consumer/http/stream/still-holds.js';
import { type StreamSnapshot, toStreamSnapshot } from '#consumer/http/stream/stream-frame.js';
import type { IngestStats } from '#consumer/ingest/ingest-client.js';
import { IngestPool } from '#consumer/ingest/ingest-pool.js';
import type { WindowRequest } from '#consumer/tally/interval.js';
import { POOL_OPTIONS } from '../../support/pool-options.js';

describe('stillHolds', () => {
  let stats: IngestStats;
  before(async () => {
    const ingest = new IngestPool(POOL_OPTIONS, () => {});
    ingest.start();
    await pWaitFor(() => ingest.state === 'running');
    stats = await ingest.stats();
    await ingest.stop();
  });

  interface Case {
    readonly until?: WindowRequest['until'];
    readonly alignSeconds?: 60 | 3600;
    readonly empty?: boolean;
    readonly lastEventTime?: number;
    readonly state?: IngestStats['state'];
    readonly later: number;
  }
  const ASKED_AT = 1_000_000_000.5;
  const END = 1_000_000_001;

  function snapshotOf(row: Case): StreamSnapshot {
    const { until, alignSeconds, empty = false, lastEventTime, state = null } = row;
    const window =
      until === undefined
        ? null
        : { windowSeconds: 60, until, alignSeconds: alignSeconds ?? null, stepSeconds: 1 };
    const interval = window && { start: END - 60, end: END, resolution: 1 };
    const counts = [
      {
        batch: 0,
        since: null,
        interval,
        keys: empty ? [] : [{ key: 'a', count: 1 }],
        overflow: null,
      },
    ];
    return toStreamSnapshot(
      { kinds: ['types'], window },
      { stats: { ...stats, lastEventTime: lastEventTime ?? null, state }, counts },
      { limit: 10, askedAt: ASKED_AT },
    );
  }

  const rows: [what: string, Case, boolean][] = [
    ['since the start', { later: 9000 }, true],
    ['until a time', { until: 5, later: 9000 }, true],
    ['until the latest event', { until: 'latest', later: 9000 }, true],
    ['until now, in the same second', { until: 'now', later: 0.4 }, true],
    ['until now, in the next second', { until: 'now', later: 0.6 }, false],
    ['until now, a second back', { until: 'now', later: -1 }, false],
    ['empty, in the next second', { until: 'now', empty: true, later: 0.6 }, true],
    ['empty, an hour later', { until: 'now', empty: true, later: 3600 }, true],
    ['empty, a second back', { until: 'now', empty: true, later: -1 }, false],
    ['empty, all before', { until: 'now', empty: true, lastEventTime: 7, later: 1 }, true],
    ['empty, one ahead', { until: 'now', empty: true, lastEventTime: END, later: 1 }, false],
    ['aligned, in the same minute', { until: 'now', alignSeconds: 60, later: 10 }, true],
    ['aligned, in another minute', { until: 'now', alignSeconds: 60, later: 60 }, false],
  ];
  for (const [what, row, expected] of rows) {
    it(`is ${expected}: ${what}`, () => {
      const snapshot = snapshotOf(row);
      const later = { ...snapshot.stats, last_line_seconds_ago: 5 };
      expect(stillHolds(snapshot, later, ASKED_AT + row.later)).to.equal(expected);
    });
  }

  it('is true while the state is written, false once it cannot be kept', () => {
    const state = {
      durability: 'journal' as const,
      journalBytes: 0,
      checkpoints: 1,
      lastCheckpointSeconds: null,
      lastCheckpointPauseSeconds: null,
      fault: null,
    };
    const snapshot = snapshotOf({ later: 0, state });
    const documentOf = (changed: Partial<typeof state>) =>
      statsDocument({ ...stats, state: { ...state, ...changed } });
    const written = documentOf({ journalBytes: 5, checkpoints: 2 });
    expect(stillHolds(snapshot, written, ASKED_AT)).to.equal(true);
    const failed = statsDocument({ ...stats, state: { ...state, fault: 'ENOSPC' } });
    expect(stillHolds(snapshot, failed, ASKED_AT)).to.equal(false);
  });

  it('is false once there are further lines, or a source has changed', () => {
    const snapshot = snapshotOf({ later: 0 });
    const document = statsDocument(stats);
    const source = {
      name: 'a',
      state: 'gone' as const,
      reason: null,
      lines: 0,
      bytes: 0,
      last_line_seconds_ago: null,
    };
    expect(stillHolds(snapshot, document, ASKED_AT)).to.equal(true);
    for (const changed of [{ batch: 1 }, { lines: 1 }, { sources: [source] }]) {
      expect(stillHolds(snapshot, { ...document, ...changed }, ASKED_AT)).to.equal(false);
    }
  });
});
