import { expect } from 'chai';
import { type Config, describeVariables, parseConfig } from '#consumer/config.js';

type BadRow = [what: string, text: string];

interface Variable {
  readonly read: (config: Config) => unknown;
  readonly byDefault: unknown;
  /** Empty is a value of its own, not the default. */
  readonly mayBeEmpty?: boolean;
  readonly good: readonly [text: string, value: unknown][];
  /** None where any text will do. */
  readonly bad: readonly BadRow[];
}

const notWholeNumbers: readonly BadRow[] = [
  ['a word', 'many'],
  ['a negative number', '-1'],
  ['a signed number', '+100'],
  ['a fraction', '100.5'],
  ['an exponent', '1e2'],
  ['a hexadecimal number', '0x64'],
  ['a number with separators', '1,000'],
  ['a number with a unit', '100k'],
  ['a space before', ' 100'],
  ['a space after', '100 '],
  ['white space only', ' '],
  ['a line feed after', '100\n'],
  ['digits that are not ASCII', '\u0661\u0660\u0660'],
  ['more digits than a number holds', '9'.repeat(400)],
  ['infinity', 'Infinity'],
  ['not a number', 'NaN'],
];

const notPaths: readonly BadRow[] = [
  ['a dot alone', '.'],
  ['a dot at the start', '.a'],
  ['a dot at the end', 'a.'],
  ['two dots in a row', 'a..b'],
];

const VARIABLES: Readonly<Record<string, Variable>> = {
  HOST: {
    read: (config) => config.host,
    byDefault: '127.0.0.1',
    good: [
      ['0.0.0.0', '0.0.0.0'],
      ['::1', '::1'],
    ],
    bad: [],
  },
  PORT: {
    read: (config) => config.port,
    byDefault: 5000,
    good: [
      ['0', 0],
      ['8080', 8080],
      ['65535', 65_535],
    ],
    bad: [...notWholeNumbers, ['a port too large', '65536']],
  },
  FIFO_DIR: {
    read: (config) => config.fifoDir,
    byDefault: 'run',
    good: [['/ipc', '/ipc']],
    bad: [],
  },
  EVENT_TYPE_FIELD: {
    read: (config) => config.mapping.eventType,
    byDefault: ['event_type'],
    good: [
      ['channel', ['channel']],
      ['alert.signature', ['alert', 'signature']],
      ['id\\.orig_h', ['id.orig_h']],
    ],
    bad: notPaths,
  },
  DATA_FIELD: {
    read: (config) => config.mapping.data,
    byDefault: ['data'],
    mayBeEmpty: true,
    good: [
      ['comment', ['comment']],
      ['http.url', ['http', 'url']],
      ['', null],
    ],
    bad: notPaths,
  },
  TIMESTAMP_FIELD: {
    read: (config) => config.mapping.timestamp,
    byDefault: ['timestamp'],
    good: [
      ['time', ['time']],
      ['meta.at', ['meta', 'at']],
    ],
    bad: notPaths,
  },
  TIMESTAMP_FORMAT: {
    read: (config) => config.mapping.timestampFormat,
    byDefault: 'unix',
    good: [
      ['unix', 'unix'],
      ['unix_ms', 'unix_ms'],
      ['iso8601', 'iso8601'],
      ['arrival', 'arrival'],
    ],
    bad: [
      ['a format that does not exist', 'rfc2822'],
      ['another case', 'ISO8601'],
      ['a space after', 'unix '],
      ['two formats', 'unix,iso8601'],
    ],
  },
  VALUE_FIELD: {
    read: (config) => config.mapping.value,
    byDefault: ['value'],
    mayBeEmpty: true,
    good: [
      ['added', ['added']],
      ['flow.bytes', ['flow', 'bytes']],
      ['', null],
    ],
    bad: notPaths,
  },
  LINE_BYTES_MAX: {
    read: (config) => config.lineBytesMax,
    byDefault: 65_536,
    good: [
      ['16', 16],
      ['16777216', 16_777_216],
    ],
    bad: [...notWholeNumbers, ['a number too small', '15'], ['a number too large', '16777217']],
  },
  EVENT_TYPES_MAX: {
    read: (config) => config.eventTypesMax,
    byDefault: 10_000,
    good: [
      ['1', 1],
      ['1000000', 1_000_000],
    ],
    bad: [...notWholeNumbers, ['zero', '0'], ['a number too large', '1000001']],
  },
  WORDS_MAX: {
    read: (config) => config.wordsMax,
    byDefault: 200_000,
    good: [
      ['1', 1],
      ['10000000', 10_000_000],
    ],
    bad: [...notWholeNumbers, ['zero', '0'], ['a number too large', '10000001']],
  },
  KEY_BYTES_MAX: {
    read: (config) => config.keyBytesMax,
    byDefault: 256,
    good: [
      ['1', 1],
      ['65536', 65_536],
    ],
    bad: [...notWholeNumbers, ['zero', '0'], ['a number too large', '65537']],
  },
  LOG_LEVEL: {
    read: (config) => config.logLevel,
    byDefault: 'info',
    good: [
      ['debug', 'debug'],
      ['info', 'info'],
      ['warn', 'warn'],
      ['error', 'error'],
      ['silent', 'silent'],
    ],
    bad: [
      ['a level that does not exist', 'verbose'],
      ['another case', 'INFO'],
      ['a number', '30'],
      ['a space before', ' info'],
    ],
  },
};

