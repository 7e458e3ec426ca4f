import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeVariables } from '../../consumer/dist/config.js';
import { PROBLEMS, type ProblemName, problemType } from '../../consumer/dist/http/problem.js';

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

/** The types of problem documents as the README's table. */
export function problemsTable(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([name, { status, meaning }]) =>
      `| \`${problemType(name as ProblemName)}\` | ${status} | ${meaning} |\n`,
  );
  return `| type | status | meaning |\n|---|---|---|\n${rows.join('')}`;
}

/** The tables that are written from the code, by their marks in the README. */
export const TABLES = { configuration: configurationTable, problems: problemsTable } as const;
type TableName = keyof typeof TABLES;

function tablePattern(name: TableName): RegExp {
  return new RegExp(`(<!-- ${name} -->\\n)(.*?)(<!-- /${name} -->)`, 's');
}

export function readmeTable(name: TableName): string | undefined {
  return tablePattern(name).exec(fs.readFileSync(README, 'utf8'))?.[2];
}

export function writeReadmeTables(): void {
  let text = fs.readFileSync(README, 'utf8');
  for (const [name, table] of Object.entries(TABLES)) {
    text = text.replace(
      tablePattern(name as TableName),
      (_, open, __, close) => open + table() + close,
    );
  }
  fs.writeFileSync(README, text);
}
