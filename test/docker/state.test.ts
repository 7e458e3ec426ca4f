import { expect } from 'chai';
import { execa } from 'execa';
import {
  type Counts,
  docker,
  note,
  PROJECT,
  Stack,
  type Stats,
  sum,
  waitFor,
  writeGenerator,
} from './stack.js';

/**
 * Events of which each has a word of its own: the run of the generator, and a number. In the log is how
 * many are written for certain.
 */
const NUMBERED = `
  run=$(cat /proc/sys/kernel/random/uuid)
  i=0
  while :; do
    end=$((i + 100))
    while [ $i -lt $end ]; do
      i=$((i + 1))
      echo '{"event_type":"'$run'","data":"'$run'/'$i'","timestamp":1509604913}'
    done
    echo "written: $run $i" >&2
    sleep 0.02
  done
`;
/** Bytes of a line of the above, at least. */
const LINE_BYTES = 124;
/** Of a pipe that is as it was made; a read holds no more. */
const PIPE_BYTES = 65_536;
const READ_BYTES = 65_536;
const eventsIn = (bytes: number) => Math.ceil(bytes / LINE_BYTES) + 1;

interface Account {
  /** Events that were written and are not counted. */
  readonly lost: number;
  readonly twice: number;
  readonly counted: number;
}

/** `log`: of the producers that have been, those that are gone included. */
async function account(stack: Stack, log: string): Promise<Account> {
  const words = await stack.words();
  const last = new Map<string, number>();
  const see = (run: string, number: number) => last.set(run, Math.max(last.get(run) ?? 0, number));
  for (const [, run, number] of log.matchAll(/written: (\S+) (\d+)/g)) see(run!, Number(number));
  for (const word of Object.keys(words)) {
    const [run, number] = word.split('/');
    see(run!, Number(number));
  }
  const written = sum(Object.fromEntries(last));
  const counted = Object.keys(words).length;
  return { lost: written - counted, twice: sum(words) - counted, counted };
}

describe('the guarantees, with containers', () => {
  let stack: Stack;
  let log: string;

  before(async () => {
    stack = await Stack.create({ env: { ...(await writeGenerator(NUMBERED)), PIPE_BYTES: '0' } });
  });

  beforeEach(async () => {
    log = '';
    await stack.up();
    await flow();
  });

  afterEach(() => stack.remove());

  const keepLog = async () => {
    log += await stack.logs('producer');
  };

  async function flow(): Promise<Stats> {
    const { accepted } = await stack.waitForStats('an answer', () => true);
    return stack.waitForStats('a flow', (stats) => stats.accepted > accepted + 1000);
  }

  /** Waits until all is counted that was written before, and says what is not. */
  async function settle(): Promise<Account> {
    await flow();
    await stack.compose('pause', 'producer');
    await keepLog();
    let before: Counts = {};
    await waitFor(
      () => 'counts that stand still',
      async () => {
        const last = before;
        before = await stack.words();
        return sum(last) === sum(before);
      },
    );
    const result = await account(stack, log);
    await stack.compose('unpause', 'producer');
    note(`lost: ${result.lost}, counted twice: ${result.twice}, of ${result.counted}`);
    expect(result.twice).to.equal(0);
    return result;
  }

  const CASES: readonly {
    what: string;
    act: () => Promise<unknown>;
    lostMax: number;
  }[] = [
    {
      what: 'the consumer is stopped and started',
      act: async () => {
        await stack.compose('stop', 'consumer');
        await stack.up();
      },
      lostMax: 0,
    },
    {
      what: 'the consumer is made anew',
      act: () => stack.up('--force-recreate', '--no-deps', 'consumer'),
      lostMax: 0,
    },
    {
      what: 'the producer is killed and started',
      act: async () => {
        await stack.compose('kill', 'producer');
        await stack.up();
      },
      lostMax: 0,
    },
    {
      what: 'the producer is stopped and started',
      act: async () => {
        await stack.compose('stop', 'producer');
        await stack.up();
      },
      lostMax: 0,
    },
    {
      what: 'the producer is made anew',
      act: async () => {
        await keepLog();
        await stack.up('--force-recreate', '--no-deps', 'producer');
      },
      lostMax: 0,
    },
    {
      what: 'both are stopped and started',
      act: async () => {
        await stack.compose('stop');
        await stack.up();
      },
      lostMax: 0,
    },
    {
      what: 'both are killed and started',
      act: async () => {
        await stack.compose('kill');
        await stack.up();
      },
      lostMax: eventsIn(PIPE_BYTES + READ_BYTES),
    },
    {
      what: 'both are removed and made anew, without their volumes',
      act: async () => {
        await stack.compose('stop');
        await keepLog();
        await stack.compose('down');
        await stack.up();
      },
      lostMax: 0,
    },
    {
      what: 'the consumer is out of memory, which kills it',
      act: async () => {
        const [before] = await stack.containers('consumer');
        const id = await stack.compose('ps', '--quiet', 'consumer');
        // Of the processes in the container the kernel takes the one with the highest score.
        const prefer = 'for p in /proc/[0-9]*; do echo 1000 > $p/oom_score_adj; done 2> /dev/null';
        const eat = `const kept = []; for (;;) kept.push(Buffer.alloc(2 ** 24, 1));`;
        const shell = `${prefer}; echo 0 > /proc/$$/oom_score_adj; exec node --eval '${eat}'`;
        await execa('docker', ['exec', id, 'sh', '-c', shell], { reject: false });
        await waitFor(
          () => 'another start',
          async () => {
            const [now] = await stack.containers('consumer');
            return (
              now!.RestartCount > before!.RestartCount && now!.State.Health.Status === 'healthy'
            );
          },
        );
      },
      lostMax: eventsIn(READ_BYTES),
    },
  ];
  for (const { what, act, lostMax } of CASES) {
    it(`${what}: at most ${lostMax} events are lost`, async () => {
      const { accepted } = await flow();
      await act();
      const { lost, counted } = await settle();
      expect(lost).to.be.at.most(lostMax);
      expect(counted).to.be.greaterThan(accepted - 1);
    });
  }

  it('docker volume rm: everything is counted anew', async () => {
    await flow();
    await stack.compose('down');
    await docker('volume', 'rm', `${PROJECT}_state`);
    await stack.up('--no-start');
    await stack.compose('start', 'consumer');
    const { lines } = await stack.waitForStats('an answer', () => true);
    expect(lines).to.equal(0);
  });
});

