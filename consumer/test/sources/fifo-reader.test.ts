import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import { FifoReader } from '#consumer/sources/fifo-reader.js';
import { holdFifo, makeFifo } from '../support/fifo-writer.js';
import { useTempDir } from '../support/temp-dir.js';

const SET_PIPE_SIZE = fileURLToPath(new URL('../../../producer/set-pipe-size.pl', import.meta.url));
const PIPE_BYTES = 65_536;
const BUFFER_BYTES = 4096;
const READS = PIPE_BYTES / BUFFER_BYTES;

interface Read {
  readonly of: string;
  readonly bytes: Buffer;
  readonly turn: number;
}

describe('FifoReader', () => {
  const dir = useTempDir();
  let held: number[];
  let readers: FifoReader[];
  let reads: Read[];
  let turn: number;
  let counter: NodeJS.Immediate;
  let memory: Uint8Array;

  beforeEach(() => {
    held = [];
    readers = [];
    reads = [];
    turn = 0;
    memory = new Uint8Array(BUFFER_BYTES);
    const count = () => {
      turn++;
      counter = setImmediate(count);
    };
    count();
  });

  afterEach(() => {
    clearImmediate(counter);
    for (const reader of readers) reader.close();
    for (const descriptor of held) fs.closeSync(descriptor);
  });

  /** A FIFO with these bytes in it; they must fit. */
  function fifo(name: string, bytes: Uint8Array, pipeBytes = PIPE_BYTES): string {
    const file = path.join(dir.path, name);
    makeFifo(file);
    const descriptor = holdFifo(file);
    held.push(descriptor);
    if (pipeBytes > PIPE_BYTES)
      execFileSync('perl', [SET_PIPE_SIZE, String(pipeBytes)], { stdio: [descriptor] });
    expect(fs.writeSync(descriptor, bytes)).to.equal(bytes.length);
    return file;
  }

  function read(file: string, onRead: (reader: FifoReader) => void = () => {}): FifoReader {
    const reader: FifoReader = new FifoReader(file, () => memory, {
      onBytes: (bytes) => {
        reads.push({ of: path.basename(file), bytes: Buffer.from(bytes), turn });
        onRead(reader);
      },
      onEnd: () => {},
    });
    readers.push(reader);
    return reader;
  }

  const readOf = (of: string) => reads.filter((each) => each.of === of);
  const bytesOf = (of: string) => Buffer.concat(readOf(of).map(({ bytes }) => bytes));
  async function untilRead(count: number): Promise<void> {
    while (reads.length < count) await nextTurn();
  }

  it('reads once a turn of the event loop, as much as the buffer holds', async () => {
    const bytes = numbered(PIPE_BYTES, 1);
    read(fifo('a', bytes));
    await untilRead(READS);
    expect(bytesOf('a').equals(bytes)).to.equal(true);
    expect(new Set(reads.map((each) => each.turn)).size).to.equal(READS);
  });

  it('lets another one that has the same memory have its turns', async () => {
    const [a, b] = [numbered(PIPE_BYTES, 1), numbered(PIPE_BYTES, 2)];
    const files = [fifo('a', a), fifo('b', b)] as const;
    read(files[0]);
    read(files[1]);
    await untilRead(2 * READS);
    expect(bytesOf('a').equals(a)).to.equal(true);
    expect(bytesOf('b').equals(b)).to.equal(true);
    // Neither has three reads in a row while the other has something left.
    const order = reads.map(({ of }) => of).join('');
    expect(order).not.to.match(/aaa.*b/);
    expect(order).not.to.match(/bbb.*a/);
  });

  for (const [what, size] of [
    ['fills the buffer', BUFFER_BYTES],
    ['leaves room in it', PIPE_BYTES + 1],
  ] as const) {
    it(`reads nothing from when it is held, in a read that ${what}, until it goes on`, async () => {
      memory = new Uint8Array(size);
      const file = fifo('a', numbered(PIPE_BYTES, 1));
      const reader = read(file, () => reader.hold());
      await untilRead(1);
      fs.writeSync(held[0] as number, 'more');
      for (let i = 0; i < 20; i++) await nextTurn();
      expect(reads).to.have.lengthOf(1);
      reader.goOn();
      await untilRead(2);
    });
  }

  it('takes all that a larger pipe holds in one read', async function () {
    const { exitCode } = await execa('perl', ['-v'], { reject: false });
    if (exitCode !== 0) {
      process.stdout.write('      skipped: there is no perl to make a pipe larger\n');
      this.skip();
    }
    const bytes = numbered(8 * PIPE_BYTES, 1);
    memory = new Uint8Array(bytes.length);
    read(fifo('a', bytes, bytes.length));
    await untilRead(1);
    expect(bytesOf('a').equals(bytes)).to.equal(true);
  });
});

/** Bytes that tell where they stand, and of which row they are. */
function numbered(length: number, row: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i + 8 <= length; i += 8) {
    bytes.writeUInt32LE(i, i);
    bytes.writeUInt32LE(row, i + 4);
  }
  return bytes;
}
