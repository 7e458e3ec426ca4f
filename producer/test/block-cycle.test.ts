import { expect } from 'chai';
import { BlockCycle } from '#producer/block-cycle.js';
import { EventStream } from '#producer/event-stream.js';

const EVENTS = 160_000; // more than the cycle has room for

describe('a cycle of blocks', () => {
  let now: number;
  beforeEach(() => {
    now = 1_509_604_913;
  });
  const stream = (corruptShare = 0) =>
    new EventStream({ seed: 1, corruptShare, jitterSecondsMax: 0, timestampAt: () => now });
  const cycle = (corruptShare?: number) => new BlockCycle(stream(corruptShare), () => now);

  const take = (events: Pick<EventStream, 'made' | 'next'>, count: number): Buffer => {
    const blocks: Buffer[] = [];
    const last = events.made + count;
    if (count === 0) return Buffer.from(events.next(0));
    while (events.made < last) blocks.push(Buffer.from(events.next(last - events.made)));
    return Buffer.concat(blocks);
  };
  const linesOf = (bytes: Buffer) => bytes.toString('latin1').split('\n').slice(0, -1);

  it('begins with the stream’s events, and has as many different ones as four megabytes hold', () => {
    const bytes = take(cycle(0.2), EVENTS);
    const once = 64 * 65_000;
    expect(bytes.subarray(0, once).equals(take(stream(0.2), EVENTS).subarray(0, once))).to.equal(
      true,
    );
    expect(bytes.length).to.be.above(2 * once);
    const begins = bytes.indexOf(bytes.subarray(0, 1000), 1);
    expect(begins).to.be.within(once, 64 * 65_536);
  });

  it('gives just as many events as it is asked for, also in the middle of a block', () => {
    const events = cycle();
    for (const count of [1, 700, EVENTS, 1, 0, 3, 5000]) {
      const made = events.made;
      expect(linesOf(take(events, count))).to.have.lengthOf(count);
      expect(events.made).to.equal(made + count);
    }
  });

  it('has the time of now in all events, however often it has come round', () => {
    const events = cycle(0.1);
    take(events, EVENTS);
    now++;
    const lines = linesOf(take(events, EVENTS)).filter((line) => line.endsWith(' }'));
    expect(lines.length).to.be.above(EVENTS / 2);
    for (const line of lines) expect(JSON.parse(line).timestamp).to.equal(now);
  });

  it('makes events anew when the time has one digit more', () => {
    now = 999_999_999;
    const events = cycle();
    take(events, EVENTS);
    now++;
    for (const line of linesOf(take(events, EVENTS))) expect(line).to.match(/: 1000000000 }$/);
  });
});
