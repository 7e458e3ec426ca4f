import { expect } from 'chai';
import type { PlainEvent } from '../support/build-batch.js';
import {
  COUNTS_PATHS,
  type Counted,
  flatText,
  type ListDocument,
  linesOf,
  plainRanking,
  sequence,
  within,
} from '../support/plain-counts.js';
import { Service } from '../support/service.js';

const COUNTED = Object.keys(COUNTS_PATHS) as Counted[];
const ROOM = { eventTypesMax: 100, wordsMax: 100 };
const at = (time: string) => Date.parse(`2017-11-02T${time}Z`) / 1000;

/** The newest event, whose time has a fraction, and three hours before it, in no order of time. */
const FRONT = at('10:32:15') + 0.5;
const random = sequence(1);
const OLD_EVENTS: PlainEvent[] = Array.from({ length: 2000 }, (_, i) => ({
  // The second one is exactly as old as may be.
  time: [FRONT, FRONT - 7200][i] ?? FRONT - random(3 * 3600 * 4) / 4,
  type: `t${random(4) * random(4)}`,
  words: Array.from({ length: random(4) }, () => `w${random(5) * random(5)}`),
  value: random(3) === 0 ? undefined : random(2000) / 4 - 200,
}));

/** Late ones are in no window. */
const IN_TIME = OLD_EVENTS.filter(({ time }) => time >= FRONT - 7200);

const total = (document: ListDocument) =>
  document.counts.reduce((sum, each) => sum + ('sum' in each ? each.sum : each.count), 0);

