import fs from 'node:fs';
import { expect } from 'chai';
import { compose } from './stack.js';

interface ServiceConfig {
  readonly image?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly ports?: readonly { readonly host_ip?: string; readonly published?: string }[];
  readonly volumes?: readonly { readonly type: string; readonly source: string }[];
}

async function config(...options: string[]) {
  const text = await compose([...options, 'config', '--format', 'json']);
  return JSON.parse(text) as {
    readonly services: Readonly<Record<string, ServiceConfig>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
}

describe('docker compose --profile metrics', () => {
  it('adds Prometheus and Grafana, which are not there without it', async () => {
    const plain = await config();
    const metrics = await config('--profile', 'metrics');
    expect(plain.services).to.have.all.keys('producer', 'consumer');
    expect(plain.volumes).to.have.all.keys('ipc', 'state');
    const { prometheus, grafana, ...others } = metrics.services;
    expect(others).to.deep.equal(plain.services);
    expect([prometheus?.image, grafana?.image].join(' ')).to.match(
      /^prom\/prometheus:v\d+\.\d+\.\d+ grafana\/grafana:\d+\.\d+\.\d+$/,
    );
  });

  it('runs them as closed as the others, with files that are there', async () => {
    const { services } = await config('--profile', 'metrics');
    for (const name of ['prometheus', 'grafana']) {
      expect(services[name]).to.deep.include({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
      for (const { type, source } of services[name]?.volumes ?? []) {
        if (type === 'bind') expect(fs.statSync(source).isDirectory(), source).to.equal(true);
      }
    }
    expect(services.prometheus?.ports).to.equal(undefined);
    expect(services.grafana?.ports).to.have.lengthOf(1);
    expect(services.grafana?.ports?.[0]).to.include({ host_ip: '127.0.0.1', published: '3000' });
  });
});
