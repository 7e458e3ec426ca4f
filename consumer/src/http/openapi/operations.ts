/** Every operation of the HTTP interface, as the OpenAPI document describes it. */
import type { FieldMapping } from '@event-tally/shared/event.js';
import {
  COUNTS_PARAMETERS,
  SERIES_LIMIT,
  SERIES_LIMIT_MAX,
  SERIES_PARAMETERS,
} from '../counts-routes.js';
import { describeParameter, type ParameterName, queryName } from '../parameters.js';
import { JSON_TYPE, LINE_TYPES } from '../post-route.js';
import { exampleEvent } from './event-schema.js';
import { EXAMPLES } from './examples.js';

export type Json = Readonly<Record<string, unknown>>;
export type OperationKey = `${'GET' | 'POST'} ${string}`;

export const TAGS = [
  { name: 'Counts', description: 'Events by type, words, sums.' },
  { name: 'Input', description: 'What comes in, and what became of it.' },
  { name: 'Operation', description: 'Health and metrics.' },
  { name: 'Pages', description: 'For people, and about this interface.' },
] as const;

interface Operation {
  readonly operationId: string;
  readonly tags: readonly [(typeof TAGS)[number]['name']];
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly Json[];
  readonly security?: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Json>>;
}

const schemaRef = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const headerRefs = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
const responseRef = (name: string) => ({ $ref: `#/components/responses/${name}` });

const json = (schema: string, example: unknown) => ({ schema: schemaRef(schema), example });
const text = (example?: string) => ({
  schema: { type: 'string' },
  ...(example === undefined ? {} : { example }),
});

const BAD_REQUEST = { 400: responseRef('BadRequest') };
const UNAVAILABLE = { 503: responseRef('Unavailable') };
/** What any path may answer: 404, 405, 500 and, while an ingest thread is not there, 503. */
const OTHERS = { '4XX': responseRef('ClientError'), '5XX': responseRef('ServerError') };
const NOT_MODIFIED = { 304: responseRef('NotModified') };

const IF_NONE_MATCH: Json = {
  name: 'If-None-Match',
  in: 'header',
  description: 'The ETag of an answer that the client has: 304 if it is still the same.',
  schema: { type: 'string' },
};

function queryParameter(name: ParameterName, schema: Json = {}): Json {
  const { meaning, example, schema: jsonSchema } = describeParameter(name);
  const description = meaning;
  return {
    name: queryName(name),
    in: 'query',
    description,
    schema: { ...jsonSchema, ...schema },
    example,
  };
}

function counts(
  operationId: string,
  summary: string,
  description: string,
  flat: readonly [schema: string, example: Json],
  list: readonly [schema: string, example: Json],
  csv: string,
): Operation {
  return {
    operationId,
    tags: ['Counts'],
    summary,
    description,
    parameters: [...COUNTS_PARAMETERS.map((name) => queryParameter(name)), IF_NONE_MATCH],
    responses: {
      200: {
        description: 'Since the start, or of a window.',
        headers: headerRefs('ETag', 'Cache-Control', 'Vary'),
        content: {
          'application/json': {
            schema: { anyOf: [schemaRef(list[0]), schemaRef(flat[0])] },
            examples: {
              flat: { summary: 'format=flat', value: flat[1] },
              list: { summary: 'format=list', value: list[1] },
            },
          },
          'text/csv': text(csv),
        },
      },
      ...NOT_MODIFIED,
      ...BAD_REQUEST,
      ...UNAVAILABLE,
      ...OTHERS,
    },
  };
}

const READINESS: Omit<Operation, 'operationId' | 'summary' | 'description'> = {
  tags: ['Operation'],
  responses: {
    200: {
      description: 'It does.',
      headers: headerRefs('Cache-Control'),
      content: { 'application/json': json('Readiness', EXAMPLES.ready) },
    },
    503: {
      description: 'It does not, for the reasons given.',
      headers: headerRefs('Cache-Control'),
      content: { 'application/json': json('Readiness', EXAMPLES.notReady) },
    },
    ...OTHERS,
  },
};

