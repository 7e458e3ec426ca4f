import type { FieldMapping } from '@event-tally/shared/event.js';
import { z } from 'zod';
import { VERSION } from '../../package-manifest.js';
import {
  countListSchema,
  flatCountsSchema,
  flatSumsSchema,
  intervalSchema,
  livenessSchema,
  postedSchema,
  readinessSchema,
  rejectedSchema,
  seriesSchema,
  statsSchema,
  streamFrameSchema,
  sumListSchema,
} from '../documents.js';
import { badParameter } from '../parameters.js';
import { ProblemError, type ProblemName, problemDocument, problemSchema } from '../problem.js';
import { eventSchema } from './event-schema.js';
import { describeOperations, type Json, type OperationKey, TAGS } from './operations.js';

const SCHEMAS = {
  FlatCounts: flatCountsSchema,
  FlatSums: flatSumsSchema,
  CountList: countListSchema,
  SumList: sumListSchema,
  Interval: intervalSchema,
  Series: seriesSchema,
  Stats: statsSchema,
  StreamFrame: streamFrameSchema,
  Rejected: rejectedSchema,
  Posted: postedSchema,
  Liveness: livenessSchema,
  Readiness: readinessSchema,
  Problem: problemSchema,
} as const;

const header = (description: string, schema: Json = { type: 'string' }) => ({
  description,
  schema,
});

const HEADERS = {
  ETag: header('Equal for equal answers.'),
  'Cache-Control': header('no-cache: to be asked for again each time.'),
  Vary: header('Accept, where that has decided of the format.'),
  'Retry-After': header('Seconds.', { type: 'integer', minimum: 0 }),
  'WWW-Authenticate': header('Bearer'),
  Accept: header('The types that a body may be of.'),
  'Accept-Encoding': header('The encodings that a body may have.'),
} as const;

function problem(
  description: string,
  errors: Readonly<Record<string, ProblemError>>,
  headers: readonly (keyof typeof HEADERS)[] = [],
) {
  return {
    description,
    headers: Object.fromEntries(
      headers.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    ),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(
          Object.entries(errors).map(([name, error]) => [name, { value: problemDocument(error) }]),
        ),
      },
    },
  };
}

const one = (name: ProblemName, detail: string) => ({ [name]: new ProblemError(name, detail) });

const RESPONSES = {
  NotModified: {
    description: 'The answer is the one that If-None-Match names.',
    headers: { ETag: { $ref: '#/components/headers/ETag' } },
  },
  BadRequest: problem('The request is not as it must be.', {
    'bad-parameter': badParameter('limit', '0', 'a whole number from 1 to 10000'),
  }),
  Unauthorized: problem(
    'The bearer token is missing or not the right one.',
    one('unauthorized', 'The bearer token is missing or not the right one.'),
    ['WWW-Authenticate'],
  ),
  BodyTooLarge: problem(
    'The body is too large.',
    one('body-too-large', 'The body must be at most 1048576 bytes.'),
  ),
  UnsupportedMediaType: problem(
    'The body is of another type, charset or encoding than those that are taken.',
    one('unsupported-media-type', 'br is not decoded; gzip is.'),
    ['Accept', 'Accept-Encoding'],
  ),
  Unavailable: problem(
    'Not just now; it may be in a moment.',
    one('unavailable', 'an ingest thread is restarting'),
    ['Retry-After'],
  ),
  ClientError: problem('A request that is not as it must be.', {
    ...one(
      'host-not-allowed',
      'Host is "evil.example": it must be an address, localhost or one of ALLOWED_HOSTS.',
    ),
    ...one('not-found', 'There is nothing at this path.'),
    ...one('method-not-allowed', 'This path takes HEAD, GET.'),
  }),
  ServerError: problem('A fault of the server.', {
    ...one('internal', 'The request failed; the log says why.'),
  }),
} as const;

const SECURITY_SCHEMES = {
  token: { type: 'http', scheme: 'bearer', description: 'The text of INGEST_TOKEN.' },
} as const;

const DESCRIPTION = `Live counts from any stream of JSON lines.

Paths match in any case. Each path that takes GET takes HEAD as well. Errors are problem documents
(RFC 9457): 404 where there is nothing, 405 with \`Allow\` for another method, 414 and 431 for a target or
headers that are too long, 421 for a \`Host\` that is not this one. Only what is turned on is described:
\`POST /events\` is there with \`INGEST_TOKEN\`.`;

/**
 * The OpenAPI document of the operations that are served, made of the schemas that requests are checked
 * and answers are typed by.
 */
export function openApiDocument(
  mapping: FieldMapping,
  isServed: (operation: OperationKey) => boolean,
): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [key, operation] of Object.entries(describeOperations(mapping))) {
    if (!isServed(key as OperationKey)) continue;
    const [method, path] = key.split(' ') as [string, string];
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'event-tally',
      version: VERSION,
      description: DESCRIPTION,
      contact: { name: 'The maintainers of event-tally' },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This server.' }],
    security: [],
    tags: TAGS,
    paths,
    components: {
      ...withoutUnused(paths, {
        schemas: { ...documentSchemas(), Event: eventSchema(mapping) },
        responses: RESPONSES,
        headers: HEADERS,
      }),
      ...(isServed('POST /events') ? { securitySchemes: SECURITY_SCHEMES } : {}),
    },
  };
}

function documentSchemas(): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  // As input: a document may gain members, and a client has to bear them.
  const { schemas } = z.toJSONSchema(registry, {
    io: 'input',
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]),
  );
}

type Components = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Components that paths refer to, directly or by way of others. */
function withoutUnused(paths: Json, all: Components): Components {
  const used: Record<string, Record<string, unknown>> = {};
  const follow = (value: unknown): void => {
    const references = JSON.stringify(value).matchAll(/"#\/components\/(\w+)\/([\w-]+)"/g);
    for (const [, kind, name] of references as Iterable<[string, string, string]>) {
      used[kind] ??= {};
      if (name in used[kind]) continue;
      used[kind][name] = all[kind]?.[name];
      follow(used[kind][name]);
    }
  };
  follow(paths);
  return used;
}
