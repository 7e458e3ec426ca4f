import fs from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import type { KeyKind } from '#consumer/tally/key-table.js';
import { startConsumer } from '../../support/consumer-process.js';
import { event, makeFifo, writeFifo } from '../../support/fifo-writer.js';
import { BAD_PARAMETER, expectProblem, UNAVAILABLE } from '../../support/problem.js';
import { Service } from '../../support/service.js';
import { closeStreams, type StreamDocument, StreamReader } from '../../support/stream-reader.js';
import { useTempDir } from '../../support/temp-dir.js';

const WAIT = { interval: 10, timeout: 20_000 };
const MEBIBYTE = 2 ** 20;
/** The ingest thread takes it for a broken invariant and ends. */
const POISON = 'nonsense' as KeyKind;

/** Its frames are of about two megabytes: a few of them fill the buffers of a connection. */
const LARGE_FRAMES = { wordsMax: 10_000, keyBytesMax: 256, lineBytesMax: 4 * MEBIBYTE };
const manyWords = event(
  'a',
  Array.from({ length: 10_000 }, (_, i) => `${i}`.padEnd(200, 'x')).join(' '),
);
const LARGE_QUERY = '?of=words&limit=10000&interval=250ms';

/** Counts how often a service's streams have its threads asked. */
function countQuestions({ ingest }: Service): { snapshots: number; stats: number } {
  const snapshot = ingest.snapshot.bind(ingest);
  const stats = ingest.stats.bind(ingest);
  const asked = { snapshots: 0, stats: 0 };
  ingest.snapshot = (...question) => {
    asked.snapshots++;
    return snapshot(...question);
  };
  ingest.stats = () => {
    asked.stats++;
    return stats();
  };
  return asked;
}

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}

