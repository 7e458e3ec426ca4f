import type { RejectionReason } from '@event-tally/shared/line.js';
import { doubled } from '../tally/columns.js';
import type { EventBatch } from '../tally/event-batch.js';
import { REJECTED_LINES_MAX, type RejectedLine } from '../tally/rejected-lines.js';

/** An EventBatch that is filled event by event and used again for the next scan. */
export class EventBatchBuilder implements EventBatch {
  length = 0;
  eventTimes = new Float64Array(1024);
  typeIds = new Uint32Array(1024);
  values = new Float64Array(1024);
  wordOffsets = new Uint32Array(1025);
  wordIds = new Uint32Array(4096);
  bytes = 0;
  lines = 0;
  blank = 0;
  readonly rejected: Record<RejectionReason, number> = {
    too_long: 0,
    not_json: 0,
    not_an_event: 0,
  };
  #words = 0;
  /** A ring, once it is full: the oldest is where the next one goes. */
  #lastRejected: RejectedLine[] = [];
  #nextRejected = 0;

  clear(): void {
    this.length = 0;
    this.#words = 0;
    this.bytes = 0;
    this.lines = 0;
    this.blank = 0;
    this.rejected.too_long = 0;
    this.rejected.not_json = 0;
    this.rejected.not_an_event = 0;
    this.#lastRejected = [];
    this.#nextRejected = 0;
  }

  /** The next event's words, in their order, come before the event itself. */
  addWord(wordId: number): void {
    if (this.#words === this.wordIds.length) this.wordIds = doubled(this.wordIds);
    this.wordIds[this.#words++] = wordId;
  }

  addEvent(eventTime: number, typeId: number, value: number): void {
    if (this.length === this.typeIds.length) {
      this.eventTimes = doubled(this.eventTimes);
      this.typeIds = doubled(this.typeIds);
      this.values = doubled(this.values);
      this.wordOffsets = doubled(this.wordOffsets);
    }
    this.eventTimes[this.length] = eventTime;
    this.typeIds[this.length] = typeId;
    this.values[this.length] = value;
    this.wordOffsets[++this.length] = this.#words;
  }

  addRejected(reason: RejectionReason, bytes: number, text: string): void {
    this.rejected[reason]++;
    this.#lastRejected[this.#nextRejected] = { reason, bytes, text };
    this.#nextRejected = (this.#nextRejected + 1) % REJECTED_LINES_MAX;
  }

  takeRejectedLines(): RejectedLine[] {
    const ring = this.#lastRejected;
    const lines = [...ring.slice(this.#nextRejected), ...ring.slice(0, this.#nextRejected)];
    this.#lastRejected = [];
    this.#nextRejected = 0;
    return lines;
  }
}
