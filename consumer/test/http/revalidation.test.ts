import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { event } from '../support/fifo-writer.js';
import { Service } from '../support/service.js';

const PATHS = [
  '/events/countByEventType',
  '/events/countWords?format=csv',
  '/events/sumByEventType?window=1h&until=latest',
  '/events/countWords?format=list',
  '/events/series?window=10s&until=latest',
  '/openapi.json',
  '/docs/swagger-ui.css',
];

const tagOf = (response: Response) => response.headers.get('etag') as string;

describe('revalidation', () => {
  const service = Service.use();
  before(() => service().read(event('a', 'x')));

  const ask = (path: string, tag: string, method = 'GET') =>
    service().fetch(path, { method, headers: { 'If-None-Match': tag } });

  for (const path of PATHS) {
    it(`gives an ETag, and 304 without a body to who has it: ${path}`, async () => {
      const response = await service().fetch(path);
      const tag = tagOf(response);
      expect(tag).to.match(/^"[^"]+"$/);
      expect(response.headers.get('cache-control')).to.equal('no-cache');
      for (const asked of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
        for (const method of ['GET', 'HEAD']) {
          const again = await ask(path, asked, method);
          expect(again.status).to.equal(304);
          expect(await again.text()).to.equal('');
          for (const name of ['etag', 'cache-control', 'vary']) {
            expect(again.headers.get(name)).to.equal(response.headers.get(name));
          }
          expect(again.headers.has('content-type')).to.equal(false);
        }
      }
    });

    it(`answers whoever has another: ${path}`, async () => {
      const text = await (await service().fetch(path)).text();
      const response = await ask(path, '"other"');
      expect(response.status).to.equal(200);
      expect(await response.text()).to.equal(text);
    });

    it(`gives HEAD the tag of GET: ${path}`, async () => {
      const head = await service().fetch(path, { method: 'HEAD' });
      expect(tagOf(head)).to.equal(tagOf(await service().fetch(path)));
    });
  }

  it('tells formats apart', async () => {
    const path = '/events/countWords';
    const json = await service().fetch(path);
    const csv = await service().fetch(path, { headers: { Accept: 'text/csv' } });
    expect(tagOf(csv)).not.to.equal(tagOf(json));
    expect((await ask(`${path}?format=csv`, tagOf(csv))).status).to.equal(304);
  });

  it('has no tag for a problem', async () => {
    const response = await ask('/events/countWords?limit=0', '*');
    expect(response.status).to.equal(400);
    expect(response.headers.has('etag')).to.equal(false);
  });

  it('has no tag for what is another each time', async () => {
    for (const path of ['/stats', '/livez', '/readyz']) {
      expect((await service().fetch(path)).headers.has('etag')).to.equal(false);
    }
  });

  context('when something has changed', () => {
    const changing = Service.use();

    it('answers again for another event, and in list form for a window that has moved on', async () => {
      const now = Math.floor(Date.now() / 1000);
      const total = '/events/countByEventType';
      const window = '/events/countByEventType?window=1s&until=latest';
      const list = '/events/countByEventType?window=60s&until=latest&format=list';
      await changing().read(event('a', '', now - 100));
      const before = await Promise.all([total, window, list].map((path) => changing().fetch(path)));
      await changing().read(event('a', '', now - 90));
      const after = await Promise.all(
        [total, window, list].map((path, i) =>
          changing().fetch(path, { headers: { 'If-None-Match': tagOf(before[i] as Response) } }),
        ),
      );
      // The flat counts of the newest second are the same: one event of type a.
      expect(after.map(({ status }) => status)).to.deep.equal([200, 304, 200]);
      expect(await (after[0] as Response).json()).to.deep.equal({ a: 2 });
    });

    it('answers again when a window until now has emptied without any event', async () => {
      const path = '/events/countWords?window=2s';
      const ask = async (tag = '') =>
        await changing().fetch(path, { headers: { 'If-None-Match': tag } });
      // Again when the clock's second has changed in between.
      const counted = await pWaitFor(async () => {
        await changing().read(event('a', 'w', Math.floor(Date.now() / 1000)));
        const response = await ask();
        return (await response.clone().text()) !== '{}\n' && pWaitFor.resolveWith(response);
      });
      const batch = async () => (await changing().get('/stats')).batch;
      const batchBefore = await batch();
      const response = await pWaitFor(async () => {
        const again = await ask(tagOf(counted));
        return again.status !== 304 && pWaitFor.resolveWith(again);
      });
      expect(response.status).to.equal(200);
      expect(await response.json()).to.deep.equal({});
      expect(await batch()).to.equal(batchBefore);
    });
  });
});
