import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pWaitFor from 'p-wait-for';
import { type AppDependencies, createApp } from '#consumer/http/app.js';
import { Connections } from '#consumer/http/connections.js';
import { type HttpServer, listen } from '#consumer/http/server.js';
import { StreamHub, type StreamHubOptions } from '#consumer/http/stream/stream-hub.js';
import {
  IngestPool,
  type IngestPoolOptions,
  type PoolState,
} from '#consumer/ingest/ingest-pool.js';
import { makeFifo, writeFifo } from './fifo-writer.js';
import { POOL_OPTIONS } from './pool-options.js';

export interface ServiceOptions
  extends Partial<IngestPoolOptions & AppDependencies['config'] & StreamHubOptions> {
  readonly started?: boolean;
  /** Whether it keeps its counts, in the folder state beside the FIFOs. */
  readonly keepsState?: boolean;
}

/** The whole consumer but for its process: threads, FIFO folder, HTTP. */
export class Service {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'event-tally-'));
  readonly log: unknown[][] = [];
  readonly ingest: IngestPool;
  readonly streams: StreamHub;
  readonly connections = new Connections();
  readonly #options: ServiceOptions;
  #server: HttpServer | null = null;
  #bytesWritten = 0;

  constructor(options: ServiceOptions = {}) {
    this.#options = options;
    const poolOptions = { ...POOL_OPTIONS, fifoDir: this.directory, ...options };
    const state = options.keepsState ? this.#state() : null;
    this.ingest = new IngestPool(poolOptions, (...line) => this.log.push(line), state);
    this.streams = new StreamHub(this.ingest, { clientsMax: 100, ...options });
  }

  /** One for the enclosing describe. */
  static use(options: ServiceOptions = {}): () => Service {
    let service: Service;
    before(async () => {
      service = new Service(options);
      await service.open();
    });
    after(() => service.close());
    return () => service;
  }

  async open(): Promise<void> {
    const config = {
      ...POOL_OPTIONS,
      ingestToken: null,
      corsOrigins: [],
      allowedHosts: [],
      host: '127.0.0.1',
      postBytesMax: 1_048_576,
      postQueueBytesMax: 16_777_216,
      metricsTopTypes: 0,
      ...this.#options,
      fifoDir: this.directory,
    };
    const log = (...line: unknown[]) => void this.log.push(line);
    const { ingest, streams, connections } = this;
    const app = createApp({ ingest, streams, connections, log, config });
    this.#server = await listen(app.callback(), '127.0.0.1', 0, connections);
    if (this.#options.started === false) return;
    this.ingest.start();
    await pWaitFor(() => this.ingest.state === 'running');
  }

  #state(): PoolState {
    const folder = path.join(this.directory, 'state', '0');
    return {
      threads: [{ folder, from: [] }],
      hasJournal: true,
      checkpointIntervalMs: 1000,
      journalSyncIntervalMs: 1000,
      journalBytesMax: 67_108_864,
      onBegun: () => {},
      onDamaged: (problem) => void this.log.push(['error', problem]),
    };
  }

  async close(): Promise<void> {
    await this.ingest.stop();
    this.streams.close();
    await this.#server?.close();
    fs.rmSync(this.directory, { recursive: true });
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, init);
  }

  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const response = await this.fetch(path);
    if (response.status !== 200) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Writes lines to a FIFO, which is made if it is missing, and waits until they are counted. */
  async read(text: string, name = 'events-a.fifo'): Promise<void> {
    if (!fs.existsSync(this.file(name))) makeFifo(this.file(name));
    await writeFifo(this.file(name), text);
    this.#bytesWritten += Buffer.byteLength(text);
    await pWaitFor(async () => (await this.ingest.stats()).bytes === this.#bytesWritten);
  }
}
