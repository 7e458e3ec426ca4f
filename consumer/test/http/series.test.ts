import { expect } from 'chai';
import type { PlainEvent } from '../support/build-batch.js';
import {
  COUNTS_PATHS,
  type ListDocument,
  linesOf,
  plainRanking,
  sequence,
  within,
} from '../support/plain-counts.js';
import { Service } from '../support/service.js';

interface SeriesDocument {
  readonly of: 'types' | 'words';
  readonly batch: number;
  readonly window: { readonly start: number; readonly end: number; readonly resolution: number };
  readonly since: number | null;
  readonly step: number;
  readonly starts: readonly number[];
  readonly series: readonly { readonly key: string; readonly counts: readonly number[] }[];
  readonly other: readonly number[];
}

const at = (time: string) => Date.parse(`2017-11-02T${time}Z`) / 1000;
const FRONT = at('10:32:15') + 0.5;
const random = sequence(2);
const EVENTS: PlainEvent[] = Array.from({ length: 1500 }, (_, i) => {
  // Half of them in the last ten minutes, with gaps.
  const age = i % 2 === 0 ? random(600) : random(7200);
  return {
    time: i === 0 ? FRONT : FRONT - age,
    type: `t${random(4) * random(4)}`,
    words: Array.from({ length: random(4) }, () => `w${random(4) * random(4)}`),
  };
});

