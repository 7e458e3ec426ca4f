/**
 * The clients of `npm run bench -- clients`, in a process of their own: each asks again as soon as it has
 * its answer. Prints an LF when it has begun, and what it was given once it is told to end.
 *
 *   node dist-bench/attack.js PORT CLIENTS ATTACK
 */
import http from 'node:http';

/** Paths by the number of the client and of its request; clients with the same path ask the same. */
export const ATTACKS = {
  'all words, flat': ['GET', () => '/events/countWords'],
  'all words, HEAD': ['HEAD', () => '/events/countWords?format=list'],
  'two hours of words': ['GET', () => '/events/countWords?window=2h&until=latest'],
  'windows of their own': [
    'GET',
    (client, n) => `/events/countWords?window=${3600 + ((client * 977 + n) % 3600)}s&until=latest`,
  ],
  'series of their own': [
    'GET',
    (client, n) =>
      `/events/series?of=words&window=${6000 + 60 * ((client + n) % 20)}s&step=1m&until=latest&limit=${1 + (client % 100)}`,
  ],
  'live pages': ['GET', (client, n) => `/?window=${3600 + ((client + n) % 3600)}s&until=latest`],
  stats: ['GET', () => '/stats'],
  streams: [
    'GET',
    (client) => `/events/stream?window=${3600 + client}s&until=latest&limit=10000&interval=250ms`,
  ],
} as const satisfies Readonly<
  Record<string, readonly [method: string, path: (client: number, n: number) => string]>
>;
export type Attack = keyof typeof ATTACKS | 'all of these';

export interface AttackReport {
  /** How many answers there were of each status; 0: none was had. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly bytes: number;
}

if (process.argv[2] !== undefined && import.meta.filename === process.argv[1]) {
  attack(Number(process.argv[2]), Number(process.argv[3]), process.argv[4] as Attack);
}

function attack(port: number, clients: number, name: Attack): void {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  const statuses: Record<number, number> = {};
  let bytes = 0;
  const count = (status: number) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const names = Object.keys(ATTACKS) as (keyof typeof ATTACKS)[];
  const ask = (client: number, n: number) => {
    const [method, path] =
      ATTACKS[
        name === 'all of these' ? (names[client % names.length] as keyof typeof ATTACKS) : name
      ];
    const request = http.request(
      { port, host: '127.0.0.1', method, path: path(client, n), agent },
      (response) => {
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on('end', () => {
          count(response.statusCode as number);
          ask(client, n + 1);
        });
        response.on('error', () => count(0));
      },
    );
    request.on('error', () => {
      count(0);
      setTimeout(() => ask(client, n + 1), 100);
    });
    request.end();
  };
  for (let client = 0; client < clients; client++) ask(client, 0);
  process.on('SIGTERM', () => {
    const report: AttackReport = { statuses, bytes };
    process.stdout.write(JSON.stringify(report), () => process.exit());
  });
  process.stdout.write('\n');
}
