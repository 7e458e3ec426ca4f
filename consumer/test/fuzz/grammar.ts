/**
 * Lines of JSON as strangers write them: events under a mapping, in every spelling that JSON allows, and
 * what is one step beside it. A line is made of parts, each of which is right, odd but right, or wrong:
 *
 *   line ─┬─ an event whose parts are all right, some of them odd       about half of all lines
 *         ├─ an event with wrong parts here and there                   a quarter
 *         └─ other JSON, nesting without an end, white space, bytes     the rest
 *
 * Whether a line is an event is for a model to say: a part that is called wrong here may not be, where it
 * stands in a field that nobody reads.
 */
import type { FieldMapping, TimestampFormat } from '@event-tally/shared/event.js';
import type { FieldPath } from '@event-tally/shared/field-path.js';
import type { Chance } from './chance.js';

export interface GrammarOptions {
  readonly mapping: FieldMapping;
  /** Some lines are just as long, some a byte longer. */
  readonly lineBytesMax: number;
  /** Unix seconds; most event times are near it. */
  readonly now: number;
}

/** A piece of a line. */
type Part = string | Uint8Array;
/** Members of an object, by name. */
type Fields = Map<string, Fields | (() => Part[])>;

const BYTE_ORDER_MARK = '\ufeff';
const JSON_SPACES = [' ', ' ', '  ', '\t', '\r', ' \t\r '];
/** White space to JavaScript, but not to JSON. */
const OTHER_SPACES = [
  ...'\u000b\u000c\u00a0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000\ufeff',
];
/** They look like white space. */
const NO_SPACES = [...'\0\u001c\u001f\u0085\u180e\u200b\u200d\u2060'];

const NUMBERS =
  spaced(`0 -0 0.0 -0.0 0e0 0E-0 0e999999999999 1 -1 7 10 1e1 1E1 1e+1 1e-1 1e0000000001 1.0e01
  123456789e-9 0.1 0.30000000000000004 4.9e-324 2e-324 2.2250738585072011e-308 1e-400 1e308 1e309 -1e309 1e400
  1.7976931348623157e308 1.7976931348623159e308 1e99999999999999999999 9007199254740991 9007199254740992
  9007199254740993 9007199254740993.0 9007199254740992.9999 4503599627370497.5 -9007199254740993.0000000000000 9223372036854775807 18446744073709551616 4294967295 4294967296
  2147483648 1509604913 1509604913.0 1509604913.999999999999 15096049.13e2 0.1509604913e10`);
/** Their sums round away what is small, or come to nothing. */
const CANCELLING = spaced('1e16 -1e16 1 0.1 1e100 -1e100');
const NO_NUMBERS = [
  ...spaced(`01 00 -01 +1 .5 5. -.5 1.e5 1e 1e+ 1E- - --1 0x10 0b1 0o7 1_000 1,5 1n 1f 1.2.3 1e5e5 1e1.5
    NaN -NaN Infinity -Infinity inf`),
  ...['- 1', '1 2', '\u0661', '\uff11', '1\u00a0', '1\0', '\u22121', '1e\u0665'],
];

const OTHER_VALUES = spaced('true false null [] {} [[]] [1,2] {"a":1} ""');
const NO_VALUES = [
  ...spaced(`True tru truee nul NULL undefined 'a' a [1,] [,1] {"a"} {"a":} {a:1} {'a':1} {"a":1,} {,} {"a"::1}
    {1:1} [ { ] } [} {] /**/1 1// # (1) " \\ \\"`),
  ...['', '[1 2]', '{"a" 1}', '`a`', '\ufeff1', '\0'],
];

