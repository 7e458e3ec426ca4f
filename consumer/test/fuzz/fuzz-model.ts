import { REJECTION_REASONS } from '@event-tally/shared/line.js';
import { REJECTED_LINES_MAX, type RejectedLine } from '#consumer/tally/rejected-lines.js';
import type { PlainEvent } from '../support/build-batch.js';
import { LineModel } from '../support/line-model.js';
import { WindowsModel } from '../support/windows-model.js';
import { type FuzzCase, type Read, SOURCES } from './fuzz-case.js';

/** The name of the overflow key in counts. */
const OVERFLOW = '';

/** What a case comes to, as plainly as it can be said: every event is kept. */
export class FuzzModel {
  readonly windows: WindowsModel;
  /** With the names that they are counted under. */
  readonly events: PlainEvent[] = [];
  readonly account = { bytes: 0, lines: 0, blank: 0, too_long: 0, not_json: 0, not_an_event: 0 };
  readonly sources: readonly { lines: number; bytes: number }[];
  /** Since the start or the last restart. */
  rejectedLines: RejectedLine[] = [];
  readonly #lines: readonly LineModel[];
  readonly #keys: Readonly<Record<'types' | 'words', KeyModel>>;

  constructor({ mapping, bounds, begin }: FuzzCase) {
    const { typesMax, wordsMax, keyBytesMax, lineBytesMax, retentionSeconds } = bounds;
    this.windows = new WindowsModel(retentionSeconds, 1, begin);
    this.#lines = Array.from({ length: SOURCES }, () => new LineModel(mapping, lineBytesMax));
    this.sources = this.#lines.map(() => ({ lines: 0, bytes: 0 }));
    this.#keys = {
      types: new KeyModel(typesMax, keyBytesMax),
      words: new KeyModel(wordsMax, keyBytesMax),
    };
  }

  read({ source: index, bytes }: Read): void {
    const { events, blank, rejected, rejectedLines } = (this.#lines[index] as LineModel).read(
      bytes,
      this.windows.now,
    );
    const lines = bytes.filter((byte) => byte === 10).length;
    const source = this.sources[index] as { lines: number; bytes: number };
    for (const account of [this.account, source]) {
      account.lines += lines;
      account.bytes += bytes.length;
    }
    this.account.blank += blank;
    for (const reason of REJECTION_REASONS) this.account[reason] += rejected[reason];
    this.rejectedLines = [...this.rejectedLines, ...rejectedLines].slice(-REJECTED_LINES_MAX);
    const counted = events.map(({ type, words, time, value }) => ({
      words: words.map((word) => this.#keys.words.nameOf(word)),
      type: this.#keys.types.nameOf(type),
      time,
      value: value ?? undefined,
    }));
    this.events.push(...counted);
    this.windows.add(0, counted);
  }

  distinct(of: 'types' | 'words'): number {
    return this.#keys[of].distinct;
  }
}

class KeyModel {
  readonly #keysMax: number;
  readonly #keyBytesMax: number;
  readonly #keys = new Set<string>();

  constructor(keysMax: number, keyBytesMax: number) {
    this.#keysMax = keysMax;
    this.#keyBytesMax = keyBytesMax;
  }

  get distinct(): number {
    return this.#keys.size;
  }

  /** The first keys that are not too long have their own names. */
  nameOf(key: string): string {
    if (this.#keys.has(key)) return key;
    if (this.#keys.size === this.#keysMax) return OVERFLOW;
    if (Buffer.byteLength(key) > this.#keyBytesMax) return OVERFLOW;
    this.#keys.add(key);
    return key;
  }
}
