import { InvalidArgumentError } from 'commander';
import { CAPACITY_MAX, DROP_POLICIES, type DropPolicy } from './bounded-buffer.js';
import { wholeNumber } from './options.js';

const INTERVAL_MS_MAX = 3_600_000;

export interface RelayConfig {
  readonly whenFull: DropPolicy;
  readonly bufferEvents: number;
  /** 0: lines go on as soon as they are there. */
  readonly intervalMs: number;
}

export type ParsedRelayConfig =
  | { readonly ok: true; readonly config: RelayConfig }
  | { readonly ok: false; readonly problems: readonly string[] };

export const RELAY_CONFIG_HELP = `
Environment:
  WHEN_FULL          which lines are dropped when the buffer is full: ${DROP_POLICIES.join(' or ')}
  BUFFER_EVENTS      lines that the buffer holds, 1 to ${CAPACITY_MAX}, of 64 MiB together (default: 10000)
  RELAY_INTERVAL_MS  how often the buffer is drained, 0 to ${INTERVAL_MS_MAX} ms; 0: at once (default: 0)
`;

function parseDropPolicy(text: string): DropPolicy {
  const policy = DROP_POLICIES.find((known) => known === text);
  if (policy !== undefined) return policy;
  throw new InvalidArgumentError(`It must be ${DROP_POLICIES.join(' or ')}.`);
}

/** A number that is unset or empty has its default. All problems are told, each in one line. */
export function parseRelayConfig(env: NodeJS.ProcessEnv): ParsedRelayConfig {
  const problems: string[] = [];

  function read<T>(name: string, parse: (text: string) => T, ifEmpty: string): T | undefined {
    const text = env[name] || ifEmpty;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      problems.push(`${name} is '${text}'. ${error.message}`);
      return undefined;
    }
  }

  const whenFull = read('WHEN_FULL', parseDropPolicy, '');
  const bufferEvents = read('BUFFER_EVENTS', wholeNumber(1, CAPACITY_MAX), '10000');
  const intervalMs = read('RELAY_INTERVAL_MS', wholeNumber(0, INTERVAL_MS_MAX), '0');
  if (whenFull === undefined || bufferEvents === undefined || intervalMs === undefined) {
    return { ok: false, problems };
  }
  return { ok: true, config: Object.freeze({ whenFull, bufferEvents, intervalMs }) };
}
