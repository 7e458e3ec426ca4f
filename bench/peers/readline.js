// node readline.js FILE TYPE_FIELD DATA_FIELD: as one writes it without thinking of speed.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const [file, typeField, dataField] = process.argv.slice(2);
const typePath = typeField.split('.');
const dataPath = dataField.split('.');
const types = new Map();
const words = new Map();

for await (const line of createInterface({ input: createReadStream(file) })) {
  try {
    const event = JSON.parse(line);
    const type = typePath.reduce((value, name) => value[name], event);
    const data = dataPath.reduce((value, name) => value[name], event);
    const found = data.split(/\s+/);
    types.set(type, (types.get(type) ?? 0) + 1);
    for (const word of found) if (word !== '') words.set(word, (words.get(word) ?? 0) + 1);
  } catch {
    // a corrupt line
  }
}
const lines = [];
for (const [kind, counts] of Object.entries({ type: types, word: words })) {
  for (const [key, count] of counts) lines.push(`${JSON.stringify([kind, key, count])}\n`);
}
process.stdout.write(lines.join(''));
