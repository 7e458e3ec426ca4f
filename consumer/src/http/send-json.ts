import type { Context } from 'koa';

/** Sends JSON text with a line end, so that a terminal's prompt begins on a line of its own. */
export function sendJson(context: Context, text: string): void {
  context.type = 'application/json';
  context.set('Cache-Control', 'no-cache');
  context.body = `${text}\n`;
}
