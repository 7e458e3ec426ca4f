/** What strangers send that would fill the memory of a careless service, or its time, and what it must come to. */
import { createCipheriv } from 'node:crypto';
import { DEFAULT_MAPPING } from '@event-tally/shared/event.js';
import { REJECTION_REASONS, type RejectionReason } from '@event-tally/shared/line.js';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { LineModel } from '../consumer/dist-test/support/line-model.js';
import type { MemoryBounds } from '../consumer/dist-test/support/memory-bound.js';

/** How much of each; the bounds are those of the consumer. */
export interface AttackSizes {
  readonly bounds: MemoryBounds;
  readonly distinctKeys: number;
  readonly longKeyLines: number;
  readonly lineBytes: number;
  readonly randomBytes: number;
  readonly depth: number;
  readonly deepLines: number;
  readonly collidingWords: number;
  readonly events: number;
  readonly corruptLines: number;
  /** How many times slower than good lines corrupt ones may be at most. */
  readonly timesSlowerMax: number;
}

export interface KeysExpected {
  distinct: number;
  overflow: number;
  /** Overflow among them. */
  total: number;
}

/** What all of an attack's lines must come to. */
export interface Expected {
  lines: number;
  accepted: number;
  blank: number;
  too_long: number;
  not_json: number;
  not_an_event: number;
  late: number;
  ahead: number;
  types: KeysExpected;
  words: KeysExpected;
  inWindows: { types: number; words: number };
}

interface AttackPart {
  readonly name: string;
  /** To be walked through once. */
  readonly blocks: Iterable<Uint8Array>;
}

/** What one consumer is fed. */
export interface Attack {
  readonly bounds: MemoryBounds;
  /** Which follow each other, and are timed each by itself. */
  readonly parts: readonly [AttackPart, ...AttackPart[]];
  /** Known when all blocks are made. */
  readonly expected: Expected;
}

export const ATTACKS: AttackSizes = {
  bounds: {
    lineBytesMax: 65_536,
    typesMax: 10_000,
    wordsMax: 200_000,
    keyBytesMax: 256,
    cellsMax: 2_000_000,
  },
  distinctKeys: 10_000_000,
  longKeyLines: 5000,
  randomBytes: 256_000_000,
  lineBytes: 4_294_967_296,
  depth: 100_000,
  deepLines: 500,
  collidingWords: 5_000_000,
  events: 3_000_000,
  corruptLines: 5_000_000,
  timesSlowerMax: 5,
};

/** Past each bound all the same. */
export const QUICK_ATTACKS: AttackSizes = {
  bounds: { lineBytesMax: 2000, typesMax: 100, wordsMax: 1000, keyBytesMax: 50, cellsMax: 500 },
  distinctKeys: 10_000,
  longKeyLines: 100,
  randomBytes: 100_000,
  lineBytes: 100_000_000,
  depth: 1000,
  deepLines: 20,
  collidingWords: 20_000,
  events: 10_000,
  corruptLines: 2000,
  timesSlowerMax: Number.POSITIVE_INFINITY, // so few lines tell nothing of it
};

const BLOCK_BYTES = 1 << 20;
const LF = Uint8Array.of(0x0a);
const RETENTION_SECONDS = 7200;
/** Not ahead of the clock for as long as an attack may take. */
const AHEAD_SECONDS = 1e6;

type Input = string | Uint8Array;

