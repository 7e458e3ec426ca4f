import fs from 'node:fs';
import { expect } from 'chai';
import { docker, note, PROJECT, ROOT, type Service } from './stack.js';

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

function manifest(workspace: string): Manifest {
  return JSON.parse(fs.readFileSync(`${ROOT}${workspace}/package.json`, 'utf8')) as Manifest;
}

const IMAGES: readonly { service: Service; workspaces: string[]; others: string[] }[] = [
  { service: 'producer', workspaces: ['producer'], others: ['consumer', 'shared'] },
  { service: 'consumer', workspaces: ['consumer', 'shared'], others: ['producer'] },
];

for (const { service, workspaces, others } of IMAGES) {
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
        'node_modules',
        '-maxdepth',
        '3',
        '-name',
        'package.json',
      );
      const installed = find
        .split('\n')
        .map((file) => file.slice('node_modules/'.length, -'/package.json'.length));
      const needed = workspaces.flatMap((name) => Object.keys(manifest(name).dependencies ?? {}));
      const unneeded = ['.', ...workspaces, ...others]
        .flatMap((name) => Object.keys(manifest(name).devDependencies ?? {}))
        .concat(others.flatMap((name) => Object.keys(manifest(name).dependencies ?? {})))
        .filter((name) => !needed.includes(name));
      expect(installed).to.include.members(needed);
      expect(installed.filter((name) => unneeded.includes(name))).to.deep.equal([]);
    });

    it('has what was compiled, without sources and tests', async () => {
      const find = await run(
        'find',
        '.',
        '-path',
        './node_modules',
        '-prune',
        '-o',
        '-type',
        'f',
        '-print',
      );
      const folders = workspaces.join('|');
      const expected = new RegExp(
        `^\\./((${folders})/(package\\.json|dist/.+)|producer/entrypoint\\.sh)$`,
      );
      expect(find.split('\n').filter((file) => !expected.test(file))).to.deep.equal([]);
    });
  });
}
