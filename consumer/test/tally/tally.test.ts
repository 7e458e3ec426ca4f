import { expect } from 'chai';
import fc from 'fast-check';
import type { EventBatch } from '#consumer/tally/event-batch.js';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';
import { KEY_KINDS, type KeyKind, KeyTable } from '#consumer/tally/key-table.js';
import { Tally } from '#consumer/tally/tally.js';

/** The clock in all of these tests: no event is ahead of it. */
const NOW = 2 ** 31;

interface Event {
  readonly type: string;
  readonly words: readonly string[];
  readonly time: number;
  readonly value?: number;
}

interface Account {
  readonly bytes: number;
  readonly blank: number;
  readonly too_long: number;
  readonly not_json: number;
  readonly not_an_event: number;
}

const NOTHING: Account = { bytes: 0, blank: 0, too_long: 0, not_json: 0, not_an_event: 0 };

type Tables = Readonly<Record<KeyKind, KeyTable>>;

function tablesWith(keysMax: number, keyBytesMax = 256): Tables {
  return {
    types: new KeyTable({ keysMax, keyBytesMax }),
    words: new KeyTable({ keysMax, keyBytesMax }),
  };
}

/** A batch as a scanner leaves it: its columns are longer than what they hold, with old ids behind. */
function batchOf(tables: Tables, events: readonly Event[], account = NOTHING): EventBatch {
  const stale = [1, 1, 1];
  const words = events.flatMap((event) => event.words);
  const wordOffsets = [0];
  for (const event of events) wordOffsets.push((wordOffsets.at(-1) ?? 0) + event.words.length);
  const { bytes, blank, ...rejected } = account;
  return {
    length: events.length,
    eventTimes: Float64Array.from([...events.map(({ time }) => time), 9e9, 9e9]),
    typeIds: Uint32Array.from([...events.map(({ type }) => tables.types.idOf(type)), ...stale]),
    values: Float64Array.from([...events.map(({ value = Number.NaN }) => value), 7, 7, 7]),
    wordOffsets: Uint32Array.from([...wordOffsets, 1000, 1000]),
    wordIds: Uint32Array.from([...words.map((word) => tables.words.idOf(word)), ...stale]),
    bytes,
    blank,
    rejected,
    lines: events.length + blank + rejected.too_long + rejected.not_json + rejected.not_an_event,
    takeRejectedLines: () => [],
  };
}

function event(type: string, text = '', time = 1, value = Number.NaN): Event {
  return { type, words: text.split(' ').filter((word) => word !== ''), time, value };
}

function tallyWith(tables: Tables, front = new EventTimeFront()): Tally {
  const options = { retentionSeconds: 7200, maxClockSkewSeconds: 60, cellsMax: 1_000_000 };
  return new Tally(tables, { ...options, front });
}

/** Counts under their names; the overflow key's is ''. */
function named(tally: Tally, tables: Tables, of: KeyKind): Map<string, number> {
  const { ids, counts } = tally.counts(of);
  const keys = tables[of].keysFrom(0);
  expect(ids).to.have.lengthOf(counts.length);
  expect(new Set(ids).size, 'each id at most once').to.equal(ids.length);
  return new Map(Array.from(ids, (id, i) => [keys[id] as string, counts[i] as number]));
}

function namedSums(tally: Tally, tables: Tables): Record<string, [count: number, total: number]> {
  const keys = tables.types.keysFrom(0);
  return Object.fromEntries(
    [...tally.sums()].map(([id, { count, total }]) => [keys[id], [count, total]]),
  );
}

