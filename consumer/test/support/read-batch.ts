import type { EventBatch } from '#consumer/tally/event-batch.js';
import type { KeyTable } from '#consumer/tally/key-table.js';

export interface ScannedEvent {
  readonly type: string;
  readonly words: readonly string[];
  readonly time: number;
  readonly value: number | null;
}

/** The events of a batch as objects, in their order. */
export function readBatch(batch: EventBatch, types: KeyTable, words: KeyTable): ScannedEvent[] {
  const typeNames = types.keysFrom(0);
  const wordNames = words.keysFrom(0);
  return Array.from({ length: batch.length }, (_, i) => {
    const value = batch.values[i] as number;
    return {
      type: typeNames[batch.typeIds[i] as number] as string,
      words: Array.from(
        batch.wordIds.subarray(batch.wordOffsets[i], batch.wordOffsets[i + 1]),
        (id) => wordNames[id] as string,
      ),
      time: batch.eventTimes[i] as number,
      value: Number.isNaN(value) ? null : value,
    };
  });
}
