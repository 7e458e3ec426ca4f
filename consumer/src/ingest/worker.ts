/** An ingest thread: started by IngestThread, ends when it is told to stop. */
import fs from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { StateDamageError } from '../state/thread-folder.js';
import { EventTimeFront } from '../tally/event-time-front.js';
import { Ingest } from './ingest.js';
import type { Answer, IngestWorkerData, MessageFromIngest, MessageToIngest } from './protocol.js';
import { warmUp } from './warm-up.js';

if (parentPort === null) throw new Error('to be started as a worker thread');
const port = parentPort;
const send = (message: MessageFromIngest, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);

const { options, state, frontBuffer, warmsUp } = workerData as IngestWorkerData;
const clock = {
  now: () => Date.now() / 1000,
  monotonicSeconds: () => performance.now() / 1000,
};
const ingest = new Ingest(options, new EventTimeFront(frontBuffer), clock, {
  onOpened: (name, identity) => send({ kind: 'opened', name, identity }),
  onEnded: (name, reason) => send({ kind: 'ended', name, reason }),
  onFault: (fault) => send({ kind: 'fault', fault }),
  onScannerFallback: (cause) => send({ kind: 'scannerFallback', cause }),
});

/** What has to do with sources waits for it; questions and what is posted do not. */
let warmedUp = Promise.resolve();
let answeringMs = 0;
port.on('message', (message: MessageToIngest) => {
  switch (message.kind) {
    case 'query': {
      const { id, query } = message;
      const reply = (answer: Answer, ms: number) =>
        send({ kind: 'answer', id, answer, answeringMs: answeringMs + ms }, columnsOf(answer));
      if (query.kind === 'post') void ingest.post(query).then((answer) => reply(answer, 0));
      else {
        const begin = performance.now();
        const answer = ingest.answer(query);
        reply(answer, performance.now() - begin);
        answeringMs += performance.now() - begin;
      }
      break;
    }
    case 'open':
      void warmedUp.then(() => ingest.open(message.name, message.path));
      break;
    case 'release':
      void warmedUp.then(() => ingest.release(message.name));
      break;
    case 'forget':
      void warmedUp.then(() => ingest.forget(message.name));
      break;
    case 'stop':
      void warmedUp.then(() => ingest.stop()).then(() => port.close());
      break;
  }
});
try {
  const recoveries = state === null ? [] : await ingest.keepState(state, fs);
  send({ kind: 'ready', recoveries, sources: ingest.sourceNames });
  if (warmsUp) warmedUp = warmUp(options, clock);
} catch (error) {
  if (!(error instanceof StateDamageError)) throw error;
  send({ kind: 'damaged', problem: error.message });
  port.close();
}

/** The columns of an answer, which are given away rather than copied. */
function columnsOf(answer: Answer): ArrayBuffer[] {
  if (answer.kind === 'snapshot') return answer.counts.flatMap(columnsOf);
  return Object.values(answer)
    .filter((value): value is Float64Array<ArrayBuffer> => ArrayBuffer.isView(value))
    .map(({ buffer }) => buffer);
}
