import { Command, InvalidArgumentError, Option } from 'commander';
import { describeVariables } from './config.js';
import { DESCRIPTION, VERSION } from './package-manifest.js';

export interface CommandLine {
  /** Standard input is read instead of FIFOs. */
  readonly readsStdin: boolean;
  /** At the end of standard input, counts are printed and the process exits; HTTP is not served. */
  readonly once: boolean;
  readonly of: 'types' | 'words' | 'sums';
  readonly limit: number | undefined;
  readonly format: 'json' | 'table';
}

/** Ends the process after --help and --version (0) and on arguments that it does not know (1). */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const command = new Command('event-tally-consumer')
    .description(`${DESCRIPTION}.`)
    .version(VERSION)
    .argument('[input]', '-: read standard input instead of FIFOs', (input) => {
      if (input !== '-') throw new InvalidArgumentError('It must be -, for standard input.');
      return input;
    })
    .option('--once', 'with -: at the end of input print the counts and exit; no HTTP')
    .addOption(
      new Option('--of <kind>', 'with --once: what is printed')
        .choices(['types', 'words', 'sums'])
        .default('types'),
    )
    .option('--limit <n>', 'with --once: the largest only', (text) => {
      if (!/^[1-9]\d{0,8}$/.test(text))
        throw new InvalidArgumentError('It must be a whole number ≥ 1.');
      return Number(text);
    })
    .addOption(
      new Option('--format <format>', 'with --once').choices(['json', 'table']).default('json'),
    )
    .addHelpText('after', `\n${variablesHelp()}`)
    .parse([...argv]);
  const { once = false, of, limit, format } = command.opts();
  const readsStdin = command.args.length > 0;
  if (once && !readsStdin) command.error('error: --once goes with -, standard input');
  return { readsStdin, once, of, limit, format };
}

function variablesHelp(): string {
  const variables = describeVariables();
  const nameWidth = Math.max(...variables.map(({ name }) => name.length));
  const lines = variables.map(
    ({ name, default: byDefault, meaning, expected }) =>
      `  ${name.padEnd(nameWidth)}  ${meaning}\n` +
      `  ${''.padEnd(nameWidth)}  (${expected}; default ${byDefault || 'none'})\n`,
  );
  return `Environment variables:\n${lines.join('')}`;
}
