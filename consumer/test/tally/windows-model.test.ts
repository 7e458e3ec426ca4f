import { expect } from 'chai';
import fc from 'fast-check';
import { mergeIntervals } from '#consumer/ingest/merge.js';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';
import {
  answerableSince,
  type Interval,
  keptSeconds,
  resolveInterval,
  type WindowRequest,
} from '#consumer/tally/interval.js';
import type { KeyTotal } from '#consumer/tally/ranking.js';
import type { PlainEvent } from '../support/build-batch.js';
import { type Counted, plainRanking } from '../support/plain-counts.js';
import { WindowsModel as Model } from '../support/windows-model.js';
import { ranking, SKEW_SECONDS, WindowsSubject } from '../support/windows-subject.js';

const BEGIN = 1_500_000_000;
/** Of an interval that is walked step by step. */
const STEPS_MAX = 130;
const KINDS: readonly Counted[] = ['types', 'words', 'sums'];

/** How often each kind of step came to what it is there for: a step that never does tests nothing. */
const seen = {
  answered: 0,
  widened: 0,
  'cut by a clock that was set back': 0,
  refused: 0,
  'refused for what a clock that was set back has dropped': 0,
  'answered after the clock was set back': 0,
  'steps walked': 0,
  late: 0,
  ahead: 0,
};

/** Windows of several threads with one front, asked as IngestPool asks its threads. */
class Real {
  readonly front = new EventTimeFront();
  readonly threads: readonly WindowsSubject[];
  readonly retentionSeconds: number;

  constructor(retentionSeconds: number, threads: number) {
    this.retentionSeconds = retentionSeconds;
    const options = { retentionSeconds, front: this.front };
    this.threads = Array.from({ length: threads }, () => new WindowsSubject(options));
  }

  resolve(request: WindowRequest, now: number) {
    const front = this.front.value;
    const kept = answerableSince(front, keptSeconds(this.retentionSeconds, SKEW_SECONDS));
    const since = Math.max(kept, this.front.droppedBefore);
    const { retentionSeconds } = this;
    return resolveInterval(request, { now, front, since, retentionSeconds });
  }

  /** The interval that all threads have answered for, or from when on there are answers. */
  ask(request: WindowRequest, now: number): Interval | number {
    let result = this.resolve(request, now);
    for (let attempt = 0; result.ok; attempt++) {
      expect(attempt, 'attempts').to.be.below(10);
      const asked = result.interval;
      const fitted = this.threads
        .map(({ windows }) => windows.fit(asked))
        .filter((each) => each !== null);
      if (fitted.length < this.threads.length) {
        result = this.resolve(request, now);
        continue;
      }
      const interval = mergeIntervals(fitted);
      if (fitted.every(({ start, end }) => start === interval.start && end === interval.end)) {
        return interval;
      }
      result = { ok: true, interval };
    }
    return result.since;
  }

  ranking(of: Counted, interval: Interval): object[] {
    const merged = new Map<string, KeyTotal>();
    for (const { key, count, sum } of this.threads.flatMap((each) => each.totals(of, interval))) {
      const known = merged.get(key);
      if (known?.sum !== undefined) sum?.merge(known.sum);
      const total = count + (known?.count ?? 0);
      merged.set(key, sum === undefined ? { key, count: total } : { key, count: total, sum });
    }
    return ranking([...merged.values()]);
  }
}

abstract class Step implements fc.Command<Model, Real> {
  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    this.take(model, real);
    model.age();
    const stats = real.threads.map(({ windows }) => windows.stats());
    expect(stats.reduce((sum, { late }) => sum + late, 0)).to.equal(model.late);
    expect(stats.reduce((sum, { ahead }) => sum + ahead, 0)).to.equal(model.ahead);
    expect(real.front.value).to.equal(model.front);
  }

  protected abstract take(model: Model, real: Real): void;
  abstract toString(): string;

  /** All threads look at the clock, as a question makes them do. */
  protected followClock(model: Model, real: Real): void {
    for (const [i, { windows }] of real.threads.entries()) {
      windows.followClock(model.now);
      model.follow(i, real.front.value);
    }
  }
}

class AddStep extends Step {
  readonly #thread: number;
  readonly #events: readonly PlainEvent[];

