import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import {
  type ConsumerProcess,
  endConsumers,
  startConsumer,
} from '../consumer/dist-test/support/consumer-process.js';
import { makeFifo } from '../consumer/dist-test/support/fifo-writer.js';
import { useTempDir } from '../consumer/dist-test/support/temp-dir.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAPPING = {
  EVENT_TYPE_FIELD: 'channel',
  DATA_FIELD: 'comment',
  TIMESTAMP_FIELD: 'time',
  TIMESTAMP_FORMAT: 'iso8601',
};

// What `\s` matches in JavaScript; jq's own is another set.
const WHITE_SPACE =
  '[\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]+';
/** Programs for jq that print each occurrence of what is counted as a JSON string on a line. */
const JQ_TYPES = '.channel';
const JQ_WORDS = `.comment | splits("${WHITE_SPACE}") | select(. != "")`;

describe('the edits of Wikipedias, replayed through a FIFO', () => {
  const dir = useTempDir();
  before(function () {
    if (process.env.CI || execaSync('jq', ['--version'], { reject: false }).exitCode === 0) return;
    process.stdout.write(
      '    skipped: jq, whose counts ours are compared with, is not installed\n',
    );
    this.skip();
  });
  afterEach(endConsumers);

  it('are counted as jq counts them: the excerpt', async () => {
    const edits = path.join(ROOT, 'test/data/wikipedia-edits.ndjson.gz');
    expect(await expectJqCounts(edits, dir.path, expectJqTopTen)).to.equal(980);
  });

  it('are counted as jq counts them: the whole file, where WIKIPEDIA_EDITS names it', async function () {
    const edits = process.env.WIKIPEDIA_EDITS;
    if (edits === undefined) this.skip();
    expect(await expectJqCounts(edits, dir.path)).to.equal(39_244);
  });
});

/** The top ten of the last full hour, by the newest edit, as jq finds them among the lines themselves. */
async function expectJqTopTen(edits: string, consumer: ConsumerProcess): Promise<void> {
  const query = 'window=1h&align=true&until=latest&limit=10&format=list';
  const answer = await consumer.get<{
    window: { start: number; end: number };
    counts: { key: string; count: number }[];
  }>(`/events/countByEventType?${query}`);
  const { start, end } = answer.window;
  expect([start % 3600, end - start]).to.deep.equal([0, 3600]);
  const seconds = '(.time | sub("[.][0-9]+Z$"; "Z") | fromdateiso8601)';
  const inWindow = `select(${seconds} >= ${start} and ${seconds} < ${end})`;
  const counts = await jqCounts(edits, `${inWindow} | ${JQ_TYPES}`);
  const ranking = Object.entries(counts).sort(
    ([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1), // the channels are ASCII
  );
  expect(ranking.length).to.be.greaterThan(10);
  expect(answer.counts.map(({ key, count }) => [key, count])).to.deep.equal(ranking.slice(0, 10));
}

/** Replays a file into a FIFO and compares every count; returns how many lines it had. */
async function expectJqCounts(
  edits: string,
  fifoDir: string,
  expectMore: (edits: string, consumer: ConsumerProcess) => Promise<void> = async () => {},
): Promise<number> {
  const fifo = path.join(fifoDir, 'events-wikipedia.fifo');
  makeFifo(fifo);
  const consumer = await startConsumer(fifoDir, MAPPING);
  await execa('sh', ['-c', 'exec node producer/dist/replay.js "$0" > "$1"', edits, fifo], {
    cwd: ROOT,
  });

  const expected = countLines(edits);
  const stats = await consumer.waitFor(({ lines }) => lines === expected);
  expect(stats.accepted).to.equal(stats.lines);
  expect(await consumer.get('/events/countByEventType')).to.deep.equal(
    await jqCounts(edits, JQ_TYPES),
  );
  expect(await consumer.get('/events/countWords')).to.deep.equal(await jqCounts(edits, JQ_WORDS));
  await expectMore(edits, consumer);
  return stats.lines;
}

function countLines(edits: string): number {
  return Number(execaSync('sh', ['-c', 'gzip -dc "$0" | wc -l', edits]).stdout);
}

async function jqCounts(edits: string, program: string): Promise<Record<string, number>> {
  const pipeline = 'gzip -dc "$0" | jq "$1" | LC_ALL=C sort | uniq -c';
  const { stdout } = await execa('sh', ['-c', pipeline, edits, program]);
  const rows = stdout.split('\n').map((row) => /^ *(\d+) (".*")$/.exec(row) as RegExpExecArray);
  return Object.fromEntries(
    rows.map(([, count, key]) => [JSON.parse(key as string), Number(count)]),
  );
}
