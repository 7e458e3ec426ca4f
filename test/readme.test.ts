import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import getPort from 'get-port';
import pWaitFor from 'p-wait-for';
import { useTempDir } from '../consumer/dist-test/support/temp-dir.js';
import { consoleCommands, ROOT, readmeTable, shellBlocks, TABLES } from './readme/readme.js';

/** A checkout that was never built is built first. */
const WAIT = { interval: 100, timeout: 150_000 };

for (const name of Object.keys(TABLES) as (keyof typeof TABLES)[]) {
  describe(`the README's table: ${name}`, () => {
    it('says what the code says (npm run docs writes it)', () => {
      expect(readmeTable(name)).to.equal(TABLES[name]());
    });
  });
}

describe("the README's commands without Docker", function () {
  this.timeout(180_000);
  let env: Record<string, string>;
  let port: number;
  let running: (Promise<unknown> & { readonly pid?: number | undefined })[];
  // Before the folder is removed, in which they would make theirs again.
  afterEach(async () => {
    for (const child of running) process.kill(-(child.pid as number), 'SIGINT');
    await Promise.all(running);
  });
  const dir = useTempDir();

  /** A checkout of its own, as a newcomer has it after npm ci. */
  beforeEach(async () => {
    const files = execaSync('git', ['ls-files', '-co', '--exclude-standard'], {
      cwd: ROOT,
      lines: true,
    });
    for (const file of files.stdout.filter((name) => fs.existsSync(path.join(ROOT, name)))) {
      fs.cpSync(path.join(ROOT, file), path.join(dir.path, file));
    }
    fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir.path, 'node_modules'));
    port = await getPort();
    env = { PORT: String(port) };
    running = [];
  });

  /** As pasted, but on a free port and in the temporary folder. */
  const here = (command: string) =>
    command
      .replaceAll(/localhost:50\d\d/g, `localhost:${port}`)
      .replaceAll('/tmp/fifos', `${dir.path}/fifos`)
      .replaceAll(/PORT=50\d\d/g, `PORT=${port}`);

  const start = (script: string) => {
    // A process group of its own, to which ctrl-C is sent as a terminal does.
    const child = execa('bash', ['-c', here(script)], {
      cwd: dir.path,
      env,
      detached: true,
      reject: false,
    });
    running.push(child);
    return child;
  };

  const expectOutput = async ({ command, output }: { command: string; output: string }) => {
    let actual = '';
    const matches = async () => {
      const options = { cwd: dir.path, reject: false };
      actual = (await execa('bash', ['-c', here(command)], options)).stdout.trimEnd();
      return actual === output;
    };
    await pWaitFor(matches, WAIT).catch(() => expect(actual, command).to.equal(output));
  };

  it('npm start counts what the bundled generator writes; ctrl-C ends both sides', async () => {
    const [plain, , seeded] = [
      shellBlocks('Without Docker')[0],
      '',
      shellBlocks('Without Docker')[1],
    ];
    expect(plain).to.equal('npm ci && npm start\n');
    const child = start(seeded as string);
    const [types, words] = consoleCommands('Without Docker');
    await expectOutput(types as never);
    await expectOutput(words as never);
    process.kill(-(child.pid as number), 'SIGINT');
    await child;
    running = [];
    expect(await fetch(`http://localhost:${port}/livez`).catch(() => 'refused')).to.equal(
      'refused',
    );
  });

  it('npm start without a command runs the bundled generator', async () => {
    start('npm start');
    await pWaitFor(async () => {
      const answer = await fetch(`http://localhost:${port}/events/countByEventType`).catch(
        () => null,
      );
      return answer?.ok === true && Object.keys((await answer.json()) as object).length > 0;
    }, WAIT);
  });

  it('a consumer by itself counts what anything writes to a FIFO', async () => {
    start(`${shellBlocks('Without Docker')[2]}wait`);
    await expectOutput(consoleCommands('Without Docker')[2] as never);
  });

  it('a consumer of standard input prints the counts', async () => {
    await execa('npx', ['tsc', '--build', 'producer', 'consumer'], { cwd: dir.path });
    await expectOutput(consoleCommands('More ways in')[0] as never);
  });

  it('npm start replays real data of another shape', async () => {
    start(shellBlocks('Real data, and streams of another shape')[0] as string);
    for (const each of consoleCommands('Real data, and streams of another shape')) {
      await expectOutput(each);
    }
  });
});
