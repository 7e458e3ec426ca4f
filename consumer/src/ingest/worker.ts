/** The ingest thread: started by the supervisor, ends when it is told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { Ingest } from './ingest.js';
import type { IngestOptions, MessageFromIngest, MessageToIngest } from './protocol.js';

if (parentPort === null) throw new Error('to be started as a worker thread');
const port = parentPort;
const send = (message: MessageFromIngest, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);

const clock = {
  now: () => Date.now() / 1000,
  monotonicSeconds: () => performance.now() / 1000,
};

const ingest = new Ingest(workerData as IngestOptions, clock, (level, message, fields = {}) =>
  send({ kind: 'log', level, message, fields }),
);

port.on('message', (message: MessageToIngest) => {
  switch (message.kind) {
    case 'query': {
      const answer = ingest.answer(message.query);
      send(
        { kind: 'answer', id: message.id, answer },
        'counts' in answer ? [answer.counts.buffer] : [],
      );
      break;
    }
    case 'stop':
      ingest.stop();
      port.close();
      break;
  }
});

ingest.start();
send({ kind: 'ready' });
