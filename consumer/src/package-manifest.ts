import fs from 'node:fs';

/** What this package says of itself. */
export const { version: VERSION, description: DESCRIPTION } = JSON.parse(
  fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { readonly version: string; readonly description: string };
