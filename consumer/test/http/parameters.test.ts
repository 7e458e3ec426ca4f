import { expect } from 'chai';
import { event } from '../support/fifo-writer.js';
import { BAD_PARAMETER, expectProblem } from '../support/problem.js';
import { Service } from '../support/service.js';

const COUNTS = ['/events/countByEventType', '/events/countWords', '/events/sumByEventType'];
const SERIES = '/events/series';

type Row = [query: string, parameter: string, value: unknown, expected: RegExp];

const DURATION = /^a whole number of s, m or h/;
const LIMIT = /^a whole number from 1 to 10000$/;
const UNTIL = /^now, latest, or whole Unix seconds$/;
const WITH_WINDOW = /^given together with window$/;

const durations = (name: string, prefix = ''): Row[] =>
  [
    ['', ''],
    ['60', '60'],
    ['s', 's'],
    ['0s', '0s'],
    ['007s', '007s'],
    ['-5m', '-5m'],
    ['1.5h', '1.5h'],
    ['1d', '1d'],
    ['1H', '1H'],
    ['1e3s', '1e3s'],
    ['%2060s', ' 60s'],
    ['60s%0A', '60s\n'],
    ['1h30m', '1h30m'],
    ['99999999999h', '99999999999h'],
    ['%D9%A1s', '\u0661s'],
  ].map(([text, value]) => [`${prefix}${name}=${text}`, name, value, DURATION]);

/** Wrong for counts and for series alike. */
const WRONG: Row[] = [
  ...durations('window'),
  ['window', 'window', '', DURATION],
  ['window=60s&window=60s', 'window', ['60s', '60s'], DURATION],
  ['window=7201s', 'window', '7201s', /^at most 7200s, the retention$/],
  ['window=121m', 'window', '121m', /^at most 7200s, the retention$/],
  ['window=3h', 'window', '3h', /^at most 7200s, the retention$/],
  ['window=60s&until=', 'until', '', UNTIL],
  ['window=60s&until=yesterday', 'until', 'yesterday', UNTIL],
  ['window=60s&until=NOW', 'until', 'NOW', UNTIL],
  ['window=60s&until=-1', 'until', '-1', UNTIL],
  ['window=60s&until=1.5', 'until', '1.5', UNTIL],
  ['window=60s&until=01509604913', 'until', '01509604913', UNTIL],
  ['window=60s&until=1e9', 'until', '1e9', UNTIL],
  ['window=60s&until=1000000000000001', 'until', '1000000000000001', UNTIL],
  ['window=60s&until=2017-11-02T10:32:15Z', 'until', '2017-11-02T10:32:15Z', UNTIL],
  ['window=60s&until=now&until=latest', 'until', ['now', 'latest'], UNTIL],
  ['window=1m&align=', 'align', '', /^true or false$/],
  ['window=1m&align=1', 'align', '1', /^true or false$/],
  ['window=1m&align=TRUE', 'align', 'TRUE', /^true or false$/],
  ['window=1m&align=true&align=true', 'align', ['true', 'true'], /^true or false$/],
  ['window=60s&align=true', 'align', 'true', /^false for a window in seconds/],
  ['window=60s&limit=', 'limit', '', LIMIT],
  ['window=60s&limit=0', 'limit', '0', LIMIT],
  ['window=60s&limit=-1', 'limit', '-1', LIMIT],
  ['window=60s&limit=10001', 'limit', '10001', LIMIT],
  ['window=60s&limit=1.5', 'limit', '1.5', LIMIT],
  ['window=60s&limit=1e2', 'limit', '1e2', LIMIT],
  ['window=60s&limit=007', 'limit', '007', LIMIT],
  ['window=60s&limit=ten', 'limit', 'ten', LIMIT],
  ['window=60s&limit=1&limit=2', 'limit', ['1', '2'], LIMIT],
  ['window=60s&nonsense=1', 'nonsense', '1', /^one of /],
  ['window=60s&Limit=1', 'Limit', '1', /^one of /],
  ['__proto__=1', '__proto__', '1', /^one of /],
  ['a%20b=%22%C3%A9', 'a b', '"\u00e9', /^one of /],
  ['=1', '', '1', /^one of /],
];

const WRONG_FOR_COUNTS: Row[] = [
  ['limit', 'limit', '', LIMIT],
  ['format=', 'format', '', /^flat, list or csv$/],
  ['format=CSV', 'format', 'CSV', /^flat, list or csv$/],
  ['format=list&format=list', 'format', ['list', 'list'], /^flat, list or csv$/],
  ['of=words', 'of', 'words', /^one of window, until, align, limit, format$/],
  ['window=60s&step=1s', 'step', '1s', /^one of window, until, align, limit, format$/],
  ['until=now', 'until', 'now', WITH_WINDOW],
  ['until=latest&limit=1', 'until', 'latest', WITH_WINDOW],
  ['align=true', 'align', 'true', WITH_WINDOW],
  ['align=false', 'align', 'false', WITH_WINDOW],
];

