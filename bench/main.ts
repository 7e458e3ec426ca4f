/** npm run bench -- NAME: measurements that are run by hand; with --quick, small enough for the tests. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { benchMemory } from './memory.js';

const USAGE = `Usage: npm run bench -- NAME [--quick] [--seed N]

  memory   resident memory under 1 GB of random bytes and a 256 MB line without an end

  --quick  small input: shows that the bench works, its figures mean nothing
  --seed   of the input (default 1)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const [name] = positionals;
const seed = Number(values.seed);
if (values.help || name !== 'memory' || !Number.isSafeInteger(seed)) {
  (values.help ? process.stdout : process.stderr).write(USAGE);
  process.exit(values.help ? 0 : 1);
}

const cpu = os.cpus()[0]?.model ?? 'unknown';
print(
  `${cpu}, ${os.availableParallelism()} cores, ${os.type()} ${os.release()}, Node ${process.version}, seed ${seed}`,
);
const size = values.quick ? 1e6 : 1e9;
for (const line of await benchMemory({ randomBytes: size, lineBytes: 0.256 * size, seed }))
  print(line);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
