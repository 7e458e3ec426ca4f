/** What the page reads of the API's answers. */
import type { z } from 'zod';
import type { streamFrameSchema } from '../http/documents.js';

export type {
  CountListDocument as ListDocument,
  RejectedDocument,
  SeriesDocument,
  StatsDocument,
} from '../http/documents.js';
export type { ProblemDocument } from '../http/problem.js';

/** All of one moment: an event of GET /events/stream, of types and words. */
export type CountsFrame = {
  readonly [Name in 'batch' | 'at' | 'stats' | 'types' | 'words']: NonNullable<Frame[Name]>;
};
type Frame = z.output<typeof streamFrameSchema>;
