import fs from 'node:fs';
import { expect } from 'chai';
import { event } from '../support/fifo-writer.js';
import { Service } from '../support/service.js';

const ASSETS = [
  ['/dashboard/page.js', 'text/javascript; charset=utf-8'],
  ['/dashboard/page.css', 'text/css; charset=utf-8'],
  ['/dashboard/icon.svg', 'image/svg+xml'],
  ['/dashboard/uplot-license.txt', 'text/plain; charset=utf-8'],
] as const;

describe('the live page, as it is served', () => {
  const service = Service.use();
  const stopped = Service.use({ started: false });

  it('lets a browser load and run nothing but what is served here', async () => {
    const { headers } = await service().fetch('/');
    expect(headers.get('content-type')).to.equal('text/html; charset=utf-8');
    const policy = headers.get('content-security-policy')?.split('; ');
    expect(policy).to.include.members(["default-src 'none'", "script-src 'self'"]);
    expect(headers.get('content-security-policy')).not.to.match(/unsafe|\*|https?:/);
  });

  it('does not tell where things are on its machine', async () => {
    const page = await (await service().fetch('/')).text();
    expect(page)
      .to.match(/mkfifo .*events-mine/)
      .and.not.to.include(service().directory);
  });

  it('has the counts, escaped', async () => {
    await service().read(event('<b>&"', 'lorem', 1_509_604_913));
    const page = await (await service().fetch('/')).text();
    expect(page).to.match(/<bdi dir="auto">&lt;b&gt;&amp;&quot;<\/bdi>.*<data value="1">1<\/data>/);
    expect(page).not.to.include('<b>');
  });

  it('has the counts of the window that its address names', async () => {
    const page = async (query: string) => (await service().fetch(`/?${query}`)).text();
    expect(await page('window=60s&until=latest')).to.include('>lorem</bdi>');
    expect(await page('window=60s')).not.to.include('>lorem</bdi>');
  });

  const refused = [
    ['window=soon', /window is &quot;soon&quot;: it must be/],
    ['window=60s&window=1m', /window comes more than once/],
    ['align=true', /align is given alone/],
    ['window=1h&until=0', /until reaches back too far/],
  ] as const;
  for (const [query, reason] of refused) {
    it(`is 400 with the reason on it for ?${query}`, async () => {
      const response = await service().fetch(`/?${query}`);
      expect(response.status).to.equal(400);
      expect(await response.text()).to.match(reason);
    });
  }

  it('takes no notice of what else is in its address', async () => {
    for (const query of ['utm_source=x', 'limit=1', 'fbclid=a&fbclid=b&window=60s']) {
      expect((await service().fetch(`/?${query}`)).status, query).to.equal(200);
    }
  });

  for (const path of ['/', '/?window=soon']) {
    it(`is 503, and comes nevertheless, while nothing can be asked: ${path}`, async () => {
      const response = await stopped().fetch(path);
      expect(response.status).to.equal(503);
      expect(response.headers.get('content-type')).to.equal('text/html; charset=utf-8');
      expect(response.headers.get('retry-after')).to.equal('1');
      expect(await response.text()).to.include('Reconnecting');
    });
  }

  for (const [path, type] of ASSETS) {
    it(`has ${path}, which is sent once as long as it is the same`, async () => {
      const first = await service().fetch(path);
      expect(first.status).to.equal(200);
      expect(first.headers.get('content-type')).to.equal(type);
      expect(first.headers.get('cache-control')).to.equal('no-cache');
      expect((await first.text()).length).to.be.greaterThan(100);
      const etag = first.headers.get('etag') ?? '';
      const again = await service().fetch(path, { headers: { 'If-None-Match': etag } });
      expect(again.status).to.equal(304);
      expect(await again.text()).to.equal('');
    });
  }

  it('has the licence of what is bundled, and names it in the bundle', async () => {
    const licence = await (await service().fetch('/dashboard/uplot-license.txt')).text();
    expect(licence).to.equal(fs.readFileSync('node_modules/uplot/LICENSE', 'utf8'));
    const script = await (await service().fetch('/dashboard/page.js')).text();
    expect(script).to.match(/^\/\* .*\/dashboard\/uplot-license.txt \*\/\n/);
  });

  it('has no other files', async () => {
    for (const path of ['/dashboard/', '/dashboard/page.js.map', '/dashboard/..%2fmain.js']) {
      expect((await service().fetch(path)).status, path).to.equal(404);
    }
  });
});