/** Text as it may stand between quotes. */
const PLAIN_PIECES = spaced('lorem ipsum dolor sit amet a');
const PIECES = [
  ...PLAIN_PIECES,
  ...spaced(
    `A é 日本 € 😀 7 0 -1 007 4294967295 __proto__ constructor toString length null / ' <b>`,
  ),
  ...[
    'e\u0301',
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\u200b',
    '\ufffd',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  ],
];
const ESCAPES = spaced(
  String.raw`\" \\ \/ \b \f \n \r \t \u0000 \u0041 \u00e9 \u00E9 \u0020 \u00a0 \u2028 \uFEFF \u0022 \u005c
    \u005C\u0022 \\u0041 \ud83d\ude00 \uD83D\uDE00 \udBFF\udfff \ud83d \ude00 \ude00\ud83d \ud83d\ud83d\ude00
    \ud83dx \ud83d\u0041 \ud83d\\ \uffff \ufffd`,
);
const NO_ESCAPES = [
  ...spaced(
    String.raw`\x41 \' \a \v \0 \U0041 \u \u00 \u004 \u00g1 \u{41} \u+041 \uD83D\u \ud83d\uDE0 \é`,
  ),
  ...[String.raw`\u 041`, '\\ ', '\\'],
];
/** Controls that have to be escaped in a string. */
const CONTROLS = [...'\0\u0001\u0008\t\u000b\u000c\r\u001b\u001f', '\r\n'];
/** Bytes that are no UTF-8: each begins what cannot end, goes on with what never began, or is too long. */
const NO_UTF8 =
  spaced(`80 bf bf80 ff fe c3 e2 e282 f09f f09f98 c0af c1bf e080af e09fbf f08080af f08fbfbf eda080
  edbfbf eda0bdedb880 f4908080 f580 f888808080 e228a1 f09f22`).map((hex) =>
    Buffer.from(hex, 'hex'),
  );

const OTHER_NAMES = [
  ...spaced(`id x 0 __proto__ constructor toString hasOwnProperty length event event_typ event_type2 Event_Type
    event_type\\u0000 datas data.x timestamp. timeStamp values \\uD83D 😀 event-type \\"event_type`),
  ...['', ' ', 'event_type '],
];

const TIMES: Readonly<Record<Exclude<TimestampFormat, 'iso8601'>, (seconds: number) => string>> = {
  unix: (seconds) => String(seconds),
  unix_ms: (seconds) => String(seconds * 1000),
  arrival: (seconds) => String(seconds),
};
const NO_TIMES_ISO8601 = [
  ...spaced(`2015-02-29T00:00:00Z 2015-13-01T00:00:00Z 2015-09-12 2015-09-12T24:00:00Z 2015-09-12T00:60:00Z
    15-09-12T00:00:00Z 2015-9-12T00:00:00Z 2015-09-12T00:00:00+24:00 1969-12-31T23:59:59Z
    +002015-09-12T00:00:00Z now 0`),
  ...['', '2015-09-12T00:00:00 Z'],
];

/** Seconds from the clock at which events are late, ahead, or in another bucket than those beside them. */
const EDGES = [
  60, 61, 1, 0, -59, -60, -61, -599, -600, -601, -660, -661, -7199, -7200, -7201, -7320, -7321,
];

/** One line, mostly without its LF. */
export function generateLine(chance: Chance, options: GrammarOptions): Uint8Array {
  const kind = chance.int(1, 100);
  if (kind <= 50) return new LineGrammar(chance, options, null).event();
  if (kind <= 75) return new LineGrammar(chance, options, chance.int(2, 40)).event();
  return new LineGrammar(chance, options, 4).other();
}

class LineGrammar {
  readonly #chance: Chance;
  readonly #options: GrammarOptions;
  /** One in so many parts is wrong; null: none. */
  readonly #wrongOneIn: number | null;
  /** One in so many parts is odd. */
  readonly #oddOneIn: number;

  constructor(chance: Chance, options: GrammarOptions, wrongOneIn: number | null) {
    this.#chance = chance;
    this.#options = options;
    this.#wrongOneIn = wrongOneIn;
    this.#oddOneIn = chance.pick([2, 5, 20, 1000]);
  }

