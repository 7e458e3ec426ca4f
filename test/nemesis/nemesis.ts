import { allowance, type Fault, type Harm } from './faults.js';
import type { Pipeline, Rest } from './pipeline.js';
import type { Random } from './random.js';

/** What a fault has cost. */
export interface Round {
  readonly fault: string;
  readonly lost: number;
  readonly lostBytes: number;
  /** Of these bytes, what was dropped of a damaged state. */
  readonly droppedBytes: number;
  /** What is lost came in at most so many seconds before a sudden end. */
  readonly lostSeconds: number;
  readonly doubled: number;
  readonly torn: number;
  readonly secondsUntilReady: number;
  /** How the guarantees were broken; empty: they were not. */
  readonly breaches: readonly string[];
}

/** How long events flow before a fault, at most: with checkpoints alone, long enough for some. */
const LOAD_MS_MAX = { journal: 200, none: 200, checkpoint: 2500 } as const;
/** Past it a new epoch begins, with no state: all words are asked for after each fault. */
const EPOCH_EVENTS_MAX = 150_000;

/** Faults in random order, each about as often as the others. */
export function* faultsInOrder(faults: readonly Fault[], random: Random): Generator<Fault> {
  for (;;) yield* random.shuffled(faults);
}

/** Why a fault cannot be had here; null: it can. */
export function obstacle(fault: Fault, { durability, disk }: Pipeline): string | null {
  if (fault.needs === undefined) return null;
  if (durability === 'none') return 'nothing is kept';
  if (fault.needs === 'full disk') return disk.obstacles.full;
  return fault.needs === 'power' ? disk.obstacles.power : null;
}

/** One fault, under load, and what it has cost. */
export async function inflict(pipeline: Pipeline, fault: Fault, random: Random): Promise<Round> {
  if (pipeline.isSpoilt || pipeline.epochEvents > EPOCH_EVENTS_MAX) await pipeline.beginEpoch();
  await pipeline.load(random.integer(0, LOAD_MS_MAX[pipeline.durability]));
  const runs = pipeline.generatorRuns;
  const harm = await fault.inflict(pipeline, random);
  await pipeline.waitUntil('the generator runs', () => {
    return pipeline.generatorRuns >= runs + (harm.cuts ?? 0);
  });
  await pipeline.untilReady();
  await pipeline.untilReading();
  const secondsUntilReady = (performance.now() - harm.overAt) / 1000;
  const rest = await pipeline.rest();
  const lostBytes = rest.missingBytes ?? rest.lostBytes;
  const { lost, lostSeconds, doubled, torn } = rest;
  const { droppedBytes = 0 } = harm;
  const breaches = judge(pipeline, fault, harm, rest, lostBytes);
  const costs = { lost, lostBytes, lostSeconds, droppedBytes, doubled, torn, secondsUntilReady };
  return { fault: fault.name, ...costs, breaches };
}

function judge(
  { durability }: Pipeline,
  fault: Fault,
  harm: Harm,
  rest: Rest,
  lostBytes: number,
): string[] {
  const { lostBytesMax, tornMax } = allowance(durability, fault, harm);
  const breaches = [...(harm.problems ?? []), ...rest.problems];
  const check = (what: string, found: number, max: number) => {
    if (found > max) breaches.push(`${what}: ${found}, and at most ${max} may be`);
  };
  check('bytes lost', lostBytes, lostBytesMax);
  if (lostBytesMax === 0) check('events lost', rest.lost, 0);
  check('events counted twice', rest.doubled, 0);
  check('events counted that were lost before or not written', rest.impossible, 0);
  check('torn lines', rest.torn, tornMax);
  return breaches;
}
