import { expect } from 'chai';
import pWaitFor from 'p-wait-for';
import type { Page } from 'playwright-core';

const WAIT = { interval: 50, timeout: 15_000 };

export interface ListDocument {
  readonly batch: number;
  readonly distinct: number;
  readonly counts: readonly { readonly key: string; readonly count: number }[];
}

export interface ShownList {
  readonly batch: number;
  /** The view that the numbers are of, as a query. */
  readonly query: string;
  readonly rows: readonly (readonly [key: string, count: number])[];
}

/** A page in a browser, all that it complains of, and what the live page shows. */
export class TestPage {
  readonly page: Page;
  readonly #url: string;
  readonly #complaints: string[] = [];
  #allowed: RegExp | null = null;

  constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
    const { origin } = new URL(url);
    page.on('console', (message) => this.#complain(`console: ${message.text()}`));
    page.on('pageerror', (error) => this.#complain(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      this.#complain(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      const { protocol, origin: asked } = new URL(request.url());
      if (protocol !== 'data:' && asked !== origin) this.#complain(`request: ${request.url()}`);
    });
  }

  async open(): Promise<void> {
    await this.page.exposeBinding('complain', (_, text: string) => this.#complain(text));
    await this.page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        const { complain } = window as unknown as { complain(text: string): void };
        complain(`content security policy: ${violatedDirective} ${blockedURI}`);
      });
    });
    await this.page.goto(this.#url);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  /** A browser writes requests that failed to the console: for tests that make them fail. */
  allowFailedRequests(): void {
    this.#allowed = /^console: Failed to load resource/;
  }

  expectQuiet(): void {
    const complaints = this.#complaints.filter((text) => this.#allowed?.test(text) !== true);
    expect(complaints, 'what the page complained of').to.deep.equal([]);
  }

  #complain(text: string): void {
    this.#complaints.push(text);
  }

  text(selector: string): Promise<string> {
    return this.page.locator(selector).innerText();
  }

  isVisible(selector: string): Promise<boolean> {
    return this.page.locator(selector).isVisible();
  }

  /** Resolves once the element is seen and its text is, or matches, that. */
  async waitForText(selector: string, wanted: string | RegExp): Promise<void> {
    let text: string | null = null;
    const isWanted = async () => {
      const element = this.page.locator(selector);
      text = (await element.isVisible()) ? await element.innerText() : null;
      return text !== null && (typeof wanted === 'string' ? text === wanted : wanted.test(text));
    };
    await pWaitFor(isWanted, WAIT).catch((cause) => {
      throw new Error(`${selector} says ${JSON.stringify(text)}, not ${wanted}`, { cause });
    });
  }

  /** Rows of a list as they are on the page, hidden ones too. */
  list(kind: 'types' | 'words'): Promise<ShownList> {
    return this.page.locator(`#${kind}`).evaluate((section) => ({
      batch: Number((section as HTMLElement).dataset.batch),
      query: (section as HTMLElement).dataset.query ?? '',
      rows: Array.from(section.querySelectorAll('tbody tr'), (row) => {
        const data = row.querySelector('data')!;
        if (data.value !== data.textContent?.replaceAll(',', '')) throw new Error(data.outerHTML);
        return [row.querySelector<HTMLElement>('.key')!.title, Number(data.value)] as const;
      }),
    }));
  }

  /** Waits until the page shows a view at the moment of an answer of the API, with just its numbers. */
  async expectList(
    kind: 'types' | 'words',
    answer: () => Promise<ListDocument>,
    query = '',
  ): Promise<void> {
    await pWaitFor(async () => {
      const [shown, { batch, counts }] = await Promise.all([this.list(kind), answer()]);
      if (shown.batch !== batch || shown.query !== query) return false;
      const expected = counts.slice(0, 100).map(({ key, count }) => [key, count]);
      // A window that moves on may lose events within a batch.
      if (query !== '' && JSON.stringify(shown.rows) !== JSON.stringify(expected)) return false;
      expect(shown.rows).to.deep.equal(expected);
      return true;
    }, WAIT);
  }
}

export { WAIT };
