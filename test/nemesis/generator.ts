/**
 * `node generator.js FOLDER`: writes numbered events to standard output, as it is told in that folder,
 * where it also tells what it has written. It never writes a number twice: what is counted twice, the
 * consumer has counted twice.
 */
import fs from 'node:fs';
import { GeneratorFiles } from './generator-files.js';
import { eventLine, mix } from './numbered-events.js';

const STDOUT = 1;
/** Some 60 KiB: as a program that buffers a lot. */
const EVENTS_AT_ONCE_MAX = 400;
const REST_MS = 5;

const files = new GeneratorFiles(process.argv[2] as string);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

const before = files.progress;
files.addRun({ pid: process.pid, ...before });
// What the run before it was writing when it ended may be written: it is skipped.
let next = before.doing;
let { restedBy } = before;
files.progress = { done: next, doing: next, restedBy };

for (;;) {
  const { id, isRest, eventsPerSecond } = files.order;
  if (!isRest) {
    // One at a time, too: as a program that flushes its lines.
    const size = mix(next) % 4 === 0 ? 1 : 1 + (mix(next + 1) % EVENTS_AT_ONCE_MAX);
    write(Array.from({ length: size }, (_, i) => eventLine(next + i)).join(''), size);
    if (eventsPerSecond > 0) sleep((1000 * size) / eventsPerSecond);
  } else if (restedBy === id) {
    sleep(REST_MS);
  } else {
    write(eventLine(next, id), 1);
    restedBy = id;
    files.progress = { done: next, doing: next, restedBy };
  }
}

function write(text: string, events: number): void {
  files.progress = { done: next, doing: next + events, restedBy };
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(STDOUT, bytes, at);
  next += events;
  files.progress = { done: next, doing: next, restedBy };
}

function sleep(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}
