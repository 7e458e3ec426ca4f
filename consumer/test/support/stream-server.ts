import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Frame } from '#consumer/top/frames.js';

type Answer = (response: http.ServerResponse) => void;

/** Serves GET /events/stream as a test says: by default, it is open and sends what it is told to. */
export class StreamServer {
  /** Of the requests that came, their targets. */
  readonly targets: string[] = [];
  /** Answers the next requests instead of the stream, as long as it is set. */
  answer: Answer | null = null;
  readonly #server: http.Server;
  readonly #open = new Set<http.ServerResponse>();
  #last = '';

  private constructor() {
    this.#server = http.createServer((request, response) => {
      this.targets.push(request.url as string);
      if (this.answer !== null) {
        this.answer(response);
        return;
      }
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(`retry: 50\n\n${this.#last}`);
      this.#open.add(response);
      response.on('close', () => this.#open.delete(response));
    });
  }

  static use(): () => StreamServer {
    let server: StreamServer;
    beforeEach(async () => {
      server = new StreamServer();
      server.#server.listen(0, '127.0.0.1');
      await once(server.#server, 'listening');
    });
    afterEach(async () => {
      server.#server.close();
      server.#server.closeAllConnections();
    });
    return () => server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** How many streams are open. */
  get clients(): number {
    return this.#open.size;
  }

  /** To all clients now, and to each that comes. */
  send(frame: Frame): void {
    this.sendText(`event: counts\nid: 1\ndata: ${JSON.stringify(frame)}\n\n`);
  }

  sendText(text: string): void {
    this.#last = text;
    for (const response of this.#open) response.write(text);
  }

  /** Ends all streams. */
  end(): void {
    for (const response of this.#open) response.end();
  }

  /** Breaks all streams off, as a server that is killed does. */
  drop(): void {
    for (const response of this.#open) response.destroy();
  }
}

export function problemAnswer(status: number, detail: string): Answer {
  return (response) => {
    response.writeHead(status, { 'Content-Type': 'application/problem+json' });
    response.end(JSON.stringify({ status, detail }));
  };
}
