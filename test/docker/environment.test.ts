import fs from 'node:fs';
import { expect } from 'chai';
import { compose, docker, PROJECT, ROOT, Stack, writeGenerator } from './stack.js';

// Twice a second, for as many consumers as the test starts.
const EDITS = `
  while :; do
    echo '{"channel":"#en","comment":"fixed typo","when":{"time":"2015-09-12T00:46:58.771Z"}}'
    echo '{"channel":"#de","when":{"time":"2015-09-12T02:46:59+02:00"}}'
    sleep 0.5
  done
`;
const MAPPING = {
  EVENT_TYPE_FIELD: 'channel',
  DATA_FIELD: 'comment',
  TIMESTAMP_FIELD: 'when.time',
  TIMESTAMP_FORMAT: 'iso8601',
};

describe('the environment of docker compose', () => {
  describe('variables of the shell', () => {
    let stack: Stack;

    before(async () => {
      // Without state: a mapping that changes would not be mixed with the counts of another.
      const env = { ...(await writeGenerator(EDITS)), ...MAPPING, DURABILITY: 'none' };
      stack = await Stack.create({ env });
      await stack.up();
    });

    after(() => stack.remove());

    it('map the fields', async () => {
      await stack.waitForStats(
        'a line of each kind',
        ({ accepted, rejected }) => accepted > 0 && rejected.not_an_event! > 0,
      );
      expect(Object.keys(await stack.types())).to.deep.equal(['#en']);
      expect(await stack.words()).to.have.all.keys('fixed', 'typo');
    });

    it('stay unset in the containers when they are unset', async () => {
      const names = (await stack.compose('exec', 'consumer', 'env'))
        .split('\n')
        .map((line) => line.split('=')[0]);
      expect(names).to.include.members(Object.keys(MAPPING));
      expect(names).not.to.include('VALUE_FIELD');
      expect(await stack.compose('exec', 'producer', 'env')).not.to.include('PRODUCER_NAME');
    });

    it('may be set to nothing: then no words are counted', async () => {
      const changed = stack.withEnv({ DATA_FIELD: '' });
      await changed.up();
      await changed.waitForStats('four events', ({ accepted }) => accepted >= 4);
      expect(await changed.types()).to.have.all.keys('#en', '#de');
      expect(await changed.words()).to.deep.equal({});
    });
  });

  describe('a file .env', () => {
    let stack: Stack;

    before(async () => {
      const variables = { ...(await writeGenerator(EDITS)), ...MAPPING, DATA_FIELD: '' };
      const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
      stack = await Stack.create({ envFile: lines.join('') });
      await stack.up();
    });

    after(() => stack.remove());

    it('does the same for both containers and the port', async () => {
      const stats = await stack.waitForStats('four events', ({ accepted }) => accepted >= 4);
      expect(stats.rejected).to.deep.equal({ too_long: 0, not_json: 0, not_an_event: 0 });
      expect(await stack.types()).to.have.all.keys('#en', '#de');
      expect(await stack.words()).to.deep.equal({});
    });
  });

  it('hands on every variable that the consumer knows', async () => {
    const image = `${PROJECT}-consumer`;
    const help = await docker('run', '--rm', image, 'node', 'consumer/dist/main.js', '--help');
    const known = [...help.matchAll(/^ {2}([A-Z][A-Z_]+) /gm)].map(([, name]) => name!);
    // The image's own: the Compose file relies on them.
    const fixed = ['HOST', 'PORT', 'FIFO_DIR', 'STATE_DIR'];
    const { services } = JSON.parse(await compose(['config', '--format', 'json']));
    expect(Object.keys(services.consumer.environment)).to.have.members(
      known.filter((name) => !fixed.includes(name)),
    );
  });

  it('leaves the producer without a network until it is told otherwise', async () => {
    const network = async (env = {}) =>
      JSON.parse(await compose(['config', '--format', 'json'], { env })).services.producer
        .network_mode;
    expect(await network()).to.equal('none');
    expect(await network({ GENERATOR_NETWORK: 'bridge' })).to.equal('bridge');
  });

  it('is in .env.example, every variable of it', async () => {
    const file = fs.readFileSync(`${ROOT}docker-compose.yml`, 'utf8');
    const { services } = JSON.parse(await compose(['config', '--format', 'json']));
    const used = new Set([
      ...[...file.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name),
      ...Object.keys(services.producer.environment),
      ...Object.keys(services.consumer.environment),
    ]);
    const example = fs.readFileSync(`${ROOT}.env.example`, 'utf8');
    const named = [...example.matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(named).to.have.members([...used]);
  });
});
