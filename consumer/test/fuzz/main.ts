/** npm run fuzz: strange input for the real parts and for a plain model, until they disagree. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chooseScanner, createScanners } from '#consumer/ingest/create-scanners.js';
import { SCANNER_CHOICES } from '#consumer/scan/scanners.js';
import { checkCase } from './check-case.js';
import { COMPARED_SCALE, compareCase } from './compare-case.js';
import { readCorpora } from './corpus.js';
import { describeFound, fuzz } from './fuzz.js';
import type { FuzzCase } from './fuzz-case.js';

const DATA = fileURLToPath(new URL('../../../test/data', import.meta.url));

const USAGE = `Usage: npm run fuzz -- [options]

Real lines, changed at random, and lines of a grammar of strange JSON are read, in pieces cut at random, by
the scanner, tally and windows, with checkpoints and restarts between, and by a model that keeps every event.
With --differential they are read by both scanners instead, which is much faster, and every batch is compared.
At the first disagreement the smallest case that can be found is printed, and the exit code is 1.

  --minutes N  how long (default 1)
  --cases N    how many cases, instead; the same ones each time
  --seed S     of all chance (default 1)
  --first N    number of the first case (default 0)
  --differential  the SIMD scanner is compared with the reference scanner
  --scanner NAME  without that, the one that is checked: auto, simd or reference (default auto)
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
const scanner = readScanner(values.scanner);
const check = (fuzzCase: FuzzCase) =>
  checkCase(fuzzCase, (options) => createScanners(scanner, options));
const scanned = { lines: 0, fallbackLines: 0 };
const compare = (fuzzCase: FuzzCase) => {
  const { lines, fallbackLines } = compareCase(fuzzCase);
  scanned.lines += lines;
  scanned.fallbackLines += fallbackLines;
};
const begin = performance.now();
const seconds = () => (performance.now() - begin) / 1000;
const result = await fuzz({
  seed,
  first,
  goesOn: (cases) =>
    !isInterrupted && (casesMax === null ? seconds() < 60 * minutes : cases < casesMax),
  corpora,
  scale: values.differential ? COMPARED_SCALE : 1,
  check: values.differential ? compare : check,
});
const { cases, lines, bytes, found } = result;
const megabytes = (bytes / 1e6).toFixed(0);
const outcome = found === null ? 'no disagreement' : 'a disagreement';
print(`${cases} cases, ${lines} lines, ${megabytes} MB in ${seconds().toFixed(0)} s: ${outcome}`);
if (values.differential) {
  print(`${scanned.lines} lines by SIMD, of them ${scanned.fallbackLines} handed over`);
}
if (found !== null) {
  const mode = values.differential ? '--differential' : `--scanner ${scanner}`;
  for (const line of describeFound(`npm run fuzz -- ${mode} --seed ${seed}`, found)) print(line);
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
        differential: { type: 'boolean', default: false },
        scanner: { ...text, default: 'auto' },
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

function readScanner(text: string) {
  const choice = SCANNER_CHOICES.find((each) => each === text);
  const name = choice === undefined ? null : chooseScanner(choice);
  return name ?? refuse(`--scanner is ${text}: it must be one of ${SCANNER_CHOICES.join(', ')}`);
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