describe('GET /events/stream', () => {
  afterEach(closeStreams);

  context('when events come', () => {
    const service = Service.use();
    const open = (query = '', headers = {}) => StreamReader.open(service().port, query, headers);
    before(() => service().read(event('a', 'x y x') + event('b')));

    it('sends a snapshot at once, as it answers the counts', async () => {
      const reader = await open('?interval=60s');
      const { headers } = reader.response;
      expect(headers['content-type']).to.equal('text/event-stream; charset=utf-8');
      expect(headers['cache-control']).to.equal('no-cache, no-transform');
      expect(headers['x-accel-buffering']).to.equal('no');
      expect(headers['x-content-type-options']).to.equal('nosniff');
      expect(headers).not.to.have.property('content-encoding');
      const { batch, at, stats, ...lists } = await reader.waitFor();
      expect(lists).to.deep.equal({
        types: await service().get('/events/countByEventType?format=list'),
        words: await service().get('/events/countWords?format=list'),
      });
      expect(stats).to.deep.include({ batch, lines: 2, accepted: 2 });
      expect(batch).to.equal(lists.types?.batch);
      expect(at).to.be.a('number');
      expect(reader.events[0]).to.include({ event: 'counts', id: String(batch) });
      expect(reader.retries).to.deep.equal([2000]);
    });

    it('does not compress, whatever the client takes', async () => {
      const reader = await open('', { 'Accept-Encoding': 'gzip, br, zstd' });
      expect(reader.response.headers).not.to.have.property('content-encoding');
      await reader.waitFor();
    });

    it('sends a whole snapshot to a client that was here before', async () => {
      const { batch } = await (await open()).waitFor();
      const reader = await open('', { 'Last-Event-ID': String(batch) });
      expect(await reader.waitFor()).to.deep.include({ batch });
    });

    it('sends what was asked for', async () => {
      await service().read('{"event_type":"a","data":"","timestamp":2,"value":2.5}\n');
      const query = 'window=10s&until=10&limit=1';
      const reader = await open(`?of=sums,types&${query}`);
      const { types, words, sums } = await reader.waitFor();
      expect(words).to.equal(undefined);
      expect(types).to.deep.equal(
        await service().get(`/events/countByEventType?format=list&${query}`),
      );
      expect(sums).to.deep.equal(
        await service().get(`/events/sumByEventType?format=list&${query}`),
      );
    });

    it('sends the next one when the counts have changed', async () => {
      const reader = await open('?interval=250ms');
      const before = await reader.waitFor();
      await service().read(event('c'));
      const { types, stats } = await reader.waitFor(({ batch }) => batch > before.batch);
      expect(types?.counts).to.deep.include({ key: 'c', count: 1 });
      expect(stats.lines).to.equal(before.stats.lines + 1);
    });

    it('tells when a window that ends now has emptied', async () => {
      const reader = await open('?interval=250ms&window=3s&of=types');
      await reader.waitFor();
      await service().read(event('e', '', Math.floor(Date.now() / 1000) - 1));
      const { batch } = await reader.waitFor(({ types }) => types?.total === 1);
      await reader.waitFor(({ types }) => types?.total === 0);
      expect(reader.documents.at(-1)?.batch).to.equal(batch);
    });

    it('tells when an event ahead of the clock comes into a window, and leaves it', async () => {
      const reader = await open('?interval=250ms&window=2s&of=types');
      await reader.waitFor();
      const time = Math.floor(Date.now() / 1000) + 3;
      await service().read(event('f', '', time));
      const { batch } = await reader.waitFor(({ stats }) => stats.last_event_time === time);
      await reader.waitFor(({ types }) => types?.total === 1);
      await reader.waitFor(({ types }) => types?.total === 0);
      expect(reader.documents.at(-1)?.batch).to.equal(batch);
    });

    it('tells when a source is gone', async () => {
      const fifo = service().file('gone.fifo');
      makeFifo(fifo);
      const stateOf = ({ stats }: StreamDocument) =>
        stats.sources.find(({ name }) => name === 'gone.fifo')?.state;
      const reader = await open('?interval=250ms&of=types');
      const { batch } = await reader.waitFor((document) => stateOf(document) === 'open');
      fs.rmSync(fifo);
      expect(await reader.waitFor((document) => stateOf(document) === 'gone')).to.include({
        batch,
      });
    });

    it('answers HEAD with the headers alone', async () => {
      const response = await service().fetch('/events/stream', { method: 'HEAD' });
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
      expect(response.headers.get('cache-control')).to.equal('no-cache, no-transform');
      expect(await response.text()).to.equal('');
      expect(service().streams.clients).to.equal(0);
    });

    for (const [query, parameter] of [
      ['interval=249ms', 'interval'],
      ['interval=61s', 'interval'],
      ['interval=1m', 'interval'],
      ['interval=0.5s', 'interval'],
      ['interval=', 'interval'],
      ['of=', 'of'],
      ['of=types,', 'of'],
      ['of=types,types', 'of'],
      ['of=bytes', 'of'],
      ['of=types&of=words', 'of'],
      ['kinds=types', 'kinds'],
      ['format=list', 'format'],
      ['window=3h', 'window'],
      ['until=latest', 'until'],
      ['limit=0', 'limit'],
    ] as const) {
      for (const method of ['GET', 'HEAD']) {
        it(`refuses ${query} to ${method}`, async () => {
          const response = await service().fetch(`/events/stream?${query}`, { method });
          expect(response.status).to.equal(400);
          if (method === 'HEAD') return;
          expect(await expectProblem(response, BAD_PARAMETER)).to.include({ parameter });
        });
      }
    }

    for (const interval of ['250ms', '60s', '60000ms', '1s']) {
      it(`takes interval=${interval}`, async () => {
        await (await open(`?interval=${interval}`)).waitFor();
      });
    }
  });

  context('when nothing happens', () => {
    const service = Service.use();
    // A source that is there would become idle.
    before(async () => {
      await service().read(event('a', 'x') + event('b', '', 2), 'a.fifo');
      fs.rmSync(service().file('a.fifo'));
      await pWaitFor(
        async () => (await service().ingest.stats()).sources[0]?.state === 'gone',
        WAIT,
      );
    });

    for (const query of [
      '',
      '&window=60s&until=now',
      '&window=60s&until=latest',
      '&window=60s&until=2',
      '&window=1m&align=true',
    ]) {
      it(`sends and counts nothing for interval=250ms${query}`, async () => {
        const reader = await StreamReader.open(service().port, `?interval=250ms${query}`);
        await reader.waitFor();
        const asked = countQuestions(service());
        // Each interval it looks; a whole second has passed, so that a window that ends now has moved.
        await pWaitFor(() => asked.stats >= 6, WAIT);
        expect(asked.snapshots).to.equal(0);
        expect(reader.events).to.have.lengthOf(1);
      });
    }
  });

  context('when a window is beyond what can be answered', () => {
    const service = Service.use({ retentionSeconds: 60 });
    const now = Math.floor(Date.now() / 1000);
    const query = `?window=60s&until=${now - 600}&interval=250ms`;
    const open = () => StreamReader.open(service().port, query);

    it('tells later, and ends the stream; then refuses before it begins', async () => {
      await service().read(event('a', '', now - 600));
      const readers = await Promise.all([open(), open()]);
      await Promise.all(readers.map((reader) => reader.waitFor()));
      await service().read(event('a', '', now));
      await Promise.all(readers.map((reader) => reader.end()));
      const response = await service().fetch(`/events/stream${query}`);
      const problem = await expectProblem(response, BAD_PARAMETER);
      expect(problem).to.include({ parameter: 'until', value: String(now - 600) });
      const head = await service().fetch(`/events/stream${query}`, { method: 'HEAD' });
      expect(head.status).to.equal(400);
      for (const reader of readers) {
        expect(reader.response.complete).to.equal(true);
        const last = reader.events.at(-1);
        expect(last?.event).to.equal('problem');
        expect(JSON.parse(last?.data as string)).to.deep.equal(problem);
      }
      await pWaitFor(() => service().streams.clients === 0, WAIT);
    });
  });

  context('when a hundred clients ask', () => {
    const service = Service.use();

    it('computes once for all, and refuses the next one until one has left', async () => {
      await service().read(event('a'));
      const { port, streams } = service();
      const readers = await Promise.all(
        Array.from({ length: 100 }, () => StreamReader.open(port, '?interval=250ms')),
      );
      await Promise.all(readers.map((reader) => reader.waitFor()));
      expect(streams.clients).to.equal(100);

      const refused = await service().fetch('/events/stream');
      await expectProblem(refused, UNAVAILABLE);
      expect(Number(refused.headers.get('retry-after'))).to.be.above(0);
      const head = await service().fetch('/events/stream', { method: 'HEAD' });
      expect(head.status).to.equal(503);
      expect(head.headers.get('retry-after')).to.equal(refused.headers.get('retry-after'));

      for (let i = 0; i < 3; i++) {
        await service().read(event('b'));
        const documents = await Promise.all(
          readers.map((reader) => reader.waitFor(({ stats }) => stats.accepted === i + 2)),
        );
        // One snapshot tells all of them the time at which it was made.
        expect(new Set(documents.map(({ at }) => at)).size).to.equal(1);
      }

      readers[0]?.close();
      await pWaitFor(() => streams.clients === 99, WAIT);
      expect((await service().fetch('/events/stream', { method: 'HEAD' })).status).to.equal(200);
      await (await StreamReader.open(port)).waitFor();
    });
  });

  context('when clients ask different things', () => {
    const service = Service.use();

    it('gives each what it asked for, and as often', async () => {
      await service().read(event('a', 'x'));
      const { port } = service();
      const [often, seldom, words] = await Promise.all(
        ['?interval=250ms&of=types', '?interval=60s&of=types', '?interval=250ms&of=words'].map(
          (query) => StreamReader.open(port, query),
        ),
      );
      await Promise.all([often, seldom, words].map((reader) => reader?.waitFor()));
      await service().read(event('a', 'x'));
      expect((await often?.waitFor(({ types }) => types?.total === 2))?.words).to.equal(undefined);
      expect((await words?.waitFor(({ stats }) => stats.accepted === 2))?.words?.total).to.equal(2);
      expect(seldom?.events).to.have.lengthOf(1);
    });
  });

  context('when clients ask for the same counts in different manners', () => {
    const service = Service.use();

    it('has them counted once for all of them', async () => {
      await service().read(event('a') + event('b') + event('b'));
      const { port } = service();
      const queries = [...Array(20).keys()].map((i) => `?limit=${i + 1}&interval=${250 + i}ms`);
      // The largest limit is the first that is asked for.
      const readers = await Promise.all(
        queries.reverse().map((query) => StreamReader.open(port, query)),
      );
      const first = await Promise.all(readers.map((reader) => reader.waitFor()));
      expect(first.map(({ types }) => types?.counts.length)).to.deep.equal([
        ...Array(19).fill(2),
        1,
      ]);
      expect(new Set(first.map(({ types }) => types?.total))).to.deep.equal(new Set([3]));

      const asked = countQuestions(service());
      await service().read(event('c'));
      const next = await Promise.all(
        readers.map((reader) => reader.waitFor(({ stats }) => stats.accepted === 4)),
      );
      expect(new Set(next.map(({ at }) => at)).size).to.be.below(readers.length);
      expect(asked.snapshots).to.be.below(readers.length);
    });
  });

  context('when one reads slowly', () => {
    const service = Service.use(LARGE_FRAMES);

    it('skips frames for that one alone, and gives it the newest once it reads', async () => {
      const { port, streams } = service();
      await service().read(manyWords);
      const slow = await StreamReader.open(port, LARGE_QUERY);
      slow.response.pause();
      const fast = await StreamReader.open(port, LARGE_QUERY);
      let accepted = 1;
      const count = async () => {
        await service().read(event('a', '0'));
        accepted++;
        await fast.waitFor(({ stats }) => stats.accepted === accepted);
      };
      while (streams.framesSkipped < 3) await count();
      expect(fast.events).to.have.lengthOf(accepted);
      slow.response.resume();
      await slow.waitFor(({ stats }) => stats.accepted === accepted);
      expect(slow.events.length).to.equal(accepted - streams.framesSkipped);
      expect(streams.framesSent).to.equal(slow.events.length + fast.events.length);
      expect(slow.documents.at(-1)).to.deep.equal(fast.documents.at(-1));
    });
  });

  context('when heartbeats are due', () => {
    const service = Service.use({ ...LARGE_FRAMES, heartbeatMs: 20 });

    it('sends them as comments', async () => {
      const reader = await StreamReader.open(service().port);
      await pWaitFor(() => reader.comments.length >= 3, WAIT);
      expect(new Set(reader.comments)).to.deep.equal(new Set(['heartbeat']));
      expect(reader.events).to.have.lengthOf(1);
    });

    it('gives up a client that takes nothing any more', async () => {
      await service().read(manyWords);
      const dead = await StreamReader.open(service().port, LARGE_QUERY);
      dead.response.pause();
      const { streams } = service();
      await pWaitFor(async () => {
        await service().read(event('a', '0'));
        return streams.clients === 0;
      }, WAIT);
    });
  });

  context('when clients leave', () => {
    const service = Service.use(LARGE_FRAMES);

    it('keeps neither descriptors nor memory', async () => {
      v8.setFlagsFromString('--expose-gc');
      const collectGarbage = vm.runInNewContext('gc') as () => void;
      const { port, streams } = service();
      await service().read(manyWords);
      const round = async (paused: boolean) => {
        const readers = await Promise.all(
          Array.from({ length: 12 }, (_, i) =>
            StreamReader.open(port, `${LARGE_QUERY}&window=${i + 1}m`),
          ),
        );
        if (paused) for (const reader of readers) reader.response.pause();
        else await Promise.all(readers.map((reader) => reader.waitFor()));
        for (const reader of readers) reader.close();
        await pWaitFor(() => streams.clients === 0, WAIT);
      };
      await round(false);
      const descriptors = openDescriptors();
      collectGarbage();
      const { heapUsed, external } = process.memoryUsage();
      for (let i = 0; i < 20; i++) await round(i % 2 === 0);
      await pWaitFor(() => openDescriptors() <= descriptors, WAIT);
      await pWaitFor(() => {
        collectGarbage();
        const now = process.memoryUsage();
        return now.heapUsed + now.external - heapUsed - external < 10 * MEBIBYTE;
      }, WAIT);
    });

    it('forgets one that left before its first frame', async () => {
      const { ingest, streams, port } = service();
      const snapshot = ingest.snapshot.bind(ingest);
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      ingest.snapshot = async (...asked) => {
        await held;
        return snapshot(...asked);
      };
      const controller = new AbortController();
      const { signal } = controller;
      const request = fetch(`http://127.0.0.1:${port}/events/stream`, { signal }).catch(() => {});
      await pWaitFor(() => streams.clients === 1, WAIT);
      controller.abort();
      await request;
      release();
      await pWaitFor(() => streams.clients === 0, WAIT);
      ingest.snapshot = snapshot;
    });
  });

  context('when the ingest thread ends', () => {
    const service = Service.use();

    it('keeps the streams open, and goes on when it is back', async () => {
      makeFifo(service().file('a.fifo'));
      const reader = await StreamReader.open(service().port, '?interval=250ms');
      await reader.waitFor();
      await service()
        .ingest.counts(POISON, null)
        .catch(() => {});
      await pWaitFor(() => service().ingest.state === 'restarting', WAIT);
      await pWaitFor(() => service().ingest.state === 'running', WAIT);
      await writeFifo(service().file('a.fifo'), event('back'));
      const { types } = await reader.waitFor(({ stats }) => stats.accepted === 1);
      expect(types?.counts).to.deep.equal([{ key: 'back', count: 1 }]);
      expect(reader.hasEnded).to.equal(false);
    });
  });

  context('when no ingest thread is there yet', () => {
    const service = Service.use({ started: false, heartbeatMs: 20 });

    it('opens streams, and sends the first frame once one is', async () => {
      const readers = await Promise.all(
        ['?interval=60s', '?interval=60s', '?window=60s'].map((query) =>
          StreamReader.open(service().port, query),
        ),
      );
      for (const { response } of readers) expect(response.statusCode).to.equal(200);
      expect((await service().fetch('/events/stream', { method: 'HEAD' })).status).to.equal(200);
      await pWaitFor(() => readers.every(({ comments }) => comments.length >= 2), WAIT);
      expect(readers.flatMap(({ events }) => events)).to.deep.equal([]);
      service().ingest.start();
      for (const { stats } of await Promise.all(readers.map((reader) => reader.waitFor()))) {
        expect(stats.lines).to.equal(0);
      }
    });
  });

  context('when the server stops', () => {
    const dir = useTempDir();

    it('ends the streams, and exits', async () => {
      const consumer = await startConsumer(dir.path, { STREAM_CLIENTS_MAX: '2' });
      const readers = [
        await StreamReader.open(consumer.port),
        await StreamReader.open(consumer.port, '?interval=60s'),
      ];
      await Promise.all(readers.map((reader) => reader.waitFor()));
      const refused = await fetch(`http://127.0.0.1:${consumer.port}/events/stream`);
      await expectProblem(refused, UNAVAILABLE);
      expect(await consumer.end('SIGTERM')).to.equal(0);
      for (const reader of readers) {
        await reader.end();
        expect(reader.response.complete).to.equal(true);
      }
    });
  });
});
