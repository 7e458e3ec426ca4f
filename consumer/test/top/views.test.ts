import { expect } from 'chai';
import { streamUrl, type Until, VIEWS } from '#consumer/top/views.js';

const BASE = new URL('http://localhost:5000');

describe('streamUrl', () => {
  const rows: [name: string, until: Until, query: string][] = [
    ['all', 'now', ''],
    ['all', 'latest', ''],
    ['minute', 'now', '&window=60s&until=now'],
    ['full-minute', 'latest', '&window=1m&align=true&until=latest'],
    ['10-minutes', 'latest', '&window=10m&until=latest'],
    ['hour', 'now', '&window=1h&until=now'],
    ['full-hour', 'now', '&window=1h&align=true&until=now'],
  ];
  for (const [name, until, query] of rows) {
    it(`asks for ${name} until ${until}`, () => {
      const view = VIEWS.find((known) => known.name === name) as (typeof VIEWS)[number];
      expect(streamUrl(BASE, { view, until }).href).to.equal(
        `http://localhost:5000/events/stream?of=types%2Cwords&limit=200${query}`,
      );
    });
  }

  it('keeps the path of a consumer behind a proxy', () => {
    for (const base of ['https://host/tally', 'https://host/tally/']) {
      expect(streamUrl(new URL(base), { view: VIEWS[0], until: 'now' }).pathname).to.equal(
        '/tally/events/stream',
      );
    }
  });
});
