import { expect } from 'chai';
import getPort from 'get-port';
import pWaitFor from 'p-wait-for';
import { type Connection, type Frame, receiveFrames } from '#consumer/top/frames.js';
import { frameOf } from '../support/frames.js';
import { problemAnswer, StreamServer } from '../support/stream-server.js';

describe('receiveFrames', () => {
  const server = StreamServer.use();
  let stopping: AbortController;
  let states: Connection[];
  let frames: Frame[];
  let received: Promise<void>;

  const receive = (url = server().url) => {
    stopping = new AbortController();
    states = [];
    frames = [];
    const handlers = {
      onConnection: (state: Connection) => states.push(state),
      onFrame: (frame: Frame) => frames.push(frame),
    };
    received = receiveFrames(new URL(url), handlers, stopping.signal);
  };
  afterEach(() => {
    stopping.abort();
    return received;
  });

  const first = frameOf({ types: { a: 1 } });
  const second = frameOf({ types: { a: 2 } });

  it('gives frames as they come', async () => {
    server().send(first);
    receive();
    await pWaitFor(() => frames.length === 1);
    server().send(second);
    await pWaitFor(() => frames.length === 2);
    expect(frames).to.deep.equal([first, second]);
    expect(states).to.deep.equal([{ state: 'live' }]);
  });

  it('leaves out what it does not know: comments, other events, other members', async () => {
    receive();
    await pWaitFor(() => server().clients === 1);
    server().sendText(': heartbeat\n\nevent: more\ndata: nonsense\n\n');
    server().sendText(`event: counts\ndata: ${JSON.stringify({ ...first, more: 1 })}\n\n`);
    await pWaitFor(() => frames.length === 1);
    expect(frames).to.deep.equal([first]);
  });

  it('connects again when the stream breaks off', async () => {
    server().send(first);
    receive();
    await pWaitFor(() => frames.length === 1);
    server().drop();
    await pWaitFor(() => frames.length === 2);
    expect(states.map(({ state }) => state)).to.deep.equal(['live', 'lost', 'live']);
    expect(states[1]).to.include({ refused: false });
  });

  const refusals: [what: string, status: number, refused: boolean][] = [
    ['a request that cannot be answered', 400, true],
    ['a server that has no room', 503, false],
  ];
  for (const [what, status, refused] of refusals) {
    it(`tells of ${what}, and tries again`, async () => {
      server().answer = problemAnswer(status, 'because.');
      receive();
      await pWaitFor(() => states.length === 1);
      expect(states).to.deep.equal([{ state: 'lost', reason: 'because.', refused }]);
      server().answer = null;
      server().send(first);
      await pWaitFor(() => frames.length === 1);
    });
  }

  it('tells of a problem that ends the stream', async () => {
    receive();
    await pWaitFor(() => server().clients === 1);
    server().sendText('event: problem\ndata: {"status":400,"detail":"too far back"}\n\n');
    server().end();
    await pWaitFor(() => states.length > 1);
    expect(states[1]).to.deep.equal({ state: 'lost', reason: 'too far back', refused: true });
  });

  it('tells of an answer that is no problem document', async () => {
    server().answer = (response) => {
      response.writeHead(502);
      response.end('<html>');
    };
    receive();
    await pWaitFor(() => states.length === 1);
    expect(states[0]).to.include({ reason: 'the answer is 502 Bad Gateway', refused: false });
  });

  it('tells of frames that are none', async () => {
    for (const data of ['{', '{"batch":1}']) {
      server().sendText(`event: counts\ndata: ${data}\n\n`);
      receive();
      await pWaitFor(() => states.length === 2);
      expect(states[1]).to.include({ reason: 'it sends something else than event-tally does' });
      stopping.abort();
      await received;
    }
  });

  it('tells that nobody listens', async () => {
    receive(`http://127.0.0.1:${await getPort()}/`);
    await pWaitFor(() => states.length === 1);
    expect(states[0]).to.include({ reason: 'nobody listens there', refused: false });
  });

  it('ends, and leaves the server, when it is told to', async () => {
    receive();
    await pWaitFor(() => server().clients === 1 && states.length === 1);
    stopping.abort();
    await received;
    await pWaitFor(() => server().clients === 0);
    expect(states).to.deep.equal([{ state: 'live' }]);
  });
});
