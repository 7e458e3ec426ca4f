/** What the query string of a request may say, and how it is read. */
import type { ParsedUrlQuery } from 'node:querystring';
import { z } from 'zod';
import { type Duration, parseDuration, UNIT_SECONDS } from '../duration.js';
import { SERIES_STEPS_MAX } from '../ingest/ingest-client.js';
import type { CountedKind } from '../ingest/protocol.js';
import type { WindowRequest } from '../tally/interval.js';
import { ProblemError } from './problem.js';

const LIMIT_MAX = 10_000;
/** Largest Unix time that `until` may name: 2^53 and what can be added to it are no longer exact. */
const UNTIL_MAX = 1e15;

/** How often a stream may be asked to tell what has changed. */
export const INTERVAL_MS_MIN = 250;
const INTERVAL_MS_MAX = 60_000;
const COUNTED_KINDS = ['types', 'words', 'sums'] as const satisfies CountedKind[];

const duration = z
  .string()
  .regex(/^[1-9]\d{0,8}[smh]$/)
  .transform((text) => parseDuration(text) as Duration);

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^(0|[1-9]\d{0,15})$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));

interface Parameter<T> {
  readonly schema: z.ZodType<T, string>;
  /** What it may be, as it follows "must be". */
  readonly expected: string;
  readonly meaning: string;
  readonly example: string | number;
  /** Which side of the schema is its JSON Schema: numbers are described as such, durations as text. */
  readonly describedBy: 'input' | 'output';
}

function parameter<T>(definition: Parameter<T>): Parameter<T> {
  return definition;
}

/** Every parameter of every route: how it is read, and all that the documents say of it. */
const PARAMETERS = {
  of: parameter({
    schema: z.enum(['types', 'words']),
    expected: 'types or words',
    meaning: 'What is counted.',
    example: 'types',
    describedBy: 'input',
  }),
  /** `of`, where it may be several. */
  kinds: parameter({
    schema: z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(z.enum(COUNTED_KINDS)))
      .refine((kinds) => new Set(kinds).size === kinds.length)
      .transform((kinds) => COUNTED_KINDS.filter((kind) => kinds.includes(kind))),
    expected: 'types, words, sums, or several of them, with commas',
    meaning: 'What is counted: types, words, sums, or several of them, with commas.',
    example: 'types,words',
    describedBy: 'input',
  }),
  interval: parameter({
    schema: z
      .string()
      .regex(/^[1-9]\d{0,5}m?s$/)
      .transform((text) => Number.parseInt(text, 10) * (text.endsWith('ms') ? 1 : 1000))
      .pipe(z.number().min(INTERVAL_MS_MIN).max(INTERVAL_MS_MAX)),
    expected: 'from 250ms to 60s, in whole ms or s',
    meaning: 'How often a frame is sent at most, from 250ms to 60s; 1s without it.',
    example: '1s',
    describedBy: 'input',
  }),
  window: parameter({
    schema: duration,
    expected: 'a whole number of s, m or h, such as 60s, 10m or 1h',
    meaning:
      'The interval [end − window, end), by event time; at most the retention. Without it: since the start.',
    example: '60s',
    describedBy: 'input',
  }),
  until: parameter({
    schema: z.union([z.enum(['now', 'latest']), wholeNumber(0, UNTIL_MAX)]),
    expected: 'now, latest, or whole Unix seconds',
    meaning:
      "The window's end: with the clock's second (now, the default), with the newest event's (latest), or at that time, Unix seconds. Goes together with window.",
    example: 'latest',
    describedBy: 'output',
  }),
  align: parameter({
    schema: z.enum(['true', 'false']),
    expected: 'true or false',
    meaning:
      "Moves the window's end back to the start of its minute or hour, the window's unit. Goes together with a window in m or h.",
    example: 'false',
    describedBy: 'input',
  }),
  step: parameter({
    schema: duration,
    expected: 'a whole number of s, m or h, such as 1s or 5m',
    meaning: `The length of a step; without it a second, a minute or an hour, the shortest that the window's buckets allow for. At most ${SERIES_STEPS_MAX} steps.`,
    example: '10s',
    describedBy: 'input',
  }),
  limit: parameter({
    schema: wholeNumber(1, LIMIT_MAX),
    expected: `a whole number from 1 to ${LIMIT_MAX}`,
    meaning: 'The largest only.',
    example: 10,
    describedBy: 'output',
  }),
  format: parameter({
    schema: z.enum(['flat', 'list', 'csv']),
    expected: 'flat, list or csv',
    meaning:
      'flat: one object, key to number. list: what was counted as well. csv: the list as RFC 4180 text. Without it: csv where Accept prefers text/csv, flat otherwise.',
    example: 'list',
    describedBy: 'input',
  }),
} as const;

