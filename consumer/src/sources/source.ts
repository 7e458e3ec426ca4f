export const SOURCE_STATES = ['open', 'gone', 'not_a_fifo', 'failed'] as const;

/**
 * open: being read. gone: its name is no longer in the folder (what its last writers still write is
 * read). not_a_fifo: something else has such a name. failed: it cannot be opened or read; tried again.
 */
export type SourceState = (typeof SOURCE_STATES)[number];

export interface SourceStatus {
  readonly state: SourceState;
  /** What is wrong and, where something can be done, what; null when nothing is. */
  readonly reason: string | null;
}

/** Takes what was read from one source, in order; the bytes are overwritten after the call. */
export type ByteSink = (bytes: Uint8Array) => void;
