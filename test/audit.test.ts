import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import { judgeAudit } from './audit/judge-audit.js';

const AUDIT = fileURLToPath(new URL('../dist-test/audit/audit.js', import.meta.url));

describe('npm run audit', () => {
  const metadata = { vulnerabilities: { high: 1, total: 1 } };

  it('is clean where the registry knows of nothing', () => {
    const report = { vulnerabilities: {}, metadata: { vulnerabilities: { total: 0 } } };
    expect(judgeAudit(JSON.stringify(report))).to.deep.equal({
      isClean: true,
      text: 'no known vulnerabilities',
    });
  });

  it('names what is vulnerable', () => {
    const report = { vulnerabilities: { koa: { severity: 'high' } }, metadata };
    expect(judgeAudit(JSON.stringify(report))).to.deep.equal({
      isClean: false,
      text: '1 vulnerable: koa (high)',
    });
  });

  for (const [what, output, reason] of [
    [
      'refuses',
      '{"message":"405 Method Not Allowed","error":{"summary":""}}',
      '405 Method Not Allowed',
    ],
    ['is not there', '{"message":"request failed","error":{"code":"ENOTFOUND"}}', 'request failed'],
    ['says nothing', '', 'there is no report'],
  ] as const) {
    it(`says that nothing is known where the registry ${what}`, () => {
      const { isClean, text } = judgeAudit(output);
      expect(isClean).to.equal(true);
      expect(text).to.include('could not be asked').and.include(reason);
    });
  }

  it('says that nothing is known where no registry is reached', async () => {
    const env = { npm_config_registry: 'http://127.0.0.1:1/', npm_config_fetch_retries: '0' };
    const { exitCode, stdout } = await execa('node', [AUDIT], { env, reject: false });
    expect(stdout).to.match(
      /^npm audit: nothing is known: the registry could not be asked \(.+\)$/,
    );
    expect(exitCode).to.equal(0);
  });
});
