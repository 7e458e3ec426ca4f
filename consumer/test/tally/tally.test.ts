import { expect } from 'chai';
import fc from 'fast-check';
import type { EventBatch } from '#consumer/tally/event-batch.js';
import { KeyTable, OVERFLOW_ID } from '#consumer/tally/key-table.js';
import { KEY_KINDS, type KeyKind, Tally } from '#consumer/tally/tally.js';

interface Event {
  readonly type: string;
  readonly words: readonly string[];
  readonly time: number;
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
    values: new Float64Array(events.length + 3).fill(Number.NaN),
    wordOffsets: Uint32Array.from([...wordOffsets, 1000, 1000]),
    wordIds: Uint32Array.from([...words.map((word) => tables.words.idOf(word)), ...stale]),
    bytes,
    blank,
    rejected,
    lines: events.length + blank + rejected.too_long + rejected.not_json + rejected.not_an_event,
  };
}

function event(type: string, text = '', time = 1): Event {
  return { type, words: text.split(' ').filter((word) => word !== ''), time };
}

/** Counts under their names. */
function named(tally: Tally, tables: Tables, of: KeyKind): Map<string, number> {
  const counts = tally.counts(of);
  const keys = tables[of].keysFrom(1);
  return new Map(keys.map((key, index) => [key, counts[index + 1] as number]));
}