export function* attacks(sizes: AttackSizes, seed: number): Iterable<Attack> {
  const { bounds } = sizes;
  const count = (n: number) => n.toLocaleString('en');
  const attack = (
    name: string,
    lines: (input: AttackInput) => Iterable<Input>,
    others: Partial<MemoryBounds> = {},
  ): Attack => {
    const input = new AttackInput({ ...bounds, ...others });
    const part = { name, blocks: blocksOf(lines(input)) };
    return { bounds: input.bounds, parts: [part], expected: input.expected };
  };

  yield attack(`${count(sizes.distinctKeys)} distinct words`, function* (input) {
    for (let i = 0; i < sizes.distinctKeys; i += 10) {
      yield input.event({ words: Array.from({ length: 10 }, (_, j) => `w${i + j}`) });
    }
  });

  yield attack(`${count(sizes.distinctKeys)} distinct types`, function* (input) {
    for (let i = 0; i < sizes.distinctKeys; i++) yield input.event({ type: `t${i}`, value: i });
  });

  yield attack('keys as long as a line, and as long as may be', function* (input) {
    const { lineBytesMax, keyBytesMax, wordsMax, typesMax } = bounds;
    const tooLong = lineBytesMax - 200;
    const named = (i: number, bytes: number) => `${i}-`.padEnd(bytes, 'x');
    for (let i = 0; i < sizes.longKeyLines; i++) {
      yield input.event({ words: [named(i, tooLong)] });
      yield input.event({ type: named(i, tooLong) });
      // With the others they fill the tables with keys that are as long as may be.
      const words = Math.ceil(wordsMax / sizes.longKeyLines);
      for (let j = 0; j < words; j += 100) {
        const some = Math.min(100, words - j);
        yield input.event({
          words: Array.from({ length: some }, (_, k) => named(i * words + j + k, keyBytesMax)),
        });
      }
      const types = Math.ceil(typesMax / sizes.longKeyLines);
      for (let j = 0; j < types; j++)
        yield input.event({ type: named(i * types + j, keyBytesMax) });
    }
  });

  yield attack(`${count(sizes.randomBytes)} random bytes`, function* (input) {
    yield* input.noise(sizes.randomBytes, seed);
  });

  yield attack(`a line of ${count(sizes.lineBytes)} bytes`, function* (input) {
    yield input.event({});
    const block = Buffer.alloc(BLOCK_BYTES, 'x');
    for (let left = sizes.lineBytes; left > 0; left -= BLOCK_BYTES) yield block.subarray(0, left);
    yield input.rejected('too_long', '\n');
    yield input.event({});
  });

  const deep = '['.repeat(sizes.depth);
  yield attack(
    `arrays ${count(sizes.depth)} deep`,
    function* (input) {
      const closed = `${deep}${']'.repeat(sizes.depth)}`;
      for (let i = 0; i < sizes.deepLines; i++) {
        yield input.event({ more: `,"x":${closed}` });
        yield input.rejected('not_an_event', `${closed}\n`);
        yield input.rejected('not_json', `${deep}\n`);
        yield input.rejected('not_an_event', `{"event_type":${closed}}\n`);
      }
    },
    { lineBytesMax: Math.max(bounds.lineBytesMax, 2 * sizes.depth + 200) },
  );

  yield attack(`${count(sizes.collidingWords)} words of digits that collide`, function* (input) {
    // V8 before the releases of March 2026 took the number for the hash: these all fell into one place.
    const words = Array.from({ length: 30_000 }, (_, i) => String((i + 1) * 2 ** 17));
    for (let i = 0; i < sizes.collidingWords; i += 10) {
      const from = i % (words.length - 10);
      yield input.event({ words: words.slice(from, from + 10) });
    }
  });

  yield attack(`${count(sizes.collidingWords)} words whose cells collide`, function* (input) {
    // Words get their ids in the order of their first sight; these are the ids of neighbouring cells under
    // multiplication by the golden ratio, if nothing else is mixed in.
    const all = Array.from({ length: bounds.wordsMax }, (_, i) => `w${i}`);
    for (let i = 0; i < all.length; i += 100) yield input.event({ words: all.slice(i, i + 100) });
    const near = all.filter((_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0 < 2 ** 32 / 20);
    for (let i = 0, time = 1; i < sizes.collidingWords; time++) {
      for (let from = 0; from < near.length; from += 100) {
        const words = near.slice(from, from + 100);
        i += words.length;
        yield input.event({ words, time: input.now - (time % RETENTION_SECONDS) });
      }
    }
  });

  yield attack('each event in another second', function* (input) {
    const random = xoroshiro128plus(seed);
    const oldest = input.now - RETENTION_SECONDS + 1;
    yield input.event({});
    for (let i = 0; i < sizes.events; i++) {
      const time = uniformInt(random, oldest, input.now - 1);
      const type = `t${uniformInt(random, 0, bounds.typesMax - 2)}`;
      yield input.event({ time, type, value: 0.5, words: [`w${uniformInt(random, 0, 999)}`] });
    }
  });

  yield attack('times from 0 to 2^53', function* (input) {
    const random = xoroshiro128plus(seed);
    yield input.event({});
    for (let i = 0; i < sizes.events; i++) {
      const fraction = uniformInt(random, 0, 2 ** 31 - 1) / 2 ** 31;
      const low = uniformInt(random, 0, 2 ** 31 - 1) + fraction;
      const kind = uniformInt(random, 0, 3);
      if (kind === 0) yield input.event({ time: input.now - low / 2 ** 20 });
      else if (kind === 1) yield input.late(Math.min(low, input.now - RETENTION_SECONDS - 1));
      else if (kind === 2) yield input.ahead(input.now + AHEAD_SECONDS + low * 2 ** (i % 22));
      else yield i % 2 === 0 ? input.ahead(2 ** 53) : input.late(0);
    }
  });

  yield corruptLines(bounds, sizes.corruptLines);
}

/** The first part is good lines, to compare. */
function corruptLines(bounds: MemoryBounds, lines: number): Attack {
  const input = new AttackInput(bounds);
  const good = input.events(lines, { words: ['lorem', 'ipsum'], value: 1 }).trimEnd();
  const corrupt: readonly [what: string, reason: RejectionReason, line: Input][] = [
    ['without their last brace', 'not_json', good.slice(0, -1)],
    ['without their first brace', 'not_json', good.slice(1)],
    ['with a quotation mark too many', 'not_json', good.replace('lorem', 'lor"em')],
    [
      'of the original challenge',
      'not_json',
      '{ "\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008xy',
    ],
    ['of bytes that are no UTF-8', 'not_json', Buffer.alloc(good.length, 0xff)],
    ['with a number for a type', 'not_an_event', good.replace('"a"', '7')],
    [
      'with an object for a type',
      'not_an_event',
      good.replace('"a"', '{"length":{"toString":{}}}'),
    ],
    ['without a time', 'not_an_event', good.replace('timestamp', 'timestomp')],
    ['with a time past every number', 'not_an_event', good.replace(/\d{10}/, '1e400')],
    ['that are empty objects', 'not_an_event', '{}'],
  ];
  const parts = corrupt.map(([what, reason, line]) => {
    input.expected.lines += lines;
    input.expected[reason] += lines;
    return { name: `only lines ${what}`, blocks: repeated(line, lines) };
  });
  const first = { name: 'good lines, to compare', blocks: repeated(good, lines) };
  return { bounds, parts: [first, ...parts], expected: input.expected };
}

interface AttackEvent {
  readonly type?: string;
  readonly words?: readonly string[];
  readonly time?: number;
  readonly value?: number;
  readonly more?: string;
}

/** Writes lines, and keeps the account of them. */
class AttackInput {
  /** The clock before the first line. */
  readonly now = Math.floor(Date.now() / 1000);
  readonly expected: Expected = {
    lines: 0,
    accepted: 0,
    blank: 0,
    too_long: 0,
    not_json: 0,
    not_an_event: 0,
    late: 0,
    ahead: 0,
    types: { distinct: 0, overflow: 0, total: 0 },
    words: { distinct: 0, overflow: 0, total: 0 },
    inWindows: { types: 0, words: 0 },
  };
  readonly bounds: MemoryBounds;
  readonly #seen = { types: new Set<string>(), words: new Set<string>() };

  constructor(bounds: MemoryBounds) {
    this.bounds = bounds;
  }

  /** One that is in the windows. */
  event(event: AttackEvent): string {
    return this.events(1, event);
  }

  /** The same as often as is said. */
  events(times: number, event: AttackEvent): string {
    this.expected.inWindows.types += times;
    this.expected.inWindows.words += times * (event.words?.length ?? 0);
    return this.#accepted(event, times);
  }

  late(time: number): string {
    this.expected.late++;
    return this.#accepted({ time }, 1);
  }

  ahead(time: number): string {
    this.expected.ahead++;
    return this.#accepted({ time }, 1);
  }

  #accepted(event: AttackEvent, times: number): string {
    const { type = 'a', words = [], time = this.now, value, more = '' } = event;
    this.expected.lines += times;
    this.expected.accepted += times;
    this.#count('types', type, this.bounds.typesMax, times);
    for (const word of words) this.#count('words', word, this.bounds.wordsMax, times);
    const valueMember = value === undefined ? '' : `,"value":${value}`;
    return `{"event_type":"${type}","data":"${words.join(' ')}","timestamp":${time}${valueMember}${more}}\n`;
  }

  rejected<Line extends Input>(reason: RejectionReason, line: Line): Line {
    this.expected.lines++;
    this.expected[reason]++;
    return line;
  }

  /** A cipher's key stream: noise that a seed brings back. What becomes of its lines a model says. */
  *noise(bytes: number, seed: number): Iterable<Uint8Array> {
    const key = Buffer.alloc(16);
    key.writeDoubleLE(seed);
    const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
    const zeros = Buffer.alloc(BLOCK_BYTES);
    const model = new LineModel(DEFAULT_MAPPING, this.bounds.lineBytesMax);
    for (let left = bytes; left > 0; left -= BLOCK_BYTES) {
      const block = cipher.update(zeros.subarray(0, left));
      const { blank, rejected } = model.read(block, this.now);
      for (const byte of block) if (byte === 0x0a) this.expected.lines++;
      this.expected.blank += blank;
      for (const reason of REJECTION_REASONS) this.expected[reason] += rejected[reason];
      yield block;
    }
  }

  #count(of: 'types' | 'words', key: string, keysMax: number, times: number): void {
    const keys = this.expected[of];
    const seen = this.#seen[of];
    keys.total += times;
    if (seen.has(key)) return;
    if (seen.size === keysMax || Buffer.byteLength(key) > this.bounds.keyBytesMax) {
      keys.overflow += times;
    } else {
      seen.add(key);
      keys.distinct++;
    }
  }
}

/** A line again and again, made only once: the writer must not be slower than the reader. */
function* repeated(line: Input, times: number): Iterable<Uint8Array> {
  const bytes = Buffer.concat([Buffer.from(line), LF]);
  const linesOfBlock = Math.ceil(BLOCK_BYTES / bytes.length);
  const block = Buffer.concat(Array.from({ length: linesOfBlock }, () => bytes));
  for (let left = times; left > 0; left -= linesOfBlock) {
    yield block.subarray(0, left * bytes.length);
  }
}

function* blocksOf(lines: Iterable<Input>): Iterable<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for (const line of lines) {
    const bytes = Buffer.from(line);
    pieces.push(bytes);
    length += bytes.length;
    if (length < BLOCK_BYTES) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    length = 0;
  }
  yield Buffer.concat(pieces);
}
