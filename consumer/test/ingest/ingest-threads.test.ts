import fs from 'node:fs';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { IngestUnavailableError } from '#consumer/ingest/ingest-client.js';
import type { PlainEvent } from '../support/build-batch.js';
import { event, holdFifo, makeFifo, writeFifo } from '../support/fifo-writer.js';
import {
  COUNTS_PATHS,
  type Counted,
  type ListDocument,
  linesOf,
  plainRanking,
  sequence,
  within,
} from '../support/plain-counts.js';
import { Service } from '../support/service.js';

const FRONT = Date.parse('2017-11-02T10:32:15Z') / 1000 + 0.5;
const RETENTION = 7200;

/** Of four files: the first holds the newest event, so that the others are late by what it moved. */
const random = sequence(3);
const FILES: PlainEvent[][] = [0, 1, 2, 3].map((file) =>
  Array.from({ length: 400 }, (_, i) => ({
    time:
      i === 0 && file === 0
        ? FRONT
        : random(50) === 0
          ? 4_000_000_000 + i // ahead of any clock
          : FRONT - random(4 * 2 * RETENTION) / 4,
    // Keys that all files have, in another order in each, and some that only one has.
    type: random(9) === 0 ? `only-${file}` : `t${random(4) * random(4)}`,
    words: Array.from({ length: random(4) }, () => `w${(random(7) * random(7) + file) % 40}`),
    value: random(3) === 0 ? undefined : random(2000) / 4 - 200,
  })),
);
const EVENTS = FILES.flat();
const IN_WINDOWS = within(EVENTS, FRONT - RETENTION, FRONT + 1);

const WINDOW_QUERIES = [
  'window=60s&until=latest',
  'window=10m&until=latest&align=true',
  'window=1h&until=latest&align=true',
  'window=2h&until=latest',
  `window=30m&until=${Math.floor(FRONT) - 3000}`,
  'window=2h',
];

interface Answers {
  readonly lists: Record<string, ListDocument>;
  readonly series: Record<string, object>;
  readonly stats: Record<string, unknown>;
}

/** All answers, but for what tells of batches: how the reads were cut is the kernel's choice. */
async function answersOf(ingestWorkers: number): Promise<Answers> {
  const service = new Service({ ingestWorkers, eventTypesMax: 100, wordsMax: 100 });
  await service.open();
  try {
    for (const [i, events] of FILES.entries()) await service.read(linesOf(events), `${i}.fifo`);
    const lists: Record<string, ListDocument> = {};
    const series: Record<string, object> = {};
    for (const [of, path] of Object.entries(COUNTS_PATHS)) {
      for (const query of ['', ...WINDOW_QUERIES]) {
        const list = await service.get<ListDocument>(`${path}?${query}&format=list`);
        lists[`${of} ${query}`] = {
          ...list,
          batch: 0,
          ...(query === 'window=2h' && { window: null }),
        };
      }
    }
    for (const of of ['types', 'words']) {
      for (const query of ['window=60s&step=7s', 'window=2h&step=10m&limit=3']) {
        const document = await service.get(`/events/series?of=${of}&until=latest&${query}`);
        series[`${of} ${query}`] = { ...document, batch: 0 };
      }
    }
    return { lists, series, stats: await service.get('/stats') };
  } finally {
    await service.close();
  }
}

