import { expect } from 'chai';
import { chartData, stack, trimStart } from '#consumer/dashboard/chart-data.js';
import type { SeriesDocument } from '#consumer/dashboard/documents.js';

function seriesOf(start: number, step: number, counts: number[], other = counts.map(() => 0)) {
  return {
    of: 'types',
    batch: 1,
    window: { start, end: start + counts.length * step, resolution: 1 },
    since: 0,
    step,
    starts: counts.map((_, i) => start + i * step),
    series: [{ key: 'a', counts }],
    other,
  } satisfies SeriesDocument;
}

describe('the data of the chart', () => {
  it('are rates: a count of ten seconds is a tenth a second', () => {
    const data = chartData(seriesOf(1200, 10, [10, 25], [0, 5]), 9999);
    expect(data).to.deep.equal({
      starts: [1200, 1210],
      barSeconds: 10,
      rates: [
        [1, 2.5],
        [0, 0.5],
      ],
    });
  });

  it('divide a step that is not over by the seconds of it that are', () => {
    const { starts, rates } = chartData(seriesOf(1200, 60, [60, 60]), 1280.9);
    expect(starts).to.deep.equal([1200, 1260]);
    expect(rates[0]).to.deep.equal([1, 3]);
  });

  it('leave out a step of which no second is over', () => {
    expect(chartData(seriesOf(1200, 1, [5, 5, 5]), 1202.9).starts).to.deep.equal([1200, 1201]);
  });

  it('put many steps together into bars that begin at whole ones', () => {
    const { starts, barSeconds, rates } = chartData(seriesOf(1003, 1, Array(600).fill(2)), 9999);
    expect(barSeconds).to.equal(5);
    expect(starts.slice(0, 3)).to.deep.equal([1000, 1005, 1010]);
    expect(starts).to.have.lengthOf(121);
    expect(new Set(rates[0])).to.deep.equal(new Set([2]));
  });

  it('begin with the first event, but leave a minute at least', () => {
    const counts = Array(100).fill(0);
    const trimmed = (first: number) =>
      trimStart(chartData(seriesOf(1200, 1, counts.with(first, 1)), 9999)).starts[0];
    expect(trimmed(7)).to.equal(1207);
    expect(trimmed(99)).to.equal(1240);
    expect(trimStart(chartData(seriesOf(1200, 1, counts), 9999)).starts[0]).to.equal(1240);
  });

  it('are stacked from below', () => {
    expect(
      stack([
        [1, 2],
        [10, 20],
        [100, 200],
      ]),
    ).to.deep.equal([
      [111, 222],
      [110, 220],
      [100, 200],
    ]);
  });
});
