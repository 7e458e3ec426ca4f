import { expect } from 'chai';
import fc from 'fast-check';
import { checkpointRecords } from '#consumer/state/checkpoint-records.js';
import { RecordGapError } from '#consumer/state/restorer.js';
import type { PlainEvent } from '../support/build-batch.js';
import { StateSubject, type SubjectLimits, written } from '../support/state-subject.js';

const NOW = 1_509_604_913;

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '__proto__', '10', 'é😀'),
  fc.string({ minLength: 1, maxLength: 5 }),
);
const event = fc.record<PlainEvent>({
  // Late, folded into minutes, recent, ahead; whole and broken seconds.
  time: fc.oneof(
    fc.integer({ min: -900, max: 90 }).map((offset) => NOW + offset),
    fc.integer({ min: -40, max: 40 }).map((quarter) => NOW + quarter / 4),
  ),
  type: key,
  words: fc.array(key, { maxLength: 4 }),
  // They add up without rounding, in any order.
  value: fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: undefined }),
});

interface Step {
  readonly events: readonly PlainEvent[];
  /** Seconds by which the clock moves first. */
  readonly clock: number;
  /** How many records of a checkpoint that is being written are taken before. */
  readonly records: number;
  /** A checkpoint is begun behind it. */
  readonly beginsCheckpoint: boolean;
}

const step = fc.record<Step>({
  events: fc.array(event, { maxLength: 12 }),
  clock: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 90 }) }, fc.constant(-400)),
  records: fc.nat({ max: 4 }),
  beginsCheckpoint: fc.integer({ min: 0, max: 3 }).map((each) => each === 0),
});
const limits = fc.record<SubjectLimits>({
  typesMax: fc.constantFrom(2, 100),
  wordsMax: fc.constantFrom(3, 100),
  retentionSeconds: fc.constantFrom(120, 600),
});

/** What is on disk after the steps, and how it was in memory after each. */
function run(subject: StateSubject, steps: readonly Step[]) {
  let now = NOW;
  let checkpoint: Uint8Array[] = [];
  let journal: Uint8Array[] = [];
  let writing: {
    records: Iterator<(typeof journal)[number]>;
    done: Uint8Array[];
    at: number;
  } | null = null;
  /** A checkpoint in progress gives this many records more; once it is whole it counts. */
  const advance = (records: number) => {
    for (let i = 0; i < records && writing !== null; i++) {
      const next = writing.records.next();
      if (!next.done) writing.done.push(next.value);
      else {
        checkpoint = writing.done;
        journal = journal.slice(writing.at);
        writing = null;
      }
    }
  };
  for (const { events, clock, records, beginsCheckpoint } of steps) {
    advance(records);
    now += clock;
    journal.push(subject.add(events, now));
    if (beginsCheckpoint && writing === null) {
      const iterator = slices(subject);
      writing = { records: iterator, done: [], at: journal.length };
    }
  }
  return { checkpoint, journal, now, finish: () => advance(Number.POSITIVE_INFINITY) };
}

/** A checkpoint of now, which is written while counting may go on. */
function slices(subject: StateSubject): IterableIterator<Uint8Array> {
  const records = checkpointRecords(subject.content);
  return (function* () {
    for (const record of records) yield written(record);
  })();
}

describe('a restored state', () => {
  it('answers as the one that was never stopped: checkpoints in slices, a journal, any limits', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), limits, (steps, given) => {
        const subject = new StateSubject(given);
        const { checkpoint, journal } = run(subject, steps);
        const restored = new StateSubject(given).restore(checkpoint, journal);
        expect(restored.answers()).to.deep.equal(subject.answers());
      }),
      { numRuns: 300 },
    );
  });

  it('answers as it was after the last record that is there, wherever the journal ends', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(), (steps, cut) => {
        const kept = steps.map((each) => ({ ...each, beginsCheckpoint: false }));
        const { journal } = run(new StateSubject(), kept);
        const length = cut % (journal.length + 1);
        const model = new StateSubject();
        run(model, kept.slice(0, length));
        const restored = new StateSubject().restore([], journal.slice(0, length));
        expect(restored.answers()).to.deep.equal(model.answers());
      }),
    );
  });

  it('goes on counting as the one that was never stopped', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.array(step, { maxLength: 6 }), (a, b) => {
        const subject = new StateSubject();
        const { checkpoint, journal, now } = run(subject, a);
        const restored = new StateSubject().restore(checkpoint, journal);
        let clock = now;
        for (const { events, clock: seconds } of b) {
          clock += seconds;
          subject.add(events, clock);
          restored.add(events, clock);
        }
        expect(restored.answers()).to.deep.equal(subject.answers());
      }),
    );
  });

  it('is that of the moment when the checkpoint was begun, whatever is counted until it is written', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 10 }), fc.array(step, { maxLength: 10 }), (a, b) => {
        const subject = new StateSubject();
        const { now } = run(subject, a);
        const then = subject.answers();
        const records = slices(subject);
        const taken: Uint8Array[] = [];
        let clock = now;
        for (const { events, clock: seconds, records: count } of b) {
          for (let i = 0; i < count; i++) {
            const next = records.next();
            if (!next.done) taken.push(next.value);
          }
          clock += seconds;
          subject.add(events, clock);
        }
        taken.push(...records);
        expect(new StateSubject().restore(taken, []).answers()).to.deep.equal(then);
      }),
      { numRuns: 300 },
    );
  });

  it('counts keys as overflow that lower caps have no room for, and stays true in its totals', () => {
    const subject = new StateSubject();
    const events = ['a', 'b', 'b', 'c', 'c', 'c'].map((type) => ({
      time: NOW,
      type,
      words: [type],
    }));
    const journal = [subject.add(events, NOW)];
    for (const [checkpoint, rest] of [
      [subject.checkpoint(), []],
      [[], journal],
    ] as const) {
      const lower = new StateSubject({ typesMax: 2, wordsMax: 1 }).restore(checkpoint, rest);
      expect(lower.answers()).to.deep.include({
        types: { a: 1, b: 2, '': 3 },
        words: { a: 1, '': 5 },
      });
      expect(lower.tally.stats()).to.deep.include({ accepted: 6 });
    }
  });

  it('is looked up by key where other keys have the ids', () => {
    const subject = new StateSubject();
    subject.add([{ time: NOW, type: 'a', words: ['x', 'y'] }], NOW);
    const other = new StateSubject();
    other.tables.types.idOf('z');
    other.tables.words.idOf('y');
    other.restore(subject.checkpoint(), [
      subject.add([{ time: NOW, type: 'z', words: ['y'] }], NOW),
    ]);
    expect(other.answers()).to.deep.include({ types: { a: 1, z: 1 }, words: { x: 1, y: 2 } });
  });

  it('is refused where a record of the journal is missing, or there twice', () => {
    const subject = new StateSubject();
    const journal = [1, 2, 3].map(() => subject.add([{ time: NOW, type: 'a' }], NOW));
    const [first, second, third] = journal as [Uint8Array, Uint8Array, Uint8Array];
    for (const wrong of [[second], [first, third], [first, first], [second, first]]) {
      expect(() => new StateSubject().restore([], wrong)).to.throw(RecordGapError);
    }
    expect(() => new StateSubject().restore(subject.checkpoint(), [first])).to.throw(
      RecordGapError,
    );
  });
});
