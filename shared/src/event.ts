import { z } from 'zod';
import { type FieldPath, isObject, readField } from './field-path.js';
import { parseIso8601 } from './iso8601.js';

/** How the timestamp field is written. `arrival` reads no field: event time is when it was read. */
export const TIMESTAMP_FORMATS = ['unix', 'unix_ms', 'iso8601', 'arrival'] as const;
export type TimestampFormat = (typeof TIMESTAMP_FORMATS)[number];

/** Where an event's parts stand in a line's JSON object. Null: that part is not read at all. */
export interface FieldMapping {
  readonly eventType: FieldPath;
  readonly data: FieldPath | null;
  readonly timestamp: FieldPath;
  readonly timestampFormat: TimestampFormat;
  readonly value: FieldPath | null;
}

export const DEFAULT_MAPPING: FieldMapping = {
  eventType: ['event_type'],
  data: ['data'],
  timestamp: ['timestamp'],
  timestampFormat: 'unix',
  value: ['value'],
};

/** What a line says once it is validated. Strings may still hold lone surrogates. */
export interface Event {
  /** Not empty. */
  readonly type: string;
  /** Text whose words are counted; may be empty. */
  readonly data: string;
  /** Event time, Unix seconds, finite and ≥ 0. */
  readonly time: number;
  /** Summed by type; finite. */
  readonly value?: number | undefined;
}

const seconds = z.number().nonnegative();

/**
 * Not z.string().min(1): that looks at the length of whatever has one, before zod tells that it is no string,
 * and throws where a stranger's object has a length that cannot be compared (4.6.7).
 */
const notEmpty = z
  .string()
  .refine((text) => text !== '')
  .meta({ minLength: 1 });

const timeSchemas = {
  unix: seconds,
  unix_ms: z
    .number()
    .transform((milliseconds) => milliseconds / 1000)
    .pipe(seconds),
  iso8601: z
    .string()
    .transform((text) => parseIso8601(text))
    .pipe(seconds),
  arrival: seconds,
} as const;

/** What a line's JSON object has at the places of an event's parts. */
export type EventParts = Readonly<Record<keyof Event, unknown>>;

/** Takes EventParts, gives an Event. */
export function createEventSchema({ timestampFormat }: FieldMapping) {
  return z.object({
    type: notEmpty,
    data: z.string(),
    time: timeSchemas[timestampFormat],
    value: z.number().optional(),
  });
}

export function readEventParts(
  json: Record<string, unknown>,
  mapping: FieldMapping,
  arrivalTime: number,
): EventParts {
  const byArrival = mapping.timestampFormat === 'arrival';
  return {
    type: readField(json, mapping.eventType),
    data: mapping.data === null ? '' : readField(json, mapping.data),
    time: byArrival ? arrivalTime : readField(json, mapping.timestamp),
    value: mapping.value === null ? undefined : readField(json, mapping.value),
  };
}

/**
 * A function from a parsed line and its arrival time (Unix seconds) to the event in it, null when the
 * JSON is not an event under this mapping.
 */
export function createEventParser(
  mapping: FieldMapping,
): (json: unknown, arrivalTime: number) => Event | null {
  const schema = createEventSchema(mapping);
  return (json, arrivalTime) => {
    if (!isObject(json)) return null;
    const result = schema.safeParse(readEventParts(json, mapping, arrivalTime));
    return result.success ? result.data : null;
  };
}
