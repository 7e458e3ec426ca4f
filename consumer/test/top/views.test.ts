import { expect } from 'chai';
import { type Preset, streamUrl, type Until } from '#consumer/top/views.js';
import { PRESETS } from '#consumer/views/view.js';

const BASE = new URL('http://localhost:5000');

describe('streamUrl', () => {
  const rows: [name: string, until: Until, query: string][] = [
    ['all', 'now', ''],
    ['all', 'latest', ''],
    ['minute', 'now', '&window=60s'],
    ['full-minute', 'latest', '&window=1m&align=true&until=latest'],
    ['10-minutes', 'latest', '&window=10m&until=latest'],
    ['hour', 'now', '&window=1h'],
    ['full-hour', 'now', '&window=1h&align=true'],
  ];
  for (const [name, until, query] of rows) {
    it(`asks for ${name} until ${until}`, () => {
      const preset = PRESETS.find((known) => known.name === name) as Preset;
      expect(streamUrl(BASE, { preset, until }).href).to.equal(
        `http://localhost:5000/events/stream?of=types,words&limit=200${query}`,
      );
    });
  }

  it('keeps the path of a consumer behind a proxy', () => {
    for (const base of ['https://host/tally', 'https://host/tally/']) {
      expect(streamUrl(new URL(base), { preset: PRESETS[0], until: 'now' }).pathname).to.equal(
        '/tally/events/stream',
      );
    }
  });
});
