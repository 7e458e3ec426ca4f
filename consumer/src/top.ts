/**
 * `npm run top`: what a consumer counts, live in a terminal; one line a frame where standard output is
 * none. Exit codes: 0 after q or when nobody reads on, 128 + signal after a signal, ctrl-C among them, 1
 * for what cannot be shown.
 */
import os from 'node:os';
import type { Key } from 'node:readline';
import { Command, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';
import { VERSION } from './package-manifest.js';
import { type Connection, type Frame, receiveFrames } from './top/frames.js';
import { plainLine } from './top/plain-line.js';
import { printable } from './top/printable.js';
import { type Rates, render } from './top/render.js';
import { Terminal } from './top/terminal.js';
import { type Choice, type Preset, streamUrl, UNTIL } from './top/views.js';
import { RateMeter } from './views/rate-meter.js';
import { rejectedTotal } from './views/stats.js';
import { PRESETS } from './views/view.js';

/** How often the screen is drawn when no frame comes: rates and times go on. */
const DRAW_INTERVAL_MS = 1000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const { base, choice: firstChoice } = parseCommandLine();
if (process.stdout.isTTY) showScreen();
else await printLines();

function parseCommandLine(): { base: URL; choice: Choice } {
  const command = new Command('event-tally-top')
    .description('What event-tally counts, live in a terminal.')
    .version(VERSION)
    .argument(
      '[url]',
      'address of the consumer (default: $EVENT_TALLY_URL, or the one here)',
      toUrl,
    )
    .addOption(
      new Option('--window <window>', 'what is counted at first')
        .choices(PRESETS.map(({ name }) => name))
        .default('all'),
    )
    .addOption(
      new Option('--until <end>', 'where windows end: now, or with the newest event')
        .choices(UNTIL)
        .default('now'),
    )
    .addHelpText(
      'after',
      `
Keys: 1 to ${PRESETS.length} choose the window, left and right the one beside it, u its end; q quits.
Where standard output is no terminal, each frame is one line.`,
    )
    .parse();
  const { window, until } = command.opts();
  let url: URL = command.processedArgs[0];
  try {
    url ??= toUrl(process.env.EVENT_TALLY_URL || 'http://127.0.0.1:5000');
  } catch (error) {
    command.error(`error: EVENT_TALLY_URL: ${(error as Error).message}`);
  }
  const preset = PRESETS.find(({ name }) => name === window) as Preset;
  return { base: url, choice: { preset, until } };
}

function toUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new InvalidArgumentError('It must be an address such as http://127.0.0.1:5000.');
}

function showScreen(): void {
  const terminal = new Terminal(process.stdin, process.stdout);
  let choice = firstChoice;
  let connection: Connection = { state: 'connecting' };
  let frame: Frame | null = null;
  let frameAtMs = 0;
  const meter = new RateMeter<keyof Rates>();
  let receiving = new AbortController();

  const draw = () => {
    const frameAgeSeconds = (performance.now() - frameAtMs) / 1000;
    const rates = frame === null ? null : meter.rates(frame.at + frameAgeSeconds);
    const screen = { url: base.href, choice, connection, frame, rates, frameAgeSeconds };
    terminal.draw(render(screen, terminal.size, pc));
  };
  const receive = () => {
    receiving.abort();
    receiving = new AbortController();
    const { signal } = receiving;
    const handlers = {
      onConnection: (now: Connection) => {
        connection = now;
        draw();
      },
      onFrame: (received: Frame) => {
        frame = received;
        frameAtMs = performance.now();
        meter.add(frame.at, outcomes(frame));
        draw();
      },
    };
    void receiveFrames(streamUrl(base, choice), handlers, signal);
  };
  const choose = (chosen: Choice) => {
    choice = chosen;
    connection = { state: 'connecting' };
    frame = null; // it is of another window
    draw();
    receive();
  };
  const beside = (step: number): Preset =>
    PRESETS[(PRESETS.indexOf(choice.preset) + step + PRESETS.length) % PRESETS.length] as Preset;
  const end = (code: number) => {
    terminal.close();
    process.exit(code);
  };
  const press = (key: Key) => {
    const preset = PRESETS[Number(key.sequence) - 1];
    if (key.ctrl && key.name === 'c') end(exitCode('SIGINT'));
    else if (key.name === 'q') end(0);
    else if (key.name === 'u')
      choose({ ...choice, until: choice.until === 'now' ? 'latest' : 'now' });
    else if (key.name === 'left') choose({ ...choice, preset: beside(-1) });
    else if (key.name === 'right') choose({ ...choice, preset: beside(1) });
    else if (preset !== undefined) choose({ ...choice, preset });
  };

  for (const signal of SIGNALS) process.on(signal, () => end(exitCode(signal)));
  // A terminal that is gone cannot be restored, and what is thrown is to be read after it was.
  process.stdout.on('error', () => process.exit(exitCode('SIGHUP')));
  process.on('uncaughtExceptionMonitor', () => terminal.close());
  terminal.open(press, draw);
  setInterval(draw, DRAW_INTERVAL_MS);
  draw();
  receive();
}

async function printLines(): Promise<void> {
  const meter = new RateMeter<keyof Rates>();
  const stopping = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => process.exit(exitCode(signal)));
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') complain(`cannot write to standard output: ${error.message}`);
    process.exit(error.code === 'EPIPE' ? 0 : 1); // whoever read has seen enough
  });
  const onConnection = (connection: Connection) => {
    if (connection.state !== 'lost') return;
    complain(printable(connection.reason));
    if (!connection.refused) return;
    process.exitCode = 1; // what is asked for is wrong, and will not be right later
    stopping.abort();
  };
  const onFrame = (frame: Frame) => {
    meter.add(frame.at, outcomes(frame));
    process.stdout.write(`${plainLine(frame, meter.rates(frame.at))}\n`);
  };
  await receiveFrames(streamUrl(base, firstChoice), { onConnection, onFrame }, stopping.signal);
}

function outcomes({ stats }: Frame): Rates {
  return { accepted: stats.accepted, rejected: rejectedTotal(stats) };
}

function complain(text: string): void {
  process.stderr.write(`event-tally: ${text}\n`);
}

function exitCode(signal: (typeof SIGNALS)[number]): number {
  return 128 + os.constants.signals[signal];
}
