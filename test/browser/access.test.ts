import fs from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { expect } from 'chai';
import { event } from '../../consumer/dist-test/support/fifo-writer.js';
import { Service } from '../../consumer/dist-test/support/service.js';
import { useBrowser } from './support/browser.js';
import type { ListDocument, TestPage } from './support/test-page.js';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const now = () => Math.floor(Date.now() / 1000);

async function expectNoViolations({ page }: TestPage): Promise<void> {
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(
    async () => await (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  const found = violations.map(({ id, impact, nodes }) => ({
    id,
    impact,
    nodes: nodes.map(({ html }) => html),
  }));
  expect(found).to.deep.equal([]);
  expect(passes.length).to.be.greaterThan(20);
}

describe('the live page for everybody', () => {
  const browser = useBrowser();
  const service = Service.use({ eventTypesMax: 100 });
  const empty = Service.use({ retentionSeconds: 60 });
  const url = (query = '') => `http://127.0.0.1:${service().port}/${query}`;
  before(async () => {
    const types = Array.from({ length: 12 }, (_, i) =>
      event(`type-${i}`, 'a b', now()).repeat(i + 1),
    );
    await service().read(`${types.join('')}{"type":"a"}\n{ "\n`);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`gives axe nothing to complain of, ${colorScheme}`, async () => {
      const page = await browser.open(url('?window=60s'), { colorScheme });
      await page.waitForText('#legend', /type-/);
      await page.page.locator('#sources-summary').click();
      await expectNoViolations(page);
    });

    it(`gives axe nothing to complain of when nothing was read, ${colorScheme}`, async () => {
      const page = await browser.open(`http://127.0.0.1:${empty().port}/`, { colorScheme });
      await page.waitForText('#first-event-title', 'Nothing has been read yet');
      await expectNoViolations(page);
    });
  }

  it('is light or dark by the system’s setting', async () => {
    const [light, dark] = await Promise.all(
      (['light', 'dark'] as const).map(async (colorScheme) => {
        const { page } = await browser.open(url(), { colorScheme });
        return await page.evaluate(() => {
          const [red] = getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g)!;
          return Number(red);
        });
      }),
    );
    expect(light).to.be.greaterThan(200);
    expect(dark).to.be.lessThan(50);
  });

  for (const width of [360, 2560]) {
    it(`has no sideways scrolling at ${width} pixels`, async () => {
      const page = await browser.open(url('?window=60s'), { width });
      await page.waitForText('#legend', /type-/);
      const overflow = await page.page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).to.be.at.most(0);
      const chart = (await page.page.locator('#chart').boundingBox())!;
      expect(chart.width).to.be.within(280, 2400);
    });
  }

  context('when events are late and ahead by the thousand', () => {
    const untimely = Service.use();
    it('cuts no figure off at 360 pixels', async () => {
      const events = [0, 9000, -90_000].map((offset) => event('a', '', now() + offset));
      await untimely().read(events.map((each) => each.repeat(1111)).join(''));
      const address = `http://127.0.0.1:${untimely().port}/?window=10m`;
      const page = await browser.open(address, { width: 360 });
      await page.waitForText('#ahead', /1,111/);
      const cutOff = await page.page.evaluate(() => {
        const { right } = document.querySelector('.figures')!.getBoundingClientRect();
        const figures = [...document.querySelectorAll('.figures *')];
        return figures.filter((each) => each.getBoundingClientRect().right > right).length;
      });
      expect(cutOff).to.equal(0);
    });
  });

  it('is used by keyboard alone', async () => {
    const page = await browser.open(url());
    await page.waitForText('#legend', /type-/);
    const { keyboard } = page.page;
    const focused = () =>
      page.page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const { outlineStyle, clipPath } = getComputedStyle(element);
        const name = element.getAttribute('aria-label') ?? element.innerText;
        return { name, isSeen: outlineStyle !== 'none' && clipPath === 'none' };
      });
    const reached: string[] = [];
    for (let i = 0; i < 60; i++) {
      await keyboard.press('Tab');
      const { name, isSeen } = await focused();
      if (name === '' || reached.includes(name)) break;
      expect(isSeen, `the focus on ${name} is seen`).to.equal(true);
      reached.push(name);
      if (name === '10 minutes') {
        await keyboard.press('Enter');
        await page.waitForText('#windows [aria-current]', '10 minutes');
        expect((await focused()).name).to.equal('10 minutes');
      }
      if (name === 'Filter words') await keyboard.type('zzz');
      if (name === 'Show more') await keyboard.press('Space');
    }
    expect(reached).to.include.members([
      'Skip to the counts',
      'API',
      'Last minute',
      'All-time',
      'Last full hour',
      'until the newest event',
      'Show more',
      'Filter words',
      'as JSON',
      'Copy',
    ]);
    await page.waitForText('#words .empty', 'No word has that in it.');
    await page.waitForText('#types .more', 'Show less');
  });

  it('has roles and names', async () => {
    const { page } = await browser.open(url());
    for (const [role, name] of [
      ['navigation', 'Window'],
      ['table', 'Types'],
      ['table', 'Words'],
      ['region', 'Last rejected lines'],
      ['searchbox', 'Filter words'],
    ] as const) {
      expect(await page.getByRole(role, { name, exact: true }).count(), name).to.equal(1);
    }
    expect(await page.getByRole('status').count()).to.equal(1);
  });

  context('with JavaScript off', () => {
    it('has the counts of the moment as plain tables', async () => {
      const page = await browser.open(url(), { javaScriptEnabled: false });
      for (const [kind, path] of [
        ['types', '/events/countByEventType'],
        ['words', '/events/countWords'],
      ] as const) {
        await page.expectList(kind, () => service().get<ListDocument>(`${path}?format=list`));
      }
      await page.waitForText('#types', /type-11\s+12\s+15\.4%/);
      await page.waitForText('#types', /type-0\s+1\s+1\.3%/);
      await page.waitForText('#rejected', /2/);
      expect(await page.isVisible('.chart')).to.equal(false);
      expect(await page.isVisible('#filter')).to.equal(false);
      await page.waitForText('footer', /load it again/);
      await page.waitForText('#command-types', `curl '${url('events/countByEventType')}'`);
    });

    it('has windows to choose, and what is wrong with one', async () => {
      const page = await browser.open(url(), { javaScriptEnabled: false });
      await page.page.getByRole('link', { name: 'Last minute' }).click();
      await page.waitForText('#interval', /to the second$/);
      await page.page.goto(url('?window=soon'));
      page.allowFailedRequests(); // of the status 400
      await page.waitForText(
        '#problem',
        'window is "soon": it must be a whole number of s, m or h, such as 60s, 10m or 1h.',
      );
    });
  });
});
