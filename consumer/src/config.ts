import {
  DEFAULT_MAPPING,
  type FieldMapping,
  TIMESTAMP_FORMATS,
} from '@event-tally/shared/event.js';
import { type FieldPath, parseFieldPath } from '@event-tally/shared/field-path.js';
import { DEFAULT_FIFO_DIR } from '@event-tally/shared/fifo.js';
import { z } from 'zod';
import { type Duration, parseDuration } from './duration.js';
import { SCANNER_CHOICES, type ScannerChoice } from './scan/scanners.js';
import { DURABILITIES, type Durability } from './state/durability.js';

/** Under the current folder. */
export const DEFAULT_STATE_DIR = 'state';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** One environment variable: how its text is read, and all that the documents say of it. */
interface Variable<T> {
  readonly schema: z.ZodType<T, string>;
  /** The text that stands for a variable that is unset, or empty where that means nothing else. */
  readonly default: string;
  /** What it may be, as it follows "must be". */
  readonly expected: string;
  readonly meaning: string;
  /** An empty text is a value of its own. */
  readonly mayBeEmpty?: boolean;
  /** Its value is never shown. */
  readonly isSecret?: boolean;
}

function variable<T>(definition: Variable<T>): Variable<T> {
  return definition;
}

function wholeNumber(min: number, max: number) {
  return {
    schema: z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number)
      .pipe(z.number().min(min).max(max)),
    expected: `a whole number from ${min.toLocaleString('en')} to ${max.toLocaleString('en')}`,
  };
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return {
    schema: z.enum(values) as z.ZodType<T[number], string>,
    expected: `one of ${values.join(', ')}`,
  };
}

/** Both ends in seconds, and in it. */
function duration(min: number, max: number) {
  return {
    schema: z
      .string()
      .regex(/^\d{1,9}[smh]$/)
      .transform((text) => (parseDuration(text) as Duration).seconds)
      .pipe(z.number().min(min).max(max)),
    expected: `a whole number of s, m or h, from ${min}s to ${max / 3600}h`,
  };
}

const FIELD_EXPECTED = 'a field name or a dotted path, such as alert.signature';

const fieldPath = z.string().transform((text, context): FieldPath => {
  const path = parseFieldPath(text);
  if (path !== null) return path;
  context.addIssue({ code: 'custom', message: 'not a path' });
  return z.NEVER;
});
const optionalFieldPath = z.union([z.literal('').transform(() => null), fieldPath]);

const corsOrigins = z.string().transform((text, context): readonly string[] => {
  if (text === '' || text === '*') return text === '' ? [] : ['*'];
  const origins = text.split(',').map((origin) => origin.trim());
  if (origins.every(isWebOrigin)) return origins;
  context.addIssue({ code: 'custom', message: 'not origins' });
  return z.NEVER;
});

/** As a browser sends it: scheme, host in lower case, and a port that is not the scheme's own. */
function isWebOrigin(text: string): boolean {
  return /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

const allowedHosts = z.string().transform((text, context): readonly string[] => {
  if (text === '') return [];
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name === '*' || isHostName(name))) return names;
  context.addIssue({ code: 'custom', message: 'not names' });
  return z.NEVER;
});

/** Without scheme and port; a dot in front stands for the name and all that are below it. */
function isHostName(text: string): boolean {
  return /^\.?[\w-]+(\.[\w-]+)*$/.test(text);
}