export type ParameterName = keyof typeof PARAMETERS;
export type Parameters = {
  readonly [Name in ParameterName]?: z.output<(typeof PARAMETERS)[Name]['schema']>;
};

/**
 * Reads a query string. Throws a problem that names the parameter when one is not known here (it is
 * never ignored: the answer would be to another question), comes twice, is empty, or is not what it may
 * be.
 */
export function readParameters(query: ParsedUrlQuery, known: readonly ParameterName[]): Parameters {
  const parameters: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(query)) {
    const parameter = known.find((each) => queryName(each) === name);
    if (parameter === undefined) {
      const names = known.map(queryName).join(', ');
      const list = known.length === 0 ? 'no parameters' : `one of ${names}`;
      throw badParameter(name, value, list, 'is not known here');
    }
    const { schema, expected } = PARAMETERS[parameter];
    if (Array.isArray(value)) throw badParameter(name, value, expected, 'comes more than once');
    const result = schema.safeParse(value);
    if (!result.success) throw badParameter(name, value, expected);
    parameters[parameter] = result.data;
  }
  return parameters;
}

/** What a parameter is called in a query string. */
export function queryName(name: ParameterName): string {
  return name === 'kinds' ? 'of' : name;
}

export function badParameter(
  parameter: string,
  value: string | string[] | undefined,
  expected: string,
  fault = `is ${JSON.stringify(value)}`,
): ProblemError {
  return new ProblemError('bad-parameter', `${parameter} ${fault}: it must be ${expected}.`, {
    extension: { parameter, value, expected },
  });
}

/**
 * The window that parameters ask for, null for all-time. Throws a problem when they do not go together.
 */
export function toWindowRequest(
  query: ParsedUrlQuery,
  { window, until = 'now', align = 'false', step }: Parameters,
  retentionSeconds: number,
): WindowRequest | null {
  if (window === undefined) {
    for (const name of ['until', 'align', 'step'] as const) {
      if (query[name] !== undefined) {
        throw badParameter(name, query[name], 'given together with window', 'is given alone');
      }
    }
    return null;
  }
  if (window.seconds > retentionSeconds) {
    const expected = `at most ${retentionSeconds}s, the retention`;
    throw badParameter('window', query.window, expected);
  }
  if (align === 'true' && window.unit === 's') {
    throw badParameter(
      'align',
      query.align,
      'false for a window in seconds; m and h can be aligned',
    );
  }
  if (step !== undefined) {
    const steps = window.seconds / step.seconds;
    if (steps < 1 || steps > SERIES_STEPS_MAX) {
      const expected = `at most the window, in which it fits at most ${SERIES_STEPS_MAX} times`;
      throw badParameter('step', query.step, expected);
    }
  }
  return {
    windowSeconds: window.seconds,
    until,
    alignSeconds: align === 'true' ? UNIT_SECONDS[window.unit as 'm' | 'h'] : null,
    stepSeconds: step?.seconds ?? 1,
  };
}

export interface ParameterDescription {
  readonly meaning: string;
  readonly example: string | number;
  /** JSON Schema of its value. */
  readonly schema: z.core.JSONSchema.JSONSchema;
}

/** What the OpenAPI document says of a parameter. */
export function describeParameter(name: ParameterName): ParameterDescription {
  const { schema, meaning, example, describedBy } = PARAMETERS[name];
  const { $schema, ...jsonSchema } = z.toJSONSchema(schema, { io: describedBy });
  return { meaning, example, schema: jsonSchema };
}
