import fs from 'node:fs';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { event, makeFifo } from '../support/fifo-writer.js';
import { samples } from '../support/metrics.js';
import { expectProblem, UNAVAILABLE } from '../support/problem.js';
import { Service } from '../support/service.js';

/** Enough for several seconds of an ingest thread. */
const BUSY_WINDOWS = 3000;

const QUESTIONS = [
  '/events/countByEventType',
  '/events/countWords',
  '/events/sumByEventType?window=60s',
  '/events/series?window=60s',
  '/stats',
];

interface Readiness {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly reason?: string }>>;
}

/** Waits until /readyz has a status; resolves to its body. */
function waitForReadiness(service: Service, status: number): Promise<Readiness> {
  return pWaitFor(async () => {
    const response = await service.fetch('/readyz');
    const body = (await response.json()) as Readiness;
    return response.status === status && pWaitFor.resolveWith(body);
  });
}

describe('/livez', () => {
  const service = Service.use({ started: false });

  it('is 200 whatever the ingest thread does', async () => {
    const response = await service().fetch('/livez');
    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal({ status: 'alive' });
  });
});

describe('/readyz', () => {
  context('when the ingest thread reads', () => {
    const service = Service.use();

    it('is 200 without a FIFO', async () => {
      const response = await service().fetch('/readyz');
      expect(response.status).to.equal(200);
      expect(response.headers.get('cache-control')).to.equal('no-cache');
      expect(await response.json()).to.deep.equal({
        status: 'ready',
        checks: { ingest: { ok: true }, fifo_dir: { ok: true } },
      });
    });

    it('is 200 with a FIFO that is open, and with one that is gone', async () => {
      const fifo = service().file('events-b.fifo');
      const check = async () => (await waitForReadiness(service(), 200)).checks;
      makeFifo(fifo);
      await pWaitFor(async () => 'source events-b.fifo' in (await check()));
      expect((await check())['source events-b.fifo']).to.deep.equal({ ok: true });
      fs.rmSync(fifo);
      await pWaitFor(async () => (await check())['source events-b.fifo']?.reason !== undefined);
      expect((await check())['source events-b.fifo']?.ok).to.equal(true);
    });
  });

  context('when a regular file has the name of a FIFO', () => {
    const service = Service.use();

    it('is 503 and names it, until it is gone', async () => {
      fs.writeFileSync(service().file('events-x.fifo'), event('a'));
      const { status, checks } = await waitForReadiness(service(), 503);
      expect(status).to.equal('not ready');
      expect(checks).to.deep.include({ ingest: { ok: true }, fifo_dir: { ok: true } });
      expect(checks['source events-x.fifo']?.ok).to.equal(false);
      expect(checks['source events-x.fifo']?.reason).to.match(/^not a FIFO/);

      fs.rmSync(service().file('events-x.fifo'));
      await waitForReadiness(service(), 200);
    });
  });

  context('when the folder cannot be read', () => {
    const service = Service.use();

    it('is 503 and tells why, until it can', async () => {
      const { directory } = service();
      fs.rmdirSync(directory);
      fs.writeFileSync(directory, 'in its place');
      const { checks } = await waitForReadiness(service(), 503);
      expect(checks.ingest).to.deep.equal({ ok: true });
      expect(checks.fifo_dir?.ok).to.equal(false);
      expect(checks.fifo_dir?.reason).to.equal('EEXIST: file already exists');

      fs.rmSync(directory);
      await waitForReadiness(service(), 200);
    });
  });

  context('when the ingest thread was not started', () => {
    const service = Service.use({ started: false });

    it('is 503 and tells so', async () => {
      const response = await service().fetch('/readyz');
      expect(response.status).to.equal(503);
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
      expect(await response.json()).to.deep.equal({
        status: 'not ready',
        checks: { ingest: { ok: false, reason: 'an ingest thread is starting' } },
      });
    });
  });

  context('when the ingest thread was stopped', () => {
    const service = Service.use();

    it('is 503 and tells so', async () => {
      await service().ingest.stop();
      const { checks } = await waitForReadiness(service(), 503);
      expect(checks).to.deep.equal({
        ingest: { ok: false, reason: 'an ingest thread is stopped' },
      });
    });
  });
});

