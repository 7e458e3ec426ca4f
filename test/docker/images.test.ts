import fs from 'node:fs';
import { expect } from 'chai';
import { execa } from 'execa';
import { docker, note, PROJECT, ROOT, type Service } from './stack.js';

interface Manifest {
  readonly dependencies?: Record<string, string>;
}

function manifest(workspace: string): Manifest {
  return JSON.parse(fs.readFileSync(`${ROOT}${workspace}/package.json`, 'utf8')) as Manifest;
}

/** Names of all packages that a workspace needs to run, those that others of them need included. */
async function closure(workspace: string): Promise<string[]> {
  const list = ['ls', '--all', '--omit=dev', '--parseable', '--workspace', workspace];
  const { stdout } = await execa('npm', list, { cwd: ROOT, lines: true });
  return stdout.flatMap((folder) => /.*\/node_modules\/(.+)$/.exec(folder)?.[1] ?? []);
}

const IMAGES: readonly { service: Service; workspaces: string[] }[] = [
  { service: 'producer', workspaces: ['producer'] },
  { service: 'consumer', workspaces: ['consumer', 'shared'] },
];

for (const { service, workspaces } of IMAGES) {
  describe(`the image of the ${service}`, () => {
    const image = `${PROJECT}-${service}`;
    const run = (...command: [string, ...string[]]) =>
      docker(
        'run',
        '--rm',
        '--network=none',
        `--entrypoint=${command[0]}`,
        image,
        ...command.slice(1),
      );

    before(async () => {
      const bytes = Number(await docker('inspect', '--format={{.Size}}', image));
      note(`${service}: ${(bytes / 1e6).toFixed(0)} MB with its base`);
    });

    it('runs as a user that is not root', async () => {
      expect(await run('id', '-u')).to.equal('1000');
    });

    it('has the packages that it needs and no others', async () => {
      const find = await run(
        'find',
        '-L',
        '.',
        '-maxdepth',
        '5',
        '-path',
        '*/node_modules/*/package.json',
      );
      const installed = find
        .split('\n')
        .map((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(file)?.[1])
        .filter((name) => name !== undefined);
      const direct = workspaces.flatMap((name) => Object.keys(manifest(name).dependencies ?? {}));
      expect(installed).to.include.members(direct);
      const needed = [
        ...(await closure(service)),
        ...workspaces.map((name) => `@event-tally/${name}`),
      ];
      expect(installed.filter((name) => !needed.includes(name))).to.deep.equal([]);
    });

    it('has what was compiled, without sources and tests', async () => {
      const find = await run(
        'find',
        '.',
        '-name',
        'node_modules',
        '-prune',
        '-o',
        '-type',
        'f',
        '-print',
      );
      const folders = workspaces.join('|');
      const expected = new RegExp(
        `^\\./((${folders})/(package\\.json|dist/.+)|producer/(entrypoint\\.sh|set-pipe-size\\.pl))$`,
      );
      expect(find.split('\n').filter((file) => !expected.test(file))).to.deep.equal([]);
    });

    if (service === 'consumer') {
      it('has the licence of what the bundle of the live page has in it', async () => {
        const licence = await run('cat', 'consumer/dist/dashboard/assets/uplot-license.txt');
        expect(licence).to.match(/^The MIT License.*\n\nCopyright \(c\) \d+ Leon Sorokin\n/);
      });
    }
  });
}
