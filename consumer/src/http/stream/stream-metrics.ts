import { Counter, Gauge, type Registry } from 'prom-client';
import type { StreamHub } from './stream-hub.js';

/** What there is to know of all streams; read when it is asked for. */
export function addStreamMetrics(registry: Registry, streams: StreamHub): void {
  const registers = [registry];
  new Gauge({
    name: 'event_tally_stream_clients',
    help: 'Clients that have a stream, or wait for one.',
    registers,
    collect() {
      this.set(streams.clients);
    },
  });
  new Gauge({
    name: 'event_tally_stream_clients_max',
    help: 'Clients that have a stream at most.',
    registers,
  }).set(streams.clientsMax);
  const counters: [name: string, help: string, value: () => number][] = [
    ['frames_sent', 'Frames sent to clients of streams.', () => streams.framesSent],
    [
      'frames_skipped',
      'Frames that a client was not sent, as it had not taken the one before.',
      () => streams.framesSkipped,
    ],
    ['clients_refused', 'Clients for which there was no place.', () => streams.clientsRefused],
  ];
  for (const [name, help, value] of counters) {
    new Counter({
      name: `event_tally_stream_${name}_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }
}
