import { expect } from 'chai';
import type { RunningSum } from '#consumer/tally/running-sum.js';
import type { PlainEvent } from '../support/build-batch.js';
import { isSumOf } from './exact-sum.js';
import { AFTER, ENOUGH_CELLS, type FuzzCase } from './fuzz-case.js';
import { FuzzModel } from './fuzz-model.js';
import { type CreateScanners, Pipeline } from './pipeline.js';

/** Lengths of the windows that are asked for, in seconds; all end with the newest event. */
const WINDOWS = [1, 60, 300, 900, 100_000];

/**
 * Has a case read by the real parts and by the model, and compares all that can be asked for, where the
 * case says so and at its end. Throws at the first disagreement.
 */
export function checkCase(fuzzCase: FuzzCase, createScanners: CreateScanners): void {
  const model = new FuzzModel(fuzzCase);
  const pipeline = new Pipeline(fuzzCase, createScanners);
  for (const [i, read] of fuzzCase.reads.entries()) {
    model.windows.stepClock(read.clock);
    const { now } = model.windows;
    pipeline.subject.tally.windows.followClock(now);
    model.windows.follow(0, pipeline.subject.front.value);
    pipeline.read(read, now);
    model.read(read);
    model.windows.age();
    if (read.after === AFTER.checkpoint) pipeline.takeCheckpoint();
    if (read.after === AFTER.restart) {
      pipeline.restart();
      model.rejectedLines = [];
    }
    const isLast = i === fuzzCase.reads.length - 1;
    if (read.after === AFTER.ask || isLast) compare(pipeline, model, fuzzCase);
  }
}

function compare(pipeline: Pipeline, model: FuzzModel, { bounds, reads }: FuzzCase): void {
  const { tally, front } = pipeline.subject;
  const { windows, types, words, rejected, batch, ...account } = tally.stats();
  const { lines, blank, too_long, not_json, not_an_event } = model.account;
  expect({ ...account, ...rejected }, 'the account of lines').to.deep.equal({
    ...model.account,
    accepted: lines - blank - too_long - not_json - not_an_event,
  });
  expect(account.accepted, 'accepted').to.equal(model.events.length);
  expect(batch).to.be.at.most(reads.length);
  const perSource = pipeline.sources.map((each) => ({ lines: each.lines, bytes: each.bytes }));
  expect(perSource, 'sources').to.deep.equal(model.sources);
  expect({ late: windows.late, ahead: windows.ahead }).to.deep.equal({
    late: model.windows.late,
    ahead: model.windows.ahead,
  });
  expect(front.value, 'front').to.equal(model.windows.front);
  compareRejected(pipeline, model);

  for (const [of, stats] of [
    ['types', types],
    ['words', words],
  ] as const) {
    const expected = countsOf(model.events, of);
    const { ids, counts } = tally.counts(of);
    expect(named(pipeline, of, ids, counts), of).to.deep.equal(expected);
    expect(stats, `${of} in /stats`).to.deep.equal({
      distinct: model.distinct(of),
      overflow: new Map(expected).get('') ?? 0,
    });
  }
  compareSums(pipeline, tally.sums(), model.events);

  expect(windows.cells.max).to.equal(bounds.cellsMax);
  if (bounds.cellsMax === ENOUGH_CELLS) expect(windows.cells.folded).to.equal(0);
  if (model.windows.front < 0) return;
  const { since } = tally.windows;
  expect(since, 'since').to.be.at.most(model.windows.sinceAtMost());
  const end = Math.floor(front.value) + 1;
  for (const seconds of WINDOWS) {
    const asked = { start: Math.max(since, end - seconds), end: Math.max(since, end) };
    compareWindow(pipeline, model, asked, bounds.cellsMax === ENOUGH_CELLS);
  }
}