/** Every variable of the consumer, in the order in which the documents list them. */
const VARIABLES = {
  HOST: variable({
    schema: z.string(),
    default: '127.0.0.1',
    expected: 'an address of this machine',
    meaning: 'address to listen on; the container listens on 0.0.0.0',
  }),
  PORT: variable({
    ...wholeNumber(0, 65_535),
    default: '5000',
    meaning: 'port to listen on; 0 is any free one',
  }),
  FIFO_DIR: variable({
    schema: z.string(),
    default: DEFAULT_FIFO_DIR,
    expected: 'a folder',
    meaning: 'folder whose *.fifo are read; made if it is missing; /ipc in the container',
  }),
  DURABILITY: variable({
    ...oneOf(DURABILITIES),
    default: 'journal',
    meaning:
      'what of the counts outlasts the process: all but the last read (journal), all up to the last checkpoint, or nothing',
  }),
  STATE_DIR: variable({
    schema: z.string(),
    default: DEFAULT_STATE_DIR,
    expected: 'a folder',
    meaning: 'folder where the counts are kept; made if it is missing; /state in the container',
  }),
  CHECKPOINT_INTERVAL: variable({
    ...duration(1, 3600),
    default: '10s',
    meaning: 'how often all counts are written',
  }),
  JOURNAL_SYNC_INTERVAL: variable({
    ...duration(1, 3600),
    default: '1s',
    meaning: 'how often the journal is made to outlast a loss of power',
  }),
  JOURNAL_BYTES_MAX: variable({
    ...wholeNumber(65_536, 4_294_967_296),
    default: '16777216',
    meaning:
      'bytes of the journal of an ingest thread, past which a checkpoint is taken early; past twice as many, reading waits for it',
  }),
  EVENT_TYPE_FIELD: variable({
    schema: fieldPath,
    default: DEFAULT_MAPPING.eventType.join('.'),
    expected: FIELD_EXPECTED,
    meaning: "field of the event's type, a string that is not empty",
  }),
  DATA_FIELD: variable({
    schema: optionalFieldPath,
    default: 'data',
    expected: `${FIELD_EXPECTED}, or empty`,
    meaning: 'field of the text whose words are counted; empty: no words',
    mayBeEmpty: true,
  }),
  TIMESTAMP_FIELD: variable({
    schema: fieldPath,
    default: DEFAULT_MAPPING.timestamp.join('.'),
    expected: FIELD_EXPECTED,
    meaning: 'field of the event time',
  }),
  TIMESTAMP_FORMAT: variable({
    ...oneOf(TIMESTAMP_FORMATS),
    default: DEFAULT_MAPPING.timestampFormat,
    meaning: 'how it is written; arrival: no field, the time when the line was read',
  }),
  VALUE_FIELD: variable({
    schema: optionalFieldPath,
    default: 'value',
    expected: `${FIELD_EXPECTED}, or empty`,
    meaning: 'field of a number that is summed by type, if there is one; empty: none is read',
    mayBeEmpty: true,
  }),
  LINE_BYTES_MAX: variable({
    ...wholeNumber(16, 1_048_576),
    default: '65536',
    meaning: 'bytes of a line; a longer one is rejected as too_long',
  }),
  EVENT_TYPES_MAX: variable({
    ...wholeNumber(1, 1_000_000),
    default: '10000',
    meaning: 'distinct event types; further ones are counted together, as overflow',
  }),
  WORDS_MAX: variable({
    ...wholeNumber(1, 10_000_000),
    default: '200000',
    meaning: 'distinct words; further ones are counted together, as overflow',
  }),
  KEY_BYTES_MAX: variable({
    ...wholeNumber(1, 65_536),
    default: '256',
    meaning: 'bytes of a type or word; a longer one is counted as overflow',
  }),
  RETENTION: variable({
    ...duration(60, 168 * 3600),
    default: '2h',
    meaning: 'how far back windows reach, in event time',
  }),
  MAX_CLOCK_SKEW: variable({
    ...duration(0, 24 * 3600),
    default: '60s',
    meaning: 'how far an event time may be ahead of the clock to be counted in windows',
  }),
  WINDOW_CELLS_MAX: variable({
    ...wholeNumber(1, 100_000_000),
    default: '2000000',
    meaning:
      'pairs of a key and a bucket of time that windows keep, 16 to 32 bytes each, those of sums 37 to 75; past it, new keys of a bucket are counted together',
  }),
  INGEST_WORKERS: variable({
    ...wholeNumber(1, 64),
    default: '1',
    meaning: 'threads that read and count; each source stays with one',
  }),
  SCANNER: variable({
    ...oneOf(SCANNER_CHOICES),
    default: 'auto',
    meaning:
      'what reads the lines; auto: the SIMD scanner, where the processor has SIMD and a thread the memory for it, or else the reference scanner',
  }),
  INGEST_TOKEN: variable({
    schema: z.string().regex(/^[\x21-\x7e]*$/),
    default: '',
    expected: 'letters, digits and signs of ASCII, without spaces',
    meaning: 'turns POST /events on, for whoever sends it as a bearer token',
    isSecret: true,
  }),
  POST_BYTES_MAX: variable({
    ...wholeNumber(1, 67_108_864),
    default: '1048576',
    meaning: 'bytes of a posted body, also once decompressed',
  }),
  POST_QUEUE_BYTES_MAX: variable({
    ...wholeNumber(1, 4_294_967_296),
    default: '16777216',
    meaning: 'bytes of posted bodies that are received or wait to be counted',
  }),
  STREAM_CLIENTS_MAX: variable({
    ...wholeNumber(1, 500),
    default: '100',
    meaning: 'clients of GET /events/stream at once',
  }),
  CORS_ORIGIN: variable({
    schema: corsOrigins,
    default: '',
    expected: '*, or origins such as https://example.org with commas between',
    meaning: "origins whose pages may read the answers to GET; *: anyone's; empty: no other's",
  }),
  ALLOWED_HOSTS: variable({
    schema: allowedHosts,
    default: '',
    expected: '*, or names such as tally.example.org or .example.org with commas between',
    meaning:
      'names that requests may have in Host, besides addresses, localhost, consumer and HOST; .example.org: and all below it; *: any',
  }),
  METRICS_TOP_TYPES: variable({
    ...wholeNumber(0, 100),
    default: '0',
    meaning: 'event types that /metrics counts by name, the most frequent ones; 0: none',
  }),
  LOG_LEVEL: variable({
    ...oneOf(LOG_LEVELS),
    default: 'info',
    meaning: 'least severe lines that are logged',
  }),
} as const;