describe('an ingest thread that gives no answer', () => {
  const service = Service.use();

  it('is asked once, and told of to all who ask meanwhile', async () => {
    const { ingest } = service();
    const ask = ingest.stats.bind(ingest);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = 0;
    ingest.stats = async () => {
      asked++;
      await held;
      return ask();
    };
    const first = service().fetch('/readyz');
    await pWaitFor(() => asked === 1);
    const answers = await Promise.all([first, service().fetch('/readyz')]);
    expect(answers.map(({ status }) => status)).to.deep.equal([503, 503]);
    expect(asked).to.equal(1);
    release();
    await waitForReadiness(service(), 200);
  });
});

describe('/healthz', () => {
  const service = Service.use();

  it('says what /readyz says', async () => {
    for (const status of [200, 503]) {
      const { checks } = await waitForReadiness(service(), status);
      const response = await service().fetch('/healthz');
      expect(response.status).to.equal(status);
      expect(await response.json())
        .to.have.property('checks')
        .that.deep.equals(checks);
      await service().ingest.stop();
    }
  });
});

describe('an ingest thread that is busy for seconds', () => {
  const retentionSeconds = 168 * 3600;
  const service = Service.use({ retentionSeconds });
  before(async () => {
    const time = Math.floor(Date.now() / 1000);
    const aMinute = (_: unknown, minute: number) => event('a', '', time - 60 * minute);
    await service().read(Array.from({ length: 10_000 }, aMinute).join(''));
  });

  it('is told of by /readyz and /metrics meanwhile, and ready again later', async function () {
    this.timeout(300_000);
    // One answer, for which a bucket of each of ten thousand minutes is looked at again and again.
    const window = {
      windowSeconds: retentionSeconds,
      until: 'latest',
      alignSeconds: null,
      stepSeconds: 1,
    } as const;
    const kinds = Array<'types'>(BUSY_WINDOWS).fill('types');
    const answer = service()
      .ingest.snapshot(kinds, window)
      .catch(() => {});
    const [response, scrape] = await Promise.all([
      service().fetch('/readyz'),
      service().fetch('/metrics'),
    ]);
    const { checks } = (await response.json()) as Readiness;
    const metrics = samples(await scrape.text());

    expect(response.status).to.equal(503);
    expect(checks).to.deep.equal({
      ingest: { ok: false, reason: 'an ingest thread gave no answer in 1000 ms' },
    });
    expect(metrics.get('event_tally_ingest_running')).to.equal(0);
    expect(metrics.get('event_tally_ready')).to.equal(0);
    expect(metrics.get('event_tally_ingest_loop_utilization_ratio{thread="0"}')).to.be.above(0);

    await answer;
    await waitForReadiness(service(), 200);
  });
});

describe('a question that the ingest thread cannot answer', () => {
  const rows: [when: string, started: boolean, prepare: (service: Service) => unknown][] = [
    ['before it is started', false, () => {}],
    ['while it stops', true, (service) => void service.ingest.stop()],
    ['after it has stopped', true, (service) => service.ingest.stop()],
  ];
  for (const [when, started, prepare] of rows) {
    context(`when it comes ${when}`, () => {
      const service = Service.use({ started });
      before(() => prepare(service()));

      for (const path of QUESTIONS) {
        it(`gets 503 with Retry-After from ${path}`, async () => {
          const response = await service().fetch(path);
          expect(response.headers.get('retry-after')).to.match(/^[1-9]\d*$/);
          await expectProblem(response, UNAVAILABLE);
        });
      }

      it('leaves /livez at 200', async () => {
        expect((await service().fetch('/livez')).status).to.equal(200);
      });
    });
  }
});
