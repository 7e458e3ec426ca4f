import { expect } from 'chai';
import fc from 'fast-check';
import { mergeCounts, mergeMoments, mergeRejected, mergeSeries } from '#consumer/ingest/merge.js';
import type { RejectedLineReport } from '#consumer/tally/rejected-lines.js';
import { RunningSum } from '#consumer/tally/running-sum.js';

/** What one thread counted: the overflow key's name is ''. */
type Part = ReadonlyMap<string, number>;

const INTERVAL = { start: 100, end: 130, resolution: 1 };
const STEP = 10;

const key = fc.constantFrom('', 'a', 'b', 'c', '__proto__', '10', '\u{1F600}');
const part: fc.Arbitrary<Part> = fc
  .array(fc.tuple(key, fc.integer({ min: 1, max: 1000 })))
  .map((cells) => new Map(cells));
/** How a thread came to number its keys. */
const numbering = fc.shuffledSubarray(['a', 'b', 'c', '__proto__', '10', '\u{1F600}', 'unseen'], {
  minLength: 7,
});
const parts = fc.array(fc.record({ part, numbering }), { minLength: 1, maxLength: 4 });

function keyed(cells: Part, keysInOrder: readonly string[]) {
  const keys = ['', ...keysInOrder];
  return { keys, ids: Uint32Array.from(cells.keys(), (name) => keys.indexOf(name)) };
}

function countsAnswer(cells: Part, keysInOrder: readonly string[], batch = 1) {
  const { keys, ids } = keyed(cells, keysInOrder);
  const counts = Float64Array.from(cells.values());
  const moment = { kind: 'counts' as const, batch, since: 5, newKeys: [], interval: INTERVAL };
  return { keys, answer: { ...moment, ids, counts, sums: null } };
}

function model(all: readonly Part[]): Record<string, number> {
  const totals = new Map<string, number>();
  for (const cells of all) {
    for (const [name, count] of cells) totals.set(name, (totals.get(name) ?? 0) + count);
  }
  return Object.fromEntries(totals);
}

describe('mergeCounts', () => {
  it('adds by key, whatever ids the threads gave them', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const answers = given.map((each) => countsAnswer(each.part, each.numbering));
        const { keys, overflow, interval, batch } = mergeCounts(answers);
        expect({ interval, batch }).to.deep.equal({ interval: INTERVAL, batch: given.length });
        expect(new Set(keys.map((total) => total.key)).size).to.equal(keys.length);
        const merged = Object.fromEntries(keys.map((total) => [total.key, total.count]));
        if (overflow !== null) merged[''] = overflow.count;
        expect(merged).to.deep.equal(model(given.map((each) => each.part)));
      }),
    );
  });

  it('keeps the overflow key apart from all others', () => {
    const { keys, overflow } = mergeCounts([
      countsAnswer(new Map([['', 2]]), ['a']),
      countsAnswer(new Map([['a', 3]]), ['a']),
    ]);
    expect(keys).to.deep.equal([{ key: 'a', count: 3 }]);
    expect(overflow).to.include({ count: 2 });
  });

  it('has no overflow where none was counted', () => {
    expect(mergeCounts([countsAnswer(new Map([['a', 1]]), ['a'])]).overflow).to.equal(null);
  });

  it('merges sums without a loss, and counts their values', () => {
    const sums = (cells: Record<string, number[]>, keys: string[]) => {
      const names = Object.keys(cells);
      const running = Object.values(cells).map((values) => {
        const sum = new RunningSum();
        for (const value of values) sum.add(value);
        return sum;
      });
      const ids = Uint32Array.from(names, (name) => ['', ...keys].indexOf(name));
      const counts = Float64Array.from(running, ({ count }) => count);
      const partsOf = Float64Array.from(running.flatMap((sum) => sum.toParts()));
      const moment = { kind: 'counts' as const, batch: 1, since: null, newKeys: [] };
      return {
        keys: ['', ...keys],
        answer: { ...moment, interval: null, ids, counts, sums: partsOf },
      };
    };
    const { keys, overflow } = mergeCounts([
      sums({ a: [1e16, 1], b: [2], '': [0.5] }, ['a', 'b']),
      sums({ b: [-3], a: [-1e16] }, ['b', 'a']),
      sums({ c: [7], '': [1] }, ['c']),
    ]);
    const plain = keys.map(({ key: name, count, sum }) => [name, count, sum?.total]);
    expect(plain).to.have.deep.members([
      ['a', 3, 1],
      ['b', 2, -1],
      ['c', 1, 7],
    ]);
    expect([overflow?.count, overflow?.sum?.total]).to.deep.equal([2, 1.5]);
  });
});

