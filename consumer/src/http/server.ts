import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request's headers must be here within this. */
const HEADERS_TIMEOUT_MS = 10_000;
/** A whole request must be here within this. */
const REQUEST_TIMEOUT_MS = 15_000;
/** How often Node looks for requests that are past those; by itself every 30 s. */
const CHECK_INTERVAL_MS = 1000;
const KEEP_ALIVE_TIMEOUT_MS = 5000;
/** Connections at once; a further one is closed at its start. */
const CONNECTIONS_MAX = 512;
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
): Promise<HttpServer> {
  const server = http.createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    handler,
  );
  server.maxConnections = CONNECTIONS_MAX;
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
