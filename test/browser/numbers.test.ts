import fs from 'node:fs';
import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { event, holdFifo, makeFifo } from '../../consumer/dist-test/support/fifo-writer.js';
import { Service } from '../../consumer/dist-test/support/service.js';
import { useBrowser } from './support/browser.js';
import { type ListDocument, type TestPage, WAIT } from './support/test-page.js';

const ROUTES = { types: '/events/countByEventType', words: '/events/countWords' } as const;
const now = () => Math.floor(Date.now() / 1000);

describe('the numbers of the live page', () => {
  const browser = useBrowser();
  const service = Service.use({ eventTypesMax: 50, wordsMax: 500 });
  const url = (query = '') => `http://127.0.0.1:${service().port}/${query}`;

  async function expectApiNumbers(page: TestPage, query = ''): Promise<void> {
    for (const kind of ['types', 'words'] as const) {
      const path = `${ROUTES[kind]}?format=list&limit=100${query}`;
      await page.expectList(kind, () => service().get<ListDocument>(path), query.slice(1));
    }
  }

  it('are the API’s at the same batch, and move while events come', async () => {
    const page = await browser.open(url());
    let batch = 0;
    for (const [round, text] of ['a b', 'a c c', 'd d d d'].entries()) {
      await service().read(event(`type-${round}`, text, now()) + event('always', 'x', now()));
      await expectApiNumbers(page);
      const shown = await page.list('types');
      expect(shown.batch).to.be.greaterThan(batch);
      batch = shown.batch;
    }
    expect((await page.list('types')).rows).to.deep.equal([
      ['always', 3],
      ['type-0', 1],
      ['type-1', 1],
      ['type-2', 1],
    ]);
    const data = page.page.locator('#accepted data');
    expect(await data.getAttribute('value')).to.equal('6');
  });

  it('are of one moment: as many events by type as were accepted', async () => {
    const page = await browser.open(url());
    for (let round = 0; round < 5; round++) {
      const { batch } = await page.list('types');
      await service().read(event('always', 'x', now()).repeat(100 + round));
      await pWaitFor(async () => (await page.list('types')).batch > batch, WAIT);
      const moment = await page.page.evaluate(() => {
        const values = (selector: string) =>
          Array.from(document.querySelectorAll<HTMLDataElement>(selector), (data) =>
            Number(data.value),
          );
        return {
          batches: Array.from(document.querySelectorAll('[data-batch]'), (element) =>
            element.getAttribute('data-batch'),
          ),
          accepted: values('#accepted data')[0],
          types: values('#types tbody data').reduce((sum, value) => sum + value, 0),
        };
      });
      expect(new Set(moment.batches)).to.have.property('size', 1);
      expect(moment.types).to.equal(moment.accepted);
    }
  });

  it('are the API’s in every window', async () => {
    await service().read(event('just-now', 'fresh', now()) + event('earlier', 'old', now() - 300));
    const page = await browser.open(url());
    const streams: string[] = [];
    page.page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      searchParams.delete('limit');
      if (pathname === '/events/stream') streams.push(String(searchParams));
    });
    for (const [label, query] of [
      ['Last minute', '&window=60s'],
      ['Last full minute', '&window=1m&align=true'],
      ['10 minutes', '&window=10m'],
      ['Last hour', '&window=1h'],
      ['Last full hour', '&window=1h&align=true'],
      ['All-time', ''],
    ] as const) {
      await page.page.getByRole('link', { name: label, exact: true }).click();
      await expectApiNumbers(page, query);
      const [, search = ''] = page.page.url().split('?');
      expect(search).to.equal(query.slice(1));
      expect(streams.at(-1)).to.equal(search);
    }
  });

  it('have late and ahead events when there are any', async () => {
    await service().read(event('old', '', now() - 100_000) + event('future', '', now() + 10_000));
    const page = await browser.open(url());
    await page.waitForText('#late .number', '1');
    await page.waitForText('#ahead .number', '1');
  });

  it('are charted by type, second by second', async () => {
    const page = await browser.open(url('?window=60s'));
    await service().read(event('always', 'x', now() - 5).repeat(30));
    await page.waitForText('#legend', /always/);
    const colours = async () =>
      await page.page.locator('#chart canvas').evaluate((element) => {
        const { width, height } = element as HTMLCanvasElement;
        const copy = new OffscreenCanvas(width, height).getContext('2d')!;
        copy.drawImage(element as HTMLCanvasElement, 0, 0);
        const { data } = copy.getImageData(0, 0, width, height);
        const found: Record<string, number> = {};
        for (let i = 0; i < data.length; i += 4) {
          const colour = `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`;
          found[colour] = (found[colour] ?? 0) + 1;
        }
        return found;
      });
    const swatch = page.page.locator('#legend li', { hasText: 'always' }).locator('.swatch');
    const colour = await swatch.evaluate((element) => getComputedStyle(element).backgroundColor);
    await pWaitFor(async () => ((await colours())[colour] ?? 0) > 100, WAIT);
    // A bar moves left with each second: the same picture twice is a chart that stands still.
    const picture = () =>
      page.page
        .locator('#chart canvas')
        .evaluate((element) => (element as HTMLCanvasElement).toDataURL());
    const before = await picture();
    await pWaitFor(async () => (await picture()) !== before, WAIT);
  });

  context('of a stream that flows', () => {
    const flowing = Service.use();
    let fd: number;
    let timer: NodeJS.Timeout;
    before(() => {
      makeFifo(flowing().file('events-a.fifo'));
      fd = holdFifo(flowing().file('events-a.fifo'));
      timer = setInterval(() => fs.writeSync(fd, `${event('always', 'x', now())}{ "\n`), 100);
    });
    after(() => {
      clearInterval(timer);
      fs.closeSync(fd);
    });

    it('tell events a second, shares and sources', async () => {
      const page = await browser.open(`http://127.0.0.1:${flowing().port}/`);
      await page.waitForText('#rate', /^[1-9]\d*\.\d$/);
      await page.waitForText('#state-text', 'Counting');
      await page.waitForText('#rejected .note', '50.0%');
      await page.waitForText('#sources-summary', '1 source: open');
      expect(await page.isVisible('#late')).to.equal(false);
      await page.page.locator('#sources-summary').click();
      expect(await page.text('#sources')).to.match(/^events-a\.fifo\s+open/);
    });
  });
});
