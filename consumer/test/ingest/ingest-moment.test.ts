import { expect } from 'chai';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';
import type { Counts } from '#consumer/ingest/ingest-client.js';
import type { WindowRequest } from '#consumer/tally/interval.js';
import { makeFifo } from '../support/fifo-writer.js';
import { COUNTS_PATHS, type Counted, type ListDocument } from '../support/plain-counts.js';
import { Service } from '../support/service.js';

const BEGIN = 1_509_604_913;
const KINDS = Object.keys(COUNTS_PATHS) as Counted[];
/** Event time of the streams, of which they never come to the end. */
const SECONDS = 7000;
const WINDOW: WindowRequest = {
  windowSeconds: SECONDS,
  until: BEGIN + SECONDS,
  alignSeconds: null,
  stepSeconds: 1,
};
/** So many rounds of questions at least, and until some have been of the same moment and some not. */
const ROUNDS_MIN = 20;

/** How many lines of each stream an answer has counted. */
type Lines = readonly number[];

/**
 * What each kind of answer says, told as lines: line i of stream s is an event of type ts, a millisecond
 * of event time after the line before it, with the word ws twice and the value 1.
 */
const LINES_OF_KEY = {
  types: ({ count }: { count: number }) => count,
  words: ({ count }: { count: number }) => count / 2,
  sums: ({ count }: { count: number }) => count,
};

function linesOf(of: Counted, counts: readonly { key: string; count: number }[]): Lines {
  const byKey = counts.map((each) => [Number(each.key.slice(1)), LINES_OF_KEY[of](each)] as const);
  const lines: number[] = [];
  for (const [stream, count] of byKey) lines[stream] = count;
  return Array.from(lines, (count) => count ?? 0);
}

const sum = (lines: Lines) => lines.reduce((total, count) => total + count, 0);

/** Answers by their batch number. */
class Moments {
  readonly #linesAt = new Map<number, Lines>();
  sameMoment = 0;

  add(what: string, batch: number, lines: Lines): void {
    const known = this.#linesAt.get(batch);
    if (known !== undefined) this.sameMoment++;
    this.#linesAt.set(batch, known ?? lines);
    expect(lines, `${what} at batch ${batch}`).to.deep.equal(known ?? lines);
  }

  get count(): number {
    return this.#linesAt.size;
  }

  /** In the order of their batches, no stream has fewer lines than before. */
  expectOrder(): void {
    let before: Lines = [];
    for (const [batch, lines] of [...this.#linesAt].sort(([a], [b]) => a - b)) {
      for (const [stream, count] of before.entries()) {
        expect(lines[stream] ?? 0, `lines of stream ${stream} at batch ${batch}`).to.be.at.least(
          count,
        );
      }
      before = lines;
    }
  }
}

for (const workers of [1, 2, 4]) {
  describe(`answers of ${workers} threads that read all the time`, () => {
    let service: Service;
    let streams: ReturnType<typeof startStream>[];

    const startStream = (stream: number) => {
      const fifo = service.file(`${stream}.fifo`);
      makeFifo(fifo);
      const line = `{"event_type":"t${stream}","data":"w${stream} w${stream}","timestamp":%.3f,"value":1}`;
      const script = 'exec seq -f "$1" "$2" 0.001 "$3" > "$0"';
      return execa('sh', ['-c', script, fifo, line, `${BEGIN}`, `${BEGIN + SECONDS}`], {
        reject: false,
      });
    };

    beforeEach(async () => {
      service = new Service({ ingestWorkers: workers });
      await service.open();
      streams = Array.from({ length: workers }, (_, i) => startStream(i));
      await pWaitFor(async () => {
        const { sources } = await service.ingest.stats();
        return sources.length === workers && sources.every(({ lines }) => lines > 0);
      });
    });
    afterEach(async () => {
      for (const stream of streams) stream.kill();
      await Promise.all(streams);
      await service.close();
    });

    it('speak of one moment where they have the same batch, of a later one where it is larger', async () => {
      const moments = new Moments();
      const addCounts = (of: Counted, { batch, keys }: Counts) => {
        moments.add(of, batch, linesOf(of, keys));
      };
      const addList = (document: ListDocument) => {
        moments.add(
          `list of ${document.of}`,
          document.batch,
          linesOf(document.of, document.counts),
        );
      };
      const lists = KINDS.flatMap((of) => [
        `${COUNTS_PATHS[of]}?format=list`,
        `${COUNTS_PATHS[of]}?format=list&window=${SECONDS}s&until=${BEGIN + SECONDS}`,
      ]);
      const { ingest } = service;
      for (
        let round = 0;
        round < ROUNDS_MIN || moments.sameMoment === 0 || moments.count < 10;
        round++
      ) {
        await Promise.all([
          ...KINDS.map(async (of) => addCounts(of, await ingest.counts(of, null))),
          ...KINDS.map(async (of) => addCounts(of, await ingest.counts(of, WINDOW))),
          ...lists.map(async (path) => addList(await service.get<ListDocument>(path))),
          ingest
            .snapshot(['types'], null)
            .then(({ counts }) => addCounts('types', counts[0] as Counts)),
        ]);
      }
      moments.expectOrder();
    });

    it('to a snapshot agree with its stats, to the line', async () => {
      for (let round = 0; round < ROUNDS_MIN; round++) {
        const window = round % 2 === 0 ? null : WINDOW;
        const { stats, counts } = await service.ingest.snapshot(KINDS, window);
        const lines = linesOf('types', (counts[0] as Counts).keys);
        expect(sum(lines)).to.equal(stats.accepted).and.to.equal(stats.lines);
        expect(stats.sources.reduce((total, source) => total + source.lines, 0)).to.equal(
          stats.lines,
        );
        for (const [i, of] of KINDS.entries()) {
          const { batch, keys } = counts[i] as Counts;
          expect(batch, of).to.equal(stats.batch);
          expect(linesOf(of, keys), of).to.deep.equal(lines);
        }
        const newest = Math.round((stats.lastEventTime as number) * 1000);
        expect(newest, 'the newest event').to.equal(BEGIN * 1000 + Math.max(...lines) - 1);
      }
    });
  });
}
