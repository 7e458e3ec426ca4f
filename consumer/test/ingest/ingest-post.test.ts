import fs from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { Ingest } from '#consumer/ingest/ingest.js';
import type { PostAnswer } from '#consumer/ingest/protocol.js';
import { SCAN_BYTES_MAX } from '#consumer/scan/scanner.js';
import { READ_BYTES_MIN } from '#consumer/sources/read-size.js';
import { EventTimeFront } from '#consumer/tally/event-time-front.js';
import { event, holdFifo, makeFifo, writeFifo } from '../support/fifo-writer.js';
import { POOL_OPTIONS, TESTED_SCANNER } from '../support/pool-options.js';
import { Service } from '../support/service.js';
import { useTempDir } from '../support/temp-dir.js';

const LINE = event('posted', 'w');
/** Some dozens of pieces, of which one is counted a turn. */
const LINES = 300_000;

const bodyOf = (lines: number) => new Uint8Array(Buffer.from(LINE.repeat(lines)));
const accountOf = (accepted: number): PostAnswer => ({
  kind: 'post',
  accepted,
  blank: 0,
  rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
});

describe('a posted body of many pieces', () => {
  const dir = useTempDir();
  let ingest: Ingest;
  let ended: string[];
  /** By so much the clock goes on each time that it is looked at. */
  let ticksSeconds: number;

  beforeEach(() => {
    ended = [];
    ticksSeconds = 0;
    let seconds = 1;
    const clock = {
      now: () => 1,
      monotonicSeconds: () => {
        seconds += ticksSeconds;
        return seconds;
      },
    };
    ingest = new Ingest(POOL_OPTIONS, new EventTimeFront(), clock, {
      onOpened: () => {},
      onEnded: (name) => ended.push(name),
      onFault: () => {},
    });
  });

  const stats = () => {
    const answer = ingest.answer({ kind: 'stats' });
    if (answer.kind !== 'stats') throw new Error('no stats');
    return answer;
  };
  const linesOf = (source: string) => stats().sources[source]?.lines ?? 0;

  for (const [how, ticks, pieceBytes] of [
    ['quickly', 1e-6, TESTED_SCANNER === 'simd' ? SCAN_BYTES_MAX : READ_BYTES_MIN],
    ['slowly', 1, READ_BYTES_MIN],
  ] as const) {
    it(`that are counted ${how} is counted a piece of ${pieceBytes} bytes a turn, and a question is answered in between`, async () => {
      ticksSeconds = ticks;
      const answer = ingest.post({ kind: 'post', lines: bodyOf(LINES) });
      const seen = new Set<number>();
      while (stats().accepted < LINES) {
        seen.add(stats().accepted);
        await nextTurn();
      }
      expect(await answer).to.deep.equal(accountOf(LINES));
      // Before the first piece no pace is known.
      const pieces = 1 + Math.ceil((LINES * LINE.length - READ_BYTES_MIN) / pieceBytes);
      expect(seen.size, 'moments in the middle').to.be.within(pieces - 1, pieces + 1);
    });
  }

  it('lets a FIFO have its turns', async () => {
    const fifo = `${dir.path}/a.fifo`;
    makeFifo(fifo);
    const held = holdFifo(fifo);
    await writeFifo(fifo, event('read'));
    const answer = ingest.post({ kind: 'post', lines: bodyOf(LINES) });
    ingest.open('a.fifo', Buffer.from(fifo));
    while (linesOf('a.fifo') === 0 && linesOf('POST /events') < LINES) await nextTurn();
    expect(linesOf('a.fifo')).to.equal(1);
    expect(linesOf('POST /events')).to.be.below(LINES);
    await answer;
    await ingest.stop();
    await pWaitFor(() => ended.length === 1);
    fs.closeSync(held);
  });

  for (const [when, turns] of [
    ['before its first piece', 0],
    ['in its middle', 3],
  ] as const) {
    it(`is counted to its end and answered when the thread stops ${when}`, async () => {
      const first = ingest.post({ kind: 'post', lines: bodyOf(LINES) });
      const second = ingest.post({ kind: 'post', lines: bodyOf(1) });
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      expect(stats().accepted).to.be.below(LINES);
      await ingest.stop();
      expect(stats().accepted).to.equal(LINES + 1);
      expect(await first).to.deep.equal(accountOf(LINES));
      expect(await second).to.deep.equal(accountOf(1));
    });
  }
});

describe('POST /events with a large body', () => {
  const BODY = 4 * 2 ** 20;
  const lines = 8 * Math.floor(BODY / 8 / LINE.length);
  const body = LINE.repeat(lines);
  let service: Service;
  beforeEach(async () => {
    service = new Service({ ingestToken: 'token', postBytesMax: BODY });
    await service.open();
  });
  afterEach(() => service.close());

  const post = async () => {
    const headers = { 'Content-Type': 'text/plain', Authorization: 'Bearer token' };
    const response = await service.fetch('/events', { method: 'POST', headers, body });
    return { status: response.status, accepted: ((await response.json()) as PostAnswer).accepted };
  };

  it('lets others be answered meanwhile', async () => {
    let posted = 0;
    let inTheMiddle = false;
    while (!inTheMiddle) {
      let isAnswered = false;
      const answer = post().finally(() => {
        isAnswered = true;
      });
      while (!isAnswered && !inTheMiddle) {
        const { posted: counted = 0 } = await service.get<{ posted?: number }>(
          '/events/countByEventType',
        );
        inTheMiddle = counted > posted && counted < posted + lines;
      }
      expect(await answer).to.deep.equal({ status: 200, accepted: lines });
      posted += lines;
      expect(await service.get('/events/countByEventType')).to.deep.equal({ posted });
    }
  });

  it('is answered when the threads are told to stop', async () => {
    const { ingest } = service;
    const some = lines / 8; // a thread that takes long to stop is ended
    const answer = ingest.post(bodyOf(some));
    await ingest.stop();
    expect(await answer).to.deep.equal(accountOf(some));
  });
});
