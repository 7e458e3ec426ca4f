import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import { render } from '../dist-bench/report.js';
import { worseReport } from '../dist-bench/worse.js';

const BENCH = fileURLToPath(new URL('../dist-bench/main.js', import.meta.url));

/** Cells of all tables of a text. */
function tableRows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('what got worse', () => {
  const rates = (rate: string, mebibytes: string) => ({
    title: `lines: ${rate} of them`,
    head: ['', 'does', 'M lines/s', 'MiB'],
    rows: [
      ['us', 'counts', rate, mebibytes],
      ['others', 'count', '2.00 (1.90–2.10)', ''],
    ],
    notes: [],
  });
  const latency = (p50: string, p99: string, max: string) => ({
    title: 'Latency: p50, p99, max',
    head: ['', 'M lines/s', 'answer', '', ''],
    rows: [['idle', '0.00', p50, p99, max]],
    notes: [],
  });
  const ratio = (reached: string) => ({
    title: 'Ratios',
    head: ['input', 'than', 'to reach', 'reached', ''],
    rows: [['lines', 'others', '3.00 ×', reached, 'yes']],
    notes: [],
  });
  const before = ['- commit abc1234, load before 0.1', '']
    .concat(
      [rates('5.00 (4.00–6.00)', '100'), latency('2.0', '8.0', '9.0'), ratio('4.31 ×')].map(render),
    )
    .join('\n');

  it('is told of rates, ratios, latency and memory', () => {
    const after = [
      rates('3.99 (3.00–6.00)', '111'),
      latency('3.1', '12.1', '99.0'),
      ratio('4.30 ×'),
    ];
    const { title, rows } = worseReport(before, after);
    expect(title).to.equal('What got worse since the results of commit abc1234');
    expect(rows).to.deep.equal([
      ['lines', 'us', 'M lines/s', '5.00 (4.00–6.00)', '3.99 (3.00–6.00)'],
      ['lines', 'us', 'MiB', '100', '111'],
      ['Latency', 'idle', 'answer, p50', '2.0', '3.1'],
      ['Latency', 'idle', 'answer, p99', '8.0', '12.1'],
      ['Ratios', 'lines, others', 'reached', '4.31 ×', '4.30 ×'],
    ]);
  });

  it('is nothing where all is within the spread of before, and where nothing was known', () => {
    const after = [
      rates('4.01 (3.00–4.50)', '110'),
      latency('3.0', '12.0', '99.0'),
      ratio('4.31 ×'),
    ];
    expect(worseReport(before, after)).to.deep.include({ rows: [], notes: ['Nothing.'] });
    expect(worseReport('', after)).to.deep.include({ rows: [] });
  });
});

