import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import getPort from 'get-port';
import pWaitFor from 'p-wait-for';
import { describeVariables } from '#consumer/config.js';
import {
  type ConsumerProcess,
  endConsumers,
  isRead,
  startConsumer,
} from './support/consumer-process.js';
import { event, holdFifo, makeFifo, writeFifo } from './support/fifo-writer.js';
import { useTempDir } from './support/temp-dir.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const PACKAGE = new URL('../package.json', import.meta.url);

describe('node consumer/dist/main.js', () => {
  const dir = useTempDir();
  afterEach(endConsumers);

  /** Runs it to its end, in an environment of these variables alone. */
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    execa(process.execPath, [MAIN, ...args], {
      cwd: dir.path,
      env,
      extendEnv: false,
      reject: false,
      timeout: 20_000,
    });

  describe('the command line', () => {
    it('lists every variable with --help, and exits with 0', async () => {
      const { exitCode, stdout, stderr } = await run(['--help']);
      expect(exitCode).to.equal(0);
      expect(stderr).to.equal('');
      for (const { name, default: byDefault, expected, meaning } of describeVariables()) {
        expect(stdout).to.match(new RegExp(`^ *${name} `, 'm'));
        expect(stdout).to.include(meaning);
        expect(stdout).to.include(`(${expected}; default ${byDefault || 'none'})`);
      }
    });

    it('gives help whatever the variables are', async () => {
      expect((await run(['--help'], { PORT: 'many' })).exitCode).to.equal(0);
    });

    it('gives its version with --version, and exits with 0', async () => {
      const { exitCode, stdout } = await run(['--version']);
      const { version } = JSON.parse(fs.readFileSync(PACKAGE, 'utf8')) as { version: string };
      expect(exitCode).to.equal(0);
      expect(stdout).to.equal(version);
    });

    for (const argument of ['--port', '-x', 'serve']) {
      it(`refuses ${argument} and exits with 1`, async () => {
        const { exitCode, stdout, stderr } = await run([argument]);
        expect(exitCode).to.equal(1);
        expect(stdout).to.equal('');
        expect(stderr).to.match(/^error: .+/);
      });
    }
  });

  context('when variables are wrong', () => {
    it('tells of each, and exits with 1', async () => {
      const { exitCode, stdout, stderr } = await run([], {
        PORT: '65536',
        TIMESTAMP_FORMAT: 'rfc2822',
        EVENT_TYPE_FIELD: 'a..b',
        LOG_LEVEL: 'loud',
        INGEST_TOKEN: 'very secret',
        HOST: '127.0.0.1',
      });
      expect(exitCode).to.equal(1);
      expect(stdout).to.equal('');
      const lines = stderr.split('\n');
      expect(lines).to.have.lengthOf(5);
      expect(stderr).not.to.include('very secret');
      for (const [name, value] of [
        ['PORT', '"65536"'],
        ['TIMESTAMP_FORMAT', '"rfc2822"'],
        ['EVENT_TYPE_FIELD', '"a..b"'],
        ['LOG_LEVEL', '"loud"'],
      ]) {
        expect(stderr).to.match(
          new RegExp(`^event-tally: ${name} is ${value}: it must be .+`, 'm'),
        );
      }
    });

    it('does not make the folder', async () => {
      await run([], { FIFO_DIR: 'folder', PORT: '-1' });
      expect(fs.existsSync(path.join(dir.path, 'folder'))).to.equal(false);
    });
  });

  context('when the port is in use', () => {
    let taken: net.Server;
    beforeEach(async () => {
      taken = net.createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
    });
    afterEach(() => taken.close());

    it('says so in one line, exits with 1, and has read no FIFO', async () => {
      const fifo = path.join(dir.path, 'events-a.fifo');
      makeFifo(fifo);
      const held = holdFifo(fifo);
      fs.writeSync(held, event('kept'));
      const { port } = taken.address() as AddressInfo;
      const { exitCode, stderr } = await run([], { PORT: String(port), FIFO_DIR: dir.path });
      expect(exitCode).to.equal(1);
      expect(stderr).to.equal(`event-tally: 127.0.0.1:${port} is in use: set PORT to a free port`);
      const left = Buffer.alloc(1000);
      expect(left.toString('utf8', 0, fs.readSync(held, left))).to.equal(event('kept'));
      fs.closeSync(held);
    });
  });

  context('when it cannot listen at the address', () => {
    it('says so in one line and exits with 1', async () => {
      // An address that is reserved for documents (RFC 5737): no machine has it.
      const { exitCode, stderr } = await run([], { HOST: '192.0.2.1', PORT: '0' });
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(/^event-tally: cannot listen on 192\.0\.2\.1:0: .*EADDRNOTAVAIL.*$/);
    });
  });

  context('when FIFO_DIR is', () => {
    const rows: [what: string, folder: string][] = [
      ['a regular file', 'file'],
      ['under a regular file', 'file/folder'],
    ];
    for (const [what, folder] of rows) {
      it(`${what}, says so in one line and exits with 1`, async () => {
        fs.writeFileSync(path.join(dir.path, 'file'), '');
        const { exitCode, stdout, stderr } = await run([], { FIFO_DIR: folder, PORT: '0' });
        expect(exitCode).to.equal(1);
        expect(stdout).to.equal('');
        expect(stderr).to.match(/^event-tally: .*FIFO_DIR.*file.*$/);
      });
    }

    for (const folder of ['/proc/fifos', '/proc/event-tally/fifos']) {
      it(`${folder}, where no folder can be made, says so in one line and exits with 1`, async () => {
        const { exitCode, stderr } = await run([], { FIFO_DIR: folder, PORT: '0' });
        expect(exitCode).to.equal(1);
        expect(stderr).to.match(/^event-tally: cannot make the folder FIFO_DIR: .*\/proc\/.*$/);
      });
    }

    it('missing, makes it with all its parents', async () => {
      const folder = path.join(dir.path, 'not', 'yet', 'there');
      await startConsumer(folder);
      expect(fs.statSync(folder).isDirectory()).to.equal(true);
    });

    it('unset, makes run/ under the folder that it runs in', async () => {
      const port = await getPort();
      const consumer = run([], { PORT: String(port) });
      await untilReady(port);
      consumer.kill('SIGTERM');
      expect((await consumer).exitCode).to.equal(0);
      expect(fs.statSync(path.join(dir.path, 'run')).isDirectory()).to.equal(true);
    });
  });

  for (const folder of ['/proc/state', '/proc/event-tally/state']) {
    context(`when STATE_DIR is ${folder}, where no folder can be made`, () => {
      it('says so in one line and exits with 1', async () => {
        const env = { FIFO_DIR: dir.path, STATE_DIR: folder, PORT: '0' };
        const { exitCode, stderr } = await run([], env);
        expect(exitCode).to.equal(1);
        expect(stderr).to.match(/^event-tally: .*\/proc.*$/);
      });
    });
  }

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    describe(`at ${signal}`, () => {
      it('exits with 0', async () => {
        const consumer = await startConsumer(dir.path);
        await consumer.waitFor(() => true);
        expect(await consumer.end(signal)).to.equal(0);
        await consumer.waitForLog(/^stopped$/);
        expect(consumer.log.filter(({ msg }) => msg === 'stopping')).to.have.lengthOf(1);
        expect(consumer.log.find(({ msg }) => msg === 'stopping')?.signal).to.equal(signal);
      });

      it('exits with 0 while a connection is kept alive', async () => {
        const consumer = await startConsumer(dir.path);
        const agent = new http.Agent({ keepAlive: true });
        const request = http.get({ port: portOf(consumer), path: '/livez', agent });
        const [response] = await once(request, 'response');
        response.resume();
        const [socket] = await once(agent, 'free');
        expect(socket.destroyed).to.equal(false);
        expect(await consumer.end(signal)).to.equal(0);
        agent.destroy();
      });

      it('exits with 0 while a FIFO is flooded', async () => {
        const fifo = path.join(dir.path, 'events-a.fifo');
        makeFifo(fifo);
        const consumer = await startConsumer(dir.path);
        const line = event('a', 'b c').trimEnd();
        const flood = execa('sh', ['-c', 'exec yes "$1" > "$0"', fifo, line], { reject: false });
        await consumer.waitFor(({ lines }) => lines > 10_000);
        expect(await consumer.end(signal)).to.equal(0);
        expect((await flood).signal).to.equal('SIGPIPE');
      });
    });
  }

  context('when more signals come while it stops', () => {
    it('stops all the same, and keeps what it has counted', async () => {
      const fifo = path.join(dir.path, 'events-a.fifo');
      makeFifo(fifo);
      const env = { DURABILITY: 'checkpoint', STATE_DIR: path.join(dir.path, 'state') };
      const consumer = await startConsumer(dir.path, env);
      await writeFifo(fifo, event('a'));
      await consumer.waitFor(({ accepted }) => accepted === 1);
      process.kill(consumer.pid, 'SIGTERM');
      for (const signal of ['SIGINT', 'SIGHUP'] as const) process.kill(consumer.pid, signal);
      expect(await consumer.end('SIGTERM')).to.equal(0);
      const next = await startConsumer(dir.path, env);
      expect(await next.waitFor(() => true)).to.include({ accepted: 1 });
    });
  });

  describe('the scanner', () => {
    for (const [SCANNER, name] of [
      ['auto', 'simd'],
      ['simd', 'simd'],
      ['reference', 'reference'],
    ] as const) {
      it(`is ${name} where SCANNER is ${SCANNER}, as the log and /stats tell`, async () => {
        const fifo = path.join(dir.path, 'events-a.fifo');
        makeFifo(fifo);
        const consumer = await startConsumer(dir.path, { SCANNER });
        const held = holdFifo(fifo);
        fs.writeSync(held, `${event('a')}{ "corrupt\n\n`);
        const { scanner } = await consumer.waitFor(({ lines }) => lines === 3);
        fs.closeSync(held);
        expect(scanner).to.deep.equal({ name, lines: 3, fallback_lines: 0 });
        expect(await consumer.waitForLog(/^listening$/)).to.include({ scanner: name });
      });
    }

    context('when the processor has no SIMD', () => {
      // V8 can be told that an x86-64 processor is one of before 2008.
      const withoutSimd = (env: Readonly<Record<string, string>>) =>
        execa(process.execPath, ['--no-enable-sse4-1', MAIN], {
          cwd: dir.path,
          env: { PORT: '0', DURABILITY: 'none', ...env },
          extendEnv: false,
          reject: false,
        });
      before(function () {
        if (process.arch !== 'x64') this.skip();
      });

      it('is the reference scanner where SCANNER is auto', async () => {
        const consumer = withoutSimd({});
        consumer.stdout.on('data', (text) => {
          if (String(text).includes('listening')) consumer.kill('SIGTERM');
        });
        const { stdout } = await consumer;
        const listening = stdout.split('\n').find((line) => line.includes('listening'));
        expect(JSON.parse(listening as string)).to.include({ scanner: 'reference' });
      });

      it('is none where SCANNER is simd: it says so and exits with 1', async () => {
        const { exitCode, stderr } = await withoutSimd({ SCANNER: 'simd' });
        expect({ exitCode, stderr }).to.deep.equal({
          exitCode: 1,
          stderr:
            'event-tally: SCANNER is simd, which this processor or this Node.js cannot run: set it to auto',
        });
      });
    });
  });

  describe('the log', () => {
    it('is JSON lines on standard output, with nothing on standard error', async () => {
      const port = await getPort();
      const consumer = run([], { PORT: String(port), FIFO_DIR: 'folder' });
      await untilReady(port);
      consumer.kill('SIGTERM');
      const { stdout, stderr } = await consumer;
      expect(stderr).to.equal('');
      const lines = stdout.split('\n').map((line) => JSON.parse(line));
      expect(lines.map(({ msg }) => msg)).to.include.members(['listening', 'stopping', 'stopped']);
      for (const line of lines) {
        expect(line.level).to.be.a('number');
        expect(line.time).to.be.a('number');
      }
    });

    it('is empty when LOG_LEVEL is silent', async () => {
      const port = await getPort();
      const consumer = run([], { PORT: String(port), LOG_LEVEL: 'silent' });
      await untilReady(port);
      consumer.kill('SIGTERM');
      const { exitCode, stdout, stderr } = await consumer;
      expect({ exitCode, stdout, stderr }).to.deep.equal({ exitCode: 0, stdout: '', stderr: '' });
    });

    it('tells how POST /events is turned on', async () => {
      const consumer = await startConsumer(dir.path);
      await consumer.waitForLog(/INGEST_TOKEN/);
    });

    it('opens no debugger at SIGUSR1, and goes on', async () => {
      const consumer = execa(process.execPath, [MAIN], {
        env: { FIFO_DIR: dir.path, PORT: '0', DURABILITY: 'none' },
        reject: false,
      });
      let log = '';
      consumer.stdout.on('data', (text: Buffer) => {
        log += text;
      });
      await pWaitFor(() => log.includes('"listening"'));
      consumer.kill('SIGUSR1');
      await pWaitFor(() => log.includes('SIGUSR1'));
      consumer.kill('SIGTERM');
      const { exitCode, stderr } = await consumer;
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    });

    it('never shows the token', async () => {
      const token = 'a-secret-token';
      const consumer = await startConsumer(dir.path, { INGEST_TOKEN: token, LOG_LEVEL: 'debug' });
      for (const sent of [token, `${token}-wrong`]) {
        await fetch(`http://127.0.0.1:${consumer.port}/events`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/jsonl', Authorization: `Bearer ${sent}` },
          body: event('a'),
        });
      }
      expect(await consumer.get('/events/countByEventType')).to.deep.equal({ a: 1 });
      await consumer.end('SIGTERM');
      await consumer.waitForLog(/^stopped$/);
      expect(JSON.stringify(consumer.log)).not.to.include(token);
    });

    it('has no line for bad lines', async () => {
      const fifo = path.join(dir.path, 'events-a.fifo');
      makeFifo(fifo);
      const consumer = await startConsumer(dir.path, { LOG_LEVEL: 'debug', LINE_BYTES_MAX: '16' });
      const held = holdFifo(fifo);
      await consumer.waitFor(({ sources }) => sources.some(isRead));
      const before = consumer.log.length;
      fs.writeSync(held, `{ "corrupt\n[]\n${'x'.repeat(100)}\n`.repeat(100));
      await consumer.waitFor(({ lines }) => lines === 300);
      await consumer.end('SIGTERM');
      await consumer.waitForLog(/^stopped$/);
      const messages = consumer.log.slice(before).map(({ msg }) => msg);
      expect(messages).to.deep.equal(['stopping', 'stopped']);
      fs.closeSync(held);
    });
  });
});

function portOf(consumer: ConsumerProcess): number {
  return consumer.log.find(({ msg }) => msg === 'listening')?.port as number;
}

async function untilReady(port: number): Promise<void> {
  await pWaitFor(
    async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
      return response?.status === 200;
    },
    { interval: 20, timeout: 20_000 },
  );
}
