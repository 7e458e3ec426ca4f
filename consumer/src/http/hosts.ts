import { isHostAllowed } from 'host-validation-middleware';
import type { Context, Middleware } from 'koa';
import { ProblemError } from './problem.js';

/** The service's name in docker-compose.yml, by which Prometheus asks. */
const SERVICE_NAME = 'consumer';
/** A name or an address, and a port. The library would allow any name before a colon that looks like a scheme. */
const HOST = /^(?<name>\[[\da-f.:]*\]|[^:]*)(?::\d*)?$/;

/**
 * Refuses requests for another host than this one, against DNS rebinding: a page of another site whose
 * name has been pointed here would read the answers as its own. Addresses are no names, so that none can
 * be pointed anywhere, and localhost is nobody else's: those are always allowed.
 *
 * `names` as ALLOWED_HOSTS has them; `host` is what the server listens on.
 */
export function allowedHosts(names: readonly string[], host: string): Middleware {
  // Not frozen: of a frozen list the library keeps every Host that it has allowed.
  const all = [SERVICE_NAME, host, ...names].map((name) => name.toLowerCase());
  return async (context, next) => {
    const header = hostOf(context);
    const name = header === null ? undefined : HOST.exec(header.toLowerCase())?.groups?.name;
    const isAllowed = header === null || (name !== undefined && isHostAllowed(name, all));
    if (!isAllowed && !names.includes('*')) {
      throw new ProblemError(
        'host-not-allowed',
        `Host is ${JSON.stringify(header)}: it must be an address, localhost or one of ALLOWED_HOSTS.`,
      );
    }
    await next();
  };
}

/** null where there is none, which HTTP/1.0 allows. */
function hostOf({ req }: Context): string | null {
  const hosts = req.headersDistinct.host ?? [];
  const [first = null] = hosts;
  if (hosts.length > 1 || (first === null && req.httpVersion !== '1.0')) {
    throw new ProblemError('bad-request', 'A request must have one Host.');
  }
  return first;
}
