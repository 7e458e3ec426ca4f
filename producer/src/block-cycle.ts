import type { EventStream } from './event-stream.js';

/** 64 KiB each: four megabytes of events before the first comes again. */
const BLOCKS_MAX = 64;

interface Block {
  readonly bytes: Buffer;
  /** Where each event ends. */
  readonly ends: readonly number[];
  /** Where the timestamps begin. */
  readonly timestampsAt: readonly number[];
  /** What they are. */
  timestamp: string;
}

/**
 * Events as fast as they are taken: the stream's first blocks, and then these again and again, with the
 * timestamps of now. To make each event anew takes longer than to count it, and a generator that is slower
 * than the consumer cannot show how fast that is.
 */
export class BlockCycle {
  readonly #stream: EventStream;
  readonly #timestampAt: (index: number) => number;
  readonly #blocks: Block[] = [];
  #next = 0;
  #made = 0;

  /** `timestampAt` is that of the stream, whose timestamps must not be moved back at random. */
  constructor(stream: EventStream, timestampAt: (index: number) => number) {
    this.#stream = stream;
    this.#timestampAt = timestampAt;
  }

  /** Events given so far, corrupt ones too. */
  get made(): number {
    return this.#made;
  }

  /** As EventStream.next. */
  next(eventsMax: number): Uint8Array {
    const timestamp = String(Math.floor(this.#timestampAt(this.#made)));
    // A longer timestamp has no room: once in three centuries all blocks are made anew.
    if (this.#blocks[0]?.timestamp.length !== timestamp.length) this.#blocks.length = 0;
    if (this.#blocks.length < BLOCKS_MAX) return this.#makeBlock(eventsMax, timestamp);
    const block = this.#blocks[this.#next++ % BLOCKS_MAX] as Block;
    if (block.timestamp !== timestamp) {
      for (const at of block.timestampsAt) block.bytes.write(timestamp, at, 'latin1');
      block.timestamp = timestamp;
    }
    const events = Math.min(eventsMax, block.ends.length);
    this.#made += events;
    return block.bytes.subarray(0, events === 0 ? 0 : block.ends[events - 1]);
  }

  #makeBlock(eventsMax: number, timestamp: string): Uint8Array {
    const bytes = Buffer.from(this.#stream.next(eventsMax));
    const { ends, timestampsAt } = this.#stream;
    this.#made += ends.length;
    const isWhole = ends.length < eventsMax;
    if (isWhole)
      this.#blocks.push({ bytes, ends: [...ends], timestampsAt: [...timestampsAt], timestamp });
    return bytes;
  }
}