describe('mergeSeries', () => {
  it('adds by key and step', () => {
    const threads = fc.array(
      fc.record({ steps: fc.array(part, { minLength: 3, maxLength: 3 }), numbering }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(threads, (given) => {
        const answers = given.map(({ steps, numbering: order }) => {
          const columns = steps.map((cells) => keyed(cells, order));
          const answer = {
            kind: 'series' as const,
            batch: 2,
            since: 5,
            newKeys: [],
            interval: INTERVAL,
            stepSeconds: STEP,
            ids: Uint32Array.from(columns.flatMap(({ ids }) => [...ids])),
            counts: Float64Array.from(steps.flatMap((cells) => [...cells.values()])),
            steps: Uint32Array.from(
              steps.flatMap((cells, step) => new Array<number>(cells.size).fill(step)),
            ),
          };
          return { answer, keys: ['', ...order] };
        });
        const merged = mergeSeries(answers, Number.POSITIVE_INFINITY);
        expect(merged).to.deep.include({ interval: INTERVAL, stepSeconds: STEP, since: 5 });
        expect(merged.batch).to.equal(2 * given.length);
        for (const step of [0, 1, 2]) {
          const counts = [
            ...merged.rows.map(({ key, counts: row }) => [key, row] as const),
            ['', merged.other] as const,
          ]
            .map(([name, row]) => [name, row[step] as number] as const)
            .filter(([, count]) => count > 0);
          const cells = given.map(({ steps }) => steps[step] as Part);
          expect(Object.fromEntries(counts)).to.deep.equal(model(cells));
        }
        for (const { counts: row } of merged.rows) expect(row).to.have.length(3);
        expect(merged.other).to.have.length(3);
      }),
    );
  });
});

describe('mergeMoments', () => {
  const rows: [what: string, since: (number | null)[], expected: number | null][] = [
    ['none where no thread has seen an event', [null, null], null],
    ['that of the only thread that has', [null, 7], 7],
    ['the latest, from which on all can answer', [9, 12, 11], 12],
  ];
  for (const [what, since, expected] of rows) {
    it(`has since: ${what}`, () => {
      const moments = since.map((time, i) => ({ batch: i + 1, since: time }));
      expect(mergeMoments(moments).since).to.equal(expected);
    });
  }

  it('adds batch numbers', () => {
    const moments = [3, 0, 4].map((batch) => ({ batch, since: null }));
    expect(mergeMoments(moments).batch).to.equal(7);
  });
});

describe('mergeRejected', () => {
  const report = (source: string, at: number): RejectedLineReport => ({
    reason: 'not_json',
    at,
    source,
    bytes: 1,
    text: '{',
    fault: null,
    fields: null,
  });
  const told = (reports: readonly RejectedLineReport[]) =>
    reports.map(({ source, at }) => `${source}${at}`);

  it('puts the newest of all threads first', () => {
    const merged = mergeRejected([
      [report('a', 9), report('b', 5)],
      [],
      [report('c', 7), report('d', 1)],
    ]);
    expect(told(merged)).to.deep.equal(['a9', 'c7', 'b5', 'd1']);
  });

  it('keeps the order of lines that came at once', () => {
    const merged = mergeRejected([
      [report('a', 5), report('b', 5), report('c', 5)],
      [report('d', 5)],
    ]);
    expect(told(merged)).to.deep.equal(['a5', 'b5', 'c5', 'd5']);
  });

  it('gives 20 at most', () => {
    const ofThread = (source: string) =>
      Array.from({ length: 20 }, (_, i) => report(source, 20 - i));
    const merged = mergeRejected([ofThread('a'), ofThread('b')]);
    expect(merged).to.have.lengthOf(20);
    expect(told(merged).at(-1)).to.equal('b11');
  });
});