const FITS = /^at most the window, in which it fits at most 10000 times$/;
const WRONG_FOR_SERIES: Row[] = [
  ['', 'window', undefined, /^given$/],
  ['of=words&limit=3', 'window', undefined, /^given$/],
  ['window=60s&of=', 'of', '', /^types or words$/],
  ['window=60s&of=sums', 'of', 'sums', /^types or words$/],
  ['window=60s&of=types&of=words', 'of', ['types', 'words'], /^types or words$/],
  ['window=60s&format=list', 'format', 'list', /^one of of, window, until, align, step, limit$/],
  ...durations('step', 'window=60s&'),
  ['window=60s&step=1s&step=1s', 'step', ['1s', '1s'], DURATION],
  ['window=60s&step=61s', 'step', '61s', FITS],
  ['window=60s&step=2m', 'step', '2m', FITS],
];

const FRONT = Date.parse('2017-11-02T10:32:15Z') / 1000;
/** With the front there, minutes are kept from here on: two hours, the clock skew and a minute back. */
const KEPT_SINCE = Date.parse('2017-11-02T08:31:00Z') / 1000;
/** Up to a given time only the retention can be asked for. */
const SINCE = Date.parse('2017-11-02T08:33:00Z') / 1000;
const REACHABLE = new RegExp(`begins at ${SINCE} or later`);
const KEPT = new RegExp(`begins at ${KEPT_SINCE} or later`);

/** Known only once events were read: how far back windows reach, and how fine. */
const WRONG_AFTER_EVENTS: Row[] = [
  [`window=60s&until=0`, 'until', '0', REACHABLE],
  [`window=60s&until=${FRONT - 7200 + 59}`, 'until', String(FRONT - 7200 + 59), REACHABLE],
  [`window=2h&until=latest&align=true`, 'until', 'latest', KEPT],
];
const WRONG_STEPS: Row[] = [
  ['window=1h&until=latest&step=1s', 'step', '1s', /^a multiple of 60s/],
  ['window=1h&until=latest&step=90s', 'step', '90s', /^a multiple of 60s/],
  ['window=2h&until=latest&step=7s', 'step', '7s', /^a multiple of 60s/],
  ['window=2h&until=latest&step=45s', 'step', '45s', /^a multiple of 60s/],
  [`window=60s&until=${FRONT - 3600}&step=1s`, 'step', '1s', /^a multiple of 60s/],
];

describe('a bad parameter', () => {
  const describeRows = (service: () => Service, path: string, rows: readonly Row[]) => {
    for (const [query, parameter, value, expected] of rows) {
      it(`gets 400 that names it: ${path}?${query}`, async () => {
        const response = await service().fetch(`${path}?${query}`);
        const problem = await expectProblem(response, BAD_PARAMETER);
        expect(problem.parameter).to.equal(parameter);
        expect(problem.value).to.deep.equal(value);
        expect(problem.expected).to.match(expected);
        expect(problem.detail).to.include(parameter).and.to.include(problem.expected);
      });
    }
  };

  context('when nothing was read', () => {
    const service = Service.use();
    for (const path of COUNTS) describeRows(service, path, [...WRONG, ...WRONG_FOR_COUNTS]);
    describeRows(service, SERIES, [...WRONG, ...WRONG_FOR_SERIES]);
    describeRows(service, '/stats', [
      ['window=60s', 'window', '60s', /^no parameters$/],
      ['limit=1&limit=2', 'limit', ['1', '2'], /^no parameters$/],
      ['__proto__=', '__proto__', '', /^no parameters$/],
    ]);

    it('is told to HEAD without a body', async () => {
      const response = await service().fetch(`${COUNTS[0]}?window=0s`, { method: 'HEAD' });
      expect(response.status).to.equal(400);
      expect(await response.text()).to.equal('');
    });

    it('does not keep OPTIONS from answering', async () => {
      const response = await service().fetch(`${COUNTS[0]}?window=0s`, { method: 'OPTIONS' });
      expect(response.status).to.equal(200);
    });
  });

  context('when events were read', () => {
    const service = Service.use();
    before(() => service().read(event('a', 'b', FRONT)));
    for (const path of COUNTS) describeRows(service, path, WRONG_AFTER_EVENTS);
    describeRows(service, SERIES, [...WRONG_AFTER_EVENTS, ...WRONG_STEPS]);
  });

  context('when the retention is long', () => {
    const service = Service.use({ retentionSeconds: 168 * 3600 });
    describeRows(service, SERIES, [['window=10001s&step=1s', 'step', '1s', FITS]]);
  });
});

describe('a good parameter', () => {
  const service = Service.use();
  const good = [
    'window=1s',
    'window=7200s',
    'window=120m',
    'window=2h',
    'window=1h&align=true&until=now&limit=10000&format=list',
    'window=60s&align=false&until=latest&format=flat',
    'window=60s&until=0',
    'window=60s&until=1000000000000000',
    'limit=1',
  ];
  for (const query of good) {
    it(`is taken: ${query}`, async () => {
      expect((await service().fetch(`${COUNTS[0]}?${query}`)).status).to.equal(200);
    });
  }

  it('is taken for a percent-encoded one, too', async () => {
    expect((await service().fetch(`${COUNTS[0]}?%77indow=60%73`)).status).to.equal(200);
  });
});
