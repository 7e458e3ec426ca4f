import { createEventSchema, type FieldMapping } from '@event-tally/shared/event.js';
import type { FieldPath } from '@event-tally/shared/field-path.js';
import { z } from 'zod';

interface ObjectSchema {
  readonly type: 'object';
  readonly properties: Record<string, unknown>;
  readonly required: string[];
  readonly description?: string;
}

const TIME_MEANINGS = {
  unix: 'When it happened, Unix seconds.',
  unix_ms: 'When it happened, Unix milliseconds.',
  iso8601: 'When it happened: date and time, ISO 8601.',
} as const;

/** JSON Schema of a line that is counted, with its fields where the mapping has them. */
export function eventSchema(mapping: FieldMapping): ObjectSchema {
  const { type, data, time, value } = createEventSchema(mapping).shape;
  const event: ObjectSchema = {
    ...emptyObject(),
    description: 'An event. Other fields are ignored.',
  };
  put(event, mapping.eventType, type, 'Counted.');
  if (mapping.data !== null) put(event, mapping.data, data, 'Its words are counted.');
  if (mapping.timestampFormat !== 'arrival') {
    put(event, mapping.timestamp, time, TIME_MEANINGS[mapping.timestampFormat]);
  }
  if (mapping.value !== null) put(event, mapping.value, value, 'Summed by type.');
  return event;
}

/** An event under the mapping. */
export function exampleEvent(mapping: FieldMapping): Record<string, unknown> {
  const event: Record<string, unknown> = {};
  const times = { unix: 1509604913, unix_ms: 1509604913000, iso8601: '2017-11-02T06:41:53Z' };
  set(event, mapping.eventType, 'foo');
  if (mapping.data !== null) set(event, mapping.data, 'lorem ipsum');
  if (mapping.timestampFormat !== 'arrival') {
    set(event, mapping.timestamp, times[mapping.timestampFormat]);
  }
  return event;
}

function emptyObject(): ObjectSchema {
  return { type: 'object', properties: Object.create(null), required: [] };
}

function put(event: ObjectSchema, path: FieldPath, schema: z.ZodType, description: string): void {
  const isRequired = !schema.safeParse(undefined).success;
  let object = event;
  for (const name of path.slice(0, -1)) {
    object.properties[name] ??= emptyObject();
    if (isRequired && !object.required.includes(name)) object.required.push(name);
    object = object.properties[name] as ObjectSchema;
  }
  const name = path.at(-1) as string;
  const { $schema, ...jsonSchema } = z.toJSONSchema(schema, { io: 'input' });
  object.properties[name] = { ...jsonSchema, description };
  if (isRequired) object.required.push(name);
}

function set(event: Record<string, unknown>, path: FieldPath, value: unknown): void {
  let object = event;
  for (const name of path.slice(0, -1)) {
    object[name] ??= {};
    object = object[name] as Record<string, unknown>;
  }
  object[path.at(-1) as string] = value;
}
