import type { Log } from '../log.js';
import { ReferenceScanner } from '../scan/reference-scanner.js';
import { FifoDirectory } from '../sources/fifo-directory.js';
import type { ByteSink } from '../sources/source.js';
import { KeyTable } from '../tally/key-table.js';
import { Tally } from '../tally/tally.js';
import type { CountsAnswer, CountsQuery, IngestOptions, IngestStats, Query } from './protocol.js';

export interface IngestClock {
  /** Unix seconds: the arrival time of what is read now. */
  now(): number;
  /** Seconds that no setting of the clock can move. */
  monotonicSeconds(): number;
}

interface SourceCounts {
  lines: number;
}

/** The ingest thread's content: sources → scan → tally, and the answers to queries. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #clock: IngestClock;
  readonly #tables: { readonly types: KeyTable; readonly words: KeyTable };
  readonly #tally: Tally;
  readonly #fifos: FifoDirectory;
  readonly #countsBySource = new Map<string, SourceCounts>();
  /** How many ids of each kind the asker knows; it knows without being told that id 0 is overflow. */
  readonly #keysGiven = { types: 1, words: 1 };
  #lastLineAt: number | null = null;

  constructor(options: IngestOptions, clock: IngestClock, log: Log) {
    const { keyBytesMax } = options;
    this.#options = options;
    this.#clock = clock;
    this.#tables = {
      types: new KeyTable({ keysMax: options.eventTypesMax, keyBytesMax }),
      words: new KeyTable({ keysMax: options.wordsMax, keyBytesMax }),
    };
    this.#tally = new Tally(this.#tables);
    this.#fifos = new FifoDirectory({
      directory: options.fifoDir,
      connect: (name) => this.#connect(name),
      log,
    });
  }

  start(): void {
    this.#fifos.start();
  }

  /** Stops reading. What was read is counted by then: a read is scanned and tallied as it comes. */
  stop(): void {
    this.#fifos.stop();
  }

  answer(query: Query): CountsAnswer | IngestStats {
    switch (query.kind) {
      case 'counts':
        return this.#counts(query);
      case 'stats':
        return this.#stats();
      default:
        throw new Error(`unknown query ${JSON.stringify(query satisfies never)}`);
    }
  }

  /** A scanner for each opening of a FIFO: a line that one FIFO left unfinished never meets another's. */
  #connect(name: string): ByteSink {
    const scanner = new ReferenceScanner({ ...this.#options, ...this.#tables });
    const counts = this.#countsBySource.get(name) ?? { lines: 0 };
    this.#countsBySource.set(name, counts);
    return (bytes) => {
      const batch = scanner.scan(bytes, this.#clock.now());
      this.#tally.add(batch);
      counts.lines += batch.lines;
      if (batch.lines > 0) this.#lastLineAt = this.#clock.monotonicSeconds();
    };
  }

  #counts({ of }: CountsQuery): CountsAnswer {
    const newKeys = this.#tables[of].keysFrom(this.#keysGiven[of]);
    this.#keysGiven[of] += newKeys.length;
    return { of, counts: this.#tally.counts(of), newKeys };
  }

  #stats(): IngestStats {
    const lastLineAt = this.#lastLineAt;
    return {
      ...this.#tally.stats(),
      lastLineSecondsAgo: lastLineAt === null ? null : this.#clock.monotonicSeconds() - lastLineAt,
      sources: Array.from(this.#fifos.statuses(), ([name, status]) => ({
        name,
        ...status,
        lines: this.#countsBySource.get(name)?.lines ?? 0,
      })),
      fifoDirFault: this.#fifos.fault,
    };
  }
}
