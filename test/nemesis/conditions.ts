import os from 'node:os';

/** What a measurement depends on. */
export function conditions(): string {
  const cpu = os.cpus()[0]?.model ?? 'unknown';
  const gibibytes = (os.totalmem() / 2 ** 30).toFixed(0);
  const load = os.loadavg()[0]?.toFixed(1);
  return `${cpu}, ${os.availableParallelism()} cores, ${gibibytes} GiB, ${os.type()} ${os.release()}, Node ${process.version}, load before ${load}`;
}