type Values = {
  readonly [Name in keyof typeof VARIABLES]: z.output<(typeof VARIABLES)[Name]['schema']>;
};

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly fifoDir: string;
  readonly durability: Durability;
  readonly stateDir: string;
  readonly checkpointIntervalMs: number;
  readonly journalSyncIntervalMs: number;
  readonly journalBytesMax: number;
  readonly mapping: FieldMapping;
  readonly lineBytesMax: number;
  readonly eventTypesMax: number;
  readonly wordsMax: number;
  readonly keyBytesMax: number;
  readonly retentionSeconds: number;
  readonly maxClockSkewSeconds: number;
  readonly windowCellsMax: number;
  readonly ingestWorkers: number;
  readonly scanner: ScannerChoice;
  /** Null: nothing can be posted. */
  readonly ingestToken: string | null;
  readonly postBytesMax: number;
  readonly postQueueBytesMax: number;
  readonly streamClientsMax: number;
  /** Empty: none; `*` alone: any. */
  readonly corsOrigins: readonly string[];
  /** Besides those that always are; `*` among them: any. */
  readonly allowedHosts: readonly string[];
  readonly metricsTopTypes: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** Each problem is one line: the variable, what it is, what it must be. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads the configuration from an environment. A variable that is unset or empty has its default,
 * unless empty is one of its values. Tells all problems at once.
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): ConfigResult {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, variable] of Object.entries(VARIABLES) as [string, Variable<unknown>][]) {
    const text = env[name];
    const unset = text === undefined || (text === '' && !variable.mayBeEmpty);
    const result = variable.schema.safeParse(unset ? variable.default : text);
    if (result.success) values[name] = result.data;
    else {
      const shown = variable.isSecret ? 'not as it must be' : JSON.stringify(text);
      problems.push(`${name} is ${shown}: it must be ${variable.expected}`);
    }
  }
  const { POST_BYTES_MAX: body, POST_QUEUE_BYTES_MAX: queue } = values as Values;
  if (queue < body) {
    problems.push(`POST_QUEUE_BYTES_MAX is ${queue}: it must be at least POST_BYTES_MAX, ${body}`);
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, config: toConfig(values as Values) };
}

function toConfig(values: Values): Config {
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    fifoDir: values.FIFO_DIR,
    durability: values.DURABILITY,
    stateDir: values.STATE_DIR,
    checkpointIntervalMs: values.CHECKPOINT_INTERVAL * 1000,
    journalSyncIntervalMs: values.JOURNAL_SYNC_INTERVAL * 1000,
    journalBytesMax: values.JOURNAL_BYTES_MAX,
    mapping: Object.freeze({
      eventType: values.EVENT_TYPE_FIELD,
      data: values.DATA_FIELD,
      timestamp: values.TIMESTAMP_FIELD,
      timestampFormat: values.TIMESTAMP_FORMAT,
      value: values.VALUE_FIELD,
    }),
    lineBytesMax: values.LINE_BYTES_MAX,
    eventTypesMax: values.EVENT_TYPES_MAX,
    wordsMax: values.WORDS_MAX,
    keyBytesMax: values.KEY_BYTES_MAX,
    retentionSeconds: values.RETENTION,
    maxClockSkewSeconds: values.MAX_CLOCK_SKEW,
    windowCellsMax: values.WINDOW_CELLS_MAX,
    ingestWorkers: values.INGEST_WORKERS,
    scanner: values.SCANNER,
    ingestToken: values.INGEST_TOKEN === '' ? null : values.INGEST_TOKEN,
    postBytesMax: values.POST_BYTES_MAX,
    postQueueBytesMax: values.POST_QUEUE_BYTES_MAX,
    streamClientsMax: values.STREAM_CLIENTS_MAX,
    corsOrigins: Object.freeze(values.CORS_ORIGIN),
    allowedHosts: Object.freeze(values.ALLOWED_HOSTS),
    metricsTopTypes: values.METRICS_TOP_TYPES,
    logLevel: values.LOG_LEVEL,
  });
}

export interface VariableDescription {
  readonly name: string;
  readonly default: string;
  readonly expected: string;
  readonly meaning: string;
}

/** What `--help` and the README say of each variable. */
export function describeVariables(): VariableDescription[] {
  return Object.entries(VARIABLES).map(([name, { default: byDefault, expected, meaning }]) => ({
    name,
    default: byDefault,
    expected,
    meaning,
  }));
}
