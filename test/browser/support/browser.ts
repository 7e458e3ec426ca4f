import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { TestPage } from './test-page.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** CHROMIUM_PATH, or the first Chromium on the PATH; null where there is none. */
function findChromium(): string | null {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return (
    folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name))).find(isProgram) ??
    null
  );
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A Chromium of this machine; null where there is none. */
export async function launchChromium(): Promise<Browser | null> {
  const executablePath = findChromium();
  if (executablePath === null) return null;
  // Chromium's own sandbox does not start as root, which is what containers run as.
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
}

export interface OpenOptions extends BrowserContextOptions {
  readonly width?: number;
  readonly height?: number;
}

export interface TestBrowser {
  /** Opens a page in a profile of its own; it is closed after the test, which fails if the page complained. */
  open(
    url: string,
    options?: OpenOptions,
    prepare?: (page: Page) => Promise<void>,
  ): Promise<TestPage>;
}

/** One for the enclosing describe, which is skipped where there is none, but not in CI. */
export function useBrowser(): TestBrowser {
  let browser: Browser | null = null;
  let pages: TestPage[] = [];
  before(async function () {
    this.timeout(30_000);
    browser = await launchChromium();
    if (browser !== null) return;
    if (process.env.CI) throw new Error('the browser tests cannot run: there is no Chromium');
    process.stdout.write('    skipped: there is no Chromium (CHROMIUM_PATH, or on the PATH)\n');
    this.skip();
  });
  afterEach(async () => {
    const opened = pages;
    pages = [];
    for (const page of opened) await page.close();
    for (const page of opened) page.expectQuiet();
  });
  after(() => browser?.close());

  return {
    async open(url, { width = 1280, height = 900, ...options } = {}, prepare = async () => {}) {
      const context = await browser!.newContext({ viewport: { width, height }, ...options });
      const page = new TestPage(await context.newPage(), url);
      pages.push(page);
      await prepare(page.page);
      await page.open();
      return page;
    },
  };
}
