import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeVariables } from '../../consumer/dist/config.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const README = `${ROOT}/README.md`;

export interface CommandWithOutput {
  readonly command: string;
  readonly output: string;
}

/** The shell blocks under a heading, in their order. */
export function shellBlocks(heading: string): string[] {
  return blocks(heading, 'sh');
}

/** The commands of the console blocks under a heading, each with the output that stands below it. */
export function consoleCommands(heading: string): CommandWithOutput[] {
  return blocks(heading, 'console').flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command, ...output] = part.split('\n') as [string, ...string[]];
        return { command, output: output.join('\n').trimEnd() };
      }),
  );
}

function blocks(heading: string, language: string): string[] {
  const section = fs.readFileSync(README, 'utf8').split(`\n## ${heading}\n`)[1]?.split('\n## ')[0];
  if (section === undefined) throw new Error(`the README has no section ${heading}`);
  return Array.from(section.matchAll(/^```(\w+)\n(.*?)^```$/gms))
    .filter((match) => match[1] === language)
    .map((match) => match[2] as string);
}

/** The consumer's variables as the README's table. */
export function configurationTable(): string {
  const rows = describeVariables().map(
    ({ name, default: byDefault, expected, meaning }) =>
      `| \`${name}\` | \`${byDefault}\` | ${meaning} | ${expected} |\n`,
  );
  return `| variable | default | meaning | may be |\n|---|---|---|---|\n${rows.join('')}`;
}

const TABLE = /(<!-- configuration -->\n)(.*?)(<!-- \/configuration -->)/s;

export function readmeTable(): string | undefined {
  return TABLE.exec(fs.readFileSync(README, 'utf8'))?.[2];
}

export function writeReadmeTable(): void {
  const text = fs.readFileSync(README, 'utf8');
  fs.writeFileSync(
    README,
    text.replace(TABLE, (_, open, __, close) => open + configurationTable() + close),
  );
}
