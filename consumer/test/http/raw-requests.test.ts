import { expect } from 'chai';
import { SECURITY_HEADERS } from '#consumer/http/security-headers.js';
import { exchange, type RawAnswer } from '../support/raw-http.js';
import { Service } from '../support/service.js';

const get = (target: string, ...headers: string[]) =>
  `GET ${target} HTTP/1.1\r\n${headers.map((header) => `${header}\r\n`).join('')}Connection: close\r\n\r\n`;
const LOCAL = 'Host: localhost';

/** Expects one problem, with all that an answer has to have, and the connection closed behind it. */
function expectRawProblem(answers: readonly RawAnswer[], status: number, type: string): string {
  expect(answers).to.have.lengthOf(1);
  const { headers, body, ...answer } = answers[0] as RawAnswer;
  expect(answer.status).to.equal(status);
  expect(headers['content-type']).to.match(/^application\/problem\+json(;|$)/);
  expect(headers.connection).to.equal('close');
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    expect(headers[name.toLowerCase()], name).to.equal(value);
  }
  const problem = JSON.parse(body);
  expect(problem).to.include({ status, type: `urn:event-tally:problem:${type}` });
  return problem.detail;
}

describe('requests that no client sends by accident', () => {
  const service = Service.use({ ingestToken: 'token' });

  const rows: [what: string, request: string | Uint8Array, status: number, type: string][] = [
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'bad-request'],
    ['the beginning of TLS', new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252]), 400, 'bad-request'],
    ['the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad-request'],
    ['a version that there is not', 'GET / HTTP/9.9\r\nHost: a\r\n\r\n', 400, 'bad-request'],
    ['a header without a name', get('/livez', LOCAL, ': x'), 400, 'bad-request'],
    ['a header with a line feed in it', get('/livez', LOCAL, 'X: a\nb'), 400, 'bad-request'],
    [
      'two lengths of one body',
      `POST /events HTTP/1.1\r\n${LOCAL}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc`,
      400,
      'bad-request',
    ],
    ['no Host', get('/livez'), 400, 'bad-request'],
    ['an empty Host', get('/livez', 'Host:'), 421, 'host-not-allowed'],
    ['two Hosts', get('/livez', LOCAL, 'Host: evil.example'), 400, 'bad-request'],
    ['a target that is no URL', get('http://[', LOCAL), 400, 'bad-request'],
    ['a target of 9,000 bytes', get(`/${'a'.repeat(9000)}`, LOCAL), 414, 'target-too-long'],
    ['a query of 9,000 bytes', get(`/stats?${'a'.repeat(9000)}`, LOCAL), 414, 'target-too-long'],
    ['a target of 20,000 bytes', get(`/${'a'.repeat(20_000)}`, LOCAL), 431, 'headers-too-large'],
    ['a target of 2 MB', get(`/${'a'.repeat(2e6)}`, LOCAL), 431, 'headers-too-large'],
    [
      'a header of 20,000 bytes',
      get('/livez', LOCAL, `X: ${'a'.repeat(20_000)}`),
      431,
      'headers-too-large',
    ],
    ['a header of 2 MB', get('/livez', LOCAL, `X: ${'a'.repeat(2e6)}`), 431, 'headers-too-large'],
    [
      '10,000 headers',
      get('/livez', LOCAL, ...Array(10_000).fill('X: a')),
      431,
      'headers-too-large',
    ],
  ];
  for (const [what, request, status, type] of rows) {
    it(`are answered with ${status}: ${what}`, async () => {
      expectRawProblem(await exchange(service().port, request), status, type);
      expect((await service().fetch('/livez')).status).to.equal(200);
    });
  }

  for (const [what, target, status] of [
    ['no escape', '/events/countWords%', 404],
    ['an escape that is none', '/events/count%zzWords', 404],
    ['NUL', '/events/countWords%00', 404],
    ['NUL before the query', '/stats%00?x', 404],
    ['overlong UTF-8', '/events/%c0%afcountWords', 404],
    ['half a character', '/events/countWords%f0%9f', 404],
    ['a way out of a folder', '/docs/%2e%2e%2f%2e%2e%2fetc%2fpasswd', 404],
    ['dots', '/dashboard/../../etc/passwd', 404],
    ['a name that objects have', '/docs/constructor', 404],
    ['another one', '/docs/__proto__', 404],
    ['no escape in the query', '/events/countWords?window=%zz', 400],
    ['NUL in the query', '/events/countWords?window=60s%00', 400],
    ['overlong UTF-8 in the query', '/events/countWords?window=%c1%b60s', 400],
    ['a parameter that objects have', '/events/countWords?__proto__=1', 400],
    ['another one in the query', '/events/countWords?constructor[prototype]=1', 400],
  ] as const) {
    it(`are answered with ${status}: ${what} (${target})`, async () => {
      const type = status === 404 ? 'not-found' : 'bad-parameter';
      expectRawProblem(await exchange(service().port, get(target, LOCAL)), status, type);
    });
  }

  it('are answered as if it were not there: an expectation that nobody knows', async () => {
    const request = get('/livez', LOCAL, 'Expect: the-unexpected');
    const [answer] = await exchange(service().port, request);
    expect(answer?.status).to.equal(200);
    expect(answer?.headers['x-content-type-options']).to.equal('nosniff');
  });

  it('are answered without Host where HTTP/1.0 allows that', async () => {
    const [answer] = await exchange(service().port, 'GET /livez HTTP/1.0\r\n\r\n');
    expect(answer?.status).to.equal(200);
  });

  it('are answered once, and not after the answer to another one', async () => {
    const wrong = 'nonsense\r\n\r\n';
    expectRawProblem(await exchange(service().port, wrong.repeat(3)), 400, 'bad-request');
    const good = `GET /livez HTTP/1.1\r\n${LOCAL}\r\n\r\n`;
    // Which answer is whose could not be told where several are being made.
    expectRawProblem(await exchange(service().port, good + wrong), 400, 'bad-request');
    expect(await exchange(service().port, good + good + wrong)).to.deep.equal([]);
  });

  it('are not answered where they ask for a tunnel', async () => {
    expect(
      await exchange(service().port, `CONNECT a:1 HTTP/1.1\r\n${LOCAL}\r\n\r\n`),
    ).to.deep.equal([]);
  });
});
