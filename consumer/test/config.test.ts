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
  /** Problems do not show the value. */
  readonly isSecret?: boolean;
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

const notDurations: readonly BadRow[] = [
  ['a word', 'long'],
  ['a number without a unit', '600'],
  ['a unit without a number', 'm'],
  ['a unit that does not exist', '100d'],
  ['milliseconds', '100000ms'],
  ['a unit in upper case', '10M'],
  ['two units', '1h30m'],
  ['a negative duration', '-10m'],
  ['a signed duration', '+10m'],
  ['a fraction', '1.5h'],
  ['an exponent', '1e2m'],
  ['a space in between', '10 m'],
  ['a space before', ' 10m'],
  ['a line feed after', '10m\n'],
  ['digits that are not ASCII', '\u0661\u0660m'],
  ['more digits than a number holds', `${'9'.repeat(400)}s`],
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
  DURABILITY: {
    read: (config) => config.durability,
    byDefault: 'journal',
    good: [
      ['journal', 'journal'],
      ['checkpoint', 'checkpoint'],
      ['none', 'none'],
    ],
    bad: [
      ['a durability that does not exist', 'replicated'],
      ['another case', 'Journal'],
    ],
  },
  STATE_DIR: {
    read: (config) => config.stateDir,
    byDefault: 'state',
    good: [['/state', '/state']],
    bad: [],
  },
  CHECKPOINT_INTERVAL: {
    read: (config) => config.checkpointIntervalMs,
    byDefault: 10_000,
    good: [
      ['1s', 1000],
      ['1h', 3_600_000],
    ],
    bad: [...notDurations, ['zero', '0s'], ['a duration too long', '3601s']],
  },
  JOURNAL_SYNC_INTERVAL: {
    read: (config) => config.journalSyncIntervalMs,
    byDefault: 1000,
    good: [
      ['2s', 2000],
      ['1h', 3_600_000],
    ],
    bad: [...notDurations, ['zero', '0s'], ['a duration too long', '3601s']],
  },
  JOURNAL_BYTES_MAX: {
    read: (config) => config.journalBytesMax,
    byDefault: 16_777_216,
    good: [
      ['65536', 65_536],
      ['4294967296', 4_294_967_296],
    ],
    bad: [
      ...notWholeNumbers,
      ['a number too small', '65535'],
      ['a number too large', '4294967297'],
    ],
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
      ['1048576', 1_048_576],
    ],
    bad: [...notWholeNumbers, ['a number too small', '15'], ['a number too large', '1048577']],
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
  RETENTION: {
    read: (config) => config.retentionSeconds,
    byDefault: 7200,
    good: [
      ['60s', 60],
      ['1m', 60],
      ['90m', 5400],
      ['168h', 604_800],
      ['604800s', 604_800],
    ],
    bad: [
      ...notDurations,
      ['zero', '0s'],
      ['a duration too short', '59s'],
      ['a duration too long', '169h'],
      ['a second too long', '604801s'],
    ],
  },
  MAX_CLOCK_SKEW: {
    read: (config) => config.maxClockSkewSeconds,
    byDefault: 60,
    good: [
      ['0s', 0],
      ['5m', 300],
      ['24h', 86_400],
    ],
    bad: [...notDurations, ['a duration too long', '25h'], ['a second too long', '86401s']],
  },
  WINDOW_CELLS_MAX: {
    read: (config) => config.windowCellsMax,
    byDefault: 2_000_000,
    good: [
      ['1', 1],
      ['100000000', 100_000_000],
    ],
    bad: [...notWholeNumbers, ['zero', '0'], ['a number too large', '100000001']],
  },
  INGEST_WORKERS: {
    read: (config) => config.ingestWorkers,
    byDefault: 1,
    good: [
      ['2', 2],
      ['64', 64],
    ],
    bad: [...notWholeNumbers, ['zero', '0'], ['a number too large', '65']],
  },
  SCANNER: {
    read: (config) => config.scanner,
    byDefault: 'auto',
    good: [
      ['auto', 'auto'],
      ['simd', 'simd'],
      ['reference', 'reference'],
    ],
    bad: [
      ['a scanner that does not exist', 'wasm'],
      ['another case', 'SIMD'],
    ],
  },
  INGEST_TOKEN: {
    read: (config) => config.ingestToken,
    byDefault: null,
    good: [
      ['secret', 'secret'],
      ['0123456789abcdefABCDEF-._~+/=', '0123456789abcdefABCDEF-._~+/='],
      ['!"#$%&\'()*,:;<>?@[\\]^`{|}', '!"#$%&\'()*,:;<>?@[\\]^`{|}'],
    ],
    bad: [
      ['a space in between', 'very secret'],
      ['a space after', 'secret '],
      ['white space only', ' '],
      ['a tab', 'sec\tret'],
      ['a line feed after', 'secret\n'],
      ['a letter that is not ASCII', 's\u00e9cret'],
      ['a control character', 'secret\x7f'],
    ],
    isSecret: true,
  },
  POST_BYTES_MAX: {
    read: (config) => config.postBytesMax,
    byDefault: 1_048_576,
    good: [['1', 1]],
    bad: [...notWholeNumbers, ['zero', '0'], ['a number too large', '99999999999']],
  },
  POST_QUEUE_BYTES_MAX: {
    read: (config) => config.postQueueBytesMax,
    byDefault: 16_777_216,
    good: [['4294967296', 4_294_967_296]],
    bad: [...notWholeNumbers, ['zero', '0'], ['a number too large', '4294967297']],
  },
  STREAM_CLIENTS_MAX: {
    read: (config) => config.streamClientsMax,
    byDefault: 100,
    good: [
      ['1', 1],
      ['500', 500],
    ],
    bad: [...notWholeNumbers, ['zero', '0'], ['more than there are connections', '501']],
  },
  CORS_ORIGIN: {
    read: (config) => config.corsOrigins,
    byDefault: [],
    good: [
      ['*', ['*']],
      ['https://example.org', ['https://example.org']],
      ['http://localhost:3000,https://a.example', ['http://localhost:3000', 'https://a.example']],
      ['http://[::1]:8080 , http://b.example', ['http://[::1]:8080', 'http://b.example']],
    ],
    bad: [
      ['a host alone', 'example.org'],
      ['an origin with a path', 'https://example.org/'],
      ['an origin in upper case', 'https://Example.org'],
      ["an origin with the scheme's own port", 'https://example.org:443'],
      ['another scheme', 'file://host'],
      ['the origin of nobody', 'null'],
      ['a pattern', 'https://*.example.org'],
      ['a comma at the end', 'https://example.org,'],
      ['* among origins', 'https://example.org,*'],
      ['white space only', ' '],
    ],
  },
  ALLOWED_HOSTS: {
    read: (config) => config.allowedHosts,
    byDefault: [],
    good: [
      ['*', ['*']],
      ['tally.example.org', ['tally.example.org']],
      ['.example.org, my_host , Other', ['.example.org', 'my_host', 'Other']],
    ],
    bad: [
      ['a URL', 'http://example.org'],
      ['a name with a port', 'example.org:5000'],
      ['a pattern', '*.example.org'],
      ['a name that ends with a dot', 'example.org.'],
      ['a comma at the end', 'example.org,'],
      ['a dot alone', '.'],
      ['white space only', ' '],
    ],
  },
  METRICS_TOP_TYPES: {
    read: (config) => config.metricsTopTypes,
    byDefault: 0,
    good: [['100', 100]],
    bad: [...notWholeNumbers, ['a number too large', '101']],
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
  const shown = VARIABLES[name]?.isSecret ? 'not as it must be' : JSON.stringify(text);
  return `${name} is ${shown}: it must be ${expected}`;
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

  for (const [what, text] of VARIABLES.INGEST_TOKEN?.bad ?? []) {
    it(`never shows the value of INGEST_TOKEN: ${what}`, () => {
      const problems = problemsOf({ INGEST_TOKEN: text, PORT: 'many' }).join('\n');
      expect(problems).to.include('INGEST_TOKEN is not as it must be');
      if (text.trim() !== '') expect(problems).not.to.include(text.trim());
    });
  }

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

  it('wants room in the queue for one body at least', () => {
    const result = parseConfig({ POST_BYTES_MAX: '2000', POST_QUEUE_BYTES_MAX: '1999' });
    expect(result).to.deep.equal({
      ok: false,
      problems: ['POST_QUEUE_BYTES_MAX is 1999: it must be at least POST_BYTES_MAX, 2000'],
    });
  });
});