describe('a volume', () => {
  let stack: Stack;

  beforeEach(async () => {
    stack = await Stack.create({ env: { ...(await writeGenerator(NUMBERED)), PIPE_BYTES: '0' } });
    await stack.compose('create');
  });

  afterEach(() => stack.remove());

  /** Runs a shell command as root with a volume at /mnt. */
  const onVolume = (name: string, command: string) =>
    docker(
      'run',
      '--rm',
      '--user=0',
      '--network=none',
      '--entrypoint=sh',
      `--volume=${PROJECT}_${name}:/mnt`,
      `${PROJECT}-consumer`,
      '-c',
      command,
    );

  const CASES = [
    {
      what: 'of the state that is root’s',
      service: 'consumer',
      volume: 'state',
      command: 'touch /mnt/file && chown 0:0 /mnt && chmod 755 /mnt',
      message: /cannot keep the state in STATE_DIR, \/state: .*EACCES/,
    },
    {
      what: 'of the FIFOs that is root’s',
      service: 'producer',
      volume: 'ipc',
      command: 'touch /mnt/file && chown 0:0 /mnt && chmod 755 /mnt',
      message: /mkfifo: .*\/ipc\/.*Permission denied; set FIFO_DIR/,
    },
    {
      what: 'with the state of an older version',
      service: 'consumer',
      volume: 'state',
      command: `echo '{"version":0}' > /mnt/state.json && chown 1000:1000 /mnt/state.json`,
      message: /state\.json is of version 0; this program reads version 2/,
    },
  ] as const;
  for (const { what, service, volume, command, message } of CASES) {
    it(`${what} stops the start with a message, and is left as it is`, async () => {
      await onVolume(volume, command);
      const before = await onVolume(volume, 'ls -lA /mnt | tail -n +2; cat /mnt/* | cksum');
      await stack.compose('up', '--detach').catch(() => null);
      await waitFor(
        () => `${message} in the log of the ${service}`,
        async () => message.test(await stack.logs(service)),
      );
      await stack.compose('kill');
      expect(await onVolume(volume, 'ls -lA /mnt | tail -n +2; cat /mnt/* | cksum')).to.equal(
        before,
      );
    });
  }

  it('of a state that is damaged is repaired by the command', async () => {
    await stack.up();
    const { accepted } = await stack.waitForStats('events', (stats) => stats.accepted > 1000);
    await stack.compose('kill');
    await onVolume(
      'state',
      'for j in /mnt/1/0/journal-*; do printf X | dd of=$j bs=1 seek=200 conv=notrunc; done',
    );
    await stack.compose('up', '--detach').catch(() => null);
    await waitFor(
      () => 'the message',
      async () => (await stack.logs('consumer')).includes('the state is damaged'),
    );
    await stack.compose('stop', 'consumer');
    const repair = ['node', 'consumer/dist/state.js', 'repair'];
    const said = await stack.compose('run', '--rm', '--no-deps', 'consumer', ...repair);
    expect(said).to.match(/^dropped: \d+ of \d+ bytes of 1\/0\/journal-.* is damaged$/m);
    await stack.up();
    await stack.waitForStats('further events', (stats) => stats.accepted > accepted);
  });
});
