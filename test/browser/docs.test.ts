import { expect } from 'chai';
import { event } from '../../consumer/dist-test/support/fifo-writer.js';
import type { OpenApi } from '../../consumer/dist-test/support/openapi.js';
import { Service } from '../../consumer/dist-test/support/service.js';
import { useBrowser } from './support/browser.js';

describe('the page of the HTTP interface', () => {
  const service = Service.use({ ingestToken: 'token' });
  const browser = useBrowser();
  before(() => service().read(event('a', 'lorem ipsum')));

  const origin = () => `http://127.0.0.1:${service().port}`;

  for (const colorScheme of ['light', 'dark'] as const) {
    context(`when the system is ${colorScheme}`, () => {
      it('shows every operation, without a request elsewhere, a message or a breach of its policy', async () => {
        const { page } = await browser.open(`${origin()}/docs`, { colorScheme });
        const { headers } = await service().fetch('/docs');
        const policy = headers.get('content-security-policy');
        expect(policy).to.include("default-src 'none'").and.not.include('unsafe');
        await page.locator('.opblock').first().waitFor();
        const shown = await page.locator('.opblock-summary-path').allInnerTexts();
        const { paths } = await service().get<OpenApi>('/openapi.json');
        // Swagger UI puts places where a line may break into the paths.
        expect(shown.map((path) => path.replaceAll('\u200b', ''))).to.include.members(
          Object.keys(paths),
        );
        expect(await page.locator('html').getAttribute('class')).to.equal(
          colorScheme === 'dark' ? 'dark-mode' : null,
        );
        for (const id of ['Counts-countWords', 'Input-post']) {
          const operation = page.locator(`#operations-${id}`);
          await operation.locator('.opblock-summary-control').click();
          await operation.locator('.responses-wrapper').waitFor();
        }
      });
    });
  }

  it('asks the server that it came from', async () => {
    const { page } = await browser.open(`${origin()}/docs`);
    const operation = page.locator('#operations-Counts-countWords');
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('.try-out__btn').click();
    await operation.locator('.btn.execute').click();
    const answer = operation.locator('.live-responses-table .microlight').first();
    await answer.waitFor();
    // As the fields are filled in: a window, in list form.
    const { counts } = JSON.parse(await answer.innerText()) as { counts: unknown };
    expect(counts).to.deep.equal([
      { key: 'ipsum', count: 1 },
      { key: 'lorem', count: 1 },
    ]);
  });
});