describe('Tally', () => {
  it('counts events by type and the words in their text', () => {
    const tables = tablesWith(10);
    const tally = tallyWith(tables);
    tally.add(batchOf(tables, [event('foo', 'lorem ipsum'), event('baz', ''), event('foo')]), NOW);
    tally.add(batchOf(tables, [event('foo', 'lorem lorem')]), NOW);
    expect(named(tally, tables, 'types')).to.deep.equal(
      new Map(Object.entries({ foo: 3, baz: 1 })),
    );
    expect(named(tally, tables, 'words')).to.deep.equal(
      new Map(Object.entries({ lorem: 3, ipsum: 1 })),
    );
  });

  it('counts a type and a word of the same name apart', () => {
    const tables = tablesWith(10);
    const tally = tallyWith(tables);
    tally.add(batchOf(tables, [event('a', 'a a')]), NOW);
    expect(named(tally, tables, 'types').get('a')).to.equal(1);
    expect(named(tally, tables, 'words').get('a')).to.equal(2);
  });

  it('counts what is past a cap as overflow', () => {
    const tables = tablesWith(2);
    const tally = tallyWith(tables);
    tally.add(batchOf(tables, [event('a', 'u v w x'), event('b', 'w'), event('c', 'u')]), NOW);
    expect(named(tally, tables, 'types')).to.deep.equal(
      new Map(Object.entries({ '': 1, a: 1, b: 1 })),
    );
    expect(named(tally, tables, 'words')).to.deep.equal(
      new Map(Object.entries({ '': 3, u: 2, v: 1 })),
    );
    expect(tally.stats().types).to.deep.equal({ distinct: 2, overflow: 1 });
    expect(tally.stats().words).to.deep.equal({ distinct: 2, overflow: 3 });
  });

  it('counts a key that is too long as overflow', () => {
    const tables = tablesWith(10, 4);
    const tally = tallyWith(tables);
    tally.add(batchOf(tables, [event('types', 'four fiver')]), NOW);
    expect(tally.stats().types).to.deep.equal({ distinct: 0, overflow: 1 });
    expect(tally.stats().words).to.deep.equal({ distinct: 1, overflow: 1 });
  });

  it('leaves out a key that has an id and was not counted yet', () => {
    const tables = tablesWith(10);
    const tally = tallyWith(tables);
    tables.words.idOf('later');
    expect(named(tally, tables, 'words')).to.deep.equal(new Map());
  });

  it('keeps its counts when the columns grow', () => {
    const tables = tablesWith(100_000);
    const tally = tallyWith(tables);
    tally.add(batchOf(tables, [event('first', 'one two one')]), NOW);
    for (const size of [255, 256, 257, 10_000]) {
      const many = Array.from({ length: size }, (_, i) => event(`t${i}`, `w${i} one`));
      tally.add(batchOf(tables, many), NOW);
    }
    const types = named(tally, tables, 'types');
    const words = named(tally, tables, 'words');
    expect(types.size).to.equal(10_001);
    expect([types.get('first'), types.get('t0'), types.get('t256')]).to.deep.equal([1, 4, 2]);
    expect(types.get('t9999')).to.equal(1);
    expect([words.get('one'), words.get('two'), words.get('w254')]).to.deep.equal([10_770, 1, 4]);
  });

  it('grows when counts are asked for before they are added', () => {
    const tables = tablesWith(100_000);
    const tally = tallyWith(tables);
    tally.add(batchOf(tables, [event('first')]), NOW);
    for (let i = 0; i < 5000; i++) tables.types.idOf(`t${i}`);
    expect(named(tally, tables, 'types')).to.deep.equal(new Map([['first', 1]]));
    tally.add(batchOf(tables, [event('t4999')]), NOW);
    expect(named(tally, tables, 'types').get('t4999')).to.equal(1);
  });

  it('gives away copies', () => {
    const tables = tablesWith(10);
    const tally = tallyWith(tables);
    tally.add(batchOf(tables, [event('a')], { ...NOTHING, not_json: 1 }), NOW);
    tally.counts('types').counts.fill(99);
    const earlier = tally.stats();
    tally.add(batchOf(tables, [event('a')], { ...NOTHING, not_json: 1 }), NOW);
    expect(named(tally, tables, 'types')).to.deep.equal(new Map([['a', 2]]));
    expect(earlier.rejected.not_json).to.equal(1);
  });

  describe('stats', () => {
    it('tells of nothing at first', () => {
      expect(tallyWith(tablesWith(10)).stats()).to.deep.equal({
        batch: 0,
        bytes: 0,
        lines: 0,
        accepted: 0,
        blank: 0,
        rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
        types: { distinct: 0, overflow: 0 },
        words: { distinct: 0, overflow: 0 },
        windows: { late: 0, ahead: 0, cells: { used: 0, max: 1_000_000, folded: 0 } },
      });
    });

    it('adds up what became of every line', () => {
      const tables = tablesWith(10);
      const tally = tallyWith(tables);
      const account = { bytes: 100, blank: 1, too_long: 2, not_json: 3, not_an_event: 4 };
      tally.add(batchOf(tables, [event('a', 'x y', 5)], account), NOW);
      tally.add(batchOf(tables, [event('b', 'x', 6), event('a', '', 7)], account), NOW);
      tally.add(batchOf(tables, [], { ...NOTHING, bytes: 1 }), NOW);
      expect(tally.stats()).to.deep.equal({
        batch: 3,
        bytes: 201,
        lines: 23,
        accepted: 3,
        blank: 2,
        rejected: { too_long: 4, not_json: 6, not_an_event: 8 },
        types: { distinct: 2, overflow: 0 },
        words: { distinct: 2, overflow: 0 },
        windows: { late: 0, ahead: 0, cells: { used: 6, max: 1_000_000, folded: 0 } },
      });
    });

    it('tells of late and early events, which count in the totals all the same', () => {
      const tables = tablesWith(10);
      const tally = tallyWith(tables);
      const events = [event('a', 'x', NOW), event('a', 'x', 1, 2), event('a', 'x', NOW + 61)];
      tally.add(batchOf(tables, events), NOW);
      expect(tally.stats()).to.deep.include({ accepted: 3 });
      expect(tally.stats().windows).to.deep.include({ late: 1, ahead: 1 });
      expect(named(tally, tables, 'types')).to.deep.equal(new Map([['a', 3]]));
      expect(named(tally, tables, 'words')).to.deep.equal(new Map([['x', 3]]));
      expect(namedSums(tally, tables)).to.deep.equal({ a: [1, 2] });
    });
  });

  describe('sums', () => {
    it('add up values by type, and count them', () => {
      const tables = tablesWith(10);
      const tally = tallyWith(tables);
      const first = [event('a', '', 1, 2.5), event('b', '', 1, -4), event('a', '', 1, 0.25)];
      tally.add(batchOf(tables, first), NOW);
      tally.add(batchOf(tables, [event('a', '', 1, -1)]), NOW);
      expect(namedSums(tally, tables)).to.deep.equal({ a: [3, 1.75], b: [1, -4] });
    });

    it('know a value of zero from none', () => {
      const tables = tablesWith(10);
      const tally = tallyWith(tables);
      tally.add(batchOf(tables, [event('none'), event('zero', '', 1, 0)]), NOW);
      expect(namedSums(tally, tables)).to.deep.equal({ zero: [1, 0] });
    });

    it('have those of types past the cap under the overflow key', () => {
      const tables = tablesWith(1);
      const tally = tallyWith(tables);
      const events = ['a', 'b', 'c'].map((type) => event(type, '', 1, 2));
      tally.add(batchOf(tables, events), NOW);
      expect(namedSums(tally, tables)).to.deep.equal({ a: [1, 2], '': [2, 4] });
    });

    it('lose nothing that a plain sum would', () => {
      const tables = tablesWith(10);
      const tally = tallyWith(tables);
      for (const value of [1e16, 1, 1, -1e16]) {
        tally.add(batchOf(tables, [event('a', '', 1, value)]), NOW);
      }
      expect(namedSums(tally, tables)).to.deep.equal({ a: [4, 2] });
    });
  });

  it('moves the front to the largest event time, not to the last one', () => {
    const tables = tablesWith(10);
    const front = new EventTimeFront();
    const tally = tallyWith(tables, front);
    tally.add(batchOf(tables, [event('a', '', 5), event('a', '', 8.5), event('a', '', 2)]), NOW);
    tally.add(batchOf(tables, [event('a', '', 3)]), NOW);
    expect(front.value).to.equal(8.5);
  });

  it('agrees with a plain model on any batches', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', '10', 'too long a key');
    const events = fc.array(fc.record({ type: key, words: fc.array(key), time: fc.nat() }));
    const count = fc.nat(9);
    const account = fc.record({
      bytes: fc.nat(),
      blank: count,
      too_long: count,
      not_json: count,
      not_an_event: count,
    });
    const batches = fc.array(fc.record({ events, account }));
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 8 }), (given, keysMax) => {
        const tables = tablesWith(keysMax, 10);
        const tally = tallyWith(tables);
        for (const batch of given) tally.add(batchOf(tables, batch.events, batch.account), NOW);

        const all = given.flatMap((batch) => batch.events);
        const seen = {
          types: all.map(({ type }) => type),
          words: all.flatMap(({ words }) => words),
        };
        for (const of of KEY_KINDS) {
          const { counts, overflow } = modelCounts(seen[of], keysMax, 10);
          const whole = overflow === 0 ? counts : new Map([['', overflow], ...counts]);
          expect(named(tally, tables, of)).to.deep.equal(whole);
          expect(tally.stats()[of]).to.deep.equal({ distinct: counts.size, overflow });
        }

        const sum = (name: keyof Account) =>
          given.reduce((total, batch) => total + batch.account[name], 0);
        const { lines, accepted, blank, rejected, bytes, batch } = tally.stats();
        expect({ accepted, blank, rejected, bytes, batch }).to.deep.equal({
          accepted: all.length,
          blank: sum('blank'),
          rejected: {
            too_long: sum('too_long'),
            not_json: sum('not_json'),
            not_an_event: sum('not_an_event'),
          },
          bytes: sum('bytes'),
          batch: given.length,
        });
        const refused = rejected.too_long + rejected.not_json + rejected.not_an_event;
        expect(lines).to.equal(accepted + blank + refused);
      }),
    );
  });
});

function modelCounts(keys: readonly string[], keysMax: number, keyBytesMax: number) {
  const counts = new Map<string, number>();
  let overflow = 0;
  for (const key of keys) {
    if (counts.has(key) || (counts.size < keysMax && key.length <= keyBytesMax)) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    } else overflow++;
  }
  return { counts, overflow };
}
