import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import { event } from '../../consumer/dist-test/support/fifo-writer.js';
import { Service } from '../../consumer/dist-test/support/service.js';
import { useBrowser } from './support/browser.js';
import { type TestPage, WAIT } from './support/test-page.js';

const now = () => Math.floor(Date.now() / 1000);
const WIDE = { lineBytesMax: 65_536, keyBytesMax: 65_536, eventTypesMax: 1000, wordsMax: 1000 };

describe('keys of strangers on the live page', () => {
  const browser = useBrowser();
  const service = Service.use(WIDE);
  const url = () => `http://127.0.0.1:${service().port}/`;

  const types = [
    '<img src=x onerror=alert(1)>',
    '</script><script>alert(2)</script>',
    '"><svg onload=alert(3)>',
    '{{constructor.constructor("alert(4)")()}}',
    'مرحبا بالعالم',
    '\u202egnp.exe',
    '👩‍👩‍👧‍👦🏳️‍🌈',
    '__proto__',
    'two\nlines',
    'z͑ͫa̴l͝g͡o̧'.repeat(50),
    'x'.repeat(10_000),
  ];
  const words = ['w'.repeat(10_000), '<b>bold</b>', 'שלום'];
  before(() => service().read(types.map((type) => event(type, words.join(' '), now())).join('')));

  for (const [name, options] of [
    ['in the browser', {}],
    ['with JavaScript off', { javaScriptEnabled: false }],
  ] as const) {
    it(`are text and nothing else, ${name}`, async () => {
      const page = await browser.open(url(), options);
      await page.page
        .locator('#types tbody tr')
        .nth(types.length - 1)
        .waitFor({ state: 'attached' });
      const shown = await page.list('types');
      expect(shown.rows.map(([key]) => key)).to.have.members(types);
      const texts = await page.page.locator('#types tbody bdi').allTextContents();
      expect(texts).to.include(types[0]).and.to.include('two␊lines');
      expect(await page.page.locator('img, main script, svg:not(.bar)').count()).to.equal(0);
      expect((await page.list('words')).rows.map(([key]) => key)).to.have.members(words);
    });
  }

  for (const width of [360, 1280, 2560]) {
    it(`do not break the page at ${width} pixels`, async () => {
      const page = await browser.open(url(), { width });
      await page.waitForText('#legend', /./);
      const sizes = await page.page.evaluate(() => {
        const rows = Array.from(document.querySelectorAll<HTMLElement>('tbody tr'));
        return {
          page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          rowMax: Math.max(...rows.map(({ offsetHeight }) => offsetHeight)),
        };
      });
      expect(sizes.page).to.be.at.most(0);
      expect(sizes.rowMax).to.be.within(20, 60);
    });
  }

  it('are filtered among all, in any case', async () => {
    const many = Array.from({ length: 300 }, (_, i) => `common-${i}`).join(' ');
    await service().read(event('t', `${many} ${many}`, now()) + event('t', 'Needle', now()));
    const page = await browser.open(url());
    await pWaitFor(async () => (await page.list('words')).rows.length === 100, WAIT);
    expect((await page.list('words')).rows.map(([key]) => key)).not.to.include('Needle');
    await page.page.getByRole('searchbox', { name: 'Filter words' }).fill('nEEDLE');
    await page.waitForText('#words tbody tr:first-child .key', 'Needle');
    await page.waitForText('#words .summary', /^1 of \d+ words$/);
    expect((await page.list('words')).rows).to.deep.equal([['Needle', 1]]);
    await page.page.getByRole('searchbox').fill('no such word');
    await page.waitForText('#words .empty', 'No word has that in it.');
    await page.page.getByRole('searchbox').fill('');
    await pWaitFor(async () => (await page.list('words')).rows.length === 100, WAIT);
  });

  it('are ten at first, and more when asked for', async () => {
    const page = await browser.open(url());
    const visible = () =>
      page.page
        .locator('#words tbody tr')
        .evaluateAll((rows) => rows.filter((row) => row.checkVisibility()).length);
    await pWaitFor(async () => (await visible()) === 10, WAIT);
    const button = page.page.locator('#words .more');
    await button.click();
    expect(await visible()).to.equal(100);
    expect(await button.getAttribute('aria-expanded')).to.equal('true');
    await button.click();
    expect(await visible()).to.equal(10);
  });
});

describe('ranked lists of the live page', () => {
  const browser = useBrowser();
  const service = Service.use({ ...WIDE, eventTypesMax: 3 });
  const url = () => `http://127.0.0.1:${service().port}/`;
  const ranking = async (page: TestPage) => (await page.list('types')).rows.map(([key]) => key);
  const expectRanking = (page: TestPage, ...keys: string[]) =>
    pWaitFor(async () => String(await ranking(page)) === String(keys), WAIT);
  const colourOf = (page: TestPage, key: string) =>
    page.page
      .locator(`#types tr[data-key="${key}"] rect`)
      .evaluate((bar) => getComputedStyle(bar).fill);

  it('re-order smoothly, without motion where that is asked for; types keep their colour', async () => {
    await service().read(event('a', '', now()).repeat(3) + event('b', '', now()).repeat(2));
    const pages = [
      await browser.open(url()),
      await browser.open(url(), { reducedMotion: 'reduce' }),
    ] as const;
    for (const page of pages) {
      await page.page.evaluate(() => {
        const { animate } = Element.prototype;
        Element.prototype.animate = function (...args) {
          document.body.dataset.animated = String(Number(document.body.dataset.animated ?? 0) + 1);
          return animate.apply(this, args);
        };
      });
      await expectRanking(page, 'a', 'b');
    }
    const before = await colourOf(pages[0], 'a');
    expect(await colourOf(pages[0], 'b')).not.to.equal(before);

    await service().read(event('b', '', now()).repeat(5) + event('c', '', now()));
    for (const page of pages) await expectRanking(page, 'b', 'a', 'c');
    const animated = (page: TestPage) => page.page.evaluate(() => document.body.dataset.animated);
    expect(Number(await animated(pages[0]))).to.be.at.least(2);
    expect(await animated(pages[1])).to.equal(undefined);
    expect(await colourOf(pages[0], 'a')).to.equal(before);
    // A page that is opened later gives the same.
    expect(await colourOf(await browser.open(url()), 'a')).to.equal(before);
  });

  it('say in words what is past the bounds', async () => {
    await service().read(event('d', '', now()) + event('e', '', now()));
    const page = await browser.open(url());
    await page.waitForText('#types .overflow', /^2 more are counted together.*EVENT_TYPES_MAX/);
    expect(await page.isVisible('#words .overflow')).to.equal(false);
  });

  it('stay where they are when numbers grow', async () => {
    await service().read(event('b', 'x', now()));
    const page = await browser.open(url());
    await page.waitForText('#legend', /./);
    // But for the text of a number, which grows to the left, nothing moves.
    const boxes = () =>
      page.page.evaluate(() => {
        const places = 'section, .figures div, #windows a, h2, tr, th, td, #chart';
        const seen = Array.from(document.querySelectorAll(places)).filter((element) =>
          element.checkVisibility(),
        );
        return seen.map((element) => {
          const { x, y, width, height } = element.getBoundingClientRect();
          return [element.className || element.tagName, x, y, width, height].join(' ');
        });
      });
    const before = await boxes();
    for (const events of [10, 100, 1000, 10_000, 100_000]) {
      await service().read(event('b', 'x', now()).repeat(events));
      await pWaitFor(async () => ((await page.list('types')).rows[0]?.[1] ?? 0) >= events, WAIT);
    }
    expect(await boxes()).to.deep.equal(before);
  });
});