describe('counts', () => {
  context('when old events were read, the newest first', () => {
    const service = Service.use(ROOM);
    before(() => service().read(linesOf(OLD_EVENTS)));

    const windows: [query: string, start: string, end: string, resolution: number][] = [
      ['window=60s&until=latest', '10:31:16', '10:32:16', 1],
      ['window=1s&until=latest', '10:32:15', '10:32:16', 1],
      ['window=10m&until=latest', '10:22:16', '10:32:16', 1],
      ['window=10m&until=latest&align=true', '10:22:00', '10:32:00', 1],
      ['window=1m&until=latest&align=true', '10:31:00', '10:32:00', 1],
      ['window=1m&until=latest&align=false', '10:31:16', '10:32:16', 1],
      ['window=1h&until=latest', '09:32:00', '10:32:16', 60],
      ['window=1h&until=latest&align=true', '09:00:00', '10:00:00', 60],
      ['window=2h&until=latest', '08:32:00', '10:32:16', 60],
      [`window=60s&until=${at('10:30:00')}`, '10:29:00', '10:30:00', 1],
      [`window=60s&until=${at('10:32:15')}`, '10:31:15', '10:32:15', 1],
      [`window=30m&until=${at('09:30:10')}`, '09:00:00', '09:31:00', 60],
      [`window=1h&until=${at('10:59:59')}&align=true`, '09:00:00', '10:00:00', 60],
      [`window=1h&until=${at('11:00:00')}&align=true`, '10:00:00', '11:00:00', 60],
    ];
    for (const of of COUNTED) {
      for (const [query, start, end, resolution] of windows) {
        it(`gives ${of} from ${start} to ${end} for ${query}`, async () => {
          const ranking = plainRanking(within(IN_TIME, at(start), at(end)), of);
          const path = `${COUNTS_PATHS[of]}?${query}`;
          expect(await (await service().fetch(path)).text()).to.equal(flatText(ranking));
          const list = await service().get<ListDocument>(`${path}&format=list`);
          expect(list.window).to.deep.equal({ start: at(start), end: at(end), resolution });
          expect(list.counts).to.deep.equal(ranking);
          expect(list).to.include({
            of,
            total: total(list),
            distinct: ranking.length,
            overflow: 0,
          });
          for (const limit of [1, 3, 10_000]) {
            const limited = `${path}&limit=${limit}`;
            const largest = ranking.slice(0, limit);
            expect(await (await service().fetch(limited)).text()).to.equal(flatText(largest));
            expect(await service().get(`${limited}&format=list`)).to.deep.equal({
              ...list,
              counts: largest,
            });
          }
        });
      }

      it(`gives all ${of} since the start, late ones too, without a window`, async () => {
        const ranking = plainRanking(OLD_EVENTS, of);
        const path = COUNTS_PATHS[of];
        expect(await (await service().fetch(path)).text()).to.equal(flatText(ranking));
        const flat = await (await service().fetch(`${path}?limit=2&format=flat`)).text();
        expect(flat).to.equal(flatText(ranking.slice(0, 2)));
        const list = await service().get<ListDocument>(`${path}?format=list&limit=2`);
        expect(list).to.deep.equal({
          of,
          batch: list.batch,
          window: null,
          since: at('08:31:00'),
          total: total({ ...list, counts: ranking }),
          distinct: ranking.length,
          overflow: 0,
          counts: ranking.slice(0, 2),
        });
        expect(Object.keys(list)).to.deep.equal([
          'of',
          'batch',
          'window',
          'since',
          'total',
          'distinct',
          'overflow',
          'counts',
        ]);
      });

      it(`has no ${of} in a window that ends now: the stream is idle`, async () => {
        const path = `${COUNTS_PATHS[of]}?window=2h`;
        expect(await service().get(path)).to.deep.equal({});
        const list = await service().get<ListDocument>(`${path}&until=now&format=list`);
        expect(list).to.include({ total: 0, distinct: 0, overflow: 0 });
        expect(list.counts).to.deep.equal([]);
      });

      it(`answers HEAD for ${of} as GET, without the body`, async () => {
        const path = `${COUNTS_PATHS[of]}?window=1h&until=latest&limit=3&format=list`;
        const text = await (await service().fetch(path)).text();
        const head = await service().fetch(path, { method: 'HEAD' });
        expect(head.status).to.equal(200);
        expect(await head.text()).to.equal('');
        expect(Number(head.headers.get('content-length'))).to.equal(Buffer.byteLength(text));
      });
    }

    it('gives the same batch in every answer while nothing is read', async () => {
      const paths = [
        ...COUNTED.map((of) => `${COUNTS_PATHS[of]}?format=list`),
        ...COUNTED.map((of) => `${COUNTS_PATHS[of]}?format=list&window=60s`),
        '/events/series?window=60s',
        '/stats',
      ];
      const batches = await Promise.all(
        paths.map(async (path) => (await service().get<{ batch: number }>(path)).batch),
      );
      expect(batches[0]).to.be.at.least(1);
      expect(new Set(batches).size).to.equal(1);
    });

    it('tells in /stats which events are late', async () => {
      const late = OLD_EVENTS.filter(({ time }) => time < FRONT - 7200).length;
      expect(late).to.be.above(100);
      const stats = await service().get('/stats');
      expect(stats).to.include({ late, ahead: 0, last_event_time: FRONT, since: at('08:31:00') });
    });
  });

  context('when events of now were read', () => {
    const service = Service.use(ROOM);
    const begin = Date.now() / 1000;
    const offsets = [0, -1, -30, -59, -60, -61, -599, -601, -3599, -3601, -7100, 30, -8000, 900];
    const events = offsets.map((offset, i) => ({
      time: begin + offset,
      type: `t${i}`,
      words: ['w', `w${i}`],
      value: i,
    }));
    before(() => service().read(linesOf(events)));

    for (const of of COUNTED) {
      for (const window of ['1s', '60s', '61s', '10m', '1h', '2h']) {
        it(`gives the ${of} of the last ${window}`, async () => {
          const path = `${COUNTS_PATHS[of]}?window=${window}&format=list`;
          const earliest = Math.floor(Date.now() / 1000) + 1;
          const list = await service().get<ListDocument>(path);
          const { start, end } = list.window as { start: number; end: number };
          expect(end)
            .to.be.at.least(earliest)
            .and.at.most(Math.floor(Date.now() / 1000) + 1);
          const seconds = Number.parseInt(window, 10) * { s: 1, m: 60, h: 3600 }[window.at(-1)!]!;
          expect(end - start)
            .to.be.at.least(Math.min(seconds, 7100))
            .and.below(seconds + 60);
          const inWindows = events.filter(({ time }) => time > begin - 7200 && time < begin + 60);
          expect(list.counts).to.deep.equal(plainRanking(within(inWindows, start, end), of));
        });
      }
    }

    it('tells in /stats of the one that is late and the one that is ahead', async () => {
      const stats = await service().get('/stats');
      expect(stats).to.include({ late: 1, ahead: 1, accepted: events.length });
      expect(stats.last_event_time).to.equal(begin + 30);
    });
  });

  context('when keys tie', () => {
    const service = Service.use({ ...ROOM, keyBytesMax: 100 });
    const keys = ['\u{1F600}', '\uff01', '10', '9', 'Z', 'a', 'ab', '__proto__', '\ud7ff'];
    const events = keys.map((key) => ({ time: 1e9, type: key, words: [key], value: 1 }));
    before(() => service().read(linesOf(events)));

    for (const of of COUNTED) {
      it(`orders ${of} by code point`, async () => {
        const inOrder = ['10', '9', 'Z', '__proto__', 'a', 'ab', '\ud7ff', '\uff01', '\u{1F600}'];
        const path = `${COUNTS_PATHS[of]}?window=1s&until=latest&format=list`;
        const all = await service().get<ListDocument>(path);
        expect(all.counts.map(({ key }) => key)).to.deep.equal(inOrder);
        const three = await service().get<ListDocument>(`${path}&limit=3`);
        expect(three.counts.map(({ key }) => key)).to.deep.equal(inOrder.slice(0, 3));
      });
    }
  });

  context('when there are more keys than may be', () => {
    const service = Service.use({ eventTypesMax: 2, wordsMax: 2 });
    const event = (type: string, words: string[]) => ({ time: 1e9, type, words, value: 2 });
    const events = [
      event('a', ['u']),
      event('b', ['v']),
      event('c', ['w', 'x']),
      event('a', ['u']),
    ];
    before(() => service().read(linesOf(events)));

    const expected: Record<Counted, [flat: object, total: number, overflow: number]> = {
      types: [{ a: 2, b: 1 }, 4, 1],
      words: [{ u: 2, v: 1 }, 5, 2],
      sums: [{ a: 4, b: 2 }, 8, 2],
    };
    for (const [of, [flat, all, overflow]] of Object.entries(expected)) {
      for (const query of ['', 'window=60s&until=latest&']) {
        it(`leaves overflow out of flat ${of} and tells it in the list: ?${query}`, async () => {
          const path = `${COUNTS_PATHS[of as Counted]}?${query}`;
          expect(await service().get(`${path}format=flat`)).to.deep.equal(flat);
          const list = await service().get<ListDocument>(`${path}format=list&limit=1`);
          expect(list).to.include({ total: all, distinct: 2, overflow });
          expect(list.counts).to.have.lengthOf(1);
        });
      }
    }
  });
});