describe('Tally', () => {
  it('counts events by type and the words in their text', () => {
    const tables = tablesWith(10);
    const tally = new Tally(tables);
    tally.add(batchOf(tables, [event('foo', 'lorem ipsum'), event('baz', ''), event('foo')]));
    tally.add(batchOf(tables, [event('foo', 'lorem lorem')]));
    expect(named(tally, tables, 'types')).to.deep.equal(
      new Map(Object.entries({ foo: 3, baz: 1 })),
    );
    expect(named(tally, tables, 'words')).to.deep.equal(
      new Map(Object.entries({ lorem: 3, ipsum: 1 })),
    );
  });

  it('counts a type and a word of the same name apart', () => {
    const tables = tablesWith(10);
    const tally = new Tally(tables);
    tally.add(batchOf(tables, [event('a', 'a a')]));
    expect(named(tally, tables, 'types').get('a')).to.equal(1);
    expect(named(tally, tables, 'words').get('a')).to.equal(2);
  });

  it('counts what is past a cap as overflow', () => {
    const tables = tablesWith(2);
    const tally = new Tally(tables);
    tally.add(batchOf(tables, [event('a', 'u v w x'), event('b', 'w'), event('c', 'u')]));
    expect(tally.counts('types')).to.deep.equal(Float64Array.of(1, 1, 1));
    expect(tally.counts('words')).to.deep.equal(Float64Array.of(3, 2, 1));
    expect(tally.stats().types).to.deep.equal({ distinct: 2, overflow: 1 });
    expect(tally.stats().words).to.deep.equal({ distinct: 2, overflow: 3 });
  });

  it('counts a key that is too long as overflow', () => {
    const tables = tablesWith(10, 4);
    const tally = new Tally(tables);
    tally.add(batchOf(tables, [event('types', 'four fiver')]));
    expect(tally.stats().types).to.deep.equal({ distinct: 0, overflow: 1 });
    expect(tally.stats().words).to.deep.equal({ distinct: 1, overflow: 1 });
  });

  it('gives zero for a key that has an id and was not counted yet', () => {
    const tables = tablesWith(10);
    const tally = new Tally(tables);
    tables.words.idOf('later');
    expect(tally.counts('words')).to.deep.equal(Float64Array.of(0, 0));
  });

  it('keeps its counts when the columns grow', () => {
    const tables = tablesWith(100_000);
    const tally = new Tally(tables);
    tally.add(batchOf(tables, [event('first', 'one two one')]));
    for (const size of [255, 256, 257, 10_000]) {
      const many = Array.from({ length: size }, (_, i) => event(`t${i}`, `w${i} one`));
      tally.add(batchOf(tables, many));
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
    const tally = new Tally(tables);
    tally.add(batchOf(tables, [event('first')]));
    for (let i = 0; i < 5000; i++) tables.types.idOf(`t${i}`);
    expect(tally.counts('types')).to.have.length(5002);
    expect(tally.counts('types')[1]).to.equal(1);
  });

  it('gives away copies', () => {
    const tables = tablesWith(10);
    const tally = new Tally(tables);
    tally.add(batchOf(tables, [event('a')], { ...NOTHING, not_json: 1 }));
    tally.counts('types').fill(99);
    const earlier = tally.stats();
    tally.add(batchOf(tables, [event('a')], { ...NOTHING, not_json: 1 }));
    expect(tally.counts('types')).to.deep.equal(Float64Array.of(0, 2));
    expect(earlier.rejected.not_json).to.equal(1);
  });

  describe('stats', () => {
    it('tells of nothing at first', () => {
      expect(new Tally(tablesWith(10)).stats()).to.deep.equal({
        batch: 0,
        bytes: 0,
        lines: 0,
        accepted: 0,
        blank: 0,
        rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
        types: { distinct: 0, overflow: 0 },
        words: { distinct: 0, overflow: 0 },
        lastEventTime: null,
      });
    });

    it('adds up what became of every line', () => {
      const tables = tablesWith(10);
      const tally = new Tally(tables);
      const account = { bytes: 100, blank: 1, too_long: 2, not_json: 3, not_an_event: 4 };
      tally.add(batchOf(tables, [event('a', 'x y', 5)], account));
      tally.add(batchOf(tables, [event('b', 'x', 6), event('a', '', 7)], account));
      tally.add(batchOf(tables, [], { ...NOTHING, bytes: 1 }));
      expect(tally.stats()).to.deep.equal({
        batch: 3,
        bytes: 201,
        lines: 23,
        accepted: 3,
        blank: 2,
        rejected: { too_long: 4, not_json: 6, not_an_event: 8 },
        types: { distinct: 2, overflow: 0 },
        words: { distinct: 2, overflow: 0 },
        lastEventTime: 7,
      });
    });

    it('tells the largest event time, not the last one', () => {
      const tables = tablesWith(10);
      const tally = new Tally(tables);
      tally.add(batchOf(tables, [event('a', '', 5), event('a', '', 8.5), event('a', '', 2)]));
      tally.add(batchOf(tables, [event('a', '', 3)]));
      expect(tally.stats().lastEventTime).to.equal(8.5);
    });

    it('knows the event time 0 from none', () => {
      const tables = tablesWith(10);
      const tally = new Tally(tables);
      tally.add(batchOf(tables, [event('a', '', 0)]));
      expect(tally.stats().lastEventTime).to.equal(0);
    });
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
        const tally = new Tally(tables);
        for (const batch of given) tally.add(batchOf(tables, batch.events, batch.account));

        const all = given.flatMap((batch) => batch.events);
        const seen = {
          types: all.map(({ type }) => type),
          words: all.flatMap(({ words }) => words),
        };
        for (const of of KEY_KINDS) {
          const { counts, overflow } = modelCounts(seen[of], keysMax, 10);
          expect(named(tally, tables, of)).to.deep.equal(counts);
          expect(tally.counts(of)[OVERFLOW_ID]).to.equal(overflow);
          expect(tally.stats()[of]).to.deep.equal({ distinct: counts.size, overflow });
        }

        const sum = (name: keyof Account) =>
          given.reduce((total, batch) => total + batch.account[name], 0);
        const { lines, accepted, blank, rejected, bytes, batch, lastEventTime } = tally.stats();
        expect({ accepted, blank, rejected, bytes, batch, lastEventTime }).to.deep.equal({
          accepted: all.length,
          blank: sum('blank'),
          rejected: {
            too_long: sum('too_long'),
            not_json: sum('not_json'),
            not_an_event: sum('not_an_event'),
          },
          bytes: sum('bytes'),
          batch: given.length,
          lastEventTime: all.length === 0 ? null : Math.max(...all.map(({ time }) => time)),
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
