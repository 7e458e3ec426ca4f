import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';
import { frameOf } from '../support/frames.js';
import { PseudoTerminal } from '../support/pseudo-terminal.js';
import { problemAnswer, StreamServer } from '../support/stream-server.js';

const TOP = fileURLToPath(new URL('../../dist/top.js', import.meta.url));
const SIZE = { columns: 80, rows: 12 };
const EVIL = '\u{1b}]0;evil\u{7}\u{1b}[2J\u{202e}txet';
const FRAME = frameOf({
  stats: { accepted: 2300, sources: [{ state: 'open' }] },
  types: { foo: 1200, baz: 800, [EVIL]: 300 },
  words: { dolor: 12, 日本語: 3, '👨‍👩‍👧': 1 },
});

describe('node consumer/dist/top.js', () => {
  const server = StreamServer.use();

  context('in a terminal', () => {
    let terminal: PseudoTerminal;
    const start = async (...args: string[]) => {
      terminal = await PseudoTerminal.start(['node', TOP, ...args, server().url], SIZE);
    };
    afterEach(() => terminal.kill());

    const expectRestored = () => {
      expect(terminal.isAlternate).to.equal(false);
      for (const [on, off] of [
        ['\u{1b}[?25h', '\u{1b}[?25l'],
        ['\u{1b}[?7h', '\u{1b}[?7l'],
      ] as const) {
        expect(terminal.output).to.include(off);
        expect(terminal.output.lastIndexOf(on)).to.be.above(terminal.output.lastIndexOf(off));
      }
    };

    it('shows the ranking, live', async () => {
      server().send(FRAME);
      await start();
      await terminal.waitFor(/^foo +█+ 1,200 +52\.2% +dolor +█+ 12 +75\.0%$/m);
      expect(terminal.isAlternate).to.equal(true);
      expect(terminal.screen.split('\n')[0]).to.match(/^event-tally http.* counting$/);
      server().send(
        frameOf({ at: 1001, stats: { accepted: 2310 }, types: { qux: 5000, foo: 1210 } }),
      );
      await terminal.waitFor(/^qux +█+ 5,000/m);
      expect(terminal.screen).to.match(/^10\.0 events\/s · 2,310 accepted/m);
      expect(terminal.screen).not.to.include('dolor');
    });

    it('takes no orders from keys', async () => {
      server().send(FRAME);
      await start();
      await terminal.waitFor(/^\\u\{1b\}\]0;e.*300/m);
      expect(terminal.titles).to.deep.equal([]);
      expect(terminal.output).not.to.include('\u{1b}]').and.not.to.include('\u{202e}');
      expect(terminal.screen).to.match(/foo/);
    });

    it('keeps its columns whatever is in them', async () => {
      server().send(FRAME);
      await start();
      await terminal.waitFor(/👨‍👩‍👧/);
      const rows = terminal.screen.split('\n').filter((line) => /%$/.test(line));
      expect(rows).to.have.lengthOf(3);
      for (const row of rows) expect(row).to.match(/ \d+\.\d%$/);
    });

    const choices: [key: string, query: string][] = [
      ['2', 'window=60s'],
      ['3', 'window=1m&align=true'],
      ['4', 'window=10m'],
      ['5', 'window=1h'],
      ['6', 'window=1h&align=true'],
      ['\u{1b}[D', 'window=1h&align=true'], // left of the first is the last
      ['\u{1b}[C', 'window=60s'],
      ['2u', 'window=60s&until=latest'],
    ];
    for (const [key, query] of choices) {
      it(`asks for ${query} at ${JSON.stringify(key)}, and no longer for all`, async () => {
        server().send(FRAME);
        await start();
        await terminal.waitFor(/foo/);
        terminal.press(key);
        await pWaitFor(() => server().targets.at(-1)?.endsWith(`&${query}`) === true);
        await pWaitFor(() => server().clients === 1);
        await terminal.waitFor(/foo/);
      });
    }

    it('begins with the window that it is told', async () => {
      await start('--window', 'full-hour', '--until', 'latest');
      await pWaitFor(() => server().targets.length === 1);
      expect(server().targets[0]).to.include('window=1h&align=true&until=latest');
    });

    it('fills another size at once', async () => {
      server().send(FRAME);
      await start();
      await terminal.waitFor(/52\.2% +dolor/);
      terminal.resize({ columns: 40, rows: 9 });
      await terminal.waitFor(/^foo .*52\.2%$/m); // to the last column
      expect(terminal.screen.split('\n')).to.have.lengthOf(9);
      terminal.resize({ columns: 120, rows: 30 });
      await terminal.waitFor(/52\.2% +dolor/);
      expect(terminal.screen.split('\n')).to.have.lengthOf(30);
    });

    it('says that the connection is lost, keeps what it knew, and connects again', async () => {
      server().send(FRAME);
      await start();
      await terminal.waitFor(/foo/);
      server().answer = problemAnswer(503, 'an ingest thread is restarting');
      server().drop();
      await terminal.waitFor(/reconnecting: an ingest thread is restarting/);
      expect(terminal.screen).to.include('1,200');
      server().answer = null;
      await terminal.waitFor(/counting/);
    });

    it('says why a window is refused', async () => {
      server().answer = problemAnswer(400, 'window is "1h": it must be at most 600s.');
      await start('--window', 'hour');
      await terminal.waitFor(/refused: window is "1h": it must be at most 600s\./);
    });

    const ends: [what: string, end: () => unknown, code: number][] = [
      ['q', () => terminal.press('q'), 0],
      ['ctrl-C', () => terminal.press('\u{3}'), 130],
      ['SIGINT', () => process.kill(terminal.pid, 'SIGINT'), 130],
      ['SIGTERM', () => process.kill(terminal.pid, 'SIGTERM'), 143],
    ];
    for (const [what, end, code] of ends) {
      it(`leaves the terminal as it was at ${what}, with ${code}`, async () => {
        server().send(FRAME);
        await start();
        await terminal.waitFor(/foo/);
        expect(terminal.settings()).to.include('-icanon');
        end();
        expect(await terminal.ended).to.deep.equal({ exitCode: code });
        expectRestored();
        await pWaitFor(() => server().clients === 0);
      });
    }
  });

  context('where standard output is no terminal', () => {
    const run = (...args: string[]) =>
      execa('node', [TOP, ...args], { reject: false, timeout: 20_000, stdin: 'ignore' });

    it('prints a line a frame, and ends when nobody reads on', async () => {
      server().send(FRAME);
      const script = 'set -o pipefail; node "$0" "$1" | head -n 1';
      const child = execa('bash', ['-c', script, TOP, server().url], { reject: false });
      let isOver = false;
      const over = child.then(() => {
        isOver = true;
      });
      // A pipe without a reader is noticed when something is written to it.
      await pWaitFor(() => {
        server().send(FRAME);
        return isOver;
      });
      await over;
      const { stdout, exitCode } = await child;
      expect(exitCode).to.equal(0);
      expect(stdout).to.equal(
        '1970-01-01T00:16:40.000Z events/s=- accepted=2300 rejected=0' +
          ' types: "foo"=1200 "baz"=800 "\\u001b]0;evil\\u0007\\u001b[2J\\u{202e}txet"=300' +
          ' words: "dolor"=12 "日本語"=3 "👨‍👩‍👧"=1',
      );
    });

    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      it(`ends at ${signal} with ${code}`, async () => {
        const child = run(server().url);
        await pWaitFor(() => server().clients === 1);
        child.kill(signal);
        expect((await child).exitCode).to.equal(code);
      });
    }

    it('ends with 1 when it is refused, and says why', async () => {
      server().answer = problemAnswer(400, 'window is "1h": it must be at most 600s.');
      const { exitCode, stdout, stderr } = await run(server().url, '--window', 'hour');
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
      expect(stderr).to.equal('event-tally: window is "1h": it must be at most 600s.');
    });

    it('goes to EVENT_TALLY_URL when it is given no address', async () => {
      const env = { EVENT_TALLY_URL: server().url };
      const child = execa('node', [TOP], { env, reject: false });
      await pWaitFor(() => server().clients === 1);
      child.kill();
      await child;
    });

    it('gives help', async () => {
      const { exitCode, stdout } = await run('--help');
      expect(exitCode).to.equal(0);
      expect(stdout).to.include('--window').and.include('EVENT_TALLY_URL').and.include('q quits');
    });

    for (const args of [['localhost:5000'], ['ftp://host'], ['--window', '60s'], ['--nonsense']]) {
      it(`refuses ${args.join(' ')} and exits with 1`, async () => {
        const { exitCode, stdout, stderr } = await run(...args);
        expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
        expect(stderr).to.match(/^error: .+/);
      });
    }

    it('refuses an EVENT_TALLY_URL that is none', async () => {
      const env = { EVENT_TALLY_URL: 'here' };
      const { exitCode, stderr } = await execa('node', [TOP], { env, reject: false });
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(/^error: EVENT_TALLY_URL: .+/);
    });
  });
});
