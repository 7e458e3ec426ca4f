// Pictures of the live page in docs/: light, dark and narrow. The events are the bundled generator's, with a
// seed; only their times are those of the clock.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { startConsumer } from '../../consumer/dist-test/support/consumer-process.js';
import { makeFifo } from '../../consumer/dist-test/support/fifo-writer.js';
import { launchChromium } from './support/browser.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GENERATOR = path.join(ROOT, 'producer/dist/generator.js');
/** The README's. */
const BYTES_MAX = 150_000;
/** Until the figures have settled. */
const LIVE_MS = 8000;

const PICTURES = [
  { name: 'live-page.png', width: 1280, height: 900, colorScheme: 'light' },
  { name: 'live-page-dark.png', width: 1280, height: 900, colorScheme: 'dark' },
  { name: 'live-page-narrow.png', width: 360, height: 780, colorScheme: 'light' },
] as const;

const browser = await launchChromium();
if (browser === null) throw new Error('there is no Chromium (CHROMIUM_PATH, or on the PATH)');
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-'));
const fifo = path.join(directory, 'events-generator.fifo');
makeFifo(fifo);
const consumer = await startConsumer(directory);

const generate = (...options: string[]) =>
  execa('node', [GENERATOR, '--start', 'now', ...options], {
    stdout: { file: fifo },
    reject: false,
  });
// The last minute at once, and then what comes while the pictures are taken.
await generate('--seed', '1', '--count', '1500', '--rate', 'max', '--jitter', '59');
const live = generate('--seed', '2', '--rate', '25');

try {
  for (const { name, width, height, colorScheme } of PICTURES) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${consumer.port}/?window=60s`);
    await sleep(LIVE_MS);
    const file = path.join(ROOT, 'docs', name);
    await page.screenshot({ path: file, animations: 'disabled' });
    await context.close();
    const { size } = fs.statSync(file);
    process.stdout.write(`docs/${name}: ${size} bytes\n`);
    if (size > BYTES_MAX) throw new Error(`docs/${name} has more than ${BYTES_MAX} bytes`);
  }
} finally {
  live.kill();
  await consumer.end('SIGTERM');
  await browser.close();
  fs.rmSync(directory, { recursive: true });
}
