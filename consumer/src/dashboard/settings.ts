import type { FieldMapping } from '@event-tally/shared/event.js';
import { formatFieldPath } from '@event-tally/shared/field-path.js';

/** What the page has to know of the configuration. */
export interface PageSettings {
  readonly retentionSeconds: number;
  /** Fields by the variables that name them; empty: not read. */
  readonly fields: Readonly<Record<FieldVariable, string>>;
  readonly timestampFormat: FieldMapping['timestampFormat'];
  readonly takesPosts: boolean;
}

export const FIELD_VARIABLES = ['EVENT_TYPE_FIELD', 'DATA_FIELD', 'TIMESTAMP_FIELD'] as const;
export type FieldVariable = (typeof FIELD_VARIABLES)[number];

export interface PageConfig {
  readonly mapping: FieldMapping;
  readonly ingestToken: string | null;
}

export function pageSettings(
  { mapping, ingestToken }: PageConfig,
  retentionSeconds: number,
): PageSettings {
  return {
    retentionSeconds,
    fields: {
      EVENT_TYPE_FIELD: formatFieldPath(mapping.eventType),
      DATA_FIELD: mapping.data === null ? '' : formatFieldPath(mapping.data),
      TIMESTAMP_FIELD:
        mapping.timestampFormat === 'arrival' ? '' : formatFieldPath(mapping.timestamp),
    },
    timestampFormat: mapping.timestampFormat,
    takesPosts: ingestToken !== null,
  };
}
