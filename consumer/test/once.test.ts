import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import pWaitFor from 'p-wait-for';
import { event } from './support/fifo-writer.js';
import { flatText, linesOf, plainRanking, sequence } from './support/plain-counts.js';
import { useTempDir } from './support/temp-dir.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const random = sequence(4);
const EVENTS = Array.from({ length: 3000 }, () => ({
  time: 1_509_604_913 + random(100_000),
  type: `t${random(5) * random(5)}`,
  words: Array.from({ length: random(4) }, () => `w${random(5) * random(5)}`),
  value: random(3) === 0 ? undefined : random(2000) / 4 - 200,
}));
const LINES = linesOf(EVENTS);

describe('node consumer/dist/main.js - --once', () => {
  const dir = useTempDir();

  const options = () => ({ cwd: dir.path, reject: false, timeout: 20_000 });
  const run = (input: string | Uint8Array, ...args: string[]) =>
    execa(process.execPath, [MAIN, '-', '--once', ...args], {
      ...options(),
      input,
      stripFinalNewline: false,
    });

  const printed: [args: string, of: 'types' | 'words' | 'sums', limit: number | undefined][] = [
    ['', 'types', undefined],
    ['--of words --limit 3 --format json', 'words', 3],
    ['--of sums --limit 100000', 'sums', 100_000],
  ];
  for (const [args, of, limit] of printed) {
    it(`prints counts as JSON and nothing else: ${args}`, async () => {
      const { exitCode, stdout } = await run(LINES, ...args.split(' ').filter(Boolean));
      expect(stdout).to.equal(flatText(plainRanking(EVENTS, of).slice(0, limit)));
      expect(exitCode).to.equal(0);
    });
  }

  for (const [of, limit] of [
    ['words', 3],
    ['sums', 100_000],
  ] as const) {
    it(`prints counts as a table and nothing else: --of ${of} --limit ${limit}`, async () => {
      const args = ['--of', of, '--limit', String(limit), '--format', 'table'];
      const { exitCode, stdout } = await run(LINES, ...args);
      const rows = stdout.trimEnd().split('\n');
      expect(rows.map((row) => row.trim().split(/ +/))).to.deep.equal(
        plainRanking(EVENTS, of)
          .slice(0, limit)
          .map((total) => [String('sum' in total ? total.sum : total.count), total.key]),
      );
      const ends = rows.map((row) => row.search(/\S +\S/));
      expect(new Set(ends).size, 'numbers end in one column').to.equal(1);
      expect(exitCode).to.equal(0);
    });
  }

  it('prints a sum past the range of doubles as null', async () => {
    const lines = [1, 2].map(
      () => `${JSON.stringify({ event_type: 'a', data: '', timestamp: 1, value: 1e308 })}\n`,
    );
    const { stdout } = await run(lines.join(''), '--of', 'sums', '--format', 'table');
    expect(stdout).to.equal('null  a\n');
  });

  it('does not let a key give orders to the terminal', async () => {
    for (const [key, shown] of [
      ['a\u001b[2J\nb', 'a\\u{1b}[2J\\u{a}b'],
      ['a\u202eb', 'a\\u{202e}b'],
      ['a\u2028b', 'a\\u{2028}b'],
    ] as const) {
      const { stdout } = await run(event(key), '--format', 'table');
      expect(stdout).to.equal(`1  ${shown}\n`);
    }
  });

  it('counts more than one read can hold', async () => {
    const { stdout } = await run(event('a', 'b c').repeat(100_000), '--of', 'words');
    expect(stdout).to.equal('{"b":100000,"c":100000}\n');
  });

  it('makes no folder, needs no port, and logs to standard error', async () => {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [MAIN, '-', '--once'], {
      ...options(),
      env: { HOST: '192.0.2.1', LOG_LEVEL: 'debug' }, // an address that no machine has
      input: `{ "corrupt\n\n[]\n${event('a')}`,
    });
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 0, stdout: '{"a":1}' });
    for (const line of stderr.split('\n').filter((each) => each !== '')) JSON.parse(line);
    expect(fs.readdirSync(dir.path)).to.deep.equal([]);
  });

  it('logs to standard error when a signal ends it', async () => {
    const consumer = execa(process.execPath, [MAIN, '-', '--once'], {
      ...options(),
      stdin: 'pipe',
    });
    // More than a pipe holds: written out, it is being read.
    await new Promise((resolve) => consumer.stdin.write(event('a').repeat(10_000), resolve));
    consumer.kill('SIGTERM');
    const { stdout, stderr, exitCode } = await consumer;
    expect({ stdout, exitCode }).to.deep.equal({ stdout: '', exitCode: 128 + 15 });
    expect(stderr).to.include('"msg":"stopping"');
  });

  it('ends quietly when whoever reads the counts has seen enough', async () => {
    const types = Array.from({ length: 20_000 }, (_, i) => event(`type-${i}`)).join('');
    const script = `node "$0" - --once --limit 9000 | head -c 5; echo " \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await execa('bash', ['-c', script, MAIN], {
      ...options(),
      input: types,
    });
    expect({ stdout, stderr }).to.deep.equal({ stdout: '{"typ 0', stderr: '' });
  });

  context('when standard input is', () => {
    const inputs: [what: string, redirect: string, stdout: string][] = [
      ['a file', '< lines', '{"a":1,"b":1}'],
      ['a file whose last line has no LF', '< torn', '{"a":1,"b":1}'],
      ['a file, from where it was read up to', '< rest', '{"b":1}'],
      ['/dev/null', '< /dev/null', '{}'],
      ['closed', '<&-', '{}'],
      ['a pipe', 'PIPE', '{"a":1,"b":1}'],
      ['a pipe whose last line has no LF', 'TORN', '{"a":1,"b":1}'],
    ];
    for (const [what, redirect, expected] of inputs) {
      it(`${what}, prints ${expected}`, async () => {
        const lines = event('a') + event('b');
        fs.writeFileSync(path.join(dir.path, 'lines'), lines);
        fs.writeFileSync(path.join(dir.path, 'torn'), lines.trimEnd());
        const main = `"$0" "$1" - --once`;
        const scripts: Record<string, string> = {
          PIPE: `cat lines | ${main}`,
          TORN: `cat torn | ${main}`,
          '< rest': `{ read -r line; ${main}; } < lines`,
        };
        const script = scripts[redirect] ?? `${main} ${redirect}`;
        const { stdout, exitCode } = await execa(
          'sh',
          ['-c', script, process.execPath, MAIN],
          options(),
        );
        expect({ stdout, exitCode }).to.deep.equal({ stdout: expected, exitCode: 0 });
      });
    }

    it('a folder, says that it cannot be read and exits with 1', async () => {
      const script = `"$0" "$1" - --once < .`;
      const result = await execa('sh', ['-c', script, process.execPath, MAIN], options());
      expect(result.exitCode).to.equal(1);
      expect(result.stdout).to.equal('');
      expect(result.stderr).to.match(/^event-tally: cannot read standard input: .*EISDIR/m);
    });
  });

  context('when options are wrong', () => {
    const rows: [what: string, args: string[]][] = [
      ['--once without -', ['--once']],
      ['another input', ['events.ndjson', '--once']],
      ['--of another kind', ['-', '--once', '--of', 'bytes']],
      ['--limit 0', ['-', '--once', '--limit', '0']],
      ['--format csv', ['-', '--once', '--format', 'csv']],
    ];
    for (const [what, args] of rows) {
      it(`refuses ${what} and exits with 1`, async () => {
        const result = await execa(process.execPath, [MAIN, ...args], {
          ...options(),
          input: event('a'),
        });
        expect(result.exitCode).to.equal(1);
        expect(result.stdout).to.equal('');
        expect(result.stderr).to.match(/^error: /);
      });
    }
  });
});

describe('node consumer/dist/main.js -', () => {
  const dir = useTempDir();

  it('goes on serving once standard input has ended', async () => {
    const consumer = execa(process.execPath, [MAIN, '-'], {
      cwd: dir.path,
      env: { PORT: '0', DURABILITY: 'none' },
      stdin: 'pipe',
      reject: false,
      timeout: 20_000,
    });
    let log = '';
    consumer.stdout.on('data', (text) => {
      log += text;
    });
    const port = await pWaitFor(() => {
      const match = /"port":(\d+)/.exec(log);
      return match !== null && pWaitFor.resolveWith(match[1]);
    });
    const get = async (path: string) =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).json() as Promise<Record<string, unknown>>;
    type Source = { name: string; state: string; lines: number };
    const source = async () => ((await get('/stats')).sources as Source[])[0];

    consumer.stdin.write(event('a'));
    await pWaitFor(async () => (await source())?.lines === 1);
    expect(await source()).to.include({ name: '-', state: 'open' });
    expect(await get('/events/countByEventType')).to.deep.equal({ a: 1 });

    consumer.stdin.end(event('b').trimEnd());
    await pWaitFor(async () => (await source())?.state === 'ended');
    expect(await source()).to.include({ name: '-', lines: 2, reason: null });
    expect(await get('/events/countByEventType')).to.deep.equal({ a: 1, b: 1 });
    expect(await get('/readyz')).to.include({ status: 'ready' });
    expect(fs.readdirSync(dir.path), 'no folder for FIFOs').to.deep.equal([]);

    consumer.kill('SIGTERM');
    expect((await consumer).exitCode).to.equal(0);
  });
});
