import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { SharedAnswers } from '#consumer/http/shared-answers.js';
import type { IngestClient } from '#consumer/ingest/ingest-client.js';
import type { KeyKind } from '#consumer/tally/key-table.js';
import { event } from '../support/fifo-writer.js';
import { Service } from '../support/service.js';

const WAIT = { interval: 10, timeout: 20_000 };
/** The ingest thread takes it for a broken invariant and ends. */
const POISON = 'nonsense' as KeyKind;
const TOKEN = 'token';

/** Counts how often a service's threads are asked. */
function countQuestions({ ingest }: Service): { asked: number } {
  const questions = { asked: 0 };
  for (const name of ['counts', 'series', 'stats', 'snapshot', 'rejected'] as const) {
    const ask = ingest[name].bind(ingest) as (...question: unknown[]) => Promise<never>;
    ingest[name] = (...question: unknown[]) => {
      questions.asked++;
      return ask(...question);
    };
  }
  return questions;
}

const post = (service: Service, type: string) =>
  service.fetch('/events', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson', Authorization: `Bearer ${TOKEN}` },
    body: event(type),
  });

describe('answers that many ask for', function () {
  this.timeout(120_000);
  for (const path of [
    '/events/countByEventType',
    '/events/countWords?format=list',
    '/events/countWords?format=csv&limit=3',
    '/events/sumByEventType?window=2h&until=latest',
    '/events/series?window=10m&until=latest',
  ]) {
    context(path, () => {
      const service = Service.use({ ingestToken: TOKEN, wordsMax: 1000, eventTypesMax: 1000 });
      before(() => service().read(event('a', 'x y z') + event('b', 'x')));

      it('are made once for all, and kept while nothing is counted', async () => {
        const questions = countQuestions(service());
        const ask = async (method: string) => {
          const response = await service().fetch(path, { method });
          expect(response.status).to.equal(200);
          return { text: await response.text(), etag: response.headers.get('etag') };
        };
        const first = await ask('GET');
        expect(questions.asked).to.equal(1);
        const more = await Promise.all(
          Array.from({ length: 40 }, (_, i) => ask(i % 2 === 0 ? 'GET' : 'HEAD')),
        );
        expect(questions.asked).to.equal(1);
        for (const [i, { text, etag }] of more.entries()) {
          expect(text).to.equal(i % 2 === 0 ? first.text : '');
          expect(etag).to.equal(first.etag);
        }
      });
    });
  }

  context('when limits and formats differ', () => {
    const service = Service.use({ wordsMax: 1000, eventTypesMax: 1000 });
    const LIST = '/events/countWords?format=list&window=2h&until=latest';

    it('are made from the same counts, as long as nothing is counted', async () => {
      await service().read(event('a', 'x x y z'));
      const questions = countQuestions(service());
      const words = async (query: string) => {
        const { counts } = (await service().get(LIST + query)) as { counts: { key: string }[] };
        return counts.map(({ key }) => key);
      };
      expect(await words('')).to.deep.equal(['x', 'y', 'z']);
      expect(await words('&limit=1')).to.deep.equal(['x']);
      expect(await words('&limit=2')).to.deep.equal(['x', 'y']);
      expect(questions.asked).to.equal(1);
      await service().get('/events/countByEventType?window=2h&until=latest');
      await service().get('/events/countWords?window=1h&until=latest');
      expect(questions.asked).to.equal(3);
      await service().read(event('a', 'y y'));
      const before = questions.asked;
      expect(await words('&limit=1')).to.deep.equal(['y']);
      expect(questions.asked).to.equal(before + 1);
    });
  });

  context('while events come', () => {
    const service = Service.use({ ingestToken: TOKEN, eventTypesMax: 1000 });

    it('have what was counted before they were asked for', async () => {
      const path = '/events/countByEventType?limit=1000';
      let isOver = false;
      const crowd = Array.from({ length: 10 }, async () => {
        while (!isOver) await (await service().fetch(path)).text();
      });
      for (let i = 0; i < 10; i++) {
        expect((await post(service(), `type${i}`)).status).to.equal(200);
        expect(await service().get(path)).to.include({ [`type${i}`]: 1 });
      }
      isOver = true;
      await Promise.all(crowd);
    });
  });

  context('when they cost little', () => {
    const service = Service.use();

    for (const [path, question] of [
      ['/stats', 'stats'],
      ['/events/rejected', 'rejected'],
    ] as const) {
      it(`are made once for all who ask meanwhile: ${path}`, async () => {
        const { ingest, connections } = service();
        const ask = ingest[question].bind(ingest) as () => Promise<never>;
        let asked = 0;
        let release = () => {};
        const held = new Promise<void>((resolve) => {
          release = resolve;
        });
        ingest[question] = async () => {
          asked++;
          await held;
          return ask();
        };
        let requests = 0;
        const begin = connections.begin.bind(connections);
        connections.begin = (...request) => {
          requests++;
          return begin(...request);
        };
        const first = service().fetch(path);
        await pWaitFor(() => asked === 1, WAIT);
        const others = Array.from({ length: 20 }, () => service().fetch(path));
        await pWaitFor(() => requests === 21, WAIT);
        release();
        for (const response of await Promise.all([first, ...others])) {
          expect(response.status).to.equal(200);
        }
        expect(asked).to.equal(2);
        connections.begin = begin;
      });
    }
  });

  context('when the clock moves a window on', () => {
    const service = Service.use();

    it('are made anew each second', async () => {
      const now = Math.floor(Date.now() / 1000);
      await service().read(event('a', '', now));
      const questions = countQuestions(service());
      await service().get('/events/countByEventType?window=60s');
      await pWaitFor(async () => {
        await service().get('/events/countByEventType?window=60s');
        return questions.asked > 1;
      }, WAIT);
    });
  });

  context('when the ingest thread ends, and with it its counts', () => {
    const service = Service.use();

    it('are not those of before', async () => {
      await service().read(event('before'));
      expect(await service().get('/events/countByEventType')).to.deep.equal({ before: 1 });
      void service()
        .ingest.counts(POISON, null)
        .catch(() => {});
      await pWaitFor(() => service().ingest.state !== 'running', WAIT);
      expect((await service().fetch('/events/countByEventType')).status).to.equal(503);
      await pWaitFor(() => service().ingest.state === 'running', WAIT);
      expect(await service().get('/events/countByEventType')).to.deep.equal({});
    });
  });

  context('when they are too large together', () => {
    let made: string[];
    let answers: SharedAnswers;
    beforeEach(() => {
      made = [];
      answers = new SharedAnswers({ moment: 'always', answeringMs: 0 } as IngestClient, {
        keptBytesMax: 5000,
      });
    });

    const ask = (name: string, bytes: number) =>
      answers.get(name, null, { destroyed: false }, async () => {
        made.push(name);
        return Buffer.alloc(bytes, name);
      });

    it('are kept no longer, the one that was asked for least recently first', async () => {
      for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await ask(name, 1000);
      expect(made).to.deep.equal(['a', 'b', 'c', 'b']);
      await ask('larger', 5000);
      await ask('larger', 5000);
      expect(made.slice(4)).to.deep.equal(['larger', 'larger']);
    });

    it('are few, however small they are', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'f', 'a']) await ask(name, 2);
      expect(made).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'f', 'a']);
    });
  });

  context('when they are made one after another', () => {
    const rows: [what: string, before: number, spent: number, busy: number, rest: number][] = [
      ['twice as long as ingest threads have answered', 0, 100, 30, 200],
      ['and have answered others before', 100, 10, 30, 220],
      ['as long as an answer kept the main thread busy, where that is longer', 0, 10, 200, 200],
      ['up to a quarter of a second', 0, 10, 3000, 250],
    ];
    for (const [what, before, spent, busy, expected] of rows) {
      it(`leave time for reading, and for others: ${what}`, async () => {
        const ingest = { moment: null, answeringMs: 0 };
        let now = 0;
        let active = 0;
        const rests: number[] = [];
        const clock = { now: () => now, rest: async (ms: number) => void rests.push(ms) };
        const options = { clock, activeMs: () => active };
        const answers = new SharedAnswers(ingest as unknown as IngestClient, options);
        ingest.answeringMs += before;
        active += 1000; // others have kept it busy before
        await answers.run('a', { destroyed: false }, async () => {
          ingest.answeringMs += spent;
          active += busy;
          now += busy + 5000; // and it has waited for the threads
        });
        await pWaitFor(() => rests.length === 1, WAIT);
        expect(rests).to.deep.equal([expected]);
      });
    }

    it('know for how long an answer kept the main thread busy', async () => {
      const rests: number[] = [];
      const clock = { now: () => 0, rest: async (ms: number) => void rests.push(ms) };
      const ingest = { moment: null, answeringMs: 0 };
      const answers = new SharedAnswers(ingest as unknown as IngestClient, { clock });
      const activeMs = () => performance.eventLoopUtilization().active;
      await answers.run('a', { destroyed: false }, async () => {
        const begin = activeMs();
        while (activeMs() - begin < 10);
      });
      await pWaitFor(() => rests.length === 1, WAIT);
      expect(rests[0]).to.be.at.least(10);
    });

    it('leave time by what a thread that was started again tells', async () => {
      const ingest = { moment: null, answeringMs: 0 };
      let now = 0;
      const rests: number[] = [];
      const rest = async (ms: number) => {
        now += ms;
        rests.push(ms);
      };
      const options = { clock: { now: () => now, rest }, activeMs: () => 0 };
      const answers = new SharedAnswers(ingest as unknown as IngestClient, options);
      for (const answeringMs of [1000, 5, 15]) {
        await answers.run('a', { destroyed: false }, async () => {
          ingest.answeringMs = answeringMs;
        });
      }
      await pWaitFor(() => rests.length === 2, WAIT);
      expect(rests).to.deep.equal([2000, 20]);
    });
  });
});
