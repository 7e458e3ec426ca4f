import { expect } from 'chai';
import {
  chartQuery,
  parseView,
  proposedView,
  untilChoices,
  viewAddress,
  windowChoices,
} from '#consumer/dashboard/view.js';
import { ALL_TIME, type View } from '#consumer/views/view.js';

const MINUTE: View = { window: '60s', align: false, until: 'now' };

describe('a view of the live page', () => {
  const addresses: [string, View][] = [
    ['/', ALL_TIME],
    ['/?window=60s', MINUTE],
    ['/?window=1h&align=true', { window: '1h', align: true, until: 'now' }],
    ['/?window=10m&until=latest', { window: '10m', align: false, until: 'latest' }],
    ['/?window=1h&align=true&until=1509604913', { window: '1h', align: true, until: '1509604913' }],
  ];
  for (const [address, view] of addresses) {
    it(`is read from ${address} and written as it`, () => {
      expect(parseView(new URL(address, 'http://localhost').searchParams)).to.deep.equal(view);
      expect(viewAddress(view)).to.equal(address);
    });
  }

  it('escapes what stands in its address', () => {
    expect(viewAddress({ window: '1&limit=2', align: false, until: '"' })).to.equal(
      '/?window=1%26limit%3D2&until=%22',
    );
  });

  it('marks the choice that it is, and takes the end along to the others', () => {
    const choices = windowChoices({ window: '1m', align: true, until: 'latest' }, 7200);
    expect(choices.filter(({ isCurrent }) => isCurrent).map(({ label }) => label)).to.deep.equal([
      'Last full minute',
    ]);
    expect(choices.map(({ view }) => viewAddress(view))).to.deep.equal([
      '/',
      '/?window=60s&until=latest',
      '/?window=1m&align=true&until=latest',
      '/?window=10m&until=latest',
      '/?window=1h&until=latest',
      '/?window=1h&align=true&until=latest',
    ]);
  });

  const retentions: [number, string[]][] = [
    [7200, []],
    [7199, ['Last full hour']],
    [3600, ['Last full hour']],
    [3599, ['Last hour', 'Last full hour']],
    [60, ['Last full minute', '10 minutes', 'Last hour', 'Last full hour']],
  ];
  for (const [retention, missing] of retentions) {
    it(`with a retention of ${retention} s cannot be: ${missing.join(', ') || 'all can'}`, () => {
      const choices = windowChoices(ALL_TIME, retention);
      const refused = choices.filter(({ isAnswerable }) => !isAnswerable);
      expect(refused.map(({ label }) => label)).to.deep.equal(missing);
    });
  }

  it('has a choice of ends, but for all-time', () => {
    const ends = (view: View) => untilChoices(view).map(({ view: { until } }) => until);
    expect(ends(ALL_TIME)).to.deep.equal([]);
    expect(ends(MINUTE)).to.deep.equal(['now', 'latest']);
    expect(ends({ ...MINUTE, until: '17' })).to.deep.equal(['now', 'latest', '17']);
  });

  const interval = { start: 1000 };
  const proposals: [string, Parameters<typeof proposedView>, string | null][] = [
    ['of the newest event before the window', [MINUTE, interval, 999.5], 'latest'],
    ['of none, with the newest event in it', [MINUTE, interval, 1000], null],
    ['of none, with nothing seen', [MINUTE, interval, null], null],
    ['of none, all-time', [ALL_TIME, null, 999], null],
    ['of none, when that is what it is', [{ ...MINUTE, until: 'latest' }, interval, 999], null],
  ];
  for (const [name, args, until] of proposals) {
    it(`has a proposal ${name}`, () => {
      expect(proposedView(...args)?.until ?? null).to.equal(until);
    });
  }

  const charts: [View, number, string][] = [
    [ALL_TIME, 7200, 'window=600s'],
    [ALL_TIME, 60, 'window=60s'],
    [{ window: '1h', align: true, until: 'latest' }, 7200, 'window=1h&align=true&until=latest'],
    [{ window: '168h', align: false, until: 'now' }, 604_800, 'window=168h&step=10m'],
  ];
  for (const [view, retention, query] of charts) {
    it(`has the chart of ${query} with a retention of ${retention} s`, () => {
      expect(chartQuery(view, retention)).to.equal(query);
    });
  }
});
