import { expect } from 'chai';
import { event } from '../../consumer/dist-test/support/fifo-writer.js';
import { Service } from '../../consumer/dist-test/support/service.js';
import { useBrowser } from './support/browser.js';
import type { ListDocument } from './support/test-page.js';

/** 2017-11-02 06:41:53 UTC */
const LONG_AGO = 1_509_604_913;

describe('the windows of the live page', () => {
  const browser = useBrowser();

  context('when the newest event is long ago', () => {
    const service = Service.use();
    const url = (query = '') => `http://127.0.0.1:${service().port}/${query}`;
    before(() =>
      service().read(
        event('early', 'x', LONG_AGO - 120) + event('newest', 'x', LONG_AGO).repeat(2),
      ),
    );

    it('offer the window until the newest event, which then shows it', async () => {
      const page = await browser.open(url('?window=60s'));
      await page.waitForText('#types .empty', 'No types in this window.');
      await page.waitForText('#proposal', /2017-11-02 06:41:53 UTC/);
      await page.page.locator('#proposed').click();
      await page.waitForText('#types tbody .key', 'newest');
      expect(new URL(page.page.url()).search).to.equal('?window=60s&until=latest');
      expect(await page.isVisible('#proposal')).to.equal(false);
      await page.waitForText('#interval', /^2017-11-02 06:40:54 – 06:41:54 UTC/);
      await page.expectList(
        'types',
        () =>
          service().get<ListDocument>(
            '/events/countByEventType?window=60s&until=latest&format=list',
          ),
        'window=60s&until=latest',
      );
    });

    it('are in the address: a view can be opened, shared, and gone back from', async () => {
      const page = await browser.open(url('?window=10m&until=latest'));
      const current = () =>
        page.page
          .locator('nav.view [aria-current]')
          .evaluateAll((links) =>
            links.filter((link) => link.checkVisibility()).map(({ textContent }) => textContent),
          );
      expect(await current()).to.deep.equal(['10 minutes', 'until the newest event']);
      await page.waitForText('#types tbody tr:first-child data', '2');
      await page.page.getByRole('link', { name: 'All-time' }).click();
      await page.waitForText('#interval', 'All events since the start');
      expect(new URL(page.page.url()).search).to.equal('');
      expect(await current()).to.deep.equal(['All-time']);
      await page.page.goBack();
      await page.waitForText('#interval', /^2017-11-02/);
      expect(await current()).to.deep.equal(['10 minutes', 'until the newest event']);
    });

    it('may end at a given time', async () => {
      const page = await browser.open(url(`?window=1m&until=${LONG_AGO - 119}`));
      await page.waitForText('#types tbody .key', 'early');
      await page.waitForText('#untils [aria-current]', `until ${LONG_AGO - 119}`);
    });

    it('that reach back too far are refused in words, and others can be chosen', async () => {
      const page = await browser.open(url('?window=1h&until=0'));
      page.allowFailedRequests(); // of the answers with status 400
      await page.waitForText('#problem', /^until reaches back too far/);
      expect(await page.isVisible('#types')).to.equal(false);
      await page.page.getByRole('link', { name: 'All-time' }).click();
      await page.waitForText('#types tbody tr:first-child .key', 'newest');
      expect(await page.isVisible('#problem')).to.equal(false);
    });

    it('that are refused are not asked for again each second', async () => {
      let charts = 0;
      let refused: Promise<unknown> | undefined;
      const page = await browser.open(url('?window=1h&until=0'), {}, async (before) => {
        await before.clock.install();
        refused = before.waitForResponse(
          (response) => response.url().includes('/events/countWords') && response.status() === 400,
        );
        before.on('request', (request) => {
          if (request.url().includes('/events/series')) charts++;
        });
      });
      page.allowFailedRequests(); // of the answers with status 400
      await refused;
      await page.page.clock.runFor(1000);
      const before = charts;
      for (let second = 0; second < 5; second++) await page.page.clock.runFor(1000);
      expect(charts).to.equal(before);
    });

    it('give the curl command of what is on the screen, to copy', async () => {
      const page = await browser.open(url('?window=10m&until=latest'));
      const { origin } = new URL(url());
      await page.page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
      await page.page.getByRole('link', { name: 'Last hour', exact: true }).click();
      const command = `curl '${origin}/events/countByEventType?window=1h&until=latest'`;
      await page.waitForText('#command-types', command);
      await page.page.locator('[data-copies=command-types]').click();
      await page.waitForText('[data-copies=command-types]', 'Copied');
      expect(await page.page.evaluate(() => navigator.clipboard.readText())).to.equal(command);
    });

    it('give the command selected where there is no clipboard', async () => {
      const page = await browser.open(url());
      await page.page.evaluate(() => {
        navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'));
      });
      await page.page.locator('[data-copies=command-types]').click();
      await page.waitForText('#announcement', 'Selected: copy it with the keyboard');
      expect(await page.page.evaluate(() => String(getSelection()))).to.match(/^curl '/);
    });
  });

  context('when the retention is short', () => {
    const service = Service.use({ retentionSeconds: 600 });

    it('that cannot be answered cannot be chosen, and why is told', async () => {
      const page = await browser.open(`http://127.0.0.1:${service().port}/`);
      const disabled = page.page.locator('#windows [aria-disabled]');
      expect(await disabled.allInnerTexts()).to.deep.equal(['Last hour', 'Last full hour']);
      expect(await page.text('nav.view')).to.match(
        /Last full hour: not with RETENTION at 10 min\./,
      );
      await disabled.first().click({ force: true });
      expect(new URL(page.page.url()).search).to.equal('');
    });
  });
});
