import fs from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FieldMapping } from '@event-tally/shared/event.js';
import type Router from '@koa/router';
import { openApiDocument } from './openapi/document.js';
import { revalidation } from './revalidation.js';
import { jsonBody, sendJson } from './send-json.js';

/** Swagger UI sets styles by script alone, and its icons are data: URLs. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Swagger UI's own files, and what they are. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>event-tally: the HTTP interface</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <script defer src="/docs/swagger-ui-bundle.js"></script>
    <script defer src="/docs/start.js"></script>
  </head>
  <body>
    <noscript>This page needs JavaScript; <a href="/openapi.json">openapi.json</a> does not.</noscript>
    <main id="docs"></main>
  </body>
</html>
`;

const START_SCRIPT = `const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', validatorUrl: null, deepLinking: true });
`;

/** GET /openapi.json, which describes what the router serves by the time it is asked for, and GET /docs. */
export function addDescriptionRoutes(router: Router, mapping: FieldMapping): void {
  let document: Buffer | null = null;

  router.get('/openapi.json', revalidation, (context) => {
    document ??= jsonBody(
      JSON.stringify(
        openApiDocument(mapping, (operation) => {
          const [method, path] = operation.split(' ') as [string, string];
          return router.stack.some(
            (layer) => layer.path === path && layer.methods.includes(method),
          );
        }),
      ),
    );
    sendJson(context, document);
  });

  router.get('/docs', (context) => {
    context.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    context.set('Cache-Control', 'no-cache');
    context.type = 'text/html';
    context.body = PAGE;
  });

  router.get('/docs/start.js', (context) => {
    context.set('Cache-Control', 'no-cache');
    context.type = 'text/javascript';
    context.body = START_SCRIPT;
  });

  for (const [name, type] of Object.entries(FILES)) {
    router.get(`/docs/${name}`, revalidation, async (context) => {
      context.set('Cache-Control', 'no-cache');
      context.type = type;
      context.body = await fs.readFile(
        fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`)),
      );
    });
  }
}
