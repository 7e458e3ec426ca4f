import { markdownTable } from 'markdown-table';

/** A table, as it is printed and as it is kept. */
export interface Report {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

export function render({ title, head, rows, notes }: Report): string {
  const isNumber = (column: number) => rows.some((row) => /^\d/.test(row[column] ?? ''));
  const align = head.map((_, column) => (isNumber(column) ? 'right' : 'left'));
  const table = markdownTable([head, ...rows] as string[][], { align });
  return [`### ${title}`, '', table, ...notes.flatMap((note) => ['', note]), ''].join('\n');
}
