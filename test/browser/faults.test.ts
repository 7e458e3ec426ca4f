import { expect } from 'chai';
import getPort from 'get-port';
import pWaitFor from 'p-wait-for';
import { endConsumers, startConsumer } from '../../consumer/dist-test/support/consumer-process.js';
import { event, makeFifo, writeFifo } from '../../consumer/dist-test/support/fifo-writer.js';
import { Service } from '../../consumer/dist-test/support/service.js';
import { useTempDir } from '../../consumer/dist-test/support/temp-dir.js';
import { useBrowser } from './support/browser.js';
import { type ListDocument, WAIT } from './support/test-page.js';

const now = () => Math.floor(Date.now() / 1000);

describe('the live page when things go wrong', () => {
  const browser = useBrowser();

  context('when the server stops and returns', () => {
    const dir = useTempDir();
    afterEach(endConsumers);

    it('says so, and goes on by itself', async () => {
      const fifo = `${dir.path}/events-a.fifo`;
      makeFifo(fifo);
      const env = { PORT: String(await getPort()) };
      const first = await startConsumer(dir.path, env);
      await writeFifo(fifo, event('before', '', now()));
      const page = await browser.open(`http://127.0.0.1:${first.port}/`);
      page.allowFailedRequests(); // of connections that are refused
      await page.waitForText('#types tbody .key', 'before');
      await first.end('SIGTERM');
      await page.waitForText('#state-text', 'Reconnecting');

      const second = await startConsumer(dir.path, env);
      await writeFifo(fifo, event('after', '', now()).repeat(2));
      await page.waitForText('#types tbody .key', 'after');
      await page.waitForText('#state-text', 'Counting');
      await page.expectList('types', () =>
        second.get<ListDocument>('/events/countByEventType?format=list'),
      );
    });
  });

  context('when a proxy keeps the stream to itself', () => {
    const service = Service.use();

    it('asks for the numbers instead', async () => {
      const page = await browser.open(`http://127.0.0.1:${service().port}/`, {}, async (before) => {
        // Never answered.
        await before.route('**/events/stream*', () => {});
      });
      await service().read(event('polled', '', now()));
      await page.waitForText('#types tbody .key', 'polled');
      await service().read(event('polled', '', now()));
      await page.waitForText('#types tbody data', '2');
    });
  });

  context('when the fields have other names', () => {
    const service = Service.use();

    it('tells what to set, and which fields there are', async () => {
      const page = await browser.open(`http://127.0.0.1:${service().port}/`);
      await service().read('{"kind":"a","<b>text":"lorem","timestamp":1509604913}\n'.repeat(3));
      await page.waitForText('#advice-names', /^kind\s+<b>text\s+timestamp$/);
      const rows = await page.page.locator('#advice tbody tr').allInnerTexts();
      expect(rows.map((row) => row.split(/\s*\t\s*/))).to.deep.equal([
        ['EVENT_TYPE_FIELD', 'event_type', 'is not there'],
        ['DATA_FIELD', 'data', 'is not there'],
        ['TIMESTAMP_FIELD', 'timestamp', 'is there'],
        ['TIMESTAMP_FORMAT', 'unix', 'unix, unix_ms, iso8601 or arrival'],
      ]);
      await service().read(event('right', '', now()));
      await page.waitForText('#types tbody .key', 'right');
      expect(await page.isVisible('#advice')).to.equal(false);
    });

    it('lists the last rejected lines with reason and source', async () => {
      const page = await browser.open(`http://127.0.0.1:${service().port}/`);
      await service().read('{ "<i>corrupt\n', 'events-b.fifo');
      const first = '#rejected-lines li:first-child';
      await page.waitForText(`${first} .reason`, 'not JSON');
      await page.waitForText(`${first} .source`, 'events-b.fifo');
      await page.waitForText(`${first} code`, '{ "<i>corrupt');
      await page.waitForText('#rejected-lines li:nth-child(2) .problem', /event_type/);
    });
  });

  context('when nothing was read', () => {
    const service = Service.use();

    it('tells how to send the first event, and shows it when it comes', async () => {
      const page = await browser.open(`http://127.0.0.1:${service().port}/`);
      await page.waitForText('#state-text', 'Waiting for the first line');
      await page.waitForText('#first-event-command', /^mkfifo .*events-mine\.fifo'\necho '\{/);
      await service().read(event('first', '', now()));
      await page.waitForText('#types tbody .key', 'first');
      expect(await page.isVisible('#first-event')).to.equal(false);
    });
  });

  context('when the ingest threads cannot be asked', () => {
    const service = Service.use({ started: false });

    it('says so, and has its windows', async () => {
      const page = await browser.open(`http://127.0.0.1:${service().port}/`);
      page.allowFailedRequests(); // of the status 503
      await page.waitForText('#state-text', 'Reconnecting');
      service().ingest.start();
      await pWaitFor(() => service().ingest.state === 'running', WAIT);
      await page.waitForText('#state-text', 'Waiting for the first line');
    });
  });
});
