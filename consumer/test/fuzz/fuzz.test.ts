import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import { ReferenceScanner } from '#consumer/scan/reference-scanner.js';
import type { Scanner, Unfinished } from '#consumer/scan/scanner.js';
import { readCorpora } from './corpus.js';
import { describeFound, type FuzzOptions, fuzz } from './fuzz.js';
import { generateCase } from './fuzz-case.js';
import type { CreateScanner } from './pipeline.js';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));
const DATA = fileURLToPath(new URL('../../../test/data', import.meta.url));
const SEED = 1;
/** About a minute's. */
const CASES = 1500;

const corpora = readCorpora(DATA);
const run = (createScanner: CreateScanner, cases: number, options: Partial<FuzzOptions> = {}) =>
  fuzz({
    seed: SEED,
    first: 0,
    goesOn: (done) => done < cases,
    corpora,
    createScanner,
    ...options,
  });

/** Forgets that a source has begun, when it is begun again. */
class ForgetfulScanner extends ReferenceScanner {
  override resume(unfinished: Unfinished): void {
    super.resume({ ...unfinished, contentSeen: false });
  }
}

describe('npm run fuzz', () => {
  it(`finds no disagreement in ${CASES} cases of seed ${SEED}`, async function () {
    this.timeout(1_200_000);
    const { found, cases, lines } = await run((options) => new ReferenceScanner(options), CASES);
    if (found !== null) throw new Error(describeFound(SEED, found).join('\n'));
    expect(cases).to.equal(CASES);
    expect(lines).to.be.above(50_000);
  });

  it('makes the same cases of the same seed, and others of another', () => {
    expect(generateCase(7, 3, corpora)).to.deep.equal(generateCase(7, 3, corpora));
    expect(generateCase(7, 3, corpora)).not.to.deep.equal(generateCase(8, 3, corpora));
  });

  it('finds a fault that takes a restart to show, and makes its case as small as may be', async () => {
    const { found, cases } = await run((options) => new ForgetfulScanner(options), CASES);
    expect(found).to.include({ number: cases - 1 });
    const { number, smallest } = found as NonNullable<typeof found>;
    const { reads } = smallest.fuzzCase;
    const bytes = reads.reduce((sum, read) => sum + read.bytes.length, 0);
    expect(bytes, 'bytes of the smallest case').to.be.below(100);
    expect(describeFound(SEED, smallest === null ? found! : { number, smallest })[0]).to.include(
      `npm run fuzz -- --seed ${SEED} --first ${number} --cases 1`,
    );
    const again = await run((options) => new ForgetfulScanner(options), 1, { first: number });
    expect(again.found?.smallest.fuzzCase).to.deep.equal(smallest.fuzzCase);
  });

  it('takes a scanner that throws for one that disagrees', async () => {
    const create: CreateScanner = (options) => {
      const scanner: Scanner = new ReferenceScanner(options);
      scanner.scan = () => {
        throw new Error('no');
      };
      return scanner;
    };
    const { found } = await run(create, 1);
    expect(describeFound(SEED, found!).join('\n')).to.include('Error: no');
  });

  context('as a program', () => {
    const start = (...args: string[]) => execa('node', [MAIN, ...args], { reject: false });

    it('says what it has done, with exit code 0', async () => {
      const { exitCode, stdout } = await start('--cases', '3', '--seed', '5');
      expect(stdout).to.match(/\n3 cases, \d+ lines, \d+ MB in \d+ s: no disagreement$/);
      expect(exitCode).to.equal(0);
    });

    it('stops at SIGINT, and says what it has done', async () => {
      const child = start('--minutes', '60');
      child.stdout.on('data', (text) => {
        if (String(text).includes('from case 0')) child.kill('SIGINT');
      });
      const { exitCode, stdout } = await child;
      expect(stdout).to.match(/\n\d+ cases, \d+ lines, \d+ MB in \d+ s: no disagreement$/);
      expect(exitCode).to.equal(0);
    });

    it('explains itself with --help', async () => {
      const { exitCode, stdout } = await start('--help');
      expect(stdout).to.match(/^Usage: npm run fuzz -- /);
      expect(exitCode).to.equal(0);
    });

    for (const args of [
      ['--minutes', '0'],
      ['--cases', 'x'],
      ['--data', '/nowhere'],
      ['--unknown'],
    ]) {
      it(`refuses ${args.join(' ')} with exit code 2`, async () => {
        const { exitCode, stderr } = await start(...args);
        expect(stderr).to.include('Usage: ');
        expect(exitCode).to.equal(2);
      });
    }
  });
});
