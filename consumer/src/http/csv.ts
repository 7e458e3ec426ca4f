import { stringify } from 'csv-stringify/sync';
import type { Context } from 'koa';
import type { CountedKind } from '../ingest/protocol.js';
import type { KeyTotal } from '../tally/ranking.js';

/**
 * What the library's own escaping leaves, as it looks at the first character alone: a line end, and a
 * sign of a formula behind white space or characters without a shape, which spreadsheets may trim.
 */
const HIDDEN_FORMULA = /^\n|^[\s\p{Cc}\p{Cf}]+[=+\-@\uff1d\uff0b\uff0d\uff20]/u;

/** Of them text is made together. */
const ROWS_AT_ONCE = 100;

const CSV_TYPE = 'text/csv; charset=utf-8; header=present';
/** What Accept may ask for; whoever asks for no header line gets CSV with one, not JSON. */
export const ACCEPTED_CSV_TYPES = [CSV_TYPE, 'text/csv; charset=utf-8; header=absent'];

/** Sends CSV; a browser saves it as a file. */
export function sendCsv(context: Context, of: CountedKind, body: Buffer): void {
  context.attachment(`${of}.csv`);
  context.set('Content-Type', CSV_TYPE);
  context.set('Cache-Control', 'no-cache');
  context.body = body;
}

/**
 * The ranking as RFC 4180 text with a header line, piece by piece, each line ended by CR LF. A key that a
 * spreadsheet would take for a formula gets an apostrophe in front.
 */
export function* csvTexts(of: CountedKind, ranking: readonly KeyTotal[]): Iterable<string> {
  const columns = of === 'sums' ? ['key', 'sum', 'count'] : ['key', 'count'];
  yield `${columns.join(',')}\r\n`;
  for (let first = 0; first < ranking.length; first += ROWS_AT_ONCE) {
    const some = ranking.slice(first, first + ROWS_AT_ONCE);
    const rows =
      of === 'sums'
        ? some.map(({ key, sum, count }) => [key, finite(sum?.total), count])
        : some.map(({ key, count }) => [key, count]);
    yield stringify(rows, {
      record_delimiter: 'windows',
      quote_record_delimiter: true, // a CR or LF by itself too
      escape_formulas: true,
      cast: { string: (key) => (HIDDEN_FORMULA.test(key) ? `'${key}` : key) },
    });
  }
}

/** As in JSON, a sum that has left the range of doubles is no number: an empty field. */
function finite(sum: number | undefined): number | null {
  return Number.isFinite(sum) ? (sum as number) : null;
}
