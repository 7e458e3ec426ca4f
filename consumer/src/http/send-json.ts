import type { Context } from 'koa';

/** JSON text with a line end, so that a terminal's prompt begins on a line of its own. */
export function jsonBody(text: string): Buffer {
  return Buffer.from(`${text}\n`);
}

/** Sends what jsonBody has made. */
export function sendJson(context: Context, body: Buffer): void {
  context.type = 'application/json';
  context.set('Cache-Control', 'no-cache');
  context.body = body;
}
