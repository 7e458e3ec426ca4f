import net from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a server answers to bytes, up to the end of the connection, which is the server's to bring about. */
export function exchange(port: number, request: string | Uint8Array): Promise<RawAnswer[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1');
    socket.setEncoding('latin1');
    socket.on('data', (more: string) => {
      text += more;
    });
    // What the server did not read is why it may end with a reset.
    let failure: Error | null = null;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      if (text === '' && failure !== null) reject(failure);
      else resolve(parseAnswers(text));
    });
    socket.write(request);
  });
}

/** All with Content-Length, or one that goes on to the end. */
export function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine, ...lines] = rest.slice(0, end).split('\r\n') as [string, ...string[]];
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(': ');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
      }),
    );
    const length = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
    const body = rest.slice(end + 4, end + 4 + length);
    answers.push({ status: Number(statusLine.split(' ')[1]), headers, body });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}