const STREAM_PARAMETERS: readonly Json[] = [
  queryParameter('kinds', {
    pattern: '^(types|words|sums)(,(types|words|sums)){0,2}$',
    default: 'types,words',
  }),
  queryParameter('window'),
  queryParameter('until'),
  queryParameter('align'),
  queryParameter('limit', { default: 100 }),
  queryParameter('interval', { default: '1s' }),
];

const page = (description: string) => ({
  200: { description, content: { 'text/html': text() } },
  ...OTHERS,
});

export function describeOperations(
  mapping: FieldMapping,
): Readonly<Record<OperationKey, Operation>> {
  const event = exampleEvent(mapping);
  return {
    'GET /events/countByEventType': counts(
      'countByEventType',
      'Events by type',
      'How many events of each type there were, since the start or in a window.',
      ['FlatCounts', EXAMPLES.flatTypes],
      ['CountList', EXAMPLES.countTypes],
      EXAMPLES.csvTypes,
    ),
    'GET /events/countWords': counts(
      'countWords',
      'Words of the events',
      'How often each word occurred, since the start or in a window.',
      ['FlatCounts', EXAMPLES.flatWords],
      ['CountList', EXAMPLES.countWords],
      EXAMPLES.csvWords,
    ),
    'GET /events/sumByEventType': counts(
      'sumByEventType',
      "Sums of the events' values, by type",
      'What the values of each type come to, since the start or in a window. Types without a value are left out.',
      ['FlatSums', EXAMPLES.flatSums],
      ['SumList', EXAMPLES.sums],
      EXAMPLES.csvSums,
    ),
    'GET /events/series': {
      operationId: 'series',
      tags: ['Counts'],
      summary: 'Counts over time',
      description: 'With zeros where nothing happened; `window` is widened to whole steps.',
      parameters: [
        ...SERIES_PARAMETERS.map((name) => {
          if (name === 'window') {
            const description =
              'The interval [end − window, end), by event time; at most the retention.';
            return { ...queryParameter(name), description, required: true };
          }
          return name === 'limit'
            ? queryParameter(name, { maximum: SERIES_LIMIT_MAX, default: SERIES_LIMIT })
            : queryParameter(name);
        }),
        IF_NONE_MATCH,
      ],
      responses: {
        200: {
          description: 'The counts of each step.',
          headers: headerRefs('ETag', 'Cache-Control'),
          content: { 'application/json': json('Series', EXAMPLES.series) },
        },
        ...NOT_MODIFIED,
        ...BAD_REQUEST,
        ...UNAVAILABLE,
        ...OTHERS,
      },
    },
    'GET /events/stream': {
      operationId: 'stream',
      tags: ['Counts'],
      summary: 'Counts as they change',
      description:
        'Server-sent events: `counts`, at once and then when something has changed, each with a StreamFrame as its data; `problem`, with a Problem, before the stream ends for one.',
      parameters: STREAM_PARAMETERS,
      responses: {
        200: {
          description: 'A stream that goes on until the client leaves.',
          content: {
            'text/event-stream': {
              // OpenAPI 3.1 has no word for what the events of a stream hold.
              schema: { type: 'string', contentSchema: schemaRef('StreamFrame') },
              example: `retry: 2000\nevent: counts\nid: 640\ndata: ${JSON.stringify(EXAMPLES.streamFrame)}\n\n`,
            },
          },
        },
        ...BAD_REQUEST,
        ...UNAVAILABLE,
        ...OTHERS,
      },
    },
    'GET /events/rejected': {
      operationId: 'rejected',
      tags: ['Input'],
      summary: 'The lines that were rejected last',
      description: 'Why each was rejected and what it looked like, at most 20.',
      responses: {
        200: {
          description: 'At most 20, newest first.',
          headers: headerRefs('Cache-Control'),
          content: { 'application/json': json('Rejected', EXAMPLES.rejected) },
        },
        ...BAD_REQUEST,
        ...UNAVAILABLE,
        ...OTHERS,
      },
    },
    'POST /events': {
      operationId: 'post',
      tags: ['Input'],
      summary: 'Counts what is sent',
      description:
        'JSON lines, or one JSON object or an array of them, in UTF-8, also gzipped (`Content-Encoding`). Answers once they are counted; a body that breaks off counts nothing.',
      security: [{ token: [] }],
      requestBody: {
        required: true,
        content: {
          ...Object.fromEntries(
            LINE_TYPES.map((type) => [type, text(`${JSON.stringify(event)}\n`)]),
          ),
          [JSON_TYPE]: {
            schema: { anyOf: [schemaRef('Event'), { type: 'array', items: schemaRef('Event') }] },
            example: [event],
          },
        },
      },
      responses: {
        200: {
          description: 'What became of the lines.',
          headers: headerRefs('Cache-Control'),
          content: { 'application/json': json('Posted', EXAMPLES.posted) },
        },
        ...BAD_REQUEST,
        401: responseRef('Unauthorized'),
        413: responseRef('BodyTooLarge'),
        415: responseRef('UnsupportedMediaType'),
        ...UNAVAILABLE,
        ...OTHERS,
      },
    },
    'GET /stats': {
      operationId: 'stats',
      tags: ['Input'],
      summary: 'What was read and what became of it',
      description: 'Lines, events, keys and sources; all numbers cover the same lines.',
      responses: {
        200: {
          description: 'All of one moment.',
          headers: headerRefs('Cache-Control'),
          content: { 'application/json': json('Stats', EXAMPLES.stats) },
        },
        ...BAD_REQUEST,
        ...UNAVAILABLE,
        ...OTHERS,
      },
    },
    'GET /livez': {
      operationId: 'livez',
      tags: ['Operation'],
      summary: 'Whether the process answers',
      description: '200 as long as it does; what the ingest threads do makes no difference.',
      responses: {
        200: {
          description: 'It does.',
          headers: headerRefs('Cache-Control'),
          content: { 'application/json': json('Liveness', EXAMPLES.alive) },
        },
        ...OTHERS,
      },
    },
    'GET /readyz': {
      operationId: 'readyz',
      summary: 'Whether it reads and counts',
      description: 'A stream that is silent is nothing wrong.',
      ...READINESS,
    },
    'GET /healthz': {
      operationId: 'healthz',
      summary: 'The same as /readyz',
      description: 'For those who expect this name.',
      ...READINESS,
    },
    'GET /metrics': {
      operationId: 'metrics',
      tags: ['Operation'],
      summary: 'Metrics for Prometheus',
      description: 'No label has its values from the stream, unless METRICS_TOP_TYPES asks for it.',
      responses: {
        200: {
          description: "Prometheus' text format.",
          content: { 'text/plain': text() },
        },
        ...OTHERS,
      },
    },
    'GET /openapi.json': {
      operationId: 'openapi',
      tags: ['Pages'],
      summary: 'This document',
      description: 'OpenAPI 3.1; what is turned off is not in it.',
      responses: {
        200: {
          description: 'OpenAPI 3.1.',
          headers: headerRefs('ETag', 'Cache-Control'),
          content: { 'application/json': { schema: { type: 'object' } } },
        },
        ...NOT_MODIFIED,
        ...OTHERS,
      },
    },
    'GET /docs': {
      operationId: 'docs',
      tags: ['Pages'],
      summary: 'This document as a page',
      description: 'To read, and to try requests.',
      responses: page('The page.'),
    },
    'GET /': {
      operationId: 'livePage',
      tags: ['Pages'],
      summary: 'What the stream is doing, live',
      description:
        'A page of the moment, which moves on in a browser. It takes the window in its address.',
      parameters: ['window', 'until', 'align'].map((name) => queryParameter(name as ParameterName)),
      responses: {
        ...page('The page.'),
        400: { description: 'The page, with what is wrong.', content: { 'text/html': text() } },
        503: { description: 'The page, without numbers.', content: { 'text/html': text() } },
      },
    },
  };
}
