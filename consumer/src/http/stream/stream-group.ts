import type { StreamClient } from './stream-client.js';
import { type Frame, type StreamManner, type StreamSnapshot, toFrame } from './stream-frame.js';

interface Newcomer {
  resolve(frame: Frame | null): void;
  reject(error: unknown): void;
}

/** The clients of a StreamFeed that are told in the same manner. */
export class StreamGroup {
  readonly manner: StreamManner;
  readonly clients = new Set<StreamClient>();
  /** Clients that have a stream, or wait for its first frame. */
  places = 0;
  #dueAt = Number.NEGATIVE_INFINITY;
  #told: StreamSnapshot | null = null;
  #frame: Frame | null = null;
  #newcomers: Newcomer[] = [];

  constructor(manner: StreamManner) {
    this.manner = manner;
  }

  get hasNewcomers(): boolean {
    return this.#newcomers.length > 0;
  }

  /** When the next frame may be sent, as performance.now() has it. */
  get dueAt(): number {
    return this.#told === null ? Number.NEGATIVE_INFINITY : this.#dueAt;
  }

  set dueAt(dueAt: number) {
    this.#dueAt = dueAt;
  }

  /** Whether there is a frame of it. */
  wasTold(snapshot: StreamSnapshot | null): boolean {
    return snapshot !== null && this.#told === snapshot;
  }

  /**
   * Resolves with the next frame, or with the newest one if that is of this snapshot; with null once none
   * is to be expected soon.
   */
  firstFrame(fresh: StreamSnapshot | null): Promise<Frame | null> {
    if (this.#frame !== null && this.wasTold(fresh)) return Promise.resolve(this.#frame);
    this.#told = null;
    return new Promise((resolve, reject) => this.#newcomers.push({ resolve, reject }));
  }

  tell(snapshot: StreamSnapshot): void {
    const frame = toFrame(snapshot, this.manner.limit);
    this.#told = snapshot;
    this.#frame = frame;
    for (const client of this.clients) client.deliver(frame);
    for (const { resolve } of this.#takeNewcomers()) resolve(frame);
  }

  /** Those who have no stream yet are not to wait for its first frame. */
  admit(): void {
    for (const { resolve } of this.#takeNewcomers()) resolve(null);
  }

  /** Those who have no stream yet are refused. */
  refuse(error: unknown): void {
    for (const { reject } of this.#takeNewcomers()) reject(error);
  }

  #takeNewcomers(): Newcomer[] {
    const newcomers = this.#newcomers;
    this.#newcomers = [];
    return newcomers;
  }
}
