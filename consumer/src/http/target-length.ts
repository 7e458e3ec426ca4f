import type { Middleware } from 'koa';
import { ProblemError } from './problem.js';

/** Characters of a request target; RFC 9112 wants servers to take 8,000. */
const TARGET_LENGTH_MAX = 8192;

export const targetLength: Middleware = async (context, next) => {
  if (context.url.length > TARGET_LENGTH_MAX) {
    const detail = `The request target must be at most ${TARGET_LENGTH_MAX} characters.`;
    throw new ProblemError('target-too-long', detail);
  }
  await next();
};
