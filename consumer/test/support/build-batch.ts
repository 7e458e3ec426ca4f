import { EventBatchBuilder } from '#consumer/scan/event-batch-builder.js';
import type { EventBatch } from '#consumer/tally/event-batch.js';
import type { KeyTable } from '#consumer/tally/key-table.js';

export interface PlainEvent {
  readonly time: number;
  readonly type: string;
  readonly words?: readonly string[];
  readonly value?: number | undefined;
}

/** A batch of events that were not scanned but made up. */
export function buildBatch(
  events: readonly PlainEvent[],
  tables: { readonly types: KeyTable; readonly words: KeyTable },
): EventBatch {
  const batch = new EventBatchBuilder();
  batch.lines = events.length;
  for (const { time, type, words = [], value = Number.NaN } of events) {
    for (const word of words) batch.addWord(tables.words.idOf(word));
    batch.addEvent(time, tables.types.idOf(type), value);
  }
  return batch;
}
