/** What the page reads of the API's answers. */
import type { CountListDocument as ListDocument, StatsDocument } from '../http/documents.js';

export type {
  CountListDocument as ListDocument,
  RejectedDocument,
  SeriesDocument,
  StatsDocument,
} from '../http/documents.js';

/** All of one moment: an event of GET /events/stream. */
export interface CountsFrame {
  readonly batch: number;
  /** Unix seconds. */
  readonly at: number;
  readonly stats: StatsDocument;
  readonly types: ListDocument;
  readonly words: ListDocument;
}

export interface ProblemDocument {
  readonly status: number;
  readonly detail: string;
}