  event(): Uint8Array {
    const fields = this.#eventFields();
    const line = Buffer.concat(
      [...this.#space(), ...this.#object(fields), ...this.#space()].map(toBytes),
    );
    const marked = this.#chance.oneIn(50) ? concat([BYTE_ORDER_MARK, line]) : line;
    return this.#ended(this.#odd() ? this.#lengthened(marked) : marked);
  }

  other(): Uint8Array {
    const chance = this.#chance;
    switch (chance.int(1, 8)) {
      case 1:
        return Buffer.from(chance.some(chance.int(0, 12), () => this.#anySpace()).join(''));
      case 2:
        return Uint8Array.from(chance.some(chance.small(64), () => chance.int(0, 255)));
      case 3:
        // As the generator of the original challenge writes its corrupt lines.
        return concat(['{ "', Uint8Array.from(chance.some(10, () => chance.int(0, 255)))]);
      case 4:
        return this.#nested();
      case 5: {
        const line = this.event();
        return line.subarray(0, chance.int(0, line.length));
      }
      case 6:
        return concat([
          this.event(),
          chance.pick(['', ' ', ',', '\0', '\r', '\ufeff']),
          this.event(),
        ]);
      case 7:
        return this.#ended(concat(['['.repeat(chance.small(3)), this.event(), ']']));
      default:
        return this.#ended(concat(this.#value(3)));
    }
  }

  #wrong(): boolean {
    return this.#wrongOneIn !== null && this.#chance.oneIn(this.#wrongOneIn);
  }

  #odd(): boolean {
    return this.#chance.oneIn(this.#oddOneIn);
  }

  /** What all lines have in common: what stands before and behind them. */
  #ended(line: Uint8Array): Uint8Array {
    const before = this.#wrong()
      ? this.#chance.pick(['\ufeff', '\0', ' ', '\u00a0', 'x', ','])
      : '';
    const behind = this.#wrong()
      ? this.#chance.pick([',', ';', '}', '\0', '\u00a0', '//', '\ufeff'])
      : '';
    return concat([before, line, behind, this.#chance.oneIn(6) ? '\r' : '']);
  }

  /** Padded to a length about the longest that may be. */
  #lengthened(line: Uint8Array): Uint8Array {
    const to = this.#options.lineBytesMax + this.#chance.int(-2, 2);
    if (to > 4096 && !this.#chance.oneIn(50)) return line;
    const padding = Math.max(0, to - line.length);
    if (this.#chance.oneIn(2)) return concat([line, ' '.repeat(padding)]);
    return concat([' '.repeat(padding >> 1), line, '\t'.repeat(padding - (padding >> 1))]);
  }

  #eventFields(): Fields {
    const chance = this.#chance;
    const { mapping } = this.#options;
    const fields: Fields = new Map();
    const parts: [FieldPath | null, () => Part[]][] = [
      [mapping.eventType, () => this.#string(() => this.#typeText())],
      [mapping.data, () => this.#string(() => this.#words())],
      [mapping.timestampFormat === 'arrival' ? null : mapping.timestamp, () => this.#time()],
      [chance.oneIn(2) ? mapping.value : null, () => [this.#number()]],
    ];
    for (const [path, make] of shuffled(chance, parts)) {
      if (path === null || this.#wrong()) continue;
      setField(fields, path, this.#wrong() ? () => this.#value(2) : make);
    }
    return fields;
  }

  #object(fields: Fields): Part[] {
    const chance = this.#chance;
    const members = [...fields].map(([name, field]) => this.#member(this.#name(name), field));
    if (this.#odd()) {
      // A name that comes twice: the last one counts.
      for (const [name, field] of fields) {
        if (!chance.oneIn(3)) continue;
        const earlier = this.#member(this.#name(name), () => this.#value(1));
        members.splice(
          members.findIndex((member) => member.field === field),
          0,
          earlier,
        );
      }
    }
    for (let others = chance.int(0, this.#odd() ? 5 : 1); others > 0; others--) {
      const name = this.#wrong()
        ? this.#string(() => this.#words())
        : [`"${chance.pick(OTHER_NAMES)}"`];
      members.splice(
        chance.int(0, members.length),
        0,
        this.#member(name, () => this.#value(2)),
      );
    }
    const parts: Part[] = ['{', ...this.#space()];
    for (const [i, { name, field }] of members.entries()) {
      if (i > 0) parts.push(this.#wrong() ? chance.pick(['', ',,', ';', ':']) : ',');
      parts.push(...this.#space(), ...name, ...this.#space());
      parts.push(this.#wrong() ? chance.pick(['', '::', '=', ',']) : ':', ...this.#space());
      parts.push(...(field instanceof Map ? this.#object(field) : field()), ...this.#space());
    }
    if (this.#wrong()) parts.push(chance.pick([',', ']', '', '{']));
    return this.#wrong() ? parts : [...parts, '}'];
  }

  #member(name: Part[], field: Fields | (() => Part[])) {
    return { name, field };
  }

  /** Between quotes, a character of it escaped now and then. */
  #name(name: string): Part[] {
    if (!this.#odd()) return [JSON.stringify(name)];
    const at = this.#chance.int(0, name.length - 1);
    const code = name.charCodeAt(at).toString(16).padStart(4, '0');
    const escaped = `\\u${this.#chance.oneIn(2) ? code : code.toUpperCase()}`;
    return [
      JSON.stringify(name.slice(0, at)).slice(0, -1),
      escaped,
      JSON.stringify(name.slice(at + 1)).slice(1),
    ];
  }

  #string(content: () => Part[]): Part[] {
    const parts = content();
    if (this.#wrong()) parts.splice(this.#chance.int(0, parts.length), 0, this.#notInString());
    if (this.#odd()) parts.splice(this.#chance.int(0, parts.length), 0, this.#chance.pick(NO_UTF8));
    return this.#wrong() ? ['"', ...parts] : ['"', ...parts, '"'];
  }

  #notInString(): Part {
    return this.#chance.pick(this.#chance.oneIn(2) ? NO_ESCAPES : CONTROLS);
  }

  #typeText(): Part[] {
    const parts = this.#chance.some(this.#chance.small(2), () => this.#piece());
    return this.#wrong() ? [] : parts;
  }

  #words(): Part[] {
    const words = this.#chance.int(0, this.#odd() ? 20 : 3);
    const parts: Part[] = [];
    for (let i = 0; i < words; i++) {
      if (i > 0 || this.#odd()) parts.push(this.#odd() ? this.#stringSpace() : ' ');
      parts.push(...this.#chance.some(this.#odd() ? 3 : 1, () => this.#piece()));
    }
    if (this.#odd()) parts.push(this.#stringSpace());
    return parts;
  }

  /** Never what a string may not hold. */
  #piece(): Part {
    const chance = this.#chance;
    if (!this.#odd()) return chance.pick(PLAIN_PIECES);
    if (chance.oneIn(3)) return chance.pick(ESCAPES);
    if (chance.oneIn(10)) return chance.pick(PIECES).repeat(chance.small(100));
    if (chance.oneIn(4)) return `w${chance.int(0, 1000)}`;
    return chance.pick(PIECES);
  }

  /** White space between words. */
  #stringSpace(): string {
    const spaces = [
      ...OTHER_SPACES.slice(2),
      ' ',
      '   ',
      String.raw`\t`,
      String.raw`\n`,
      String.raw`\u000b`,
    ];
    return this.#chance.pick(this.#chance.oneIn(5) ? NO_SPACES.slice(3) : spaces);
  }

  #anySpace(): string {
    if (this.#wrong()) return this.#chance.pick(NO_SPACES);
    return this.#chance.pick(this.#chance.oneIn(2) ? OTHER_SPACES : JSON_SPACES);
  }

  /** White space between tokens. */
  #space(): Part[] {
    if (this.#wrong() && this.#chance.oneIn(4)) {
      return [this.#chance.pick(this.#chance.oneIn(2) ? OTHER_SPACES : NO_SPACES)];
    }
    return this.#odd() ? [this.#chance.pick(JSON_SPACES)] : [];
  }

  #number(): Part {
    const chance = this.#chance;
    if (this.#wrong()) return chance.pick(NO_NUMBERS);
    if (!this.#odd()) return String(chance.int(-1000, 1000) / 4);
    if (chance.oneIn(4)) return chance.pick(CANCELLING);
    if (chance.oneIn(3)) return chance.pick(NUMBERS);
    // Many digits: what is read is the nearest double.
    const digits = (max: number) => chance.some(chance.small(max), () => chance.int(0, 9)).join('');
    const fraction = chance.oneIn(2) ? `.${digits(40)}` : '';
    const exponent = chance.oneIn(2)
      ? `${chance.pick(['e', 'E', 'e+', 'e-', 'E-'])}${digits(3)}`
      : '';
    return `${chance.pick(['', '-'])}${chance.int(1, 9)}${digits(40)}${fraction}${exponent}`;
  }

  #time(): Part[] {
    const { timestampFormat } = this.#options.mapping;
    if (timestampFormat === 'iso8601') return this.#string(() => [this.#iso8601()]);
    if (this.#odd() && this.#chance.oneIn(4)) return [this.#number()];
    return [TIMES[timestampFormat](this.#seconds())];
  }

  /** An event time: mostly near the clock, also where windows have their edges. */
  #seconds(): number {
    const chance = this.#chance;
    const { now } = this.#options;
    const whole = Math.floor(now);
    if (!this.#odd()) return whole - chance.int(0, 5);
    if (chance.oneIn(4)) return Math.max(0, whole + chance.pick(EDGES));
    const [behind, ahead] = chance.pick([
      [100, 0],
      [700, 70],
      [8000, 70],
      [100_000, 100_000],
      [whole, whole],
    ] as const);
    const seconds = Math.max(0, whole + chance.int(-behind, ahead));
    return seconds + chance.pick([0, 0, 0.5, 0.25, 0.999_999, 1e-6]);
  }

  #iso8601(): string {
    const chance = this.#chance;
    if (this.#wrong()) return chance.pick(NO_TIMES_ISO8601);
    const seconds = Math.min(this.#seconds(), 4e9);
    const utc = new Date(seconds * 1000).toISOString();
    if (!this.#odd()) return utc;
    const fraction = chance.pick(['', '.5', ',25', '.123456789012', '.000', '.999999']);
    const [shift, zone] = chance.pick([
      [0, 'Z'],
      [0, 'z'],
      [0, ''],
      [0, '+00:00'],
      [0, '-0000'],
      [7200, '+02:00'],
      [-21_600, '-0600'],
      [20_700, '+05:45'],
    ] as const);
    const local = new Date((seconds + shift) * 1000).toISOString().slice(0, 19);
    return `${local.replace('T', chance.pick(['T', 'T', ' ', 't']))}${fraction}${zone}`;
  }

  /** Any JSON, no deeper than `depth`. */
  #value(depth: number): Part[] {
    const chance = this.#chance;
    if (this.#wrong()) return [chance.pick(NO_VALUES)];
    switch (chance.int(1, depth > 0 ? 6 : 4)) {
      case 1:
        return [this.#number()];
      case 2:
      case 3:
        return this.#string(() => this.#words());
      case 4:
        return [chance.pick(OTHER_VALUES)];
      case 5: {
        const parts: Part[] = ['['];
        for (let i = chance.int(0, 3); i > 0; i--) {
          parts.push(...this.#space(), ...this.#value(depth - 1), ...this.#space());
          if (i > 1) parts.push(this.#wrong() ? '' : ',');
        }
        return [...parts, ']'];
      }
      default: {
        // What is inside has the names of the event's own fields, too: only the outer ones count.
        const fields: Fields = new Map();
        for (let i = chance.int(0, 3); i > 0; i--) {
          const name = chance.oneIn(2)
            ? this.#options.mapping.eventType[0]
            : chance.pick(OTHER_NAMES);
          fields.set(name, () => this.#value(depth - 1));
        }
        return this.#object(fields);
      }
    }
  }

  /** Arrays or objects in each other, closed, or not as many times. */
  #nested(): Uint8Array {
    const chance = this.#chance;
    const depth = Math.min(chance.small(100_000), this.#options.lineBytesMax);
    const [open, close] = chance.pick([
      ['[', ']'],
      ['{"a":', '}'],
      ['[{"":', '}]'],
      ['[ ', '\t]'],
    ] as const);
    const closed = chance.pick([depth, depth, depth, 0, depth - 1, depth + 1]);
    const inside = chance.pick(['', '1', 'null', '"]"']);
    const value = `${open.repeat(depth)}${inside}${close.repeat(closed)}`;
    if (chance.oneIn(2)) return this.#ended(Buffer.from(value));
    const { mapping, now } = this.#options;
    const fields = this.#eventFields();
    const at: FieldPath = chance.oneIn(4) ? mapping.eventType : [`nested${Math.floor(now)}`];
    setField(fields, at, () => [value]);
    return concat(this.#object(fields));
  }
}

function setField(fields: Fields, [name, ...rest]: FieldPath, make: () => Part[]): void {
  const [next, ...others] = rest;
  if (next === undefined) {
    fields.set(name, make);
    return;
  }
  const inner = fields.get(name);
  const map: Fields = inner instanceof Map ? inner : new Map();
  fields.set(name, map);
  setField(map, [next, ...others], make);
}

function shuffled<T>(chance: Chance, values: readonly T[]): T[] {
  const rest = [...values];
  return values.map(() => rest.splice(chance.int(0, rest.length - 1), 1)[0] as T);
}

/** What stands between white space. */
function spaced(texts: string): string[] {
  return texts.trim().split(/\s+/);
}

function concat(parts: readonly Part[]): Uint8Array {
  return Buffer.concat(parts.map(toBytes));
}

function toBytes(part: Part): Uint8Array {
  return typeof part === 'string' ? Buffer.from(part) : part;
}
