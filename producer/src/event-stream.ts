// The bundled generator's events as bytes, without clock, chance or output of its own: the same
// options give the same bytes.
//
// Lines are put together in one block that is used again and again. Each is a copy of a ready head
// (event type and words) and a ready tail (timestamp).
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const EVENT_TYPES = ['foo', 'bar', 'baz'] as const;
const WORDS = ['lorem', 'ipsum', 'dolor', 'sit', 'amet'] as const;
const CORRUPT_HEAD = Buffer.from('{ "');
const CORRUPT_BYTES = 10;
const LF = 0x0a;

const BLOCK_BYTES = 65_536;
const TAIL_BYTES_MAX = 32;

/** Each type with one, two and three words, each number of words equally often. */
function makeHeads(): Buffer[] {
  const heads: Buffer[] = [];
  for (const type of EVENT_TYPES) {
    for (const words of [1, 2, 3]) {
      for (const first of WORDS) {
        for (const second of WORDS) {
          for (const third of WORDS) {
            const data = [first, second, third].slice(0, words).join(' ');
            heads.push(Buffer.from(`{ "event_type": "${type}", "data": "${data}", "timestamp": `));
          }
        }
      }
    }
  }
  return heads;
}

export interface EventStreamOptions {
  /** A 32-bit whole number. */
  seed: number;
  /** 0 to 1: the share of events that are `{ "` and ten random bytes instead. */
  corruptShare: number;
  /** Timestamps are moved back by 0 to that many whole seconds, both in. */
  jitterSecondsMax: number;
  /** Unix seconds of the event with that index, from 0; what is below the second is cut off. */
  timestampAt: (index: number) => number;
}

export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #random;
  readonly #heads = makeHeads();
  readonly #eventBytesMax = Math.max(...this.#heads.map((head) => head.length)) + TAIL_BYTES_MAX;
  readonly #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #tailSeconds = -1;
  #tail = Buffer.alloc(0);
  #made = 0;
  readonly #ends: number[] = [];
  readonly #timestampsAt: number[] = [];

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#random = xoroshiro128plus(options.seed);
    // The first numbers still look like the seed, and are much the same for 1 and for 2.
    for (let skipped = 0; skipped < 32; skipped++) this.#random.next();
  }

  /** Events made so far, corrupt ones too. */
  get made(): number {
    return this.#made;
  }

  /** Where the events end in the block that was given last, and where the timestamps begin in it. */
  get ends(): readonly number[] {
    return this.#ends;
  }

  get timestampsAt(): readonly number[] {
    return this.#timestampsAt;
  }

  /**
   * The next events, at most `eventsMax` and at most about 64 KiB of them: see `made` for how many
   * it were. The bytes are good until the next call.
   */
  next(eventsMax: number): Uint8Array {
    const last = this.#made + eventsMax;
    let end = 0;
    this.#ends.length = 0;
    this.#timestampsAt.length = 0;
    while (this.#made < last && end + this.#eventBytesMax <= BLOCK_BYTES) {
      end =
        this.#fraction() < this.#options.corruptShare ? this.#putCorrupt(end) : this.#putEvent(end);
      this.#ends.push(end);
      this.#made++;
    }
    return this.#block.subarray(0, end);
  }

  /** From 0 to below 1. */
  #fraction(): number {
    return (this.#random.next() >>> 0) / 2 ** 32;
  }

  #putEvent(start: number): number {
    const head = this.#heads[Math.floor(this.#fraction() * this.#heads.length)]!;
    this.#block.set(head, start);
    const tail = this.#tailFor(this.#nextSeconds());
    this.#timestampsAt.push(start + head.length);
    this.#block.set(tail, start + head.length);
    return start + head.length + tail.length;
  }

  #nextSeconds(): number {
    const { jitterSecondsMax, timestampAt } = this.#options;
    const seconds = Math.floor(timestampAt(this.#made));
    if (jitterSecondsMax === 0) return seconds;
    const back = Math.floor(this.#fraction() * (jitterSecondsMax + 1));
    return Math.max(0, seconds - back);
  }

  #tailFor(seconds: number): Buffer {
    if (seconds !== this.#tailSeconds) {
      this.#tailSeconds = seconds;
      this.#tail = Buffer.from(`${seconds} }\n`);
    }
    return this.#tail;
  }

  #putCorrupt(start: number): number {
    this.#block.set(CORRUPT_HEAD, start);
    let at = start + CORRUPT_HEAD.length;
    const end = at + CORRUPT_BYTES;
    while (at < end) {
      let bits = this.#random.next();
      for (const stop = Math.min(at + 4, end); at < stop; at++) {
        this.#block[at] = bits;
        bits >>>= 8;
      }
    }
    this.#block[end] = LF;
    return end + 1;
  }
}
