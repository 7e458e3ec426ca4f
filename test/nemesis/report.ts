import type { Round } from './nemesis.js';

const NAME_WIDTH = 30;

/** Titles of columns, which are as wide as these are. */
const COSTS = ['lost events', 'bytes', 'dropped', 'last s', 'doubled', 'torn', 'ready after s'];
const TOTALS = [
  'times',
  'lost events',
  'max',
  'bytes max',
  'undropped',
  'last s max',
  'doubled',
  'torn',
  'ready after s',
  'max',
];

/** For each fault: what was lost, in events and bytes, how much of it was dropped by a repair, … */
export const ROUND_HEAD = `      ${row('fault', COSTS, COSTS)}`;

export function roundLine(number: number, round: Round): string {
  const { fault, lost, lostBytes, droppedBytes, lostSeconds, doubled, torn } = round;
  const costs = [
    lost,
    lostBytes,
    droppedBytes,
    lostSeconds.toFixed(2),
    doubled,
    torn,
    round.secondsUntilReady.toFixed(2),
  ];
  const line = `${String(number).padStart(4)}  ${row(fault, costs, COSTS)}`;
  return [line, ...round.breaches.map((breach) => `      BROKEN: ${breach}`)].join('\n');
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
    const totals = [
      of.length,
      sum(({ lost }) => lost),
      max(({ lost }) => lost),
      max(({ lostBytes }) => lostBytes),
      max(({ lostBytes, droppedBytes }) => lostBytes - droppedBytes),
      max(({ lostSeconds }) => lostSeconds).toFixed(2),
      sum(({ doubled }) => doubled),
      sum(({ torn }) => torn),
      (seconds[seconds.length >> 1] as number).toFixed(2),
      (seconds.at(-1) as number).toFixed(2),
    ];
    return row(kind, totals, TOTALS);
  });
  const broken = rounds.filter(({ breaches }) => breaches.length > 0).length;
  return [
    '',
    row('fault', TOTALS, TOTALS),
    ...rows,
    `${rounds.length} faults, ${broken} broken guarantees`,
  ];
}

function row(name: string, cells: readonly (string | number)[], titles: readonly string[]): string {
  const padded = cells.map((cell, i) => String(cell).padStart((titles[i] as string).length));
  return [name.padEnd(NAME_WIDTH), ...padded].join('  ');
}
