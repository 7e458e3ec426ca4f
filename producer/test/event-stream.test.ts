import { expect } from 'chai';
import fc from 'fast-check';
import { EventStream, type EventStreamOptions } from '#producer/event-stream.js';

const LINE =
  /^\{ "event_type": "(foo|bar|baz)", "data": "((lorem|ipsum|dolor|sit|amet)( (?!")|(?="))){1,3}", "timestamp": (\d+) \}$/;

function createStream(options: Partial<EventStreamOptions> = {}): EventStream {
  const timestampAt = (index: number) => 1_509_604_913 + index / 5;
  return new EventStream({
    seed: 1,
    corruptShare: 0,
    jitterSecondsMax: 0,
    timestampAt,
    ...options,
  });
}

function take(stream: EventStream, count: number): Buffer {
  const blocks: Buffer[] = [];
  while (stream.made < count) blocks.push(Buffer.from(stream.next(count - stream.made)));
  return Buffer.concat(blocks);
}

function takeLines(options: Partial<EventStreamOptions>, count: number): string[] {
  return take(createStream(options), count).toString('latin1').split('\n').slice(0, -1);
}

function timestamps(lines: string[]): number[] {
  return lines.map((line) => Number(LINE.exec(line)?.[5]));
}

describe('EventStream', () => {
  it('makes lines of the challenge’s form, to the space', () => {
    const lines = takeLines({}, 10_000);
    expect(lines).to.have.length(10_000);
    for (const line of lines) expect(line).to.match(LINE);
  });

  it('uses every type, every word and every number of words', () => {
    const events = takeLines({}, 10_000).map((line) => JSON.parse(line));
    const types = new Set(events.map(({ event_type }) => event_type));
    const words = events.map(({ data }) => data.split(' '));
    expect([...types].sort()).to.deep.equal(['bar', 'baz', 'foo']);
    expect([...new Set(words.flat())].sort()).to.deep.equal(
      ['lorem', 'ipsum', 'dolor', 'sit', 'amet'].sort(),
    );
    for (const count of [1, 2, 3]) {
      const share = words.filter(({ length }) => length === count).length / words.length;
      expect(share).to.be.within(0.3, 0.37);
    }
  });

  it('gives the same bytes for the same seed, whatever the blocks are asked for', () => {
    const options = { corruptShare: 0.2, jitterSecondsMax: 3 };
    const expected = take(createStream(options), 3000);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 })), (counts) => {
        const stream = createStream(options);
        const parts = counts.map((count) =>
          Buffer.from(stream.next(Math.min(count, 3000 - stream.made))),
        );
        const bytes = Buffer.concat([...parts, take(stream, 3000)]);
        expect(bytes.equals(expected)).to.equal(true);
      }),
      { numRuns: 30 },
    );
  });

  it('gives other bytes for another seed, from the first line on', () => {
    const firsts = Array.from({ length: 50 }, (_, seed) => takeLines({ seed }, 1)[0]);
    expect(new Set(firsts).size).to.be.above(25);
  });

  it('makes blocks of at most 64 KiB of whole lines', () => {
    const block = createStream({ corruptShare: 0.2 }).next(Number.POSITIVE_INFINITY);
    expect(block.length).to.be.within(65_000, 65_536);
    expect(block.at(-1)).to.equal(0x0a);
  });

  it('has room for the longest timestamp', () => {
    const stream = createStream({ timestampAt: () => Number.MAX_VALUE / 3 });
    expect(() => take(stream, 10_000)).not.to.throw();
  });

  describe('a corrupt line', () => {
    it('is { " and ten bytes of any kind', () => {
      const stream = createStream({ corruptShare: 1 });
      const seen = new Set<number>();
      while (stream.made < 5000) {
        const line = stream.next(1);
        expect(line).to.have.length(14);
        expect(Buffer.from(line.subarray(0, 3)).toString()).to.equal('{ "');
        expect(line[13]).to.equal(0x0a);
        for (const byte of line.subarray(3, 13)) seen.add(byte);
      }
      expect(seen.size).to.equal(256);
    });

    for (const corruptShare of [0, 0.2, 0.75, 1]) {
      it(`is one in so many, for a share of ${corruptShare}`, () => {
        const stream = createStream({ corruptShare });
        let corrupt = 0;
        while (stream.made < 20_000) if (stream.next(1).length === 14) corrupt++;
        expect(corrupt / 20_000).to.be.within(corruptShare - 0.01, corruptShare + 0.01);
      });
    }
  });

  describe('timestamps', () => {
    it('are whole seconds, in order', () => {
      expect(timestamps(takeLines({}, 7))).to.deep.equal(
        [0, 0, 0, 0, 0, 1, 1].map((seconds) => 1_509_604_913 + seconds),
      );
    });

    it('are moved back by 0 to so many seconds, both in', () => {
      const found = timestamps(takeLines({ jitterSecondsMax: 3, timestampAt: () => 1000.9 }, 1000));
      expect([...new Set(found)].sort()).to.deep.equal([1000, 997, 998, 999]);
    });

    it('are never below 0', () => {
      const found = timestamps(takeLines({ jitterSecondsMax: 5, timestampAt: () => 2 }, 1000));
      expect(Math.min(...found)).to.equal(0);
    });
  });
});
