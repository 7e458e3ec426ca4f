import { expect } from 'chai';
import { resolveInterval } from '#consumer/tally/interval.js';
import type { PlainEvent } from '../support/build-batch.js';
import { plainRanking, sequence, within } from '../support/plain-counts.js';
import { ranking, SKEW_SECONDS, WindowsSubject } from '../support/windows-subject.js';

const HOUR = 3600;
const RETENTION = 2 * HOUR;
const BEGIN = 1_509_602_400; // a full hour
const SECONDS = 3 * HOUR;
const TOP = 10;

/** Of one second: most are seconds old, some a minute ahead of the clock, some hours late. */
function eventsOf(second: number, random: (below: number) => number): PlainEvent[] {
  const times = Array.from({ length: 3 }, () => second - random(90 * 8) / 8);
  times.push(second + random(SKEW_SECONDS * 8 + 1) / 8);
  // The worst moment is the last second of a minute or hour, with the front as far ahead as it may be.
  if (second % 60 === 59) times.push(second + SKEW_SECONDS);
  if (random(50) === 0) times.push(second - random(3 * HOUR));
  if (random(50) === 0) times.push(second + SKEW_SECONDS + 1 + random(HOUR));
  return times.map((time) => ({
    time,
    type: `t${random(6) * random(6)}`,
    words: Array.from({ length: random(3) }, () => `w${random(9) * random(9)}`),
    value: random(400) / 4 - 20,
  }));
}

describe('the windows of a busy service', () => {
  it('have the top ten of each last full minute and hour, whenever they are asked', () => {
    const random = sequence(1);
    const subject = new WindowsSubject({ retentionSeconds: RETENTION });
    const kept: PlainEvent[] = [];
    let front = Number.NEGATIVE_INFINITY;
    let late = 0;
    let ahead = 0;

    const expectTopTen = (now: number, seconds: number) => {
      subject.windows.followClock(now);
      const { since } = subject.windows;
      const request = {
        windowSeconds: seconds,
        alignSeconds: seconds as 60 | 3600,
        stepSeconds: 1,
      };
      const context = { now, front, since, retentionSeconds: 7200 };
      const result = resolveInterval({ ...request, until: 'now' }, context);
      if (!result.ok) throw new Error(`${seconds} s are refused at ${now}`);
      const fitted = subject.windows.fit(result.interval);
      const end = Math.floor(now / seconds) * seconds;
      expect(fitted, 'the interval').to.include({ start: end - seconds, end });
      const expected = within(kept, end - seconds, end);
      for (const of of ['types', 'words', 'sums'] as const) {
        const shown = ranking(subject.totals(of, result.interval), TOP);
        expect(shown, `${of} at ${now}`).to.deep.equal(plainRanking(expected, of).slice(0, TOP));
      }
    };

    for (let second = BEGIN; second < BEGIN + SECONDS; second++) {
      const events = eventsOf(second, random);
      subject.add(events, second);
      for (const event of events) {
        if (event.time > second + SKEW_SECONDS) ahead++;
        else if (event.time < front - RETENTION) late++;
        else {
          front = Math.max(front, event.time);
          kept.push(event);
        }
      }
      if (second % 60 !== 59) continue;
      expect(subject.front.value).to.equal(second + SKEW_SECONDS);
      for (const now of [second + 0.999, second + 1]) {
        expectTopTen(now, 60);
        expectTopTen(now, HOUR);
      }
    }
    expect(subject.windows.stats()).to.deep.include({ late, ahead });
    expect(Math.min(late, ahead)).to.be.above(10);
  });
});
