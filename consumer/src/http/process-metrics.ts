import { collectDefaultMetrics, Registry } from 'prom-client';

const LEFT_OUT = [
  // The version of what this runs on is nobody's affair.
  'nodejs_version_info',
  // Gauges whose names end as a counter's have to, which Prometheus' own check refuses.
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

let registry: Registry | undefined;

/**
 * The numbers of this process: CPU, memory, descriptors, event loop, garbage collection. One for the
 * process, as they are: each further one would keep a timer and an observer of its own for ever.
 */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
    for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  }
  return registry;
}
