import type { z } from 'zod';
import { createEventSchema, type Event, type FieldMapping, readEventParts } from './event.js';
import { type FieldPath, formatFieldPath } from './field-path.js';

/** The field that keeps a JSON object from being an event. */
export interface EventFault {
  /** As a dotted path. */
  readonly field: string;
  /** What is wrong, as it follows the field's name. */
  readonly problem: string;
}

/**
 * A function from a JSON object to the first field at fault under this mapping, in the order type, data,
 * timestamp, value; null when the object is an event. It asks the schema that createEventParser asks.
 */
export function createEventFaultFinder(
  mapping: FieldMapping,
): (json: Record<string, unknown>) => EventFault | null {
  const schema = createEventSchema(mapping);
  const paths: Readonly<Record<keyof Event, FieldPath | null>> = {
    type: mapping.eventType,
    data: mapping.data,
    time: mapping.timestamp,
    value: mapping.value,
  };
  return (json) => {
    const parts = readEventParts(json, mapping, 0);
    const issue = schema.safeParse(parts).error?.issues[0];
    if (issue === undefined) return null;
    const part = issue.path[0] as keyof Event;
    const isIso8601 = part === 'time' && mapping.timestampFormat === 'iso8601';
    // A part without a path is not read, and so never at fault.
    const field = formatFieldPath(paths[part] as FieldPath);
    return { field, problem: problemOf(parts[part], issue, isIso8601) };
  };
}

function problemOf(value: unknown, issue: z.core.$ZodIssue, isIso8601: boolean): string {
  if (value === undefined) return 'is missing';
  if (issue.code === 'custom') return 'is an empty string';
  if (issue.code === 'too_small') return isIso8601 ? 'is before 1970' : 'is negative';
  if (isIso8601 && typeof value === 'string') return 'is not an ISO 8601 date and time';
  // What is left is of another type than the schema expects, or a number like 1e400.
  const { expected } = issue as z.core.$ZodIssueInvalidType;
  if (typeof value === expected) return 'is not a finite number';
  return `is ${kindOf(value)}, not a ${expected}`;
}

function kindOf(json: unknown): string {
  if (json === null || typeof json === 'boolean') return String(json);
  if (Array.isArray(json)) return 'an array';
  return typeof json === 'object' ? 'an object' : `a ${typeof json}`;
}
