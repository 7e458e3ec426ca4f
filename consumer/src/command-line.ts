import fs from 'node:fs';
import { Command } from 'commander';
import { describeVariables } from './config.js';

/** Answers --help and --version and refuses arguments; each of the three ends the process. */
export function parseCommandLine(argv: readonly string[]): void {
  const { version, description } = JSON.parse(
    fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string; description: string };
  new Command('event-tally-consumer')
    .description(`${description}.`)
    .version(version)
    .addHelpText('after', `\n${variablesHelp()}`)
    .parse([...argv]);
}

function variablesHelp(): string {
  const variables = describeVariables();
  const nameWidth = Math.max(...variables.map(({ name }) => name.length));
  const lines = variables.map(
    ({ name, default: byDefault, meaning, expected }) =>
      `  ${name.padEnd(nameWidth)}  ${meaning}\n` +
      `  ${''.padEnd(nameWidth)}  (${expected}; default ${byDefault})\n`,
  );
  return `Environment variables:\n${lines.join('')}`;
}
