import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CompiledHost, compileHost } from '../fixtures/compiled-host.js';
import { ask, openSecure, openTunnel, readHead, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatFrames, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openTcpServer } from '../fixtures/tcp.js';

const rigs: Rig[] = [];
const open = async (...options: Parameters<typeof openRig>): Promise<Rig> => {
  const rig = await openRig(...options);
  rigs.push(rig);
  return rig;
};
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

async function isListening(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  const answer = await new Promise<boolean>((resolve) =>
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
  );
  socket.destroy();
  return answer;
}

/** Resolves when the other side has closed, or cut, the connection. */
const gone = async (socket: net.Socket): Promise<void> => {
  socket
    .on('error', () => undefined)
    .once('end', () => socket.destroy())
    .resume();
  if (!socket.destroyed && !socket.readableEnded) await new Promise((resolve) => socket.once('close', resolve));
};

describe('a closed host', () => {
  it('answers on no port, also when closed twice and at once, and opens no session', async () => {
    const rig = await open();
    const more = await Promise.all(Array.from({ length: 20 }, () => rig.openSession()));
    const ports = [rig.session.port, ...more.map((session) => session.port)];
    expect(new Set(ports).size).toBe(21);
    await Promise.all([rig.host.close(), rig.host.close(), rig.session.close(), more[0]?.close()]);
    await rig.host.close();
    expect(await Promise.all(ports.map(isListening))).toEqual(ports.map(() => false));
    await expect(rig.host.openSession()).rejects.toMatchObject({ code: 'HOST_CLOSED' });
  });

  it('has ended the streams, tunnels, websockets and half-made connections that were open, and recorded the calls', async () => {
    const rig = await open();
    const silent = await openTcpServer();
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chatFrames[0]);
    };
    rig.upstream.onUpgrade = (_request, socket) =>
      void socket
        .on('error', () => undefined)
        .resume()
        .write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    const stream = await startRequest({ port: rig.session.port, ca: rig.ca });
    stream.on('error', () => undefined).end(chatStreamRequest);
    const response = await waitForResponse(stream);
    response.on('error', () => undefined).resume();
    const upgraded = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    upgraded.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await readHead(upgraded);
    const { socket: tunnel } = await openTunnel(rig.session.port, `127.0.0.1:${silent.port}`);
    const { socket: unspoken } = await openTunnel(rig.session.port, 'api.openai.com:443');
    const idle = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    const closed = Promise.all([upgraded, tunnel, unspoken, idle, stream.socket ?? idle].map(gone));
    await rig.host.close();
    await closed;
    expect(rig.records).toMatchObject([{ outcome: 'client_aborted', status: 200 }]);
    await Promise.all([...silent.sockets].map(gone));
    await Promise.all(
      [...rig.upstream.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    await silent.close();
  });

  it('has let go of a provider that never ended its handshake', async () => {
    const silent = await openTcpServer((far) => void far.resume());
    const rig = await open({ connectTo: [`:443:127.0.0.1:${silent.port}`] });
    const accepted = silent.accept();
    const request = await startRequest({ port: rig.session.port, ca: rig.ca });
    request.on('error', () => undefined).end(chatRequest);
    const far = await accepted;
    await rig.host.close();
    await gone(far);
    expect(rig.records).toMatchObject([{ outcome: 'client_aborted', status: 0 }]);
    await silent.close();
  });
});

describe('a closed session', () => {
  it('leaves the others of its host alone', async () => {
    const rig = await open();
    rig.upstream.handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    const other = await rig.openSession();
    const idle = await openSecure(other.port, 'api.openai.com', { ca: rig.ca });
    await rig.session.close();
    expect(await isListening(rig.session.port)).toBe(false);
    idle.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${chatRequest.length}\r\n\r\n${chatRequest}`,
    );
    expect(await readHead(idle)).toMatch(/^HTTP\/1\.1 200 /);
    idle.destroy();
    expect((await ask({ port: other.port, ca: rig.ca, body: chatRequest })).status).toBe(200);
  });

  it('a hundred times over leaves no handle behind', async () => {
    const rig = await open();
    rig.upstream.handler = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    const once = async (): Promise<void> => {
      const session = await rig.openSession();
      await ask({ port: session.port, ca: rig.ca, body: chatRequest });
      await session.close();
    };
    const count = (): number => process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Server/.test(name)).length;
    for (let i = 0; i < 5; i += 1) await once();
    const before = count();
    for (let i = 0; i < 100; i += 1) await once();
    expect(count()).toBeLessThanOrEqual(before + 2);
    await rig.waitForRecords(105);
  });
});

describe('a process that closes its host', () => {
  let compiled: CompiledHost;
  let home: string;
  beforeAll(() => {
    compiled = compileHost();
    home = mkdtempSync(join(tmpdir(), 'llmtap-exit-'));
  });
  afterAll(() => {
    compiled.remove();
    rmSync(home, { recursive: true, force: true });
  });

  it('ends by itself: no timer, thread, port or socket keeps it', async () => {
    const silent = await openTcpServer((far) => void far.resume());
    const script = `
      import net from 'node:net';
      const { openHost } = await import(${JSON.stringify(compiled.url)});
      const host = await openHost({ home: process.argv[1], env: {}, connectTo: [':443:127.0.0.1:${silent.port}'] });
      const session = await host.openSession();
      await host.openSession();
      const ask = (text) => new Promise((resolve) => {
        const socket = net.connect({ port: session.port, host: '127.0.0.1' });
        socket.on('error', () => undefined).on('close', () => undefined);
        socket.once('data', (data) => { resolve(data.toString().split('\\r\\n')[0]); socket.resume(); });
        socket.write(text);
      });
      console.log(await ask('CONNECT example.org:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'));
      console.log(await ask('CONNECT api.openai.com:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'));
      ask('GET https://api.openai.com/v1/models HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
      await new Promise((resolve) => setImmediate(resolve));
      await host.close();
      console.log('closed');
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, home], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(output).toBe('HTTP/1.1 200 Connection Established\nHTTP/1.1 200 Connection Established\nclosed\n');
    expect(code).toBe(0);
    await silent.close();
  });
});
