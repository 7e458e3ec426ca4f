// node duckdb.js FILE TYPE_FIELD DATA_FIELD THREADS
import { DuckDBInstance } from '@duckdb/node-api';

const [file, typeField, dataField, threads] = process.argv.slice(2);
// What \s is in JavaScript, in RE2.
const SPACE = String.raw`[\s\v\p{Z}\x{feff}]+`;

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
  FROM (SELECT unnest(regexp_split_to_array(data, '${SPACE}')) AS word FROM events)
  WHERE word <> '' GROUP BY word`);
for (const row of counts.getRows()) process.stdout.write(`${JSON.stringify(row)}\n`);
