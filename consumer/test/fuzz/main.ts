/** npm run fuzz: strange input for the real parts and for a plain model, until they disagree. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ReferenceScanner } from '#consumer/scan/reference-scanner.js';
import { readCorpora } from './corpus.js';
import { describeFound, fuzz } from './fuzz.js';

const DATA = fileURLToPath(new URL('../../../test/data', import.meta.url));

const USAGE = `Usage: npm run fuzz -- [options]

Real lines, changed at random, and lines of a grammar of strange JSON are read, in pieces cut at random, by
the scanner, tally and windows, with checkpoints and restarts between, and by a model that keeps every event.
At the first disagreement the smallest case that can be found is printed, and the exit code is 1.

  --minutes N  how long (default 1)
  --cases N    how many cases, instead; the same ones each time
  --seed S     of all chance (default 1)
  --first N    number of the first case (default 0)
  --data DIR   folder of .json and .ndjson files, .gz too, of lines to change (default test/data)
`;

const { values } = parse();
const seed = wholeNumber('seed', values.seed);
const first = wholeNumber('first', values.first);
const casesMax = values.cases === undefined ? null : wholeNumber('cases', values.cases);
const minutes = Number(values.minutes);
if (!(minutes > 0)) refuse(`--minutes is ${values.minutes}: it must be a number above 0`);

let isInterrupted = false;
process.once('SIGINT', () => {
  isInterrupted = true;
});
const corpora = readData(values.data);
for (const { name, lines } of corpora) print(`${lines.length} lines of ${name}`);
print(`seed ${seed}, from case ${first} on`);
const begin = performance.now();
const seconds = () => (performance.now() - begin) / 1000;
const result = await fuzz({
  seed,
  first,
  goesOn: (cases) =>
    !isInterrupted && (casesMax === null ? seconds() < 60 * minutes : cases < casesMax),
  corpora,
  createScanner: (options) => new ReferenceScanner(options),
});
const { cases, lines, bytes, found } = result;
const megabytes = (bytes / 1e6).toFixed(0);
const outcome = found === null ? 'no disagreement' : 'a disagreement';
print(`${cases} cases, ${lines} lines, ${megabytes} MB in ${seconds().toFixed(0)} s: ${outcome}`);
if (found !== null) {
  for (const line of describeFound(seed, found)) print(line);
  process.exitCode = 1;
}

function parse() {
  const text = { type: 'string' } as const;
  try {
    const parsed = parseArgs({
      options: {
        minutes: { ...text, default: '1' },
        cases: text,
        seed: { ...text, default: '1' },
        first: { ...text, default: '0' },
        data: { ...text, default: DATA },
        help: { type: 'boolean', default: false },
      },
    });
    if (!parsed.values.help) return parsed;
  } catch (error) {
    refuse((error as Error).message);
  }
  process.stdout.write(USAGE);
  process.exit(0);
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) refuse(`--${name} is ${text}: it must be a whole number`);
  return Number(text);
}

function readData(folder: string) {
  try {
    return readCorpora(folder);
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function refuse(problem: string): never {
  process.stderr.write(`${problem}\n\n${USAGE}`);
  process.exit(2);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
