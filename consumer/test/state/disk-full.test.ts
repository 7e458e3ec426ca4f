/** A disk that is full for real: a small tmpfs. */
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import pWaitFor from 'p-wait-for';
import { endConsumers, startConsumer } from '../support/consumer-process.js';
import { event, makeFifo, writeFifo } from '../support/fifo-writer.js';
import { samples } from '../support/metrics.js';
import { useTempDir } from '../support/temp-dir.js';

const WAIT = { interval: 20, timeout: 20_000 };
const EVENTS = 6000;

describe('a small disk', () => {
  const dir = useTempDir();

  // A describe of its own: what it mounts is unmounted before the folder is removed.
  context('that is full', () => {
    let isMounted = false;
    const stateDir = () => path.join(dir.path, 'state');
    const fifoDir = () => path.join(dir.path, 'fifos');

    beforeEach(async function () {
      fs.mkdirSync(stateDir());
      fs.mkdirSync(fifoDir());
      const options = ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', stateDir()];
      const { failed, stderr } = await execa('mount', options, { reject: false });
      isMounted = !failed;
      if (isMounted) return;
      if (process.env.CI) throw new Error(`no tmpfs can be mounted: ${stderr}`);
      process.stdout.write(`      skipped: no tmpfs can be mounted: ${stderr}\n`);
      this.skip();
    });
    afterEach(async () => {
      await endConsumers();
      if (isMounted) execaSync('umount', [stateDir()]);
    });

    const fill = () => {
      const ballast = fs.openSync(path.join(stateDir(), 'ballast'), 'a');
      try {
        for (let bytes = 65_536; bytes > 0; ) {
          try {
            fs.writeSync(ballast, Buffer.alloc(bytes));
          } catch {
            bytes >>= 1;
          }
        }
      } finally {
        fs.closeSync(ballast);
      }
    };
    const makeRoom = () => fs.rmSync(path.join(stateDir(), 'ballast'));
    const start = (env: Readonly<Record<string, string>> = {}) =>
      startConsumer(fifoDir(), {
        DURABILITY: 'journal',
        STATE_DIR: stateDir(),
        JOURNAL_BYTES_MAX: '65536',
        INGEST_TOKEN: 'token',
        ...env,
      });
    const lines = () => Array.from({ length: EVENTS }, (_, i) => event('n', `w${i}`)).join('');
    const countedOnce = async (words: Readonly<Record<string, number>>) => {
      expect(Object.keys(words)).to.have.lengthOf(EVENTS);
      expect(Object.values(words).every((count) => count === 1)).to.equal(true);
    };

    it('reads nothing, says why, and goes on by itself when there is room: nothing is lost', async () => {
      const fifo = path.join(fifoDir(), 'events-a.fifo');
      makeFifo(fifo);
      const consumer = await start();
      await writeFifo(fifo, event('before'));
      await consumer.waitFor(({ accepted }) => accepted === 1);
      fill();
      let hasWritten = false;
      const writing = writeFifo(fifo, lines() + event('last')).then(() => {
        hasWritten = true;
      });
      await consumer.waitFor(({ state }) => state?.fault != null);

      const url = `http://127.0.0.1:${consumer.port}`;
      const readiness = await fetch(`${url}/readyz`);
      expect(readiness.status).to.equal(503);
      const { checks } = (await readiness.json()) as { checks: Record<string, unknown> };
      expect(checks.state).to.deep.equal({
        ok: false,
        reason: 'the journal cannot be written: ENOSPC: no space left on device',
      });
      expect(
        samples(await (await fetch(`${url}/metrics`)).text()).get('event_tally_state_fault'),
      ).to.equal(1);
      const post = () =>
        fetch(`${url}/events`, {
          method: 'POST',
          headers: { Authorization: 'Bearer token', 'Content-Type': 'application/jsonl' },
          body: event('posted'),
        });
      const refused = await post();
      expect(refused.status).to.equal(503);
      expect(refused.headers.get('content-type')).to.include('application/problem+json');
      // All that is read is at most one read, and the pipe holds no more than as much again.
      const { bytes } = await consumer.waitFor(() => true);
      expect(bytes).to.be.at.most(event('before').length + 65_536);
      expect(hasWritten, 'the writer waits').to.equal(false);

      makeRoom();
      await pWaitFor(async () => (await consumer.get('/events/countByEventType')).last === 1, WAIT);
      await writing;
      await pWaitFor(async () => (await fetch(`${url}/readyz`)).status === 200, WAIT);
      expect((await post()).status).to.equal(200);
      await countedOnce(await consumer.get('/events/countWords'));
      await consumer.end('SIGKILL');
      const again = await start();
      await again.waitFor(() => true);
      await countedOnce(await again.get('/events/countWords'));
      expect(await again.get('/events/countByEventType')).to.deep.equal({
        n: EVENTS,
        before: 1,
        last: 1,
        posted: 1,
      });
    });

    it('loses no more than the read that waits when it is killed meanwhile', async () => {
      const fifo = path.join(fifoDir(), 'events-a.fifo');
      makeFifo(fifo);
      const held = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
      const consumer = await start();
      await consumer.waitFor(() => true);
      fill();
      const writing = writeFifo(fifo, lines() + event('last'));
      await consumer.waitFor(({ state }) => state?.fault != null);
      await consumer.end('SIGKILL');
      makeRoom();
      const again = await start();
      await writing;
      await pWaitFor(async () => (await again.get('/events/countByEventType')).last === 1, WAIT);
      const words = await again.get('/events/countWords');
      const lost = EVENTS - Object.keys(words).length;
      expect(lost).to.be.at.most(Math.ceil(65_536 / event('n', 'w0').length) + 1);
      expect(Object.values(words).every((count) => count === 1)).to.equal(true);
      fs.closeSync(held);
    });

    it('begins once there is room', async () => {
      const fifo = path.join(fifoDir(), 'events-a.fifo');
      makeFifo(fifo);
      fill();
      const held = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
      const consumer = await start();
      await writeFifo(fifo, event('a'));
      expect((await fetch(`http://127.0.0.1:${consumer.port}/readyz`)).status).to.equal(503);
      makeRoom();
      await consumer.waitFor(({ accepted }) => accepted === 1);
      fs.closeSync(held);
    });
  });
});
