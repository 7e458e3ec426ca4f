// node duckdb.js FILE TYPE_FIELD DATA_FIELD THREADS any|space: words are split at any white space, or at spaces only
import { DuckDBInstance } from '@duckdb/node-api';

const [file, typeField, dataField, threads, separator] = process.argv.slice(2);
// What \s is in JavaScript, in RE2.
const SPACE = String.raw`[\s\v\p{Z}\x{feff}]+`;
// A regular expression takes longer.
const words =
  separator === 'space' ? "string_split(data, ' ')" : `regexp_split_to_array(data, '${SPACE}')`;

const database = await DuckDBInstance.create(':memory:', { threads });
const connection = await database.connect();
const columns = [typeField, dataField].map((field) => {
  const [name, ...path] = field.split('.');
  const type = path.reduceRight((inner, each) => `STRUCT("${each}" ${inner})`, 'VARCHAR');
  return `"${name}": '${type}'`;
});
const column = (field) =>
  field
    .split('.')
    .map((name) => `"${name}"`)
    .join('.');
await connection.run(`
  CREATE TEMP TABLE events AS
  SELECT ${column(typeField)} AS type, ${column(dataField)} AS data
  FROM read_json('${file}', format = 'newline_delimited', ignore_errors = true, columns = {${columns}})
  WHERE type IS NOT NULL AND data IS NOT NULL`);
const counts = await connection.runAndReadAll(`
  SELECT 'type', type, count(*)::DOUBLE FROM events GROUP BY type
  UNION ALL
  SELECT 'word', word, count(*)::DOUBLE
  FROM (SELECT unnest(${words}) AS word FROM events)
  WHERE word <> '' GROUP BY word`);
process.stdout.write(
  counts
    .getRows()
    .map((row) => `${JSON.stringify(row)}\n`)
    .join(''),
);
