import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';

const BENCH = fileURLToPath(new URL('../dist-bench/main.js', import.meta.url));

describe('npm run bench', () => {
  it('memory: measures, with /stats right, at a small size', async () => {
    const { stdout } = await execa('node', [BENCH, 'memory', '--quick']);
    const [conditions, ...rows] = stdout.split('\n');
    expect(conditions).to.match(/cores, .*Node v\d+.*seed 1$/);
    expect(rows).to.have.lengthOf(4);
    for (const row of rows) expect(row).to.match(/MiB now +\d+ MiB peak +lines \d+ = /);
    expect(rows.at(-1)).to.include('"too_long":1');
  });

  it('windows: measures, with all counts in the windows, at a small size', async () => {
    const { stdout } = await execa('node', ['--expose-gc', BENCH, 'windows', '--quick']);
    const rows = stdout.split('\n').slice(3);
    expect(rows).to.have.lengthOf(2);
    // Words of 10,000 lines, three each, evenly over two hours: in the last 60 s, 10 min, 1 h and 2 h.
    for (const row of rows) expect(Number(row.split(/ +/).at(-1))).to.be.within(47_500, 48_500);
  });

  it('refuses a name that it does not know', async () => {
    const { exitCode, stderr } = await execa('node', [BENCH, 'nonsense'], { reject: false });
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/^Usage: /);
  });
});
