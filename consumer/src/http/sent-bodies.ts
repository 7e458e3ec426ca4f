import type { Middleware } from 'koa';
import type { Connections } from './connections.js';

/** Has the bodies of answers, problems too, counted until their clients have taken them. */
export function sentBodies(connections: Connections): Middleware {
  return async (context, next) => {
    await next();
    const { body } = context;
    if (body === null || body === undefined || context.method === 'HEAD') return;
    if (typeof body === 'string') context.body = Buffer.from(body);
    connections.send(context.req, context.res, context.body as Buffer);
  };
}