  /** Event times are from the clock. */
  constructor(thread: number, events: readonly PlainEvent[]) {
    super();
    this.#thread = thread;
    this.#events = events;
  }

  protected take(model: Model, real: Real): void {
    const i = this.#thread % real.threads.length;
    const thread = real.threads[i] as WindowsSubject;
    const events = this.#events.map((event) => ({ ...event, time: model.now + event.time }));
    thread.windows.followClock(model.now);
    model.follow(i, real.front.value);
    thread.add(events, model.now);
    const { late, ahead } = model;
    model.add(i, events);
    seen.late += model.late - late;
    seen.ahead += model.ahead - ahead;
  }

  toString(): string {
    return `add(${this.#thread}, ${fc.stringify(this.#events)})`;
  }
}

class ClockStep extends Step {
  readonly #seconds: number;

  constructor(seconds: number) {
    super();
    this.#seconds = seconds;
  }

  protected take(model: Model): void {
    model.stepClock(this.#seconds);
  }

  toString(): string {
    return `clock(${this.#seconds})`;
  }
}

/** A thread that is not among these reads an event. */
class FrontStep extends Step {
  readonly #time: number;

  constructor(time: number) {
    super();
    this.#time = time;
  }

  protected take(model: Model, real: Real): void {
    this.followClock(model, real);
    new EventTimeFront(real.front.buffer).advanceTo(model.now + this.#time);
    model.advanceFront(model.now + this.#time);
  }

  toString(): string {
    return `front(${this.#time})`;
  }
}

class AskStep extends Step {
  readonly #request: WindowRequest;

  /** A given `until` is from the clock, in retentions. */
  constructor(request: WindowRequest) {
    super();
    this.#request = request;
  }

  protected take(model: Model, real: Real): void {
    this.followClock(model, real);
    const { until } = this.#request;
    const windowSeconds = Math.min(this.#request.windowSeconds, model.retentionSeconds);
    const stepSeconds = Math.min(this.#request.stepSeconds, windowSeconds);
    const request = {
      ...this.#request,
      windowSeconds,
      stepSeconds,
      until:
        typeof until === 'number' ? Math.floor(model.now + until * model.retentionSeconds) : until,
    };
    const asked = model.asked(request);
    const answer = real.ask(request, model.now);
    model.age();
    if (typeof answer === 'number') {
      this.#expectRefusalIsRight(model, request, asked, answer);
      return;
    }
    this.#expectCovers(model, request, asked, answer);
    for (const of of KINDS) {
      expect(real.ranking(of, answer), of).to.deep.equal(plainRanking(model.in(answer), of));
    }
    seen.answered++;
    if (model.wasSetBack) seen['answered after the clock was set back']++;
    const steps = (answer.end - answer.start) / stepSeconds;
    if (stepSeconds % answer.resolution === 0 && steps <= STEPS_MAX) {
      this.#expectSteps(model, real, answer, stepSeconds);
    }
  }

  /** Only what begins before the time that is told, and that is no later than it need be. */
  #expectRefusalIsRight(
    model: Model,
    { until, alignSeconds }: WindowRequest,
    asked: { start: number; end: number },
    since: number,
  ): void {
    expect(asked.start, 'what is refused').to.be.below(since);
    const retentionEdge = Math.ceil((model.front - model.retentionSeconds) / 60) * 60;
    const latest = Math.max(model.sinceAtMost(), typeof until === 'number' ? retentionEdge : 0);
    expect(since).to.be.at.most(latest);
    seen.refused++;
    if (typeof until === 'number' || alignSeconds !== null) return;
    expect(model.wasSetBack, 'a window up to now is refused').to.equal(true);
    expect(since, 'what is not refused but cut').to.be.at.least(asked.end);
    seen['refused for what a clock that was set back has dropped']++;
  }

  /** All that was asked for, widened by less than a minute, cut only at what was dropped. */
  #expectCovers(
    model: Model,
    { stepSeconds }: WindowRequest,
    asked: { start: number; end: number },
    interval: Interval,
  ): void {
    const { start, end, resolution } = interval;
    const minutes = (time: number, round: (x: number) => number) => round(time / 60) * 60;
    expect(end).to.be.at.least(asked.end).and.at.most(minutes(asked.end, Math.ceil));
    expect(start).to.be.at.least(minutes(asked.start, Math.floor));
    if (start > asked.start) {
      expect(start).to.be.at.most(model.sinceAtMost());
      // A step that is no part of a minute may begin before the first bucket.
      if (60 % stepSeconds === 0) {
        expect(model.wasSetBack, 'a window is cut').to.equal(true);
        seen['cut by a clock that was set back']++;
      }
    } else if (model.isExact(asked.start)) {
      expect(interval).to.deep.equal({ ...asked, resolution: 1 });
    }
    if (resolution === 1) expect(end).to.equal(asked.end);
    if (start < asked.start || end > asked.end) seen.widened++;
  }

  /** Walks the interval as a series does. */
  #expectSteps(model: Model, real: Real, interval: Interval, stepSeconds: number): void {
    let start = Math.floor(interval.start / stepSeconds) * stepSeconds;
    for (; start < interval.end; start += stepSeconds) {
      const begin = Math.max(start, interval.start);
      const step = { ...interval, start: begin, end: start + stepSeconds };
      expect(real.ranking('types', step)).to.deep.equal(plainRanking(model.in(step), 'types'));
      seen['steps walked']++;
    }
  }

  toString(): string {
    return `ask(${fc.stringify(this.#request)})`;
  }
}

const event = fc.record({
  time: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: -900, max: SKEW_SECONDS }) },
    { weight: 3, arbitrary: fc.double({ min: -900, max: SKEW_SECONDS, noNaN: true }) },
    { weight: 2, arbitrary: fc.integer({ min: -9000, max: SKEW_SECONDS + 10 }) },
    { weight: 2, arbitrary: fc.constantFrom(-2030, -2025, -2000, -5, 0, SKEW_SECONDS) },
    fc.constantFrom(-100_000, 100_000),
  ),
  type: fc.constantFrom('a', 'b', 'c'),
  words: fc.array(fc.constantFrom('u', 'v', 'w'), { maxLength: 3 }),
  value: fc.option(fc.integer({ min: -100, max: 100 }), { nil: undefined }),
});
const small = fc.integer({ min: 0, max: 90 });
/** Some of them such that the clock, and with it the events, come again to where they were. */
const clockSeconds = fc.oneof(
  { weight: 5, arbitrary: small },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 700, noNaN: true }) },
  { weight: 2, arbitrary: fc.integer({ min: 600, max: 20_000 }) },
  { weight: 2, arbitrary: small.map((seconds) => -seconds) },
  { weight: 2, arbitrary: fc.integer({ min: -20_000, max: -SKEW_SECONDS }) },
  { weight: 4, arbitrary: fc.constantFrom(10_000, -10_000, 2000, -2000) },
);
const request: fc.Arbitrary<WindowRequest> = fc.record({
  windowSeconds: fc.oneof(
    fc.integer({ min: 1, max: 900 }),
    fc.integer({ min: 1, max: 7200 }),
    fc.constant(7200),
  ),
  until: fc.oneof(
    fc.constantFrom('now' as const, 'latest' as const),
    fc.double({ min: -1.1, max: 0.1, noNaN: true }),
  ),
  alignSeconds: fc.constantFrom(null, null, 60 as const, 3600 as const),
  stepSeconds: fc.constantFrom(1, 1, 7, 60, 600),
});
const steps = [
  fc
    .tuple(fc.nat(2), fc.array(event, { minLength: 1, maxLength: 12 }))
    .map(([thread, events]) => new AddStep(thread, events)),
  clockSeconds.map((seconds) => new ClockStep(seconds)),
  fc.integer({ min: -5000, max: SKEW_SECONDS }).map((time) => new FrontStep(time)),
  request.map((each) => new AskStep(each)),
  request.map((each) => new AskStep(each)),
];

describe('Windows, of any number of threads', () => {
  it('answer as a plain replay of all events does, in any order, under any clock', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(60, 300, 3600, 7200),
        fc.integer({ min: 1, max: 3 }),
        fc.commands(steps, { maxCommands: 40, size: '+1' }),
        (retentionSeconds, threads, run) => {
          const setup = () => ({
            model: new Model(retentionSeconds, threads, BEGIN),
            real: new Real(retentionSeconds, threads),
          });
          fc.modelRun(setup, run);
        },
      ),
      { numRuns: 1000 },
    );
    for (const [what, times] of Object.entries(seen)) expect(times, what).to.be.above(0);
  });
});
