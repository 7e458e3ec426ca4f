import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { expect } from 'chai';
import { type HttpServer, listen } from '#consumer/http/server.js';

describe('listen', () => {
  const servers: HttpServer[] = [];
  const start = async (handler: http.RequestListener, port = 0): Promise<HttpServer> => {
    const server = await listen(handler, '127.0.0.1', port);
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close().catch(() => {})));
  });

  it('tells which port it got, and answers there', async () => {
    const { port } = await start((_, response) => response.end('here'));
    expect(port).to.be.above(0);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).to.equal('here');
  });

  it('rejects when the port is taken', async () => {
    const { port } = await start((_, response) => response.end());
    const error: unknown = await start((_, response) => response.end(), port).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.be.an('error').with.property('code', 'EADDRINUSE');
  });

  it('closes without a connection', async () => {
    const server = await start((_, response) => response.end());
    await server.close();
    const socket = net.connect(server.port, '127.0.0.1');
    const [error] = await once(socket, 'error');
    expect(error.code).to.equal('ECONNREFUSED');
  });

  it('ends the connections that are kept alive when it closes', async () => {
    const server = await start((_, response) => response.end('here'));
    const agent = new http.Agent({ keepAlive: true });
    const [response] = await once(http.get({ port: server.port, agent }), 'response');
    response.resume();
    const [socket] = await once(agent, 'free');
    const closed = once(socket, 'close');
    await server.close();
    await closed;
    agent.destroy();
  });

  it('lets an answer in the making out when it closes', async () => {
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let release = () => {};
    const server = await start((_, response) => {
      release = () => response.end('whole');
      answer();
    });
    const response = fetch(`http://127.0.0.1:${server.port}/`);
    await asked;
    const closed = server.close();
    release();
    expect(await (await response).text()).to.equal('whole');
    await closed;
  });

  it('ends a connection whose answer never comes when it closes', async () => {
    const server = await start(() => {});
    const request = http.get({ port: server.port, agent: false });
    const failed = once(request, 'error');
    await once(request, 'finish');
    await server.close();
    const [error] = await failed;
    expect(error.code).to.equal('ECONNRESET');
  });

  it('ends a connection whose request is never finished when it closes', async () => {
    const server = await start((_, response) => response.end());
    const socket = net.connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    const closed = once(socket.resume(), 'close');
    await server.close();
    await closed;
  });
});
