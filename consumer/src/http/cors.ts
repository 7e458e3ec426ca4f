import cors from '@koa/cors';
import type { Middleware } from 'koa';

/** How long a browser may keep the answer to a preflight, in seconds: as long as any browser does. */
const MAX_AGE_SECONDS = 86_400;

/**
 * Lets pages of other origins read the answers to GET and HEAD, problems too, without credentials. No
 * page may post: a preflight names no such method, and the answer to a POST is never for it to read.
 */
export function corsForReads(origins: readonly string[]): Middleware {
  return cors({
    origin: (context) => {
      if (!['GET', 'HEAD', 'OPTIONS'].includes(context.method)) return '';
      if (origins.includes('*')) return '*';
      const origin = context.get('Origin');
      return origins.includes(origin) ? origin : '';
    },
    allowMethods: ['GET', 'HEAD'],
    allowHeaders: ['If-None-Match'],
    exposeHeaders: ['ETag', 'Retry-After'],
    maxAge: MAX_AGE_SECONDS,
  });
}
