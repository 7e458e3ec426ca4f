import pTimeout from 'p-timeout';
import { IngestUnavailableError } from '../ingest/ingest-client.js';
import { Pace, type PaceClock, type Rest } from './pace.js';

/** Pieces of work that wait for their turn. */
const WAITING_MAX = 256;
/** Those of one asker: others are to have their turn as well. */
const WAITING_OF_ASKER_MAX = 4;
/** So long somebody waits for a piece of work, from its asking to its end. */
const WAIT_MS_MAX = 10_000;

/** Who asks: a socket. */
export interface Asker {
  /** It has gone. */
  readonly destroyed: boolean;
}

interface Waiting {
  readonly askers: { readonly asker: Asker; readonly until: number }[];
  readonly result: Promise<unknown>;
}

export interface SharedWorkOptions {
  /** Without it there are none. */
  readonly rest?: Rest;
  readonly waitingMax?: number;
  readonly waitMsMax?: number;
  readonly clock?: PaceClock;
}

/**
 * Work that many may ask for at once: it is done one piece after another, with rests, and the same piece
 * once for all who have asked for it before it was begun. Who asks later is not given what was found out
 * earlier: it may lack what the asker knows to have happened.
 */
export class SharedWork {
  readonly #pace: Pace;
  readonly #waitingMax: number;
  readonly #waitMsMax: number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: SharedWorkOptions = {}) {
    this.#pace = new Pace(options.rest ?? (() => 0), options.clock);
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
    this.#waitMsMax = options.waitMsMax ?? WAIT_MS_MAX;
  }

  /**
   * Resolves and rejects as the work of that name does; the work of the first who asks is done. Rejects
   * with IngestUnavailableError where too much waits, or too much that this asker wants, or it takes too long.
   */
  async run<T>(name: string, asker: Asker, work: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(name) ?? this.#begin(name, asker, work);
    waiting.askers.push({ asker, until: performance.now() + this.#waitMsMax });
    return pTimeout(waiting.result as Promise<T>, {
      milliseconds: this.#waitMsMax,
      fallback: () => {
        throw tooMuch();
      },
    });
  }

  #begin(name: string, first: Asker, work: () => Promise<unknown>): Waiting {
    const ofAsker = [...this.#waiting.values()].filter(({ askers }) => askers[0]?.asker === first);
    if (this.#waiting.size >= this.#waitingMax || ofAsker.length >= WAITING_OF_ASKER_MAX) {
      throw tooMuch();
    }
    const askers: Waiting['askers'] = [];
    const result = this.#pace.run(() => {
      this.#waiting.delete(name);
      const now = performance.now();
      if (askers.every(({ asker, until }) => asker.destroyed || until < now)) throw tooMuch();
      return work();
    });
    const waiting = { askers, result };
    this.#waiting.set(name, waiting);
    return waiting;
  }
}

function tooMuch(): IngestUnavailableError {
  return new IngestUnavailableError('too much is asked at once');
}
