import fs from 'node:fs';
import { expect } from 'chai';
import { docker, note, Stack, sum, waitFor, writeGenerator } from './stack.js';

/** The numbers that were counted, as words, smallest first. Fails when one was counted twice. */
async function countedNumbers(stack: Stack): Promise<number[]> {
  const words = await stack.words();
  expect(Math.max(...Object.values(words)), 'times that a number was counted').to.equal(1);
  return Object.keys(words)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Of a line of the generators here, at least. */
const LINE_BYTES = 51;

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe('a consumer that restarts', () => {
  describe('while the generator fills the pipe and blocks', () => {
    // 4,000 lines of some 50 bytes are three pipes full, of those that are as they were made.
    const LINES = 4000;
    let stack: Stack;
    let generatorDir: string;

    before(async () => {
      const env = await writeGenerator(`
        i=0
        for part in 1 2 3; do
          until [ -e /generator/go-$part ]; do sleep 0.1; done
          end=$((i + ${LINES}))
          while [ $i -lt $end ]; do
            i=$((i + 1))
            echo '{"event_type":"number","data":"'$i'","timestamp":1509604913}'
            if [ $i -eq $((end - ${LINES} + 500)) ]; then echo "part $part is under way" >&2; fi
          done
          echo "part $part is written" >&2
        done
      `);
      generatorDir = env.GENERATOR_DIR;
      stack = await Stack.create({ env: { ...env, PIPE_BYTES: '0' } });
      await stack.up();
      fs.writeFileSync(`${generatorDir}/go-1`, '');
      await stack.waitForStats('the first part', ({ accepted }) => accepted === LINES);
    });

    after(() => stack.remove());

    for (const [end, part] of [
      ['stop', 2],
      ['kill', 3],
    ] as const) {
      it(`loses nothing after docker compose ${end}`, async () => {
        await stack.compose(end, 'consumer');
        fs.writeFileSync(`${generatorDir}/go-${part}`, '');
        await stack.waitForLog('producer', `part ${part} is under way`);
        await stack.up('consumer');
        await stack.waitForStats('the whole part', ({ accepted }) => accepted >= part * LINES);

        expect(await countedNumbers(stack)).to.deep.equal(numbers(1, part * LINES));
        const { accepted, rejected } = await stack.stats();
        expect({ accepted, rejected: sum(rejected) }).to.deep.equal({
          accepted: part * LINES,
          rejected: 0,
        });
      });
    }

    it('leaves the generator alone, which blocked and went on', async () => {
      await stack.waitForLog('producer', 'ended with exit code 0');
      expect(await stack.logs('producer')).not.to.match(/runs again/);
    });
  });

  describe('while events flow', () => {
    let stack: Stack;
    let generatorDir: string;

    beforeEach(async () => {
      const env = await writeGenerator(`
        i=0
        until [ -e /generator/enough ]; do
          end=$((i + 100))
          while [ $i -lt $end ]; do
            i=$((i + 1))
            echo '{"event_type":"number","data":"'$i'","timestamp":1509604913}'
          done
          sleep 0.02
        done
        echo '{"event_type":"last","data":"'$((i + 1))'","timestamp":1509604913}'
      `);
      generatorDir = env.GENERATOR_DIR;
      stack = await Stack.create({ env: { ...env, PIPE_BYTES: '0' } });
      await stack.up();
    });

    afterEach(() => stack.remove());

    // As many as one read holds, which is no more than the pipe does; the line that it ends in may be torn.
    const READ = Math.ceil(65_536 / LINE_BYTES) + 1;
    const RESTARTS = [
      {
        name: 'docker compose restart',
        restart: () => stack.compose('restart', 'consumer'),
        lostMax: 0,
      },
      {
        name: 'docker compose kill and up',
        restart: async () => {
          await stack.compose('kill', 'consumer');
          await stack.compose('up', '--detach', '--wait', 'consumer');
        },
        lostMax: READ,
      },
      {
        name: 'docker kill and docker start',
        restart: async () => {
          const id = await stack.compose('ps', '--quiet', 'consumer');
          await docker('kill', id);
          await docker('start', id);
        },
        lostMax: READ,
      },
    ];

    for (const { name, restart, lostMax } of RESTARTS) {
      it(`loses at most ${lostMax} events after ${name}, and counts none twice`, async () => {
        const before = await stack.waitForStats('a flow', ({ accepted }) => accepted > 1000);
        await restart();
        await stack.waitForStats('a new flow', ({ accepted }) => accepted > before.accepted + 1000);
        fs.writeFileSync(`${generatorDir}/enough`, '');
        await waitFor(
          () => 'the last event',
          async () => (await stack.types()).last === 1,
        );

        const counted = await countedNumbers(stack);
        const lost = counted.at(-1)! - counted.length;
        note(`lost: ${lost}, counted twice: 0, of ${counted.at(-1)}`);
        expect(lost).to.be.at.most(lostMax);
        const stats = await stack.stats();
        expect(sum(stats.rejected)).to.be.at.most(lost === 0 ? 0 : 1);
        expect(stats.accepted).to.equal(counted.length);
      });
    }
  });
});

describe('a producer whose FIFO was removed', () => {
  let stack: Stack;

  before(async () => {
    stack = await Stack.create();
    await stack.up();
  });

  after(() => stack.remove());

  it('is unhealthy, and makes a new one when it restarts', async () => {
    await stack.compose('exec', 'producer', 'sh', '-c', 'rm /ipc/*.fifo');
    await waitFor(
      () => 'an unhealthy producer',
      async () => (await stack.containers('producer'))[0]?.State.Health.Status === 'unhealthy',
    );
    await stack.compose('restart', 'producer');
    const { lines } = await stack.stats();
    await stack.waitForStats('further lines', (stats) => stats.lines > lines);
  });
});