describe('any number of ingest threads', () => {
  const byWorkers = new Map<number, Answers>();
  before(async () => {
    for (const workers of [1, 2, 4]) byWorkers.set(workers, await answersOf(workers));
  });
  const answers = (workers: number) => byWorkers.get(workers) as Answers;

  for (const workers of [1, 2, 4]) {
    context(`when there are ${workers}`, () => {
      it('counts all-time as a plain computation does', () => {
        for (const of of Object.keys(COUNTS_PATHS) as Counted[]) {
          expect(answers(workers).lists[`${of} `]?.counts).to.deep.equal(plainRanking(EVENTS, of));
        }
      });

      it('counts windows as a plain computation does', () => {
        for (const of of Object.keys(COUNTS_PATHS) as Counted[]) {
          for (const query of WINDOW_QUERIES.slice(0, -1)) {
            const { window, counts } = answers(workers).lists[`${of} ${query}`] as ListDocument;
            const { start, end } = window as { start: number; end: number };
            expect(counts).to.deep.equal(plainRanking(within(IN_WINDOWS, start, end), of));
            expect(counts).not.to.deep.equal([]);
          }
        }
      });

      it('knows which events are late, and ahead, by the largest event time of all', () => {
        const late = EVENTS.filter(({ time }) => time < FRONT - RETENTION).length;
        const ahead = EVENTS.filter(({ time }) => time > FRONT).length;
        expect(Math.min(late, ahead)).to.be.above(20);
        expect(answers(workers).stats).to.include({ late, ahead, accepted: EVENTS.length });
        expect(answers(workers).stats.last_event_time).to.equal(FRONT);
      });

      it('tells of each source what was read from it', () => {
        const sources = answers(workers).stats.sources as Record<string, unknown>[];
        const expected = FILES.map((events, i) => ({
          name: `${i}.fifo`,
          state: 'open',
          lines: events.length,
          bytes: Buffer.byteLength(linesOf(events)),
        }));
        const shown = sources.map(({ name, state, lines, bytes }) => ({
          name,
          state,
          lines,
          bytes,
        }));
        expect(shown).to.have.deep.members(expected);
      });
    });
  }

  for (const workers of [2, 4]) {
    it(`gives the same answers with ${workers} as with one`, () => {
      expect(answers(workers).lists).to.deep.equal(answers(1).lists);
      expect(answers(workers).series).to.deep.equal(answers(1).series);
      const same = ({ stats }: Answers) => {
        const { batch, window_cells, last_line_seconds_ago, sources, ...rest } = stats;
        return rest;
      };
      expect(same(answers(workers))).to.deep.equal(same(answers(1)));
    });
  }

  context('when one of two ends', () => {
    let service: Service;
    beforeEach(async () => {
      service = new Service({ ingestWorkers: 2 });
      makeFifo(service.file('a.fifo'));
      makeFifo(service.file('b.fifo'));
      await service.open();
    });
    afterEach(() => service.close());

    const readiness = async () => (await service.fetch('/readyz')).status;
    const crashOne = () => crashOneThread(service);

    it('is not ready, and answers 503, until both run again', async () => {
      // Each wait is twice as long as the one before it: the last is long enough to ask in.
      for (const _ of [1, 2, 3, 4]) {
        await pWaitFor(async () => (await readiness()) === 200);
        await crashOne();
      }
      expect(service.ingest.state).to.equal('restarting');
      expect(await readiness()).to.equal(503);
      for (const path of ['/events/countWords', '/events/series?window=60s', '/stats']) {
        expect((await service.fetch(path)).status).to.equal(503);
      }
      await pWaitFor(async () => (await readiness()) === 200);
      expect(service.log.filter(([level]) => level === 'error')).to.have.lengthOf(4);
    });

    it('has lost the counts of one source and keeps those of the other, and reads both', async () => {
      await service.read(event('a').repeat(3), 'a.fifo');
      await service.read(event('b').repeat(3), 'b.fifo');
      await crashOne();
      await pWaitFor(async () => (await readiness()) === 200);
      const counts = await service.get<Record<string, number>>('/events/countByEventType');
      expect(Object.values(counts), 'each thread had one source').to.deep.equal([3]);

      const lost = 'a' in counts ? 'b' : 'a';
      const kept = 'a' in counts ? 'a' : 'b';
      await writeFifo(service.file(`${lost}.fifo`), event(lost).repeat(2));
      await writeFifo(service.file(`${kept}.fifo`), event(kept));
      await pWaitFor(async () => (await service.ingest.stats()).lines === 6);
      expect(await service.get('/events/countByEventType')).to.deep.equal({ [kept]: 4, [lost]: 2 });
      const { sources } = await service.ingest.stats();
      expect(sources.map(({ name, lines: read }) => [name, read])).to.have.deep.members([
        [`${lost}.fifo`, 2],
        [`${kept}.fifo`, 4],
      ]);
    });
  });

  context('when FIFOs come and go', () => {
    const service = Service.use({ ingestWorkers: 2 });
    const waitFor = (name: string, state: string) =>
      pWaitFor(async () => {
        const { sources } = await service().ingest.stats();
        return sources.find((source) => source.name === name)?.state === state;
      });

    it('gives a new one to the thread with the fewest that are still there', async () => {
      const open = async (name: string) => {
        makeFifo(service().file(name));
        await waitFor(name, 'open');
      };
      for (const name of ['first.fifo', 'second.fifo', 'third.fifo']) await open(name);
      // The second is alone in its thread; the other thread's are removed.
      const gone = ['first.fifo', 'third.fifo'];
      const held = gone.map((name) => holdFifo(service().file(name))); // no new FIFO gets their inodes
      for (const name of gone) fs.rmSync(service().file(name));
      for (const name of gone) await waitFor(name, 'gone');
      await open('fourth.fifo');
      await service().read(event('second'), 'second.fifo');
      await service().read(event('fourth'), 'fourth.fifo');
      await crashOneThread(service());
      await pWaitFor(() => service().ingest.state === 'running');
      const counts = await service().get<object>('/events/countByEventType');
      expect(Object.values(counts), 'each thread had one').to.deep.equal([1]);
      for (const descriptor of held) fs.closeSync(descriptor);
    });
  });
});

async function crashOneThread(service: Service): Promise<void> {
  const poison = { buffer: new ArrayBuffer(1) } as Uint8Array<ArrayBuffer>; // no bytes to scan
  const error: unknown = await service.ingest.post(poison).catch((reason) => reason);
  expect(error).to.be.instanceOf(IngestUnavailableError);
}
