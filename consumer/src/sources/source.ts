export const SOURCE_STATES = ['open', 'idle', 'gone', 'ended', 'not_a_fifo', 'failed'] as const;

/**
 * open: being read. idle: open, but for a while no line came. gone: its name is no longer in the folder
 * (what its last writers still write is read). ended: it has come to its end, as standard input does.
 * not_a_fifo: something else has such a name. failed: it cannot be opened or read; tried again.
 */
export type SourceState = (typeof SOURCE_STATES)[number];

export interface SourceStatus {
  readonly state: SourceState;
  /** What is wrong and, where something can be done, what; null when nothing is. */
  readonly reason: string | null;
}

export interface FolderStatus {
  /** Its FIFOs, all of them, are read. */
  readonly ok: boolean;
  /** What is wrong, also where they are read nevertheless; null when nothing is. */
  readonly reason: string | null;
}
