/** What is counted in the comparison, as files. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const GENERATOR = fileURLToPath(new URL('../../producer/dist/generator.js', import.meta.url));
const DATA = fileURLToPath(new URL('../../test/data/', import.meta.url));
const PIECE_BYTES = 4_194_304;
const BEGIN = 1_509_602_400;

export interface Input {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  readonly lines: number;
  /** The fields that are counted, as the consumer's variables have them. */
  readonly typeField: string;
  readonly dataField: string;
  /** Words are not separated by single spaces only. */
  readonly hasOtherSpaces: boolean;
  /** For the consumer. */
  readonly env: Readonly<Record<string, string>>;
}

export interface InputSizes {
  /** Of the generator, of distinct words and of corrupt lines. */
  readonly lines: number;
  /** Of each real stream, at least: it is repeated. */
  readonly realBytes: number;
}

export const INPUT_NAMES = ['generator', 'wikipedia', 'github', 'words', 'corrupt'] as const;
export type InputName = (typeof INPUT_NAMES)[number];

/** Writes an input into a folder. `data`: where the real streams are whole; null: the excerpts of the tests. */
export async function makeInput(
  name: InputName,
  folder: string,
  { lines, realBytes }: InputSizes,
  seed: number,
  data: string | null,
): Promise<Input> {
  const file = path.join(folder, `${name}.ndjson`);
  const fields = { typeField: 'event_type', dataField: 'data', hasOtherSpaces: false, env: {} };
  switch (name) {
    case 'generator':
      await generate(file, lines, 0.02, seed);
      return input('the generator’s lines at --rate max, 2 % corrupt', file, fields);
    case 'corrupt':
      await generate(file, lines, 1, seed);
      return input('only corrupt lines', file, fields);
    case 'words': {
      const words = Math.max(1, Math.floor(lines / 3));
      writeWords(file, lines, words, seed);
      const env = { WORDS_MAX: String(words) };
      return input(`${words.toLocaleString('en')} distinct words`, file, { ...fields, env });
    }
    case 'wikipedia': {
      const whole = data === null ? null : 'wikiticker-2015-09-12-sampled.json.gz';
      const lines = repeat(file, read(data, whole ?? 'wikipedia-edits.ndjson.gz'), realBytes);
      // They are of one day: so the windows have all of them, however often they come.
      const fields = mapped('channel', 'comment', 'time', { RETENTION: '24h' });
      return input(`${lines} Wikipedia edits, repeated`, file, fields);
    }
    case 'github': {
      const lines = repeat(
        file,
        read(data, data === null ? 'github-events.ndjson.gz' : 'gharchive.ndjson'),
        realBytes,
      );
      return input(
        `${lines} GitHub events, repeated`,
        file,
        mapped('type', 'repo.name', 'created_at'),
      );
    }
  }
}

/** The first lines of an input, for those who would take minutes for all. */
export function firstLines(whole: Input, lines: number): Input {
  if (whole.lines <= lines) return whole;
  const bytes = fs.readFileSync(whole.file);
  let end = 0;
  for (let line = 0; line < lines; line++) end = bytes.indexOf('\n', end) + 1;
  const file = `${whole.file}.first`;
  fs.writeFileSync(file, bytes.subarray(0, end));
  return { ...whole, file, bytes: end, lines };
}

/** Events of so many distinct words, each as often as the others, all of one second, each line padded to a length where that is given. */
export function writeWords(
  file: string,
  lines: number,
  words: number,
  seed: number,
  {
    seconds = 1,
    lineBytes = 0,
  }: { seconds?: number | undefined; lineBytes?: number | undefined } = {},
): void {
  const random = xoroshiro128plus(seed);
  // A step that has no divisor in common with the number of words comes to each of them.
  let step = uniformInt(random, Math.floor(words / 3), words) | 1;
  while (divisor(step, words) !== 1) step += 2;
  let word = 0;
  const next = () => {
    word = (word + step) % words;
    return `w${word}`;
  };
  const descriptor = fs.openSync(file, 'w');
  let text = '';
  for (let i = 0; i < lines; i++) {
    const time = BEGIN + Math.floor((i / lines) * seconds);
    const event = `{"event_type":"t${i % 10}","data":"${next()} ${next()} ${next()}","timestamp":${time}`;
    text += `${event}${lineBytes > 0 ? padding(lineBytes - event.length) : ''}}\n`;
    if (text.length < PIECE_BYTES) continue;
    fs.writeSync(descriptor, text);
    text = '';
  }
  fs.writeSync(descriptor, text);
  fs.closeSync(descriptor);
}

export function input(
  name: string,
  file: string,
  fields: Omit<Input, 'name' | 'file' | 'bytes' | 'lines'>,
): Input {
  const descriptor = fs.openSync(file, 'r');
  const piece = Buffer.alloc(PIECE_BYTES);
  let bytes = 0;
  let lines = 0;
  for (;;) {
    const length = fs.readSync(descriptor, piece);
    if (length === 0) break;
    bytes += length;
    for (let at = piece.indexOf(10); at !== -1 && at < length; at = piece.indexOf(10, at + 1))
      lines++;
  }
  fs.closeSync(descriptor);
  return { name, file, bytes, lines, ...fields };
}

async function generate(file: string, lines: number, corrupt: number, seed: number): Promise<void> {
  const options = { rate: 'max', count: lines, corrupt, seed };
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
  await execa(process.execPath, [GENERATOR, ...args], { stdout: { file }, buffer: false });
}

function mapped(type: string, data: string, time: string, others = {}) {
  const env = {
    EVENT_TYPE_FIELD: type,
    DATA_FIELD: data,
    TIMESTAMP_FIELD: time,
    TIMESTAMP_FORMAT: 'iso8601',
    ...others,
  };
  return { typeField: type, dataField: data, hasOtherSpaces: true, env };
}

function read(folder: string | null, name: string): Buffer {
  const bytes = fs.readFileSync(path.join(folder ?? DATA, name));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

/** As often as it takes to have so many bytes; an LF ends each. How many lines it has once. */
function repeat(file: string, bytes: Buffer, bytesMin: number): string {
  const once = bytes.at(-1) === 10 ? bytes : Buffer.concat([bytes, Buffer.from('\n')]);
  const descriptor = fs.openSync(file, 'w');
  for (let written = 0; written < bytesMin; written += once.length) fs.writeSync(descriptor, once);
  fs.closeSync(descriptor);
  return (once.toString('latin1').split('\n').length - 1).toLocaleString('en');
}

function padding(bytes: number): string {
  const head = ',"padding":"';
  return `${head}${'-'.repeat(Math.max(0, bytes - head.length - 3))}"`;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
