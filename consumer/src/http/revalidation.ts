import etag from 'etag';
import fresh from 'fresh';
import type { Middleware } from 'koa';

/**
 * Gives a whole answer its ETag, and 304 instead of it to whoever has the same. The tag is the answer's
 * hash (7 ms for the 3.7 MB of 200,000 words, which take 100 to make), so it tells what is equal also where
 * a window has moved on, an event has become too old or the process is another one.
 */
export const revalidation: Middleware = async (context, next) => {
  await next();
  if (context.status !== 200) return;
  // A shared answer has its own.
  if (!context.response.get('ETag')) context.response.etag = etag(context.body as string | Buffer);
  // Not context.fresh, which never has a 304 for `Cache-Control: no-cache`: fetch() sends that along with
  // every If-None-Match that a program sets.
  const conditions = { 'if-none-match': context.get('If-None-Match') };
  if (!fresh(conditions, { etag: context.response.get('ETag') })) return;
  context.status = 304;
  context.body = null;
};
