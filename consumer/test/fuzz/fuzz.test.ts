import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import { createScanners } from '#consumer/ingest/create-scanners.js';
import { ReferenceScanner } from '#consumer/scan/reference-scanner.js';
import type { Scanner, Unfinished } from '#consumer/scan/scanner.js';
import { TESTED_SCANNER } from '../support/pool-options.js';
import { checkCase } from './check-case.js';
import { COMPARED_SCALE, compareCase } from './compare-case.js';
import { readCorpora } from './corpus.js';
import { describeFound, type FuzzOptions, fuzz } from './fuzz.js';
import { generateCase } from './fuzz-case.js';
import type { CreateScanners } from './pipeline.js';
import type { Check } from './shrink.js';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));
const DATA = fileURLToPath(new URL('../../../test/data', import.meta.url));
const SEED = 1;
const COMMAND = `npm run fuzz -- --seed ${SEED}`;
/** About a minute's. */
const CASES = 900;

/** With both scanners, and without the model. */
const COMPARED_CASES = 50;

const corpora = readCorpora(DATA);
const runChecks = (check: Check, cases: number, options: Partial<FuzzOptions> = {}) =>
  fuzz({ seed: SEED, first: 0, goesOn: (done) => done < cases, corpora, check, ...options });
const run = (createScanners: CreateScanners, cases: number, options: Partial<FuzzOptions> = {}) =>
  runChecks((fuzzCase) => checkCase(fuzzCase, createScanners), cases, options);
const forgetful: CreateScanners = (options) => ({ create: () => new ForgetfulScanner(options) });

/** Forgets that a source has begun, when it is begun again. */
class ForgetfulScanner extends ReferenceScanner {
  override resume(unfinished: Unfinished): void {
    super.resume({ ...unfinished, contentSeen: false });
  }
}

describe('npm run fuzz', () => {
  it(`finds no disagreement in ${CASES} cases of seed ${SEED}`, async function () {
    this.timeout(1_200_000);
    const { found, cases, lines } = await run(
      (options) => createScanners(TESTED_SCANNER, options),
      CASES,
    );
    if (found !== null) throw new Error(describeFound(COMMAND, found).join('\n'));
    expect(cases).to.equal(CASES);
    expect(lines).to.be.above(30_000);
  });

  it(`finds no difference between the scanners in ${COMPARED_CASES} cases of seed ${SEED}`, async function () {
    this.timeout(600_000);
    const scanned = { lines: 0, fallbackLines: 0 };
    const compare: Check = (fuzzCase) => {
      const { lines, fallbackLines } = compareCase(fuzzCase);
      scanned.lines += lines;
      scanned.fallbackLines += fallbackLines;
    };
    const { found, lines } = await runChecks(compare, COMPARED_CASES, { scale: COMPARED_SCALE });
    if (found !== null) throw new Error(describeFound(COMMAND, found).join('\n'));
    expect(scanned.lines).to.equal(lines);
    expect(scanned.fallbackLines).to.be.within(1, lines / 20);
  });

  it('makes the same cases of the same seed, and others of another', () => {
    expect(generateCase(7, 3, corpora)).to.deep.equal(generateCase(7, 3, corpora));
    expect(generateCase(7, 3, corpora)).not.to.deep.equal(generateCase(8, 3, corpora));
  });

  it('finds a fault that takes a restart to show, and makes its case as small as may be', async () => {
    const { found, cases } = await run(forgetful, CASES);
    expect(found).to.include({ number: cases - 1 });
    const { number, smallest } = found as NonNullable<typeof found>;
    const { reads } = smallest.fuzzCase;
    const bytes = reads.reduce((sum, read) => sum + read.bytes.length, 0);
    expect(bytes, 'bytes of the smallest case').to.be.below(100);
    expect(describeFound(COMMAND, { number, smallest })[0]).to.include(
      `${COMMAND} --first ${number} --cases 1`,
    );
    const again = await run(forgetful, 1, { first: number });
    expect(again.found?.smallest.fuzzCase).to.deep.equal(smallest.fuzzCase);
  });

  it('takes a scanner that throws for one that disagrees', async () => {
    const create: CreateScanners = (options) => {
      const scanner: Scanner = new ReferenceScanner(options);
      scanner.scan = () => {
        throw new Error('no');
      };
      return { create: () => scanner };
    };
    const { found } = await run(create, 1);
    expect(describeFound(COMMAND, found!).join('\n')).to.include('Error: no');
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
