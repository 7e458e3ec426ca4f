/** What a run of the bench has found worse than the one before, whose tables are read from bench/RESULTS.md. */
import type { Report } from './report.js';

type Table = Pick<Report, 'title' | 'head' | 'rows'>;

/** A latency is worse where it is more than so many times the one before: it has no spread to compare with. */
const LATENCY_FACTOR = 1.5;
/** The same of memory. */
const MEMORY_FACTOR = 1.1;

/**
 * Rates (*M lines/s*) that are below the lowest of before, ratios (*reached*) below the one before, and p50, p99
 * and memory past the factors above. Rows that only one of the two has are left out.
 */
export function worseReport(before: string, after: readonly Table[]): Report {
  const tablesBefore = new Map(parseTables(before).map((table) => [kindOf(table), table]));
  const rows = after.flatMap((table) => {
    const known = tablesBefore.get(kindOf(table));
    return known === undefined ? [] : worseRows(known, table);
  });
  const commit = /^- commit (\S+?),/m.exec(before)?.[1] ?? 'unknown';
  return {
    title: `What got worse since the results of commit ${commit}`,
    head: ['of', 'what', '', 'before', 'now'],
    rows,
    notes: [
      rows.length === 0
        ? 'Nothing.'
        : 'Rates below the lowest of before, lower ratios, p50 and p99 by half, MiB by a tenth. Programs that have not changed tell what is the machine’s.',
    ],
  };
}

/** Those of a text in Markdown that have a title: cells without their alignment. */
export function parseTables(text: string): Table[] {
  return text
    .split(/^### /m)
    .slice(1)
    .flatMap((section) => {
      const [title = '', ...lines] = section.split('\n');
      const cells = lines
        .filter((line) => line.startsWith('|'))
        .map((line) =>
          line
            .split('|')
            .slice(1, -1)
            .map((cell) => cell.trim()),
        );
      const [head, , ...rows] = cells;
      return head === undefined ? [] : [{ title, head, rows }];
    });
}

function worseRows(before: Table, after: Table): string[][] {
  const columns = columnsOf(after);
  const columnsBefore = columnsOf(before);
  const rowsBefore = new Map(before.rows.map((row) => [rowName(before, row), row]));
  return after.rows.flatMap((row) => {
    const rowBefore = rowsBefore.get(rowName(after, row));
    if (rowBefore === undefined) return [];
    return columns.flatMap((column, i) => {
      const [old = '', now = ''] = [rowBefore[columnsBefore.indexOf(column)], row[i]];
      if (!isWorse(column, old, now)) return [];
      return [[kindOf(after), rowName(after, row), column, old, now]];
    });
  });
}

function isWorse(column: string, old: string, now: string): boolean {
  const [oldValue, nowValue] = [Number.parseFloat(old), Number.parseFloat(now)];
  if (column === 'M lines/s') {
    const lowest = /\(([\d.]+)–/.exec(old)?.[1]; // a pace that was set has no spread
    return lowest !== undefined && nowValue < Number(lowest);
  }
  if (column === 'reached') return nowValue < oldValue;
  if (column === 'MiB') return nowValue > MEMORY_FACTOR * oldValue;
  return /, p(50|99)$/.test(column) && nowValue > LATENCY_FACTOR * oldValue;
}

/** What a table is of, whatever its numbers are. */
function kindOf({ title }: Table): string {
  return title.replace(/:.*/, '');
}

/** A head that is followed by empty ones stands for p50, p99 and max. */
function columnsOf({ head }: Table): string[] {
  return head.map((name, i) => {
    if (name !== '') return head[i + 1] === '' && head[i + 2] === '' ? `${name}, p50` : name;
    if (head[i + 1] === '' && head[i - 1] !== '' && i > 0) return `${head[i - 1]}, p99`;
    return '';
  });
}

/** The cells before the first that is measured. */
function rowName({ head }: Table, row: readonly string[]): string {
  const measured = head.findIndex((name) =>
    ['does', 'lines', 'to reach', 'M lines/s'].includes(name),
  );
  return row.slice(0, measured).join(', ');
}
