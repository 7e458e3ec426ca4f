/**
 * Reads a FIFO into a buffer that all reads share, as the consumer does, but without pause, and does
 * nothing with what it reads: as fast as Node.js can. A larger buffer is slower here, as it leaves
 * the cache. Prints an LF when it reads, and ends when it has read so many bytes.
 *
 *   node dist-bench/compare/bare-reader.js FIFO BYTES
 */
import fs from 'node:fs';
import net from 'node:net';

const [fifo, bytes] = process.argv.slice(2) as [string, string];
let left = Number(bytes);
const options: net.SocketConstructorOpts & { onread: net.OnReadOpts } = {
  fd: fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK),
  readable: true,
  writable: false,
  onread: {
    buffer: new Uint8Array(65_536),
    callback: (length) => {
      left -= length;
      if (left <= 0) process.exit(0);
      return true;
    },
  },
};
new net.Socket(options);
process.stdout.write('\n');
