import fs from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import { type CommandWithOutput, consoleCommands, shellBlocks } from '../readme/readme.js';
import { makeFolder, PROJECT, ROOT, Stack, waitFor } from './stack.js';

/** A value with the types of its parts in their place. */
function shape(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
}

describe("the README's commands with Docker", () => {
  let folder: string;
  let stack: Stack;

  /** A checkout of its own, whose my-tools are not this one's. */
  beforeEach(async () => {
    folder = await makeFolder();
    const files = execaSync('git', ['ls-files', '-co', '--exclude-standard'], {
      cwd: ROOT,
      lines: true,
    });
    for (const file of files.stdout) {
      await fs.cp(path.join(ROOT, file), path.join(folder, file)).catch(() => {}); // removed, not committed
    }
    stack = await Stack.create();
  });
  afterEach(() => stack.remove());

  /** As pasted, but with the tests' project name and port, and with the images that are built already. */
  const run = async (script: string) => {
    const here = script
      .replaceAll('localhost:5000', stack.url.slice('http://'.length))
      .replaceAll('event-tally_', `${PROJECT}_`);
    const env = { COMPOSE_PROJECT_NAME: PROJECT, PORT: new URL(stack.url).port };
    return (await execa('bash', ['-ec', here], { cwd: folder, env })).stdout;
  };
  const counts = async (command: string) =>
    JSON.parse(await run(command)) as Record<string, number>;

  it('the one command, and two curls that answer as shown, but for the numbers', async () => {
    await run(shellBlocks('Start')[0] as string);
    for (const { command, output } of consoleCommands('Start').slice(0, 2)) {
      const shown = JSON.parse(output);
      await waitFor(
        () => `${command} to have the keys of ${output}`,
        async () => Object.keys(await counts(command)).length === Object.keys(shown).length,
      );
      const answer = await counts(command);
      expect(answer).to.have.all.keys(shown);
      expect(Object.values(answer)).to.deep.equal(Object.values(answer).sort((a, b) => b - a));
    }
  });

  it('/stats has the fields shown', async () => {
    await run(shellBlocks('Start')[0] as string);
    const { command, output } = consoleCommands('Start')[2] as { command: string; output: string };
    await stack.waitForStats('a checkpoint', ({ state }) => (state?.checkpoints ?? 0) > 0);
    expect(shape(JSON.parse(await run(command)))).to.deep.equal(shape(JSON.parse(output)));
  });

  it('windows answer in the shape shown', async () => {
    await run(shellBlocks('Start')[0] as string);
    await stack.waitForStats('all words', ({ words }) => words.distinct === 5);
    const [flat, list] = consoleCommands('The last minute, the last hour') as CommandWithOutput[];
    expect(await counts(flat?.command as string)).to.have.all.keys(
      JSON.parse(flat?.output as string),
    );
    const { command, output } = list as CommandWithOutput;
    expect(shape(JSON.parse(await run(command)))).to.deep.equal(shape(JSON.parse(output)));
    const series = await run(shellBlocks('The last minute, the last hour')[0] as string);
    expect(JSON.parse(series)).to.have.all.keys(
      'of',
      'batch',
      'window',
      'since',
      'step',
      'starts',
      'series',
      'other',
    );
  });

  it('events are posted with a token', async () => {
    const token = 'export INGEST_TOKEN=a-token-of-the-test\n';
    await run(token + (shellBlocks('Start')[0] as string));
    const answer = await run(token + (shellBlocks('More ways in')[0] as string));
    expect(JSON.parse(answer)).to.deep.equal({
      accepted: 1,
      blank: 0,
      rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
    });
  });

  const generators = {
    'a shell loop': 'tick',
    'a Python script': 'throw',
    'a static binary': 'beat',
  };
  for (const [i, [name, type]] of Object.entries(generators).entries()) {
    it(`${name} as a generator`, async () => {
      await run(shellBlocks('Your own generator')[i] as string);
      await waitFor(
        () => `an event of type ${type}`,
        async () => type in (await stack.types().catch(() => ({}))),
      );
    });
  }

  it('real data of another shape', async () => {
    await run(shellBlocks('Real data, and streams of another shape')[1] as string);
    const { command, output } = consoleCommands('Real data, and streams of another shape')[0] as {
      command: string;
      output: string;
    };
    let answer = '';
    await waitFor(
      () => `${output} from ${command}, which gave ${answer}`,
      async () => {
        answer = await run(command);
        return answer === output;
      },
    );
  });

  it('the way out when something is stuck', async () => {
    await run(shellBlocks('Start')[0] as string);
    await run(shellBlocks('Troubleshooting')[0] as string);
    await stack.waitForStats('a line', ({ lines }) => lines > 0);
  });
});
