/** Keeps what `npm run bench` has measured: bench/RESULTS.md, a chart, and a table of the README. */
import fs from 'node:fs';
import { type Report, render } from './report.js';
import { worseReport } from './worse.js';

const RESULTS = new URL('../bench/RESULTS.md', import.meta.url);
const CHART = new URL('../docs/rates.svg', import.meta.url);
const README = new URL('../README.md', import.meta.url);
const [BEGIN, END] = ['<!-- rates -->', '<!-- /rates -->'];

const [BAR_HEIGHT, BAR_STEP, LEFT, WIDTH] = [16, 24, 290, 720];

/** `conditions`: machine, versions, commit. The first report is that of which the chart is made. */
export function writeResults(conditions: readonly string[], reports: readonly Report[]): void {
  const [first] = reports;
  if (first === undefined) return;
  // A first run has nothing to compare with.
  const before = fs.existsSync(RESULTS) ? fs.readFileSync(RESULTS, 'utf8') : '';
  const worse = worseReport(before, reports);
  const text = [
    '# Results',
    '',
    'What `npm run bench -- --write` has printed. In the tables of rates a round is a run of each in a fresh process, every other round in reverse',
    'order; rates are medians, with the lowest and the highest of the rounds. Ours are from the start of the writer, cat(1), to a consumer that reads',
    'the FIFO, until both counts have been answered over HTTP; those of other programs are from their start to their end. *MiB* is the most that was',
    'resident, *CPU s* the time of all threads; *types* and *words* are checksums of what was counted.',
    '',
    ...conditions.map((condition) => `- ${condition}`),
    '',
    ...[...reports, worse].map(render),
  ];
  fs.writeFileSync(RESULTS, text.join('\n'));
  fs.writeFileSync(CHART, chart(first));
  const readme = fs.readFileSync(README, 'utf8');
  const [start, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (start === -1 || end === -1) throw new Error(`README.md has no ${BEGIN} and ${END}`);
  const table = render({
    ...first,
    head: first.head.slice(0, 4),
    rows: first.rows.map((row) => row.slice(0, 4)),
    notes: [],
  }).replace(/^### (.*)$/m, `${conditions[0]}; $1; median (lowest–highest):`);
  fs.writeFileSync(README, `${readme.slice(0, start)}${BEGIN}\n${table}${readme.slice(end)}`);
}

/** A bar for each row: its rate in million lines a second, as long as it is of the highest that counts. */
function chart({ title, rows }: Report): string {
  const bars = rows
    .filter(([name = '']) => !name.startsWith('limit: wc') && !name.startsWith('limit: cat'))
    .map(([name = '', , rate = '']) => ({ name, rate: Number.parseFloat(rate) }))
    .sort((a, b) => b.rate - a.rate);
  const max = Math.max(...bars.map(({ rate }) => rate));
  const height = bars.length * BAR_STEP + 50;
  const lines = bars.map(({ name, rate }, i) => {
    const top = 40 + i * BAR_STEP;
    const width = Math.max(1, (rate / max) * (WIDTH - LEFT - 60));
    const kind = name.startsWith('limit')
      ? 'limit'
      : name.startsWith('event-tally')
        ? 'ours'
        : 'other';
    const middle = top + BAR_HEIGHT - 4;
    return [
      `<text x="${LEFT - 8}" y="${middle}" text-anchor="end">${name}</text>`,
      `<rect class="${kind}" x="${LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}"/>`,
      `<text x="${(LEFT + width + 6).toFixed(1)}" y="${middle}">${rate.toFixed(2)}</text>`,
    ].join('\n  ');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">Million lines a second: ${title}</title>
  <style>
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .ours { fill: #0969da; } .other { fill: #8c959f; } .limit { fill: #d0d7de; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .ours { fill: #4493f8; } .other { fill: #6e7681; } .limit { fill: #3d444d; }
    }
  </style>
  <text x="8" y="20" font-weight="bold">Million lines a second: ${title}</text>
  ${lines.join('\n  ')}
</svg>
`;
}
