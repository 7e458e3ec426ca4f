import type { Round } from './nemesis.js';

const NAME_WIDTH = 30;

export const ROUND_HEAD = `      ${'fault'.padEnd(NAME_WIDTH)}  lost: events    bytes  of them dropped  doubled  torn lines  ready again after s`;

export function roundLine(number: number, round: Round): string {
  const { fault, lost, lostBytes, droppedBytes, doubled, torn, secondsUntilReady, breaches } =
    round;
  const line = [
    String(number).padStart(4),
    fault.padEnd(NAME_WIDTH),
    String(lost).padStart(12),
    String(lostBytes).padStart(7),
    String(droppedBytes).padStart(15),
    String(doubled).padStart(7),
    String(torn).padStart(10),
    secondsUntilReady.toFixed(2).padStart(19),
  ].join('  ');
  return [line, ...breaches.map((breach) => `      BROKEN: ${breach}`)].join('\n');
}

/** A row for each kind of fault. */
export function summary(rounds: readonly Round[]): string[] {
  const kinds = [...new Set(rounds.map(({ fault }) => fault))].sort();
  const rows = kinds.map((kind) => {
    const of = rounds.filter(({ fault }) => fault === kind);
    const sum = (value: (round: Round) => number) =>
      of.reduce((total, round) => total + value(round), 0);
    const max = (value: (round: Round) => number) => Math.max(...of.map(value));
    const seconds = of.map(({ secondsUntilReady }) => secondsUntilReady).sort((a, b) => a - b);
    return [
      kind.padEnd(NAME_WIDTH),
      String(of.length).padStart(5),
      String(sum(({ lost }) => lost)).padStart(18),
      String(max(({ lost }) => lost)).padStart(4),
      String(max(({ lostBytes }) => lostBytes)).padStart(9),
      String(max(({ lostBytes, droppedBytes }) => lostBytes - droppedBytes)).padStart(15),
      String(sum(({ doubled }) => doubled)).padStart(7),
      String(sum(({ torn }) => torn)).padStart(10),
      (seconds[seconds.length >> 1] as number).toFixed(2).padStart(27),
      (seconds.at(-1) as number).toFixed(2).padStart(5),
    ].join('  ');
  });
  const broken = rounds.filter(({ breaches }) => breaches.length > 0).length;
  return [
    '',
    `${'fault'.padEnd(NAME_WIDTH)}  times  lost events: total   max  max bytes  without dropped  doubled  torn lines  ready again after s: median    max`,
    ...rows,
    `${rounds.length} faults, ${broken} broken guarantees`,
  ];
}
