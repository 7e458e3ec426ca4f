import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import {
  createEventParser,
  DEFAULT_MAPPING,
  type FieldMapping,
} from '@event-tally/shared/event.js';
import { expect } from 'chai';
import { curlCommands, firstEventCommand } from '#consumer/dashboard/commands.js';
import { type PageConfig, pageSettings } from '#consumer/dashboard/settings.js';
import { ALL_TIME } from '#consumer/views/view.js';
import { useTempDir } from '../support/temp-dir.js';

const ORIGIN = 'http://localhost:5000';

function settings(config: Partial<PageConfig>) {
  const all = { mapping: DEFAULT_MAPPING, ingestToken: null, ...config };
  return pageSettings(all, 7200);
}

describe('the commands of the live page', () => {
  it('ask for what is on the screen', () => {
    const texts = (view = ALL_TIME) => curlCommands(ORIGIN, view).map(({ text }) => text);
    expect(texts()).to.deep.equal([
      "curl 'http://localhost:5000/events/countByEventType'",
      "curl 'http://localhost:5000/events/countWords?limit=100'",
      "curl -N 'http://localhost:5000/events/stream'",
    ]);
    expect(texts({ window: '1h', align: true, until: 'latest' })[1]).to.equal(
      "curl 'http://localhost:5000/events/countWords?window=1h&align=true&until=latest&limit=100'",
    );
  });

  it('keep a host that is no host in its quotes', () => {
    const [first] = curlCommands("http://a';reboot;'", ALL_TIME);
    expect(first?.text).to.equal("curl 'http://a'\\'';reboot;'\\''/events/countByEventType'");
  });

  it('post the first event where that is on', () => {
    expect(firstEventCommand(settings({ ingestToken: 'secret' }), ORIGIN, [], 17.5)).to.equal(
      `curl 'http://localhost:5000/events' -H "Authorization: Bearer $INGEST_TOKEN" -H 'Content-Type: application/json' -d '{"event_type":"hello","data":"hello world","timestamp":17}'`,
    );
  });

  context('when they write to a FIFO', () => {
    const dir = useTempDir();

    const mappings: [string, Partial<FieldMapping>][] = [
      ['the default shape', {}],
      ['nested fields', { eventType: ['alert', 'type'], data: ['alert', 'text'] }],
      ['a dot in a name', { eventType: ['id.orig_h'] }],
      ['a quote in a name', { eventType: ["it's"] }],
      ['a name like a prototype', { eventType: ['__proto__', 'type'] }],
      ['milliseconds', { timestampFormat: 'unix_ms' }],
      ['ISO 8601', { timestampFormat: 'iso8601' }],
      ['no timestamp', { timestampFormat: 'arrival' }],
      ['no words', { data: null }],
    ];
    for (const [name, part] of mappings) {
      it(`a shell makes an event of them: ${name}`, () => {
        const mapping = { ...DEFAULT_MAPPING, ...part };
        const now = 1_509_604_913;
        const command = firstEventCommand(
          settings({ mapping }),
          ORIGIN,
          ['POST /events', 'events-\\xff.fifo', 'it.fifo'],
          now,
        );
        execFileSync('sh', ['-c', command], { env: { ...process.env, FIFO_DIR: dir.path } });
        const line = fs.readFileSync(`${dir.path}/it.fifo`, 'utf8');
        expect(line).to.match(/^.*\n$/);
        const event = createEventParser(mapping)(JSON.parse(line), now);
        expect(event).to.include({ type: 'hello', time: now });
        expect(event?.data).to.equal(mapping.data === null ? '' : 'hello world');
      });
    }

    it('make the FIFO where there is none', () => {
      const command = firstEventCommand(settings({}), ORIGIN, [], 1);
      expect(command.split('\n')[0]).to.equal(`mkfifo "\${FIFO_DIR:-run}"/'events-mine.fifo'`);
    });
  });
});
