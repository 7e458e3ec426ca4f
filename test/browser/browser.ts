import fs from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A browser for the enclosing describe, which is skipped where there is none, but not with CI set. */
export function useBrowser(): () => Browser {
  let browser: Browser;
  before(async function () {
    const executablePath = CHROMIUM.find((path) => fs.existsSync(path));
    if (executablePath === undefined && process.env.CI === undefined) {
      process.stdout.write('      skipped: Chromium is not installed (apt-get install chromium)\n');
      this.skip();
    }
    if (executablePath === undefined) throw new Error(`there is none of ${CHROMIUM.join(', ')}`);
    // Root, as which containers run tests, has no sandbox.
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  after(() => browser?.close());
  return () => browser;
}

/**
 * What a page should not do: console messages (a breach of its content security policy is one), errors,
 * requests to another origin, answers that are errors.
 */
export function faultsOf(page: Page, origin: string): string[] {
  const faults: string[] = [];
  page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:')) faults.push(`request: ${url}`);
  });
  page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`));
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });
  return faults;
}
