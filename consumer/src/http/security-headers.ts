import type { Middleware } from 'koa';

/**
 * On every answer, Node's own included. Those are text that is written to a socket, which no middleware
 * sees; so this is a table, not helmet, whose other headers are for HTTPS. A page has a policy of its own.
 */
export const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  // Of what a page of another origin embeds; what it may fetch is a matter of CORS.
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

export const securityHeaders: Middleware = async (context, next) => {
  context.set(SECURITY_HEADERS);
  await next();
};
