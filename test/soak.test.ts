import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import {
  compareThirds,
  LATENCY_GROWTH_MAX,
  quantile,
  RESIDENT_GROWTH_BYTES_MAX,
  type Sample,
} from './soak/samples.js';

const SOAK = fileURLToPath(new URL('./soak/main.js', import.meta.url));

describe('the verdict of a soak', () => {
  const MEBIBYTE = 1_048_576;
  const sample = (seconds: number, residentBytes: number, ms: number): Sample => {
    const latencies = Array.from({ length: 100 }, (_, i) => (i === 99 ? ms : 1));
    const rest = { seconds, descriptors: 30, linesPerSecond: 1 };
    return { ...rest, residentBytes, livez: latencies, queries: latencies };
  };
  const flat = (of: (i: number) => Sample) =>
    compareThirds(Array.from({ length: 40 }, (_, i) => of(i))).map(({ isFlat }) => isFlat);

  it('is flat where all stays as it is, whatever the warm-up and a single sample say', () => {
    expect(flat((i) => sample(i, 100 * MEBIBYTE, 30))).to.deep.equal([true, true, true]);
    expect(flat((i) => sample(i, i < 4 ? MEBIBYTE : 100 * MEBIBYTE, 30))[0]).to.equal(true);
    expect(flat((i) => sample(i, (i === 39 ? 900 : 100) * MEBIBYTE, 30))[0]).to.equal(true);
  });

  it('is not where memory grows by more than its bound from the first third to the last', () => {
    const growing = (total: number) => (i: number) => sample(i, MEBIBYTE + (total * i) / 24, 30);
    expect(flat(growing(RESIDENT_GROWTH_BYTES_MAX))[0]).to.equal(true);
    expect(flat(growing(2 * RESIDENT_GROWTH_BYTES_MAX))[0]).to.equal(false);
  });

  it('is not where the slowest answers become slower', () => {
    const slower = (by: number) => (i: number) => sample(i, MEBIBYTE, i < 20 ? 30 : 30 * by);
    expect(flat(slower(LATENCY_GROWTH_MAX))).to.deep.equal([true, true, true]);
    expect(flat(slower(LATENCY_GROWTH_MAX + 0.1))).to.deep.equal([true, false, false]);
  });

  it('goes by quantiles: 0 of nothing', () => {
    const values = Array.from({ length: 200 }, (_, i) => 199 - i);
    expect([0, 0.5, 0.99, 1].map((share) => quantile(values, share))).to.deep.equal([
      0, 100, 198, 199,
    ]);
    expect(quantile([], 0.5)).to.equal(0);
  });
});

describe('npm run soak', () => {
  it('counts all that came and leaves no descriptor behind, in a few seconds', async () => {
    const { exitCode, stdout } = await execa('node', [SOAK, '--quick'], { reject: false });
    expect(stdout).to.match(/^\d+ runs of producers, \d+ lines, \d+ bytes, all counted$/m);
    expect(stdout).to.match(/^\d+ answers, \d+ of them 503, or none in 10 s; \d+ frames/m);
    expect(stdout).to.match(/^descriptors at rest: (\d+) before, \1 after$/m);
    expect(stdout).to.not.include('BROKEN');
    expect(exitCode).to.equal(0);
  }).timeout(300_000);

  it('refuses what it does not know', async () => {
    const { exitCode, stderr } = await execa('node', [SOAK, '--minutes', '0'], { reject: false });
    expect(exitCode).to.equal(2);
    expect(stderr).to.match(/^Usage: /);
  });
});
