import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Connections } from './connections.js';
import { ProblemError, problemDocument } from './problem.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** Bytes of a request line with its headers. */
const HEADERS_BYTES_MAX = 16_384;

export interface ServerLimits {
  /** A request's headers must be here within this. */
  readonly headersTimeoutMs: number;
  /** A whole request must be here within this. */
  readonly requestTimeoutMs: number;
  /** So long a connection may stand still in the middle of an answer. */
  readonly sendTimeoutMs: number;
  /** How often Node looks for requests that are past their time; by itself every 30 s. */
  readonly checkIntervalMs: number;
}

const SERVER_LIMITS: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  sendTimeoutMs: 60_000,
  checkIntervalMs: 1000,
};
const KEEP_ALIVE_TIMEOUT_MS = 5000;
/** So long a client has to take the answer to what is no request; what else it sends is not read. */
const LINGER_MS = 2000;
/** How long answers in the making may take once the server closes. */
const CLOSE_TIMEOUT_MS = 250;

export interface HttpServer {
  /** The port that it listens on, which is the kernel's choice where port 0 was asked for. */
  readonly port: number;
  /** Takes no new connection, lets the answers in the making out, then ends every connection. */
  close(): Promise<void>;
}

/** Resolves once it listens; rejects with what listen(2) gives (EADDRINUSE, EACCES, …). */
export async function listen(
  handler: http.RequestListener,
  host: string,
  port: number,
  connections = new Connections(),
  limits: Partial<ServerLimits> = {},
): Promise<HttpServer> {
  const { headersTimeoutMs, requestTimeoutMs, sendTimeoutMs, checkIntervalMs } = {
    ...SERVER_LIMITS,
    ...limits,
  };
  const server = http.createServer({
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: checkIntervalMs,
    maxHeaderSize: HEADERS_BYTES_MAX,
    requireHostHeader: false, // Node's own answer has no body and no security headers
  });
  server.timeout = sendTimeoutMs;
  const answer: http.RequestListener = (request, response) => {
    if (connections.begin(request, response)) handler(request, response);
  };
  server.on('request', answer);
  server.on('checkExpectation', answer); // an expectation may be left alone (RFC 9110, 10.1.1)
  server.on('connection', (socket: Socket) => connections.add(socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (connections.mayBeTold(socket)) tell(socket, toProblem(error));
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

/** What is wrong with what Node could not make a request of. */
function toProblem({ code }: NodeJS.ErrnoException): ProblemError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ProblemError('request-timeout', 'The request did not come in time.');
    case 'HPE_HEADER_OVERFLOW': {
      const detail = `The request line and headers must be at most ${HEADERS_BYTES_MAX} bytes together.`;
      return new ProblemError('headers-too-large', detail);
    }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ProblemError('body-too-large', 'The extensions of a chunk are too long.');
    default:
      return new ProblemError('bad-request', 'What came is not HTTP/1.1.');
  }
}

/** Answers without a request, and closes the connection. */
function tell(socket: Socket, problem: ProblemError): void {
  const document = problemDocument(problem);
  const body = `${JSON.stringify(document)}\n`;
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${document.status} ${document.title}\r\n${lines.join('')}\r\n${body}`);
  // To close on what is still coming would take the answer from the client.
  socket.pause();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
