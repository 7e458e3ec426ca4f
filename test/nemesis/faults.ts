import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { EVENT_BYTES_MAX } from './numbered-events.js';
import type { Durability, Pipeline } from './pipeline.js';
import type { Random } from './random.js';

/** What a fault has done, and so what it may have cost. */
export interface Harm {
  /** When its cause was over: from then on it takes until all is ready again. */
  readonly overAt: number;
  /** Sudden ends of the consumer. */
  readonly kills?: number;
  /** Ends of the generator, however they came about. */
  readonly cuts?: number;
  /** What was in the pipe went with the last that held it open. */
  readonly isPipeLost?: boolean;
  /** What was not made to last is gone as well. */
  readonly isPowerLost?: boolean;
  /** What was dropped of the state, in bytes of input. */
  readonly droppedBytes?: number;
  /** The start was refused, and it was repaired. */
  readonly isRefused?: boolean;
  readonly problems?: readonly string[];
}

export interface Fault {
  readonly name: string;
  /** It ends the consumer: with DURABILITY=none nothing is left. */
  readonly endsConsumer: boolean;
  /** There must be a state, or a disk for it that can be full, or lose its power. */
  readonly needs?: 'state' | 'full disk' | 'power';
  inflict(pipeline: Pipeline, random: Random): Promise<Harm>;
}

/** How long something is halted, or a disk stays full. */
const HELD_MS_MAX = 1000;
/** About as long as a consumer takes to start. */
const START_MS = 500;
const BITS_MAX = 2;
const CLOCK_STEPS_SECONDS = [1, 90, 3600, 86_400] as const;

export const FAULTS: readonly Fault[] = [
  {
    name: 'consumer-stopped',
    endsConsumer: true,
    inflict: async (pipeline) => {
      await pipeline.stopConsumer();
      return startAgain(pipeline, {});
    },
  },
  {
    name: 'consumer-killed',
    endsConsumer: true,
    inflict: async (pipeline) => {
      await pipeline.killConsumer();
      return startAgain(pipeline, { kills: 1 });
    },
  },
  {
    name: 'consumer-killed-as-it-starts',
    endsConsumer: true,
    inflict: async (pipeline, random) => {
      await pipeline.killConsumer();
      await pipeline.startConsumer();
      await delay(random.integer(0, START_MS));
      await pipeline.killConsumer();
      return startAgain(pipeline, { kills: 2 });
    },
  },
  {
    name: 'consumer-out-of-memory',
    endsConsumer: true,
    inflict: async (pipeline) => {
      // No byte more than it has: the next time that it asks for memory, it gets none.
      const { pid } = pipeline.consumer;
      const dying = pipeline.consumerDies();
      await execa('prlimit', ['--pid', String(pid), '--core=0', '--as=1']);
      await dying;
      return startAgain(pipeline, { kills: 1 });
    },
  },
  {
    name: 'consumer-halted',
    endsConsumer: false,
    inflict: async (pipeline, random) => {
      const { pid } = pipeline.consumer;
      process.kill(pid, 'SIGSTOP');
      await delay(random.integer(0, HELD_MS_MAX));
      process.kill(pid, 'SIGCONT');
      return { overAt: performance.now() };
    },
  },
  {
    name: 'generator-killed',
    endsConsumer: false,
    inflict: async ({ producer }) => {
      producer.signalGenerator('SIGKILL');
      return { overAt: performance.now(), cuts: 1 };
    },
  },
  {
    name: 'producer-stopped',
    endsConsumer: false,
    inflict: async (pipeline) => {
      await pipeline.producer.stop();
      pipeline.startProducer();
      return { overAt: performance.now(), cuts: 1 };
    },
  },
  {
    name: 'producer-killed',
    endsConsumer: false,
    inflict: async (pipeline) => {
      await pipeline.producer.kill();
      pipeline.startProducer();
      return { overAt: performance.now(), cuts: 1 };
    },
  },
  {
    name: 'producer-halted',
    endsConsumer: false,
    inflict: async ({ producer }, random) => {
      producer.signalGenerator('SIGSTOP');
      producer.signalEntrypoint('SIGSTOP');
      await delay(random.integer(0, HELD_MS_MAX));
      producer.signalEntrypoint('SIGCONT');
      producer.signalGenerator('SIGCONT');
      return { overAt: performance.now() };
    },
  },
  {
    name: 'both-killed',
    endsConsumer: true,
    inflict: async (pipeline) => {
      await Promise.all([pipeline.producer.kill(), pipeline.killConsumer()]);
      pipeline.startProducer();
      return startAgain(pipeline, { kills: 1, cuts: 1, isPipeLost: true });
    },
  },
  {
    name: 'power-lost',
    endsConsumer: true,
    needs: 'power',
    inflict: async (pipeline) => {
      await pipeline.losePower();
      pipeline.startProducer();
      return startAgain(pipeline, { kills: 1, cuts: 1, isPipeLost: true, isPowerLost: true });
    },
  },
  {
    name: 'disk-full',
    endsConsumer: false,
    needs: 'full disk',
    inflict: async (pipeline, random) => {
      await fillDisk(pipeline, random);
      pipeline.disk.makeRoom();
      return { overAt: performance.now() };
    },
  },
  {
    name: 'disk-full-and-consumer-killed',
    endsConsumer: true,
    needs: 'full disk',
    inflict: async (pipeline, random) => {
      await fillDisk(pipeline, random);
      await pipeline.killConsumer();
      await pipeline.startConsumer();
      pipeline.disk.makeRoom();
      return { overAt: performance.now(), kills: 1 };
    },
  },
  { name: 'state-damaged', endsConsumer: true, needs: 'state', inflict: damageState },
  {
    name: 'clock-moved',
    endsConsumer: false,
    inflict: async (pipeline, random) => {
      const offset = random.pick(CLOCK_STEPS_SECONDS) * random.pick([-1, 1]);
      pipeline.setClock(offset);
      await pipeline.waitUntil('the clock is another', async () => {
        const counts = await pipeline.get<{ window: { end: number } }>(
          '/events/countByEventType?window=60s&format=list',
        );
        return Math.abs((counts?.window.end ?? 0) - Date.now() / 1000 - offset) < 60;
      });
      return { overAt: performance.now() };
    },
  },
];

