/** node consumer/dist/state.js, as an operator uses it. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import { endConsumers, startConsumer } from '../support/consumer-process.js';
import { event, holdFifo, makeFifo, writeFifo } from '../support/fifo-writer.js';
import { useTempDir } from '../support/temp-dir.js';

const STATE = fileURLToPath(new URL('../../dist/state.js', import.meta.url));

describe('node consumer/dist/state.js', () => {
  const dir = useTempDir();
  let held: number;
  afterEach(endConsumers);
  beforeEach(() => {
    fs.mkdirSync(fifoDir());
    makeFifo(fifo());
    held = holdFifo(fifo());
  });
  afterEach(() => fs.closeSync(held));

  const fifoDir = () => path.join(dir.path, 'fifos');
  const fifo = () => path.join(fifoDir(), 'events-a.fifo');
  const stateDir = () => path.join(dir.path, 'state');
  const file = (name: string) => path.join(stateDir(), '1', '0', name);
  const start = () =>
    startConsumer(fifoDir(), {
      DURABILITY: 'journal',
      STATE_DIR: stateDir(),
      CHECKPOINT_INTERVAL: '1h',
    });
  /** One read for each event, in the journal of its own run; a checkpoint where it ends with SIGTERM. */
  const count = async (types: readonly string[], signal: 'SIGTERM' | 'SIGKILL') => {
    const consumer = await start();
    let { accepted } = await consumer.waitFor(() => true);
    for (const type of types) {
      await writeFifo(fifo(), event(type, `of ${type}`));
      accepted++;
      await consumer.waitFor((stats) => stats.accepted === accepted);
    }
    await consumer.end(signal);
  };
  const types = async () => {
    const consumer = await start();
    await consumer.waitFor(() => true);
    const counts = await consumer.get('/events/countByEventType');
    await consumer.end('SIGKILL');
    return counts;
  };
  const state = (...args: string[]) => execa(process.execPath, [STATE, ...args], { reject: false });
  const flip = (name: string, offset: number) => {
    const bytes = fs.readFileSync(file(name));
    bytes[offset]! ^= 1;
    fs.writeFileSync(file(name), bytes);
  };
  const dropped = () => fs.readdirSync(stateDir()).filter((name) => name.startsWith('dropped-'));

  for (const command of ['inspect', 'repair']) {
    it(`${command} tells a state of another version from a damaged one, and leaves it alone`, async () => {
      await count(['a'], 'SIGTERM');
      for (const name of ['state.json', 'state.copy.json']) {
        const manifest = path.join(stateDir(), name);
        const json = JSON.parse(fs.readFileSync(manifest, 'utf8'));
        fs.writeFileSync(manifest, JSON.stringify({ ...json, version: 1 }));
      }
      const names = fs.readdirSync(stateDir(), { recursive: true });
      const { exitCode, stderr } = await state(command, stateDir());
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(
        /state\.json is of version 1; this program reads version 2: removing the folder/,
      );
      expect(stderr).not.to.include('repair');
      expect(fs.readdirSync(stateDir(), { recursive: true })).to.deep.equal(names);
    });
  }

  describe('inspect', () => {
    it('prints what is there, and changes nothing', async () => {
      await count(['a'], 'SIGTERM');
      await count(['b', 'c'], 'SIGKILL');
      fs.appendFileSync(file('journal-000002'), 'torn');
      const names = fs.readdirSync(stateDir(), { recursive: true });
      const { exitCode, stdout } = await state('inspect', stateDir());
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^version 2, generation 1, ingest threads: 1$/m);
      expect(stdout).to.match(/^fields: \{"eventType":\["event_type"\]/m);
      expect(stdout).to.match(/^1\/0\/checkpoint-000002: \d+ bytes, \d+ records read; whole$/m);
      expect(stdout).to.match(
        /^1\/0\/journal-000002: \d+ bytes, 2 records read; whole; a torn end of 4 bytes$/m,
      );
      expect(stdout).to.match(/^1\/0: 3 lines, 3 events, 3 types, 4 words$/m);
      expect(stdout).to.match(
        /source "events-a.fifo": 3 lines, \d+ bytes, 0 of an unfinished line/,
      );
      expect(fs.readdirSync(stateDir(), { recursive: true })).to.deep.equal(names);
    });

    it('takes STATE_DIR where no folder is named', async () => {
      await count(['a'], 'SIGTERM');
      const { stdout } = await execa(process.execPath, [STATE, 'inspect'], {
        env: { STATE_DIR: stateDir() },
      });
      expect(stdout).to.include('1/0: 1 lines, 1 events');
    });

    it('says where there is nothing', async () => {
      const { exitCode, stderr } = await state('inspect', stateDir());
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(/^event-tally: there are no counts in .*state/);
    });
  });

  describe('repair', () => {
    it('keeps the records before a damaged one, and says what it dropped', async () => {
      await count(['a', 'b', 'c'], 'SIGKILL');
      const { length } = fs.readFileSync(file('journal-000001'));
      // The second record: all are of one length, behind the head.
      const second = 22 + Math.floor((length - 22) / 3);
      flip('journal-000001', second + 20);
      const inspected = await state('inspect', stateDir());
      expect(inspected.exitCode).to.equal(1);
      expect(inspected.stdout).to.match(/journal-000001: .*the record at byte \d+ is damaged/);
      const { exitCode, stdout } = await state('repair', stateDir());
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(
        new RegExp(
          `^dropped: \\d+ of ${length} bytes of 1/0/journal-000001: the record at byte`,
          'm',
        ),
      );
      expect(stdout).to.match(/^kept: 1\/0: 1 lines, 1 events, 1 types, 2 words$/m);
      expect(await types()).to.deep.equal({ a: 1 });
      const [folder] = dropped();
      const whole = path.join(stateDir(), folder as string, '1', '0', 'journal-000001');
      expect(fs.readFileSync(whole)).to.have.lengthOf(length);
    });

    it('drops the journal behind one that is damaged: without it, it says nothing', async () => {
      await count(['a'], 'SIGTERM');
      await count(['b'], 'SIGTERM');
      await count(['c'], 'SIGKILL');
      // Of the two checkpoints the newest is damaged, and the journal that would make up for it.
      flip('checkpoint-000003', 60);
      flip('journal-000002', 22);
      const { stdout } = await state('repair', stateDir());
      expect(stdout).to.match(/^dropped: .* 1\/0\/checkpoint-000003: it is not whole$/m);
      expect(stdout).to.match(
        /^dropped: .* 1\/0\/journal-000002: the record at byte 22 is damaged$/m,
      );
      expect(stdout).to.match(
        /^dropped: .* 1\/0\/journal-000003: it goes on from journal-000002$/m,
      );
      expect(await types()).to.deep.equal({ a: 1 });
    });

    it('drops all of a state without a beginning, after which counting begins anew', async () => {
      await count(['a'], 'SIGTERM');
      await count(['b'], 'SIGKILL');
      flip('checkpoint-000002', 60);
      fs.rmSync(file('journal-000001'));
      await state('repair', stateDir());
      expect(await types()).to.deep.equal({});
    });

    it('puts the copy of a damaged state.json in its place', async () => {
      await count(['a'], 'SIGTERM');
      const manifest = path.join(stateDir(), 'state.json');
      const whole = fs.readFileSync(manifest);
      const damaged = whole.toString().replace('"generation": 1', '"generation": 3');
      fs.writeFileSync(manifest, damaged);
      const inspected = await state('inspect', stateDir());
      expect(inspected.exitCode).to.equal(1);
      expect(inspected.stdout).to.match(
        /^state.json: it is damaged or missing; its copy is whole$/m,
      );
      expect(inspected.stdout).to.match(/^1\/0: 1 lines, 1 events/m);
      const { exitCode, stdout } = await state('repair', stateDir());
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^dropped: state.json: .*its copy is in its place$/m);
      expect(fs.readFileSync(manifest)).to.deep.equal(whole);
      const kept = path.join(stateDir(), dropped()[0] as string, 'state.json');
      expect(fs.readFileSync(kept, 'utf8')).to.equal(damaged);
      expect(await types()).to.deep.equal({ a: 1 });
    });

    it('leaves what is whole as it is', async () => {
      await count(['a'], 'SIGTERM');
      await count(['b'], 'SIGKILL');
      const { exitCode, stdout } = await state('repair', stateDir());
      expect(exitCode).to.equal(0);
      expect(stdout).to.include('nothing was damaged');
      expect(dropped()).to.deep.equal([]);
      expect(await types()).to.deep.equal({ a: 1, b: 1 });
    });

    it('is refused while a consumer has the folder', async () => {
      const consumer = await start();
      await consumer.waitFor(() => true);
      const { exitCode, stderr } = await state('repair', stateDir());
      expect(exitCode).to.equal(1);
      expect(stderr).to.include(`process ${consumer.pid} on `).and.to.include('stop it first');
    });
  });
});
