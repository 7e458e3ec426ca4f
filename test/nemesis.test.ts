import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import { useTempDir } from '../consumer/dist-test/support/temp-dir.js';
import { FAULTS } from './nemesis/faults.js';
import { Ledger } from './nemesis/ledger.js';
import {
  bytesOf,
  EVENT_BYTES_MAX,
  eventLine,
  numberOf,
  wordOf,
} from './nemesis/numbered-events.js';

const NEMESIS = fileURLToPath(new URL('./nemesis/main.js', import.meta.url));
const README = new URL('../README.md', import.meta.url);
const KILLS = 20;

describe('numbered events', () => {
  it('have a word that tells the number, and is no other word', () => {
    for (const number of [0, 1, 9, 10, 123_456_789]) {
      expect(numberOf(wordOf(number))).to.equal(number);
    }
    const [one, other] = [wordOf(12), wordOf(345)];
    for (const joined of [`1${other}`, one.slice(0, -1) + other, one.slice(1), 'load', '']) {
      expect(numberOf(joined), joined).to.equal(null);
    }
  });

  it('are as long as any other time, with the last of a load, and within their bound', () => {
    const lines = Array.from({ length: 10_000 }, (_, number) => eventLine(number));
    expect(bytesOf(0, lines.length)).to.equal(lines.join('').length);
    expect(eventLine(7, 12)).to.have.lengthOf(eventLine(7).length);
    const longest = Math.max(...lines.map((line) => line.length));
    expect(longest).to.be.within(EVENT_BYTES_MAX / 2, EVENT_BYTES_MAX);
  });
});

describe('the ledger of a nemesis', () => {
  const NOTHING = { lost: 0, lostBytes: 0, doubled: 0, joined: 0, impossible: 0 };
  const counts = (...numbers: number[]) => {
    const words: Record<string, number> = {};
    for (const number of numbers) words[wordOf(number)] = (words[wordOf(number)] ?? 0) + 1;
    return words;
  };
  const range = (done: number, doing: number) => ({ done, doing, restedBy: 0 });

  it('finds nothing where all is counted once', () => {
    expect(new Ledger(5).settle(8, counts(5, 6, 7))).to.deep.equal(NOTHING);
  });

  it('tells of each lost and doubled event once', () => {
    const ledger = new Ledger(5);
    const found = ledger.settle(9, counts(5, 5, 5, 8));
    expect(found).to.deep.equal({ ...NOTHING, lost: 2, lostBytes: bytesOf(6, 8), doubled: 2 });
    expect(ledger.settle(10, counts(5, 5, 5, 8, 9))).to.deep.equal(NOTHING);
    expect(ledger.settle(10, counts(5, 5, 5, 9, 9))).to.deep.include({ lost: 1, doubled: 1 });
  });

  it('takes no loss and gain at the same time for none', () => {
    const ledger = new Ledger(0);
    expect(ledger.settle(3, counts(0, 2, 2))).to.deep.include({ lost: 1, doubled: 1 });
  });

  it('tells of what cannot be: events before their time, or after they were lost', () => {
    const ledger = new Ledger(5);
    expect(ledger.settle(7, counts(4, 5, 6, 7))).to.deep.equal({ ...NOTHING, impossible: 2 });
    const other = new Ledger(0);
    other.settle(2, counts(0));
    expect(other.settle(2, counts(0, 1))).to.deep.equal({ ...NOTHING, impossible: 1 });
  });

  it('tells torn lines that have become an event once', () => {
    const ledger = new Ledger(0);
    const words = { ...counts(0), '1234.none': 1 };
    expect(ledger.settle(1, words)).to.deep.equal({ ...NOTHING, joined: 1 });
    expect(ledger.settle(1, words, 2)).to.deep.equal({ ...NOTHING, joined: 2 });
    expect(ledger.settle(1, words, 2)).to.deep.equal(NOTHING);
  });

  it('leaves open what a run was writing when it ended, but not what lies before the last of it', () => {
    const settle = (...numbers: number[]) => {
      const ledger = new Ledger(0);
      ledger.addUnsure(range(2, 6));
      return ledger.settle(8, counts(...numbers)).lost;
    };
    expect(settle(0, 1, 6, 7)).to.equal(0);
    expect(settle(0, 1, 2, 3, 6, 7)).to.equal(0);
    expect(settle(0, 1, 3, 6, 7)).to.equal(1);
    expect(settle(0, 6, 7)).to.equal(1);
  });
});

describe('npm run nemesis', () => {
  const dir = useTempDir();
  const nemesis = (...args: string[]) =>
    execa('node', [NEMESIS, ...args], { env: { TMPDIR: dir.path }, reject: false });
  /** Nothing is left of it, neither files nor mounts. */
  const expectNothingLeft = () => expect(fs.readdirSync(dir.path)).to.deep.equal([]);

  it(`finds all guarantees held after ${KILLS} faults, of each kind some`, async () => {
    const { exitCode, stdout } = await nemesis('--kills', String(KILLS));
    process.stdout.write(`${stdout.replaceAll(/^/gm, '      ')}\n`);
    expect(exitCode).to.equal(0);
    expect(stdout).to.include(`${KILLS} faults, 0 broken guarantees`);
    const kinds = FAULTS.map(({ name }) => name).filter((name) => {
      return process.env.CI || !stdout.includes(`skipped: ${name}: `);
    });
    expect(
      kinds.filter((name) => !new RegExp(`^ +\\d+  ${name} `, 'm').test(stdout)),
    ).to.deep.equal([]);
    expectNothingLeft();
  }).timeout(900_000);

  it('prints the table of what was done when it is interrupted', async () => {
    const running = nemesis('--kills', '1000', '--faults', 'consumer-halted');
    let isInterrupted = false;
    running.stdout.on('data', (text: Buffer) => {
      if (isInterrupted || !/^ +1 {2}consumer-halted/m.test(text.toString())) return;
      isInterrupted = true;
      running.kill('SIGINT');
    });
    const { exitCode, stdout } = await running;
    expect(exitCode).to.equal(130);
    expect(stdout).to.match(
      /^fault +times .*\nconsumer-halted +\d+ .*\n\d+ faults, 0 broken guarantees$/m,
    );
    expectNothingLeft();
  }).timeout(120_000);

  it('has a line of the README’s guarantees for each fault', () => {
    const readme = fs.readFileSync(README, 'utf8');
    const table =
      readme
        .split('\n## Guarantees\n')[1]
        ?.split('\n## ')[0]
        ?.match(/^\|.*\|$/gm) ?? [];
    const shown = table.slice(2).flatMap(
      (line) =>
        line
          .split(' | ')
          .at(-1)
          ?.match(/[\w-]+/g) ?? [],
    );
    expect(shown).to.include.members(FAULTS.map(({ name }) => name));
  });

  it('refuses what it does not know, and explains itself', async () => {
    const { exitCode, stderr } = await nemesis('--faults', 'nonsense');
    expect(exitCode).to.equal(2);
    expect(stderr).to.match(/^Usage: /);
    const { stdout } = await nemesis('--help');
    for (const { name } of FAULTS) expect(stdout).to.include(name);
  });
});
