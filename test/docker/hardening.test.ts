import { expect } from 'chai';
import { execa } from 'execa';
import { compose, docker, PROJECT, type Service, Stack } from './stack.js';

interface Settings {
  readonly Config: { readonly User: string };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapAdd: string[] | null;
    readonly CapDrop: string[] | null;
    readonly SecurityOpt: string[] | null;
    readonly Privileged: boolean;
    readonly Init: boolean;
    readonly Memory: number;
    readonly PidsLimit: number;
    readonly NetworkMode: string;
    readonly Tmpfs: Record<string, string>;
    readonly RestartPolicy: { readonly Name: string };
  };
  readonly Mounts: readonly {
    readonly Destination: string;
    readonly Name?: string;
    readonly RW: boolean;
  }[];
}

const MEMORY: Readonly<Record<Service, number>> = { producer: 512 << 20, consumer: 1 << 30 };

describe('the containers', () => {
  let stack: Stack;

  before(async () => {
    stack = await Stack.create();
    await stack.up();
  });

  after(() => stack.remove());

  async function settings(service: Service): Promise<Settings> {
    const id = await stack.compose('ps', '--quiet', service);
    return (JSON.parse(await docker('inspect', id)) as Settings[])[0]!;
  }

  /** What a command in a running container prints, both outputs, and its exit code. */
  async function attempt(service: Service, ...command: string[]) {
    const id = await stack.compose('ps', '--quiet', service);
    const { exitCode, all } = await execa('docker', ['exec', id, ...command], {
      all: true,
      reject: false,
    });
    return { exitCode, output: all };
  }

  for (const service of ['producer', 'consumer'] as const) {
    describe(`of the ${service}`, () => {
      it('has the settings that confine it', async () => {
        const { Config, HostConfig } = await settings(service);
        const { User } = Config;
        const { ReadonlyRootfs, CapAdd, CapDrop, SecurityOpt, Privileged, Init } = HostConfig;
        const { Memory, PidsLimit, Tmpfs, RestartPolicy } = HostConfig;
        expect({
          User,
          ReadonlyRootfs,
          CapAdd,
          CapDrop,
          SecurityOpt,
          Privileged,
          Init,
        }).to.deep.equal({
          User: 'node',
          ReadonlyRootfs: true,
          CapAdd: null,
          CapDrop: ['ALL'],
          SecurityOpt: ['no-new-privileges:true'],
          Privileged: false,
          Init: true,
        });
        expect({ Memory, PidsLimit, Tmpfs, restart: RestartPolicy.Name }).to.deep.equal({
          Memory: MEMORY[service],
          PidsLimit: 256,
          Tmpfs: { '/tmp': 'size=64m' },
          restart: 'unless-stopped',
        });
      });

      for (const folder of ['/', '/app', '/etc', '/home/node', '/usr/local/bin']) {
        it(`cannot write to ${folder}`, async () => {
          const { exitCode, output } = await attempt(service, 'touch', `${folder}/written`);
          expect(exitCode, output).to.equal(1);
          expect(output).to.match(/Read-only file system|Permission denied/);
        });
      }

      it('cannot write there as root either, but may to /tmp', async () => {
        const id = await stack.compose('ps', '--quiet', service);
        const touch = (...args: string[]) => execa('docker', ['exec', ...args], { reject: false });
        const asRoot = await touch('--user', '0', id, 'touch', '/app/written');
        expect(asRoot.stderr).to.include('Read-only file system');
        expect((await touch(id, 'touch', '/tmp/written')).stderr).to.equal('');
      });

      it('has no capability, and cannot gain one', async () => {
        const { output } = await attempt(service, 'cat', '/proc/1/status');
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
          expect(output).to.include(`${set}:\t0000000000000000`);
        }
        expect(output).to.include('NoNewPrivs:\t1');
        // su is set-uid root.
        const su = await attempt(service, 'su', '--command', 'id', 'root');
        expect(su.exitCode, su.output).not.to.equal(0);
        const mount = await attempt(service, 'mount', '-t', 'tmpfs', 'none', '/tmp');
        expect(mount.exitCode, mount.output).not.to.equal(0);
      });

      it('cannot start more processes than its limit', async () => {
        const forks = 'for i in $(seq 300); do sleep 60 & done; echo all of them';
        const { output } = await attempt(service, 'timeout', '20', 'sh', '-c', forks);
        expect(output).to.match(/Cannot fork|Resource temporarily unavailable/);
        expect(output).not.to.include('all of them');
        await stack.compose('restart', service); // ends those that were started
        await stack.up();
      });
    });
  }

  it('share the FIFOs; the producer has not the state, the consumer not the generator', async () => {
    const mounts = async (service: Service) =>
      (await settings(service)).Mounts.map(({ Destination, Name, RW }) => [
        Destination,
        Name ?? 'a folder of the host',
        RW,
      ]).sort();
    expect(await mounts('producer')).to.deep.equal([
      ['/generator', 'a folder of the host', false],
      ['/ipc', `${PROJECT}_ipc`, true],
    ]);
    expect(await mounts('consumer')).to.deep.equal([
      ['/ipc', `${PROJECT}_ipc`, true],
      ['/state', `${PROJECT}_state`, true],
    ]);
    const { output } = await attempt('producer', 'ls', '/state');
    expect(output).to.match(/No such file/);
    const write = await attempt('producer', 'touch', '/generator/written');
    expect(write.output).to.match(/Read-only file system/);
  });

  it('keep the producer off the network', async () => {
    expect((await settings('producer')).HostConfig.NetworkMode).to.equal('none');
    const interfaces = await attempt('producer', 'ls', '/sys/class/net');
    expect(interfaces.output).to.equal('lo');
    const connect = `
      const socket = require('node:net').connect({ host: process.argv[1], port: 5000 });
      socket.on('connect', () => { console.log('connected'); process.exit(0); });
      socket.on('error', (error) => { console.log(error.code); process.exit(1); });
    `;
    const id = await stack.compose('ps', '--quiet', 'consumer');
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    const address = await docker('inspect', '--format', format, id);
    const byAddress = await attempt('producer', 'node', '--eval', connect, address);
    expect(byAddress.output).to.equal('ENETUNREACH');
    const byName = await attempt('producer', 'node', '--eval', connect, 'consumer');
    expect(byName.output).to.match(/ENOTFOUND|EAI_AGAIN/);
  });

  it('leave a part of the memory to what is outside the heaps', async () => {
    const heap = `
      const { Worker, isMainThread } = require('node:worker_threads');
      console.log(require('node:v8').getHeapStatistics().heap_size_limit);
      if (isMainThread) new Worker(__filename);
    `;
    const id = await stack.compose('ps', '--quiet', 'consumer');
    await execa('docker', ['exec', '--interactive', id, 'sh', '-c', 'cat > /tmp/heap.cjs'], {
      input: heap,
    });
    const [program, ...args] = JSON.parse(
      await docker('inspect', '--format', '{{json .Config.Cmd}}', id),
    ) as string[];
    const { output } = await attempt(
      'consumer',
      program!,
      ...args.map((arg) => (arg.endsWith('/main.js') ? '/tmp/heap.cjs' : arg)),
    );
    const limits = output.split('\n').map(Number);
    expect(limits).to.have.length(2);
    expect(limits[0]! + limits[1]!).to.be.within(0.5 * MEMORY.consumer, 0.75 * MEMORY.consumer);
  });

  it('are built on the image that NODE_IMAGE names', async () => {
    const config = async (env = {}) => {
      const { services } = JSON.parse(await compose(['config', '--format', 'json'], { env }));
      return ['producer', 'consumer'].map((name) => services[name].build.args.NODE_IMAGE);
    };
    const usual = 'node:24-bookworm-slim';
    expect(await config()).to.deep.equal([usual, usual]);
    const pinned = 'node@sha256:0000';
    expect(await config({ NODE_IMAGE: pinned })).to.deep.equal([pinned, pinned]);
  });
});