function configOf(env: Record<string, string | undefined>): Config {
  const result = parseConfig(env);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

function problemsOf(env: Record<string, string>): readonly string[] {
  const result = parseConfig(env);
  return result.ok ? [] : result.problems;
}

function problemWith(name: string, text: string): string {
  const expected = describeVariables().find((variable) => variable.name === name)?.expected;
  return `${name} is ${JSON.stringify(text)}: it must be ${expected}`;
}

describe('parseConfig', () => {
  it('has rows here for each variable that there is', () => {
    expect(Object.keys(VARIABLES)).to.have.members(describeVariables().map(({ name }) => name));
  });

  for (const [name, { read, byDefault, mayBeEmpty = false, good, bad }] of Object.entries(
    VARIABLES,
  )) {
    describe(name, () => {
      it(`is ${JSON.stringify(byDefault)} when it is unset`, () => {
        expect(read(configOf({}))).to.deep.equal(byDefault);
        expect(read(configOf({ [name]: undefined }))).to.deep.equal(byDefault);
      });

      if (!mayBeEmpty) {
        it(`is ${JSON.stringify(byDefault)} when it is empty`, () => {
          expect(read(configOf({ [name]: '' }))).to.deep.equal(byDefault);
        });
      }

      for (const [text, value] of good) {
        it(`is ${JSON.stringify(value)} when it is set to ${JSON.stringify(text)}`, () => {
          expect(read(configOf({ [name]: text }))).to.deep.equal(value);
        });
      }

      for (const [what, text] of bad) {
        it(`refuses ${what}`, () => {
          expect(problemsOf({ [name]: text })).to.deep.equal([problemWith(name, text)]);
        });
      }
    });
  }

  it('tells all problems at once, each with the variable, its value and what it must be', () => {
    const wrong = Object.entries(VARIABLES).flatMap(([name, { bad }]) => {
      const [row] = bad;
      return row === undefined ? [] : [[name, row[1]] as const];
    });
    const env = { ...Object.fromEntries(wrong), HOST: '0.0.0.0' };
    expect(problemsOf(env)).to.have.members(wrong.map(([name, text]) => problemWith(name, text)));
  });

  it('leaves other variables alone', () => {
    expect(configOf({ PATH: '/bin', port: 'many', PORTS: '-1' })).to.deep.equal(configOf({}));
  });

  it('gives a frozen result', () => {
    const config = configOf({});
    expect(config).to.be.frozen;
    expect(config.mapping).to.be.frozen;
  });
});

describe('describeVariables', () => {
  for (const { name, default: byDefault, expected, meaning } of describeVariables()) {
    it(`tells of ${name} a default that stands for no value, what it may be, what it means`, () => {
      expect(configOf({ [name]: byDefault })).to.deep.equal(configOf({}));
      expect(expected).to.be.a('string').and.not.equal('');
      expect(meaning).to.be.a('string').and.not.equal('');
    });
  }
});
