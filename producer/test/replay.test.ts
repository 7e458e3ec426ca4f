import { closeSync, openSync, writeSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { execa } from 'execa';
import { cleanUp, makeFolder, replay, track, waitUntil } from './running.js';

function run(args: string[], options: { input?: Uint8Array } = {}) {
  return execa('node', [replay, ...args], {
    ...options,
    encoding: 'latin1',
    reject: false,
    stripFinalNewline: false,
  });
}

const LINE_BYTES = 2 ** 27;
/** With the LFs that are added, what `--loop` reads only once. */
const LOOP_BYTES_MAX = 2 ** 26;

describe('replay', () => {
  let folder: string;
  const file = async (name: string, bytes: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  };
  beforeEach(async () => {
    folder = await makeFolder();
  });
  afterEach(cleanUp);

  it('prints help and version', async () => {
    expect((await run(['--help'])).stdout).to.match(/^Usage: replay \[options\] <files\.\.\.>/);
    expect((await run(['--version'])).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('writes one file after the other, silently, each with an LF at its end', async () => {
    const paths = [
      await file('a', 'one\ntwo'),
      await file('empty', ''),
      await file('b', 'three\n'),
      await file('c', 'four'),
    ];
    const { stdout, stderr, exitCode } = await run(paths);
    expect({ stdout, stderr, exitCode }).to.deep.equal({
      stdout: 'one\ntwo\nthree\nfour\n',
      stderr: '',
      exitCode: 0,
    });
  });

  it('leaves every byte as it is', async () => {
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) % 257));
    for (const rate of ['max', '10000000']) {
      const { stdout } = await run(['--rate', rate, await file('bytes', bytes)]);
      expect(
        Buffer.from(stdout, 'latin1').equals(Buffer.concat([bytes, Buffer.from('\n')])),
      ).to.equal(true);
    }
  });

  it('decompresses .gz, one of several members too', async () => {
    const members = Buffer.concat([gzipSync('one\n'), gzipSync('two')]);
    const { stdout } = await run([await file('a.gz', members), await file('b', 'three\n')]);
    expect(stdout).to.equal('one\ntwo\nthree\n');
  });

  it('reads standard input for -', async () => {
    const { stdout } = await run([await file('a', 'one'), '-'], { input: Buffer.from('two') });
    expect(stdout).to.equal('one\ntwo\n');
  });

  it('writes every line at a rate too', async () => {
    const { stdout } = await run(['--rate', '1000', await file('a', 'x\n'.repeat(41))]);
    expect(stdout).to.equal('x\n'.repeat(41));
  });

  it('begins again with --loop, and ends quietly with 0 when its output closes', async () => {
    const path = await file('a', 'one\ntwo');
    const line = `{ node '${replay}' --loop '${path}'; echo "exit $?" >&2; } | head -n 5`;
    const { stdout, stderr } = await execa('sh', ['-c', line]);
    expect(stdout).to.equal('one\ntwo\none\ntwo\none');
    expect(stderr).to.equal('exit 0');
  });

  for (const [what, repeat, bytesMin] of [
    ['less than a piece', 1, 200_000],
    ['more than a piece', 20_000, 2_000_000],
  ] as const) {
    it(`writes ${what} with --loop as it is, round after round`, async () => {
      const bytes = `${Array.from({ length: repeat }, (_, i) => `${i}\n`).join('')}end`;
      const paths = [
        await file('a', bytes),
        await file('empty', ''),
        await file('b.gz', gzipSync(bytes)),
      ];
      for (const rate of ['max', '10000000']) {
        const line = `node '${replay}' --rate ${rate} --loop '${paths.join("' '")}' | head -c ${bytesMin}`;
        const { stdout } = await execa('sh', ['-c', line], { stripFinalNewline: false });
        const expected = `${bytes}\n`.repeat(Math.ceil(bytesMin / (bytes.length + 1)));
        expect(stdout === expected.slice(0, bytesMin)).to.equal(true);
      }
    });
  }

  for (const [what, bytes, isSeen] of [
    ['once where they have 64 MiB with their LFs', LOOP_BYTES_MAX - 1, false],
    ['anew each time where they have more', LOOP_BYTES_MAX, true],
  ] as const) {
    it(`reads files with --loop ${what}`, async () => {
      const path = await file('zeros', '');
      await truncate(path, bytes);
      const child = track(execa('node', [replay, '--loop', path], { buffer: false }));
      const zeros = openSync(path, 'r+');
      let received = 0;
      let ones = 0;
      child.stdout.on('data', (piece: Buffer) => {
        // The first round has passed the file's beginning, and has not come to its end.
        if (received === 0) writeSync(zeros, '1', 0);
        received += piece.length;
        if (piece.includes('1')) ones++;
      });
      await waitUntil('two rounds have come', () => received > 2 * bytes);
      child.kill();
      await child;
      closeSync(zeros);
      expect(ones > 0).to.equal(isSeen);
    });
  }

  it('holds no more than a piece of a line of 128 MiB', async () => {
    const path = await file('long', '');
    await truncate(path, LINE_BYTES);
    const atExit = `process.on('exit', () => process.stderr.write('KiB ' + process.resourceUsage().maxRSS))`;
    const line = `node --import 'data:text/javascript,${encodeURIComponent(atExit).replaceAll("'", '%27')}' '${replay}' --rate 10 '${path}' | wc -c`;
    const { stdout, stderr } = await execa('sh', ['-c', line]);
    expect(stdout.trim()).to.equal(String(LINE_BYTES + 1));
    expect(Number(/^KiB (\d+)$/.exec(stderr)?.[1])).to.be.below(120_000);
  });

  describe('a file that cannot be read', () => {
    it('is told in one line before anything is written', async () => {
      const good = await file('good', 'one\n');
      const missing = join(folder, 'missing');
      for (const [path, reason] of [
        [missing, 'no such file or directory'],
        [folder, 'it is a directory'],
        ['/dev/null', 'it is no regular file; pipe it in and name it -'],
      ] as const) {
        const { exitCode, stdout, stderr } = await run([good, path]);
        expect({ exitCode, stdout, stderr }).to.deep.equal({
          exitCode: 1,
          stdout: '',
          stderr: `replay: cannot read ${path}: ${reason}\n`,
        });
      }
    });

    it('is told in one line when it is no gzip, or not all of it', async () => {
      const whole = gzipSync('one\n'.repeat(1000));
      for (const [name, bytes, reason] of [
        ['text.gz', Buffer.from('one\n'), 'incorrect header check'],
        ['cut.gz', whole.subarray(0, -10), 'unexpected end of file'],
      ] as const) {
        const path = await file(name, bytes);
        const { exitCode, stderr } = await run([path]);
        expect({ exitCode, stderr }).to.deep.equal({
          exitCode: 1,
          stderr: `replay: cannot read ${path}: ${reason}\n`,
        });
      }
    });
  });

  it('refuses what cannot be meant', async () => {
    const path = await file('a', 'one\n');
    const empty = await file('empty', '');
    const refused: [string[], string][] = [
      [[], "missing required argument 'files'"],
      [['--rate', '0', path], "option '--rate <lines/s>' argument '0' is invalid. It must be a"],
      [['--speed', path], "unknown option '--speed'"],
      [['--loop', '-'], '--loop cannot begin again with standard input'],
      [['-', path, '-'], 'standard input (-) can be read only once'],
      [['--loop', empty, empty], 'nothing to loop over: the files are empty'],
    ];
    const results = await Promise.all(refused.map(([args]) => run(args)));
    for (const [index, { exitCode, stdout, stderr }] of results.entries()) {
      expect(exitCode, refused[index]![0].join(' ')).to.equal(1);
      expect(stdout).to.equal('');
      expect(stderr).to.include(refused[index]![1]);
    }
  });

  for (const [when, args] of [
    ['it waits for standard input', ['-', 'a']],
    ['it waits for the next line to be due', ['--rate', '0.001', 'a']],
    ['it loops as fast as it can', ['--loop', 'a']],
  ] as const) {
    context(`when ${when}`, () => {
      it('ends with 0 at SIGTERM', async () => {
        const path = await file('a', 'one\ntwo\n');
        const paths = args.map((arg) => (arg === 'a' ? path : arg));
        const child = track(execa('node', [replay, ...paths], { stdin: 'pipe', buffer: false }));
        if (paths.includes('-')) child.stdin.write('begun\n');
        let begun = false;
        child.stdout.on('data', () => {
          begun = true;
        });
        await waitUntil('it writes', () => begun);
        child.kill();
        expect((await child).exitCode).to.equal(0);
      });
    });
  }

  describe('on a terminal', () => {
    const onTerminal = (command: string) => execa('script', ['-qec', command, '/dev/null']);

    it('shows on standard error how much has been read', async function () {
      const { failed } = await execa('script', ['--version'], { reject: false });
      if (failed) this.skip();
      const path = await file('a.gz', gzipSync('one\n'.repeat(1000)));
      const { stdout } = await onTerminal(`node '${replay}' '${path}' >/dev/null`);
      expect(stdout).to.include('100% of the files');
      // The cursor is shown again.
      expect(stdout.lastIndexOf('\u001b[?25h')).to.be.above(stdout.lastIndexOf('\u001b[?25l'));
    });

    it('stays silent when it does not know how much there is', async function () {
      const { failed } = await execa('script', ['--version'], { reject: false });
      if (failed) this.skip();
      const { stdout } = await onTerminal(`echo one | node '${replay}' - >/dev/null`);
      expect(stdout).to.equal('');
    });

    it('stays silent where there is no end', async function () {
      const { failed } = await execa('script', ['--version'], { reject: false });
      if (failed) this.skip();
      const path = await file('a', 'one\n');
      const { stdout } = await onTerminal(
        `node '${replay}' --loop '${path}' | head -c 9999999 | wc -c`,
      );
      expect(stdout.trim()).to.equal('9999999');
    });
  });
});
