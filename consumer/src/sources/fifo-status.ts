import fs from 'node:fs';
import { reasonOf } from '../reason.js';
import type { SourceState, SourceStatus } from './source.js';

/** The states that a FIFO can have, with what the log says when one comes to be in it. */
export const MESSAGES = {
  open: 'tailing',
  gone: 'FIFO gone',
  not_a_fifo: 'not a FIFO',
  failed: 'cannot read the FIFO',
} as const satisfies Partial<Record<SourceState, string>>;

export interface FifoStatus extends SourceStatus {
  readonly state: keyof typeof MESSAGES;
}

export const OPEN: FifoStatus = { state: 'open', reason: null };
export const GONE: FifoStatus = { state: 'gone', reason: 'its name is no longer in the folder' };
export const NOT_A_FIFO: FifoStatus = {
  state: 'not_a_fifo',
  reason: 'not a FIFO: remove it and start its producer again, which makes one',
};

/** Of one that is open, while something is wrong that would keep it from being opened. */
export function readOn(reason: string): FifoStatus {
  return { state: 'open', reason: `${reason}; it is read on for as long as it is open` };
}

/** Of one that is open: its rights may have been taken away since. */
export function openStatus(file: Buffer): FifoStatus {
  try {
    fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK);
    return OPEN;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return OPEN; // its name went just now
    return readOn(reasonOf(error as Error));
  }
}
