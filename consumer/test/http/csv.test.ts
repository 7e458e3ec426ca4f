import { expect } from 'chai';
import { csvTexts } from '#consumer/http/csv.js';
import { RunningSum } from '#consumer/tally/running-sum.js';
import { event } from '../support/fifo-writer.js';
import { Service } from '../support/service.js';

const TYPE = 'text/csv; charset=utf-8; header=present';
const JSON_TYPE = 'application/json; charset=utf-8';

const csvText = (...parameters: Parameters<typeof csvTexts>) =>
  [...csvTexts(...parameters)].join('');
const lineOf = (key: string) => csvText('types', [{ key, count: 1 }]).slice('key,count\r\n'.length);

function sum(...values: readonly number[]): RunningSum {
  const total = new RunningSum();
  for (const value of values) total.add(value);
  return total;
}

describe('CSV', () => {
  const service = Service.use();
  before(() =>
    service().read(
      [event('b', 'x x y'), event('b'), event('=a,1')].join('') +
        event('a', '', 1).replace('}', ',"value":-2.5}'),
    ),
  );

  for (const [path, text] of [
    ['/events/countByEventType', 'key,count\r\nb,2\r\n"\'=a,1",1\r\na,1\r\n'],
    ['/events/countWords', 'key,count\r\nx,2\r\ny,1\r\n'],
    ['/events/sumByEventType', 'key,sum,count\r\na,-2.5,1\r\n'],
  ] as const) {
    it(`is what ${path}?format=csv answers`, async () => {
      const response = await service().fetch(`${path}?format=csv`);
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal(TYPE);
      expect(response.headers.get('cache-control')).to.equal('no-cache');
      expect(response.headers.get('content-disposition')).to.match(
        /^attachment; filename="?(types|words|sums)\.csv"?$/,
      );
      expect(await response.text()).to.equal(text);
    });
  }

  it('has the header line alone when nothing was counted', async () => {
    const path = '/events/countWords?format=csv&window=1s&until=0';
    const response = await service().fetch(path.replace('until=0', 'until=now'));
    expect(await response.text()).to.equal('key,count\r\n');
  });

  it('keeps to the limit', async () => {
    const response = await service().fetch('/events/countWords?format=csv&limit=1');
    expect(await response.text()).to.equal('key,count\r\nx,2\r\n');
  });

  const accepts: readonly (readonly [accept: string, type: string])[] = [
    ['text/csv', TYPE],
    ['text/csv;header=present', TYPE],
    ['text/csv; header=absent', TYPE],
    ['text/csv; charset=UTF-8; header=absent;q=0.9, application/json;q=0.8', TYPE],
    ['text/csv; header=absent;q=0.5, application/json', JSON_TYPE],
    ['TEXT/CSV', TYPE],
    ['text/*', TYPE],
    ['application/json;q=0.5, text/csv', TYPE],
    ['text/csv, */*;q=0.1', TYPE],
    ['*/*', JSON_TYPE],
    ['application/json', JSON_TYPE],
    ['text/csv;q=0.5, application/json', JSON_TYPE],
    ['text/csv, application/json', TYPE],
    ['text/csv;q=0, */*', JSON_TYPE],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', JSON_TYPE],
    ['application/xml', JSON_TYPE],
    ['not a type', JSON_TYPE],
  ];
  for (const [accept, type] of accepts) {
    it(`${type === TYPE ? 'is' : 'is not'} the answer to Accept: ${accept}`, async () => {
      const headers = { Accept: accept };
      const response = await service().fetch('/events/countWords', { headers });
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal(type);
      expect(response.headers.get('vary')).to.equal('Accept');
    });
  }

  it('gives way to a format that is named', async () => {
    const headers = { Accept: 'text/csv' };
    const response = await service().fetch('/events/countWords?format=flat', { headers });
    expect(response.headers.get('content-type')).to.equal(JSON_TYPE);
    expect(response.headers.get('vary')).to.equal(null);
  });

  context('when a key has signs of its own', () => {
    for (const [key, line] of [
      ['a,b', '"a,b",1\r\n'],
      ['"a"', '"""a""",1\r\n'],
      ['a\nb', '"a\nb",1\r\n'],
      ['a\rb', '"a\rb",1\r\n'],
      [' a ', ' a ,1\r\n'],
      ["'a", "'a,1\r\n"],
      ['é€😀', 'é€😀,1\r\n'],
      ['__proto__', '__proto__,1\r\n'],
    ] as const) {
      it(`writes ${JSON.stringify(key)} so that it reads as it is`, () => {
        expect(lineOf(key)).to.equal(line);
      });
    }
  });

  context('when a spreadsheet would take a key for a formula', () => {
    const first = ['=', '+', '-', '@', '\t', '\r', '\n', '\uff1d', '\uff0b', '\uff0d', '\uff20'];
    const hidden = [' =', '\u00a0+', '\u200b-', '\ufeff@', '\0=', '\t\t=', ' \uff1d'];
    for (const start of [...first, ...hidden]) {
      it(`puts an apostrophe before ${JSON.stringify(start)}`, () => {
        expect(lineOf(`${start}1`)).to.match(/^"?'/);
      });
    }

    it('leaves numbers alone, negative ones too', () => {
      const ranking = [{ key: '-1', count: 1, sum: sum(-1e21) }];
      expect(csvText('sums', ranking)).to.equal("key,sum,count\r\n'-1,-1e+21,1\r\n");
    });
  });

  it('has no number for a sum that has left the range of doubles', () => {
    const ranking = [{ key: 'a', count: 2, sum: sum(1e308, 1e308) }];
    expect(csvText('sums', ranking)).to.equal('key,sum,count\r\na,,2\r\n');
  });
});
