import { expect } from 'chai';
import { SECURITY_HEADERS } from '#consumer/http/security-headers.js';
import { VERSION } from '#consumer/package-manifest.js';
import { event } from '../support/fifo-writer.js';
import { Service } from '../support/service.js';

const TOKEN = 'token';
const POST = {
  method: 'POST',
  headers: { 'Content-Type': 'application/x-ndjson', Authorization: `Bearer ${TOKEN}` },
};
const ORIGIN = 'https://a.example';

/** Each status that there is at least once. */
const REQUESTS: readonly (readonly [status: number, path: string, init?: RequestInit])[] = [
  [200, '/events/countWords'],
  [200, '/events/countWords?format=csv'],
  [200, '/events/countWords', { method: 'HEAD' }],
  [200, '/stats', { method: 'OPTIONS' }],
  [200, '/stats', { headers: { Origin: ORIGIN } }],
  [200, '/events/stream'],
  [200, '/events/stream', { method: 'HEAD' }],
  [200, '/events', { ...POST, body: event('a') }],
  [200, '/metrics'],
  [200, '/livez'],
  [200, '/openapi.json'],
  [200, '/docs/swagger-ui.css'],
  [200, '/dashboard/page.js'],
  [
    204,
    '/stats',
    { method: 'OPTIONS', headers: { Origin: ORIGIN, 'Access-Control-Request-Method': 'GET' } },
  ],
  [304, '/events/countWords', { headers: { 'If-None-Match': '*' } }],
  [400, '/events/countWords?limit=0'],
  [
    400,
    '/events',
    { ...POST, headers: { ...POST.headers, 'Content-Type': 'application/json' }, body: '{' },
  ],
  [401, '/events', { method: 'POST', body: event('a') }],
  [404, '/nothing'],
  [405, '/stats', { method: 'DELETE' }],
  [413, '/events', { ...POST, body: 'x'.repeat(1001) }],
  [414, `/${'a'.repeat(9000)}`],
  [
    415,
    '/events',
    { ...POST, headers: { ...POST.headers, 'Content-Type': 'image/png' }, body: 'x' },
  ],
];
const UNAVAILABLE: typeof REQUESTS = [
  [503, '/readyz'],
  [503, '/stats'],
  [503, '/events/countWords'],
  [503, '/events', { ...POST, body: event('a') }],
];
const PAGES = ['/', '/?window=soon', '/docs'];

describe('what every answer has, and what none has', () => {
  const options = { ingestToken: TOKEN, postBytesMax: 1000, corsOrigins: [ORIGIN] };
  const service = Service.use(options);
  const unstarted = Service.use({ ...options, started: false });
  const all = [
    ...REQUESTS.map((request) => [service, ...request] as const),
    ...UNAVAILABLE.map((request) => [unstarted, ...request] as const),
  ];

  for (const [target, status, path, init] of all) {
    const what = `${init?.method ?? 'GET'} ${path.slice(0, 40)}, ${status}`;

    it(`has the security headers: ${what}`, async () => {
      const response = await target().fetch(path, init);
      await response.body?.cancel();
      expect(response.status).to.equal(status);
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
        expect(response.headers.get(name), name).to.equal(value);
      }
    });

    it(`tells nothing of what it runs on: ${what}`, async () => {
      const response = await target().fetch(path, init);
      const headers = [...response.headers].map((header) => header.join(': ')).join('\n');
      const isError = response.status >= 400;
      const text = isError ? headers + (await response.text()) : headers;
      if (!isError) await response.body?.cancel();
      expect(text).not.to.match(/\bnode|\bkoa|express|powered|^server:/im);
      expect(text).not.to.include(VERSION).and.not.include(process.versions.node);
      // A stack trace, or a path on this machine.
      expect(text).not.to.match(/\n\s+at |\.[jt]s:\d|["' (]\/(?!\/)[\w.-]+\//);
    });
  }

  for (const path of PAGES) {
    it(`has a policy of its own: ${path}`, async () => {
      const response = await service().fetch(path);
      expect(response.headers.get('content-type')).to.match(/^text\/html/);
      const { 'Content-Security-Policy': policy, ...others } = SECURITY_HEADERS;
      for (const [name, value] of Object.entries(others)) {
        expect(response.headers.get(name), name).to.equal(value);
      }
      const own = response.headers.get('content-security-policy') ?? '';
      for (const directive of policy.split('; ')) expect(own.split('; ')).to.include(directive);
      expect(own).not.to.match(/unsafe|\*|https?:/);
    });
  }
});
