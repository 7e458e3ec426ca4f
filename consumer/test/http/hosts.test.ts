import { expect } from 'chai';
import { exchange } from '../support/raw-http.js';
import { Service } from '../support/service.js';

async function ask(service: Service, host: string, target = '/livez') {
  const request = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  const [answer] = await exchange(service.port, request);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

const LOCAL = [
  'localhost',
  'localhost:5000',
  'LOCALHOST',
  'tally.localhost',
  '127.0.0.1',
  '127.0.0.1:5000',
  '[::1]',
  '[::1]:5000',
  '192.168.1.20:5000',
  '[fe80::1]',
  'consumer',
  'consumer:5000',
];
const FOREIGN = [
  'evil.example',
  'evil.example:5000',
  'localhost.evil.example',
  'notlocalhost',
  'consumer.evil.example',
  '127.0.0.1.evil.example',
  '[evil.example]',
  '[::1',
  'other',
  '*',
  'file',
  'file:',
  'file:5000',
  'evil-extension:5000',
  'evil.example-extension:1',
  'evil-extension:localhost',
  '[evil-extension:5000',
  '[evil-extension:]',
  'localhost:5000:5000',
];

describe('the Host of a request', () => {
  context('when ALLOWED_HOSTS is not set', () => {
    const service = Service.use();

    for (const host of LOCAL) {
      it(`may be ${host}`, async () => {
        expect((await ask(service(), host)).status).to.equal(200);
      });
    }

    for (const host of FOREIGN) {
      it(`may not be ${host}`, async () => {
        const { status, headers, body } = await ask(service(), host, '/events/countWords');
        expect(status).to.equal(421);
        expect(headers['content-type']).to.match(/^application\/problem\+json/);
        const problem = JSON.parse(body);
        expect(problem.type).to.equal('urn:event-tally:problem:host-not-allowed');
        expect(problem.detail).to.include(JSON.stringify(host)).and.to.include('ALLOWED_HOSTS');
      });
    }

    it('is looked at on every path, whatever there is', async () => {
      for (const target of ['/', '/stats', '/events/stream', '/docs', '/metrics', '/nothing']) {
        expect((await ask(service(), 'evil.example', target)).status, target).to.equal(421);
      }
    });
  });

  context('when ALLOWED_HOSTS names some', () => {
    const service = Service.use({ allowedHosts: ['Tally.example.org', '.example.net'] });

    for (const host of [
      'tally.example.org',
      'TALLY.example.org:80',
      'example.net',
      'a.b.example.net',
    ]) {
      it(`may be ${host}`, async () => {
        expect((await ask(service(), host)).status).to.equal(200);
      });
    }

    for (const host of ['example.org', 'a.tally.example.org', 'xexample.net', 'evil.example']) {
      it(`may not be ${host}`, async () => {
        expect((await ask(service(), host)).status).to.equal(421);
      });
    }

    it('may be what it may be without', async () => {
      for (const host of LOCAL) expect((await ask(service(), host)).status, host).to.equal(200);
    });
  });

  context('when ALLOWED_HOSTS is *', () => {
    const service = Service.use({ allowedHosts: ['*'] });

    it('may be anything', async () => {
      for (const host of FOREIGN) expect((await ask(service(), host)).status, host).to.equal(200);
    });
  });

  context('when HOST is a name', () => {
    const service = Service.use({ host: 'tally.lan' });

    it('may be that name', async () => {
      expect((await ask(service(), 'tally.lan:5000')).status).to.equal(200);
      expect((await ask(service(), 'other.lan:5000')).status).to.equal(421);
    });
  });
});
