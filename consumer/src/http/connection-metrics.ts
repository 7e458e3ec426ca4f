import { Counter, Gauge, type Registry } from 'prom-client';
import { CLOSE_REASONS, type Connections } from './connections.js';

/** What there is to know of the server's connections; read when it is asked for. */
export function addConnectionMetrics(registry: Registry, connections: Connections): void {
  const registers = [registry];
  new Gauge({
    name: 'event_tally_http_connections',
    help: 'HTTP connections that are open.',
    registers,
    collect() {
      this.set(connections.size);
    },
  });
  new Gauge({
    name: 'event_tally_http_connections_max',
    help: 'HTTP connections that are open at most.',
    registers,
  }).set(connections.sizeMax);
  new Counter({
    name: 'event_tally_http_connections_closed_total',
    help: 'HTTP connections closed for another one (full), for too many requests at once (pipelining), or because clients did not take their answers (unsent).',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const reason of CLOSE_REASONS) this.inc({ reason }, connections.closed[reason]);
    },
  });
}