function compareWindow(
  pipeline: Pipeline,
  model: FuzzModel,
  asked: { readonly start: number; readonly end: number },
  hasEnoughCells: boolean,
): void {
  const { windows } = pipeline.subject.tally;
  const interval = windows.fit({ ...asked, resolution: 1 });
  const what = `from ${asked.start} to ${asked.end}`;
  if (interval === null) throw new Error(`a window ${what} is refused`);
  expect(interval.start)
    .to.be.at.most(asked.start)
    .and.above(asked.start - 60);
  expect(interval.end)
    .to.be.at.least(asked.end)
    .and.below(asked.end + 60);
  const events = model.windows.in(interval);
  for (const of of ['types', 'words'] as const) {
    const { ids, counts } = windows.counts(of, interval);
    const got = named(pipeline, of, ids, counts);
    const expected = countsOf(events, of);
    if (hasEnoughCells) {
      expect(got, `${of} ${what}`).to.deep.equal(expected);
    } else {
      const atMost = new Map(expected);
      for (const [key, count] of got) {
        if (key !== '') expect(count, `${key} ${what}`).to.be.at.most(atMost.get(key) ?? 0);
      }
      expect(sumOf(got), `all ${of} ${what}`).to.equal(sumOf(expected));
    }
  }
  const sums = windows.sums(interval);
  if (hasEnoughCells) compareSums(pipeline, sums, events);
  else {
    const values = events.filter(({ value }) => value !== undefined);
    const counts = [...sums.values()].map(({ count }): [string, number] => ['', count]);
    expect(sumOf(counts), `all values ${what}`).to.equal(values.length);
  }
}

function compareSums(
  pipeline: Pipeline,
  sums: ReadonlyMap<number, RunningSum>,
  events: readonly PlainEvent[],
): void {
  const values = new Map<string, number[]>();
  for (const { type, value } of events) {
    if (value === undefined) continue;
    const known = values.get(type);
    if (known === undefined) values.set(type, [value]);
    else known.push(value);
  }
  const ids = [...sums.keys()];
  const counts = Array.from(sums.values(), ({ count }) => count);
  const expected = Array.from(values, ([key, all]): [string, number] => [key, all.length]);
  expect(named(pipeline, 'types', ids, counts), 'values').to.deep.equal(expected.sort(byKey));
  for (const [id, { total }] of sums) {
    const [type] = pipeline.subject.tables.types.keysFrom(id, id + 1) as [string];
    const added = values.get(type) as number[];
    if (!isSumOf(total, added)) expect(total, `sum of ${type}`).to.equal(added);
  }
}

const UNSEEN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/u;

function compareRejected(pipeline: Pipeline, model: FuzzModel): void {
  const reports = pipeline.rejectedLines.reports().toReversed();
  const shown = reports.map(({ reason, bytes, text }) => ({ reason, bytes, text }));
  const expected = model.rejectedLines.map(({ reason, bytes, text }) => {
    const characters = [...text].slice(0, 200).map((character) => {
      const code = character.charCodeAt(0).toString(16).padStart(4, '0');
      return UNSEEN.test(character) ? `\\u${code}` : character;
    });
    return { reason, bytes, text: characters.join('') };
  });
  expect(shown, 'rejected lines').to.deep.equal(expected);
}

function named(
  pipeline: Pipeline,
  of: 'types' | 'words',
  ids: ArrayLike<number>,
  counts: ArrayLike<number>,
): [string, number][] {
  const keys = pipeline.subject.tables[of].keysFrom(0);
  return Array.from(ids, (id, i): [string, number] => [
    keys[id] as string,
    counts[i] as number,
  ]).sort(byKey);
}

function countsOf(events: readonly PlainEvent[], of: 'types' | 'words'): [string, number][] {
  const counts = new Map<string, number>();
  for (const { type, words = [] } of events) {
    for (const key of of === 'types' ? [type] : words) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort(byKey);
}

const byKey = ([a]: readonly [string, number], [b]: readonly [string, number]) =>
  a < b ? -1 : a > b ? 1 : 0;

function sumOf(counts: readonly (readonly [string, number])[]): number {
  return counts.reduce((sum, [, count]) => sum + count, 0);
}