describe('/events/series', () => {
  const service = Service.use({ eventTypesMax: 100, wordsMax: 6 });
  before(() => service().read(linesOf(EVENTS)));

  /** Words past the cap of six have no name. */
  const named = new Set(
    EVENTS.flatMap(({ words = [] }) => words)
      .filter((word, i, all) => all.indexOf(word) === i)
      .slice(0, 6),
  );

  const rows: [query: string, start: string, end: string, step: number, resolution: number][] = [
    ['window=60s&until=latest&step=1s', '10:31:16', '10:32:16', 1, 1],
    ['window=60s&until=latest', '10:31:16', '10:32:16', 1, 1],
    ['window=60s&until=latest&step=7s', '10:31:10', '10:32:20', 7, 1],
    ['window=60s&until=latest&step=60s', '10:31:00', '10:33:00', 60, 1],
    ['window=10m&until=latest&step=10s', '10:22:10', '10:32:20', 10, 1],
    ['window=10m&until=latest', '10:22:16', '10:32:16', 1, 1],
    ['window=5m&until=latest&align=true&step=1m', '10:27:00', '10:32:00', 60, 1],
    ['window=1h&until=latest', '09:32:00', '10:33:00', 60, 60],
    ['window=1h&until=latest&align=true&step=5m', '09:00:00', '10:00:00', 300, 60],
    ['window=2h&until=latest&step=1h', '08:31:00', '11:00:00', 3600, 60],
    [`window=60s&until=${at('09:30:30')}&step=1m`, '09:29:00', '09:31:00', 60, 60],
  ];
  for (const of of ['types', 'words'] as const) {
    for (const [query, start, end, step, resolution] of rows) {
      it(`gives ${of} by ${step} s from ${start} to ${end} for ${query}`, async () => {
        const path = `/events/series?of=${of}&${query}`;
        const document = await service().get<SeriesDocument>(path);
        const window = { start: at(start), end: at(end), resolution };
        expect(document).to.deep.include({ of, window, step, since: at('08:31:00') });
        const { starts, series, other } = document;
        const first = Math.floor(window.start / step) * step;
        expect(starts).to.have.lengthOf((window.end - first) / step);
        for (const [i, time] of starts.entries()) expect(time).to.equal(first + i * step);

        const all = plainRanking(within(EVENTS, window.start, window.end), of);
        const ranking = all.filter(({ key }) => of === 'types' || named.has(key));
        expect(series.map(({ key }) => key)).to.deep.equal(
          ranking.slice(0, 5).map(({ key }) => key),
        );
        const shown = new Set(series.map(({ key }) => key));
        for (const [i, time] of starts.entries()) {
          const counts = plainRanking(within(EVENTS, time, time + step), of);
          const countOf = new Map(counts.map(({ key, count }) => [key, count]));
          for (const { key, counts: row } of series) {
            expect(row[i], `${key} at ${time}`).to.equal(countOf.get(key) ?? 0);
          }
          const rest = counts.filter(({ key }) => !shown.has(key));
          expect(other[i]).to.equal(rest.reduce((sum, { count }) => sum + count, 0));
        }
        for (const { counts } of series) expect(counts).to.have.lengthOf(starts.length);
        expect(other).to.have.lengthOf(starts.length);
      });
    }
  }

  it('has exactly the members that it says', async () => {
    const document = await service().get('/events/series?window=60s&until=latest');
    expect(Object.keys(document)).to.have.members([
      'of',
      'batch',
      'window',
      'since',
      'step',
      'starts',
      'series',
      'other',
    ]);
    expect(document.of, 'types unless words are asked for').to.equal('types');
  });

  it('starts at multiples of the step', async () => {
    for (const step of [7, 10, 60]) {
      const path = `/events/series?window=60s&until=latest&step=${step}s`;
      const { starts } = await service().get<SeriesDocument>(path);
      expect(starts.every((start) => start % step === 0)).to.equal(true);
    }
  });

  it("adds up to the counts of the same interval, 'other' included", async () => {
    const { start, end } = { start: at('10:31:00'), end: at('10:32:00') };
    for (const of of ['types', 'words'] as const) {
      const query = `window=${end - start}s&until=${end}`;
      const list = await service().get<ListDocument>(`${COUNTS_PATHS[of]}?${query}&format=list`);
      const path = `/events/series?of=${of}&${query}&step=10s&limit=3`;
      const { series, other } = await service().get<SeriesDocument>(path);
      const sum = (row: readonly number[]) => row.reduce((total, count) => total + count, 0);
      expect(series.map(({ key, counts }) => ({ key, count: sum(counts) }))).to.deep.equal(
        list.counts.slice(0, 3),
      );
      const shown = series.reduce((total, { counts }) => total + sum(counts), 0);
      expect(shown + sum(other))
        .to.equal(list.total)
        .and.to.be.above(0);
    }
  });

  for (const [limit, keys] of [
    [1, 1],
    [2, 2],
    [100, 6],
  ]) {
    it(`shows ${keys} of 6 words with limit=${limit}`, async () => {
      const path = `/events/series?of=words&window=2h&until=latest&step=1h&limit=${limit}`;
      expect((await service().get<SeriesDocument>(path)).series).to.have.lengthOf(keys as number);
    });
  }

  it('has zeros alone where nothing happened', async () => {
    const document = await service().get<SeriesDocument>('/events/series?window=60s');
    expect(document.series).to.deep.equal([]);
    expect(document.other).to.deep.equal(new Array(60).fill(0));
  });

  it('answers HEAD, and OPTIONS', async () => {
    const path = '/events/series?window=60s&until=latest';
    const head = await service().fetch(path, { method: 'HEAD' });
    const { length } = await (await service().fetch(path)).text();
    expect(Number(head.headers.get('content-length'))).to.equal(length);
    const options = await service().fetch(path, { method: 'OPTIONS' });
    expect(options.headers.get('allow')?.split(', ')).to.have.members(['GET', 'HEAD']);
  });

  context('when the retention is a week', () => {
    const week = Service.use({ retentionSeconds: 168 * 3600 });

    for (const [window, step] of [
      ['10000s', 1],
      ['10001s', 60],
      ['9999m', 60],
      ['168h', 3600],
    ] as const) {
      it(`takes ${window} without a step in steps of ${step} s`, async () => {
        const document = await week().get<SeriesDocument>(`/events/series?window=${window}`);
        expect(document).to.include({ step });
        expect(document.starts.length).to.be.at.most(10_000);
      });
    }
  });

  context('when an event is ahead of the clock, but not too far', () => {
    const ahead = Service.use({ maxClockSkewSeconds: 86_400 });

    it('takes ten minutes without a step all the same', async () => {
      const now = Date.now() / 1000;
      await ahead().read(linesOf([now - 300, now + 240].map((time) => ({ time, type: 'a' }))));
      const { series } = await ahead().get<SeriesDocument>('/events/series?window=10m');
      expect(
        series.map(({ counts }) => counts.reduce((sum, count) => sum + count, 0)),
      ).to.deep.equal([1]);
    });
  });
});
