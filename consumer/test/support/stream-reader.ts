import { once } from 'node:events';
import http from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import pWaitFor from 'p-wait-for';
import type { StatsDocument } from './consumer-process.js';
import type { ListDocument } from './plain-counts.js';

export interface StreamDocument {
  readonly batch: number;
  readonly at: number;
  readonly stats: StatsDocument;
  readonly types?: ListDocument;
  readonly words?: ListDocument;
  readonly sums?: ListDocument;
}

const open = new Set<StreamReader>();

/** A client of server-sent events. */
export class StreamReader {
  readonly response: http.IncomingMessage;
  readonly events: EventSourceMessage[] = [];
  readonly comments: string[] = [];
  readonly retries: number[] = [];
  hasEnded = false;

  private constructor(response: http.IncomingMessage) {
    this.response = response;
    const parser = createParser({
      onEvent: (event) => this.events.push(event),
      onComment: (comment) => this.comments.push(comment),
      onRetry: (retry) => this.retries.push(retry),
    });
    response.setEncoding('utf8');
    response.on('data', (text: string) => parser.feed(text));
    response.on('error', () => {}); // told by hasEnded
    response.on('close', () => {
      this.hasEnded = true;
    });
    open.add(this);
  }

  /** Resolves when the headers are there. */
  static async open(port: number, query = '', headers = {}): Promise<StreamReader> {
    const path = `/events/stream${query}`;
    const [response] = await once(
      http.get({ port, host: '127.0.0.1', path, headers, agent: false }),
      'response',
    );
    return new StreamReader(response as http.IncomingMessage);
  }

  get documents(): StreamDocument[] {
    return this.events.map(({ data }) => JSON.parse(data) as StreamDocument);
  }

  /** Resolves to the newest document once it fulfils the condition. */
  async waitFor(
    condition: (document: StreamDocument) => boolean = () => true,
  ): Promise<StreamDocument> {
    return pWaitFor(
      () => {
        const newest = this.events.at(-1);
        if (newest === undefined) return false;
        const document = JSON.parse(newest.data) as StreamDocument;
        return condition(document) && pWaitFor.resolveWith(document);
      },
      { interval: 10, timeout: 20_000 },
    );
  }

  async end(): Promise<void> {
    await pWaitFor(() => this.hasEnded, { interval: 10, timeout: 20_000 });
  }

  /** Leaves. */
  close(): void {
    open.delete(this);
    this.response.destroy();
  }
}

/** For afterEach. */
export function closeStreams(): void {
  for (const reader of open) reader.close();
}
