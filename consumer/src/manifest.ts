import fs from 'node:fs';

/** What package.json says of the consumer. */
export const MANIFEST = JSON.parse(
  fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { readonly version: string; readonly description: string };