async function startAgain(pipeline: Pipeline, harm: Omit<Harm, 'overAt'>): Promise<Harm> {
  const overAt = performance.now();
  await pipeline.startConsumer();
  return { ...harm, overAt };
}

/** Until the consumer says that it cannot go on, and a while longer. */
async function fillDisk(pipeline: Pipeline, random: Random): Promise<void> {
  const { disk } = pipeline;
  // What the consumer removes meanwhile makes room again.
  await pipeline.waitUntil('it is not ready, as the disk is full', async () => {
    disk.fill();
    return (await pipeline.readiness())?.checks.state?.ok === false;
  });
  const end = performance.now() + random.integer(0, HELD_MS_MAX);
  while (performance.now() < end) {
    disk.fill();
    await delay(20);
  }
}

/** Bits of files that are read at a start turn over while the consumer is down. */
async function damageState(pipeline: Pipeline, random: Random): Promise<Harm> {
  const isStopped = random.integer(0, 1) === 0;
  if (isStopped) await pipeline.stopConsumer();
  else await pipeline.killConsumer();
  const before = await pipeline.inspect();
  for (let bits = random.integer(1, BITS_MAX); bits > 0; bits--) flipBit(pipeline.stateDir, random);
  const after = await pipeline.inspect();

  const problems: string[] = [];
  if (before.isDamaged) problems.push('what was kept was damaged before');
  let overAt = performance.now();
  const refusal = await pipeline.tryToStart();
  if (refusal !== null) {
    const isExplained = /damaged|version|no (journal|checkpoint) of/.test(refusal);
    if (!isExplained || !refusal.includes('state.js repair')) {
      problems.push(`a damaged state was refused without saying so: ${refusal}`);
    }
    const { exitCode, stdout, stderr } = await pipeline.runState('repair');
    if (exitCode !== 0) problems.push(`it could not be repaired: ${stdout}${stderr}`);
    const repaired = await pipeline.inspect();
    if (repaired.isDamaged || repaired.bytes !== after.bytes) {
      problems.push(`${repaired.bytes} bytes were kept, and not ${after.bytes}`);
    }
    overAt = performance.now();
    await pipeline.startConsumer();
  }
  pipeline.spoil(after.bytes);
  const droppedBytes = before.bytes - after.bytes;
  return { overAt, kills: isStopped ? 0 : 1, droppedBytes, isRefused: refusal !== null, problems };
}

function flipBit(folder: string, random: Random): void {
  const files = fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(
      (name) =>
        /(checkpoint-\d+|journal-\d+|state\.json)$/.test(name) && !name.startsWith('dropped'),
    )
    .map((name) => path.join(folder, name))
    .sort();
  const file = random.pick(files);
  const bytes = fs.readFileSync(file);
  const at = random.integer(0, bytes.length - 1);
  bytes[at] = (bytes[at] as number) ^ (1 << random.integer(0, 7));
  fs.writeFileSync(file, bytes);
}

/** Of a read, and of what a pipe holds. */
const READ_BYTES = 524_288;
const PIPE_BYTES = 524_288;

export interface Allowance {
  readonly lostBytesMax: number;
  readonly tornMax: number;
}

/** What a fault may cost. Nothing may ever be counted twice. */
export function allowance(
  durability: Durability,
  { endsConsumer }: Fault,
  { kills = 0, cuts = 0, isPipeLost = false, isPowerLost = false, droppedBytes = 0 }: Harm,
): Allowance {
  // Whether all is there that a checkpoint has is looked at apart.
  const isUnbounded =
    (durability === 'none' && endsConsumer) ||
    (durability === 'checkpoint' && kills > 0) ||
    isPowerLost;
  const reads = isUnbounded ? Number.POSITIVE_INFINITY : kills * READ_BYTES;
  return {
    lostBytesMax: reads + (isPipeLost ? PIPE_BYTES + EVENT_BYTES_MAX : 0) + droppedBytes,
    tornMax: cuts + Math.max(kills, isUnbounded || droppedBytes > 0 ? 1 : 0),
  };
}