describe('npm run bench', () => {
  it('attacks: all bounds are passed, with all totals right, at a small size', async function () {
    this.timeout(300_000);
    const { stdout } = await execa('node', [BENCH, 'attacks', '--quick']);
    const lines = stdout.split('\n');
    const [conditions, head, ...rows] = lines.slice(0, -1) as [string, string, ...string[]];
    const counted = JSON.parse(lines.at(-1)?.replace('counted past bounds: ', '') as string);
    expect(counted).to.have.all.keys('too_long', 'types', 'words', 'cells', 'late', 'ahead');
    for (const [bound, count] of Object.entries(counted)) expect(count, bound).to.be.above(0);
    expect(conditions).to.match(/cores, .*Node v\d+.*seed 1$/);
    expect(head).to.match(/MiB idle +MiB peak +MiB may be$/);
    expect(rows).to.have.lengthOf(21);
    for (const row of rows) {
      const [peak, may] = row.split(/ +/).slice(-2).map(Number) as [number, number];
      expect(peak, row).to.be.above(0).and.at.most(may);
    }
  });

  it('windows: measures, with all counts in the windows, at a small size', async () => {
    const { stdout } = await execa('node', ['--expose-gc', BENCH, 'windows', '--quick']);
    const tables = stdout.split('\n').map((row) => row.split(/ +/));
    const checksums = tables.map((cells) => Number(cells.at(-1)));
    // Words of 10,000 lines, three each, evenly over two hours: in the last 60 s, 10 min, 1 h and 2 h.
    for (const checksum of checksums.slice(3, 5)) expect(checksum).to.be.within(47_500, 48_500);
    // The same, an hour's values, and series of 10 min and 2 h; in one thread and in two.
    expect(tables.slice(7).map(([words, threads]) => `${words} ${threads}`)).to.deep.equal([
      '10 1',
      '10 2',
      '1000 1',
      '1000 2',
    ]);
    const [first, ...others] = checksums.slice(7);
    expect(first).to.be.within(84_500, 86_500);
    for (const checksum of others) expect(checksum).to.equal(first);
  });

  it('state: measures, with all lines counted and recovered, at a small size', async () => {
    const { stdout } = await execa('node', ['--expose-gc', BENCH, 'state', '--quick']);
    const rows = stdout.split('\n').slice(3);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 2).join(', '))).to.deep.equal([
      'one minute, none',
      'one minute, checkpoint',
      'one minute, journal',
      'two hours, none',
      'two hours, checkpoint',
      'two hours, journal',
      rows.at(-2),
      rows.at(-1),
    ]);
    expect(rows.at(-2)).to.match(
      /^a journal of the bytes read: \d+ µs a read of 64 KiB, [\d.]+ MiB$/,
    );
    expect(rows.at(-1)).to.match(
      /^recovery: [\d.]+ s for 1000 words, a checkpoint of .* MiB of journal$/,
    );
  });

  it('clients: measures, with all lines accepted, at a small size', async () => {
    const { stdout } = await execa('node', ['--expose-gc', BENCH, 'clients', '--quick']);
    const rows = stdout.split('\n').slice(3);
    expect(rows.map((row) => row.split(/ {2,}/)[0])).to.deep.equal([
      'nothing',
      'all words, flat',
      'all words, HEAD',
      'two hours of words',
      'windows of their own',
      'series of their own',
      'live pages',
      'stats',
      'streams',
      'all of these',
    ]);
    for (const row of rows) expect(row).to.match(/ \d\.\d{3} +\d+ % /);
  });

  for (const input of ['generator', 'github']) {
    it(`compare: those that count ${input} events count the same, at a small size`, async () => {
      const options = ['--quick', '--offline', '--only', input, '--lines', '2000', '--runs', '1'];
      const rows = tableRows((await execa('node', [BENCH, 'compare', ...options])).stdout);
      const checksums = (name: string) => rows.find(([each]) => each === name)?.slice(6, 8);
      const ours = checksums('event-tally') as string[];
      for (const sum of ours) expect(sum).to.match(/^[0-9a-f]{8}$/);
      for (const name of ['event-tally, reference scanner', 'Node.js, readline and JSON.parse'])
        expect(checksums(name), name).to.deep.equal(ours);
      const ratios = rows.filter(([first, , , , reached]) => first === input && reached !== '');
      expect(ratios.map(([, than]) => than)).to.include('event-tally, reference scanner, in lines');
    });
  }

  it('latency: finds every event that it looks for, at a small size', async () => {
    const options = ['--quick', '--lines', '20000', '--runs', '1'];
    const { stdout } = await execa('node', [BENCH, 'latency', ...options]);
    const rows = tableRows(stdout).slice(2);
    expect(rows).to.have.lengthOf(5);
    for (const [name, ...figures] of rows) {
      for (const figure of figures.slice(1)) expect(Number(figure), name).to.be.above(0);
    }
  });

  it('growth: measures where each thing grows, at a small size', async () => {
    const options = ['--quick', '--lines', '3000', '--runs', '1'];
    const rows = tableRows((await execa('node', [BENCH, 'growth', ...options])).stdout).slice(2);
    expect(new Set(rows.map(([what]) => what)).size).to.equal(5);
    for (const [, , lines, , , mebibytes] of rows) {
      expect(Number(lines?.replaceAll(',', ''))).to.be.above(0);
      expect(Number(mebibytes)).to.be.above(0);
    }
  });

  for (const args of [['nonsense'], ['toString'], ['compare', '--runs', '0']]) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { exitCode, stderr } = await execa('node', [BENCH, ...args], { reject: false });
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(/^Usage: /);
    });
  }

  for (const name of ['attacks', 'compare']) {
    it(`says so when --only names none of ${name}`, async () => {
      const args = [name, '--quick', '--offline', '--only', 'nonsense'];
      const { exitCode, stderr } = await execa('node', [BENCH, ...args], { reject: false });
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(/^bench: no (attack|input) has nonsense in its name$/);
    });
  }

  it('keeps no results of less than the whole', async () => {
    const args = ['--write', '--quick', '--offline'];
    const { exitCode, stderr } = await execa('node', [BENCH, ...args], { reject: false });
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/--write keeps/);
  });
});
