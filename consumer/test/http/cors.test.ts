import { expect } from 'chai';
import { event } from '../support/fifo-writer.js';
import { Service } from '../support/service.js';

const ORIGIN = 'https://a.example';
const GETS = [
  '/events/countWords',
  '/events/countWords?limit=0',
  '/stats',
  '/livez',
  '/docs',
  '/nothing',
];
const ANSWER_HEADERS = [
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-allow-credentials',
  'access-control-expose-headers',
];

const corsHeaders = (response: Response) =>
  Object.fromEntries(
    ANSWER_HEADERS.filter((name) => response.headers.has(name)).map((name) => [
      name,
      response.headers.get(name),
    ]),
  );

const get = (service: Service, path: string, origin: string, method = 'GET') =>
  service.fetch(path, { method, headers: { Origin: origin } });

const preflight = (service: Service, path: string, method: string, origin = ORIGIN) =>
  service.fetch(path, {
    method: 'OPTIONS',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': 'if-none-match,authorization',
    },
  });

describe('CORS', () => {
  context('when CORS_ORIGIN is not set', () => {
    const service = Service.use({ ingestToken: 'token' });

    it('gives no page of another origin anything', async () => {
      for (const path of GETS) {
        const response = await get(service(), path, ORIGIN);
        expect(corsHeaders(response)).to.deep.equal({});
        expect(response.headers.get('vary') ?? '').not.to.include('Origin');
      }
      expect(corsHeaders(await preflight(service(), '/stats', 'GET'))).to.deep.equal({});
    });
  });

  context('when it lists origins', () => {
    const corsOrigins = ['http://localhost:3000', ORIGIN];
    const service = Service.use({ ingestToken: 'token', corsOrigins });

    for (const path of GETS) {
      it(`lets those read GET ${path}, and HEAD`, async () => {
        for (const origin of corsOrigins) {
          for (const method of ['GET', 'HEAD']) {
            const response = await get(service(), path, origin, method);
            expect(corsHeaders(response)).to.deep.equal({
              'access-control-allow-origin': origin,
              'access-control-expose-headers': 'ETag,Retry-After',
            });
            expect(response.headers.get('vary')).to.match(/\bOrigin\b/);
          }
        }
      });

      it(`lets no other read GET ${path}`, async () => {
        for (const origin of ['https://b.example', `${ORIGIN}.evil`, 'http://a.example', 'null']) {
          const response = await get(service(), path, origin);
          expect(corsHeaders(response)).to.deep.equal({});
          expect(response.headers.get('vary')).to.match(/\bOrigin\b/);
        }
      });
    }

    it('keeps the headers with 304', async () => {
      const headers = { Origin: ORIGIN, 'If-None-Match': '*' };
      const response = await service().fetch('/events/countWords', { headers });
      expect(response.status).to.equal(304);
      expect(corsHeaders(response)).to.include({ 'access-control-allow-origin': ORIGIN });
      expect(response.headers.get('vary')?.split(', ')).to.have.members(['Accept', 'Origin']);
    });

    it('answers a preflight: GET and HEAD, and If-None-Match', async () => {
      const response = await preflight(service(), '/events/countWords', 'GET');
      expect(response.status).to.equal(204);
      expect(corsHeaders(response)).to.deep.equal({
        'access-control-allow-origin': ORIGIN,
        'access-control-allow-methods': 'GET,HEAD',
        'access-control-allow-headers': 'If-None-Match',
      });
    });

    it('answers no preflight of another origin', async () => {
      const response = await preflight(service(), '/stats', 'GET', 'https://b.example');
      expect(corsHeaders(response)).to.deep.equal({});
    });

    it('lets no page post', async () => {
      const asked = corsHeaders(await preflight(service(), '/events', 'POST'));
      expect(asked['access-control-allow-methods']).not.to.include('POST');
      const headers = {
        Origin: ORIGIN,
        Authorization: 'Bearer token',
        'Content-Type': 'text/plain',
      };
      for (const body of [event('a'), 'x']) {
        const response = await service().fetch('/events', { method: 'POST', headers, body });
        expect(response.status).to.equal(200);
        expect(corsHeaders(response)).to.deep.equal({});
      }
    });

    it('leaves OPTIONS alone that is no preflight', async () => {
      const response = await service().fetch('/stats', { method: 'OPTIONS' });
      expect(response.status).to.equal(200);
      expect(response.headers.get('allow')).to.include('GET');
    });
  });

  context('when it is *', () => {
    const service = Service.use({ corsOrigins: ['*'] });

    it('lets everyone read', async () => {
      for (const origin of [ORIGIN, 'null']) {
        const response = await get(service(), '/events/countWords', origin);
        expect(corsHeaders(response)).to.include({ 'access-control-allow-origin': '*' });
        expect(corsHeaders(response)).not.to.have.property('access-control-allow-credentials');
      }
    });
  });
});
