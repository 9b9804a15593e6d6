import './own-undici.js';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import * as undici from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { makeAmbient, runInScope } from '../../../src/activation/scope.js';
import { openTunnel } from '../../fixtures/proxy-client.js';
import { chatReply } from '../../fixtures/replies.js';
import { makeTestCertificate } from '../../fixtures/upstream.js';
import { askNode, askUndici, countOf, makeBody, path } from './calls.js';
import { askOver, echoOver, makeClient } from './clients.js';
import { makeGate, openTrafficLab, type TrafficLab, waitForRecordsOf } from './traffic-lab.js';

class OwnNames extends https.Agent {
  override getName(): string {
    return 'all of them';
  }
}

let lab: TrafficLab;

beforeAll(async () => {
  lab = await openTrafficLab();
});

afterAll(async () => {
  await lab.close();
});

describe('a connection of a scope', () => {
  it('opens as many at once as the caller makes calls', async () => {
    const scope = await lab.openScope();
    const pool = new undici.Pool(lab.origin);
    const { upstream } = lab.rig;
    const usual = upstream.handler;
    const all = makeGate();
    let arrived = 0;
    upstream.handler = (request, response) => {
      arrived += 1;
      if (arrived === 20) all.resolve();
      request.resume();
      void all.promise.then(() => response.end(chatReply));
    };
    const answers = await runInScope(scope, () => Promise.all(Array.from({ length: 20 }, () => askUndici(lab, pool))));
    upstream.handler = usual;
    expect(answers).toEqual(Array.from({ length: 20 }, () => chatReply));
    await waitForRecordsOf(lab, scope, 20);
    await pool.close();
  });

  it('is kept for the next call of the same scope', async () => {
    const scope = await lab.openScope();
    const agent = new https.Agent({ keepAlive: true });
    const pool = new undici.Pool(lab.origin);
    let connects = 0;
    const { connect } = tls;
    tls.connect = ((...args: unknown[]) => {
      connects += 1;
      return Reflect.apply(connect, tls, args) as tls.TLSSocket;
    }) as typeof tls.connect;
    for (let n = 0; n < 5; n += 1) {
      await runInScope(scope, () => askNode(lab, { agent }));
      await runInScope(scope, () => askUndici(lab, pool));
    }
    tls.connect = connect;
    expect(connects).toBe(2);
    expect(countOf(lab, scope)).toBe(10);
    agent.destroy();
    await pool.close();
  });

  it('belongs to the session that stands for the whole process, where there is one', async () => {
    const [ambient, inner] = [await lab.openScope(), await lab.openScope()];
    const agent = new https.Agent({ keepAlive: true });
    const end = makeAmbient(ambient);
    await askNode(lab, { agent });
    await runInScope(inner, () => askNode(lab, { agent }));
    await runInScope(null, () => askNode(lab, { agent }));
    end();
    await askNode(lab, { agent });
    expect([countOf(lab, ambient), countOf(lab, inner)]).toEqual([1, 1]);
    agent.destroy();
  });

  it('leaves traffic to anybody but providers alone', async () => {
    const scope = await lab.openScope();
    const other = net.createServer((socket) => socket.end('direct'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const socket = runInScope(scope, () => net.connect(port, '127.0.0.1'));
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('direct');
    expect(socket.remotePort).toBe(port);
    other.close();
  });

  it('goes directly, and is told of, when the caller checks the server himself', async () => {
    const scope = await lab.openScope();
    const checkServerIdentity = (): undefined => undefined;
    const secureContext = tls.createSecureContext({});
    await runInScope(scope, () => askNode(lab, { agent: false, checkServerIdentity }));
    await runInScope(scope, () => askNode(lab, { agent: false, secureContext }));
    expect(countOf(lab, scope)).toBe(0);
    expect(scope.told.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(/^IN_PROCESS_UNSEEN .*localhost was made with a checkServerIdentity of its own/),
      expect.stringMatching(/^IN_PROCESS_UNSEEN .*localhost was made with a secureContext of its own/),
    ]);
  });

  it.each(['https', 'http'])(
    'goes directly, and is told of, when its URL is more than the door takes: %s',
    async (scheme) => {
      const answer: http.RequestListener = (request, response) => void response.end(String(request.url?.length));
      const options = { ...makeTestCertificate('localhost'), maxHeaderSize: 1_000_000 };
      const server = scheme === 'https' ? https.createServer(options, answer) : http.createServer(options, answer);
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const origin = `${scheme}://localhost:${(server.address() as net.AddressInfo).port}`;
      lab.addOrigin(origin);
      const scope = await lab.openScope();
      const url = new URL(`${path}?q=${'q'.repeat(300_000)}`, origin);
      const text = await runInScope(scope, async () => {
        const client = scheme === 'https' ? https : http;
        const [response] = (await once(client.get(url, { agent: false, rejectUnauthorized: false }), 'response')) as [
          http.IncomingMessage,
        ];
        return Buffer.concat(await response.toArray()).toString();
      });
      expect(text).toBe(String(path.length + 300_003));
      expect(scope.told).toEqual([
        {
          code: 'IN_PROCESS_UNSEEN',
          message: expect.stringMatching(/localhost was made with a request whose URL is too long/) as string,
          hint: expect.stringMatching(/in the body/) as string,
        },
      ]);
      await new Promise((done) => server.close(done));
    },
  );

  it('reaches nobody out of a session from which nothing may go, whatever keeps it from the door', async () => {
    const scope = Object.assign(await lab.openScope(), { isSealed: true });
    const { upstream } = lab.rig;
    const [seen, port] = [upstream.seen.length, upstream.port];
    const own = { checkServerIdentity: (): undefined => undefined };
    const secureContext = tls.createSecureContext({});
    const raw = net.connect(port, '127.0.0.1');
    await once(raw, 'connect');
    const { connections } = upstream;
    const refused = { code: 'ECONNREFUSED' };
    await runInScope(scope, async () => {
      await expect(askNode(lab, { agent: false, ...own })).rejects.toMatchObject(refused);
      await expect(askNode(lab, { agent: new https.Agent({ keepAlive: true, secureContext }) })).rejects.toMatchObject(
        refused,
      );
      await expect(askUndici(lab, new undici.Pool(lab.origin, { connect: own }))).rejects.toMatchObject(refused);
      await expect(askNode(lab, { agent: new OwnNames({ keepAlive: true }) })).rejects.toMatchObject(refused);
      const onread = { buffer: Buffer.alloc(1024), callback: () => true };
      for (const options of [{ socket: raw }, { host: 'localhost', onread }]) {
        const socket = tls.connect({ ...options, servername: 'localhost', port } as tls.ConnectionOptions);
        expect(await once(socket, 'error')).toEqual([expect.objectContaining(refused)]);
      }
      const session = http2.connect(lab.origin, own);
      expect(await once(session, 'error')).toEqual([expect.objectContaining(refused)]);
      const url = new URL(`${path}?q=${'q'.repeat(300_000)}`, lab.origin);
      expect(await once(https.get(url, { agent: false }), 'error')).toEqual([expect.objectContaining(refused)]);
    });
    raw.destroy();
    expect([upstream.seen.length, upstream.connections]).toEqual([seen, connections]);
    expect(scope.told[0]).toMatchObject({
      code: 'IN_PROCESS_UNSEEN',
      message: expect.stringMatching(/checkServerIdentity of its own, and was refused: nothing may go out/) as string,
    });
  });

  it('may go over a socket of the program that leads to the door itself', async () => {
    const scope = Object.assign(await lab.openScope(), { isSealed: true });
    const { port } = lab.rig.upstream;
    const { socket } = await openTunnel(scope.door.port, `localhost:${port}`);
    const secure = runInScope(scope, () => tls.connect({ socket, servername: 'localhost', port, ca: scope.caPem }));
    await once(secure, 'secureConnect');
    secure.destroy();
    expect(scope.told).toEqual([]);
  });

  it('is told of when it goes over a socket of the program', async () => {
    const scope = await lab.openScope();
    const raw = net.connect(lab.rig.upstream.port, '127.0.0.1');
    await once(raw, 'connect');
    const port = lab.rig.upstream.port;
    const socket = runInScope(scope, () => tls.connect({ socket: raw, servername: 'localhost', port }));
    await once(socket, 'secureConnect');
    socket.destroy();
    expect(scope.told.map(({ code }) => code)).toEqual(['IN_PROCESS_UNSEEN']);
  });

  it('is told of when a buffer of the caller takes its bytes', async () => {
    const scope = await lab.openScope();
    const port = lab.rig.upstream.port;
    const onread = { buffer: Buffer.alloc(1024), callback: () => true };
    const socket = runInScope(scope, () => tls.connect({ host: 'localhost', port, onread } as tls.ConnectionOptions));
    await once(socket, 'secureConnect');
    socket.destroy();
    expect(scope.told.map(({ message }) => message)).toEqual([expect.stringContaining('onread')]);
  });

  it('brings the credentials the door asks for', async () => {
    const scope = lab.scopeOf(await lab.rig.openSession({ credentials: true }));
    await expect(runInScope(scope, () => askNode(lab, {}))).resolves.toBe(chatReply);
    expect(countOf(lab, scope)).toBe(1);
  });

  it('goes directly, and is told of, by an agent that names its sockets itself', async () => {
    const [scope, other] = [await lab.openScope(), await lab.openScope()];
    const agent = new OwnNames({ keepAlive: true });
    for (const owner of [scope, null, other]) {
      await expect(runInScope(owner, () => askNode(lab, { agent }))).resolves.toBe(chatReply);
    }
    expect(countOf(lab, scope) + countOf(lab, other)).toBe(0);
    expect(other.told.map(({ message }) => message)).toEqual([expect.stringContaining('(OwnNames)')]);
    agent.destroy();
  });

  it('is opened by the agent that opens its connections itself', async () => {
    const [scope, other] = [await lab.openScope(), await lab.openScope()];
    class OwnConnections extends https.Agent {
      override createConnection({ host, port }: { readonly host: string; readonly port: number }): tls.TLSSocket {
        return tls.connect({ host, port, servername: host });
      }
    }
    const agent = new OwnConnections({ keepAlive: true, maxSockets: 1 });
    const owners = [scope, other, null, scope, null, other, scope];
    await Promise.all(owners.map((owner) => runInScope(owner, () => askNode(lab, { agent }))));
    expect([countOf(lab, scope), countOf(lab, other)]).toEqual([3, 2]);
    agent.destroy();
  });

  it('times out as the caller asks', async () => {
    const scope = await lab.openScope();
    const { upstream } = lab.rig;
    const usual = upstream.handler;
    upstream.handler = (request) => void request.resume();
    const request = runInScope(scope, () => https.request(`${lab.origin}${path}`, { method: 'POST', timeout: 30 }));
    request.on('error', () => undefined).end(makeBody('slow'));
    await once(request, 'timeout');
    request.destroy();
    upstream.handler = usual;
  });

  it('gives its tickets to nobody, and takes none', async () => {
    const scope = await lab.openScope();
    const port = lab.rig.upstream.port;
    const socket = runInScope(scope, () => tls.connect({ port, host: 'localhost' }));
    let tickets = 0;
    socket.on('session', () => {
      tickets += 1;
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    socket.resume();
    await once(socket, 'close');
    expect(tickets).toBe(0);
  });
});

describe('a host that is restarted', () => {
  it('is waited for', async () => {
    const scope = await lab.openScope();
    const serving = makeGate();
    scope.waitFor(serving.promise);
    const calls = runInScope(scope, () => [askNode(lab, { agent: false }), fetchText(lab.plainOrigin)]);
    scope.waitFor(undefined);
    serving.resolve();
    await expect(Promise.all(calls)).resolves.toEqual([chatReply, chatReply]);
    expect(countOf(lab, scope)).toBe(2);
  });

  it('cuts what waits for it when it will not come again, and lets the next call go directly', async () => {
    const scope = await lab.openScope();
    const serving = makeGate();
    scope.waitFor(serving.promise);
    const calls = runInScope(scope, () => [askNode(lab, { agent: false }), askPlainNode()]);
    scope.end();
    serving.resolve();
    const outcomes = await Promise.allSettled(calls);
    expect(
      outcomes.map((outcome) => outcome.status === 'rejected' && Reflect.get(outcome.reason as object, 'code')),
    ).toEqual(['ECONNRESET', 'ECONNRESET']);
    await expect(runInScope(scope, () => askNode(lab, {}))).resolves.toBe(chatReply);
    expect(countOf(lab, scope)).toBe(0);
  });
});

async function fetchText(origin: string): Promise<string> {
  const response = await fetch(`${origin}${path}`, { method: 'POST', body: makeBody('fetched') });
  return await response.text();
}

function askPlainNode(): Promise<string> {
  return makeClient('https.request without an agent', lab.plainOrigin)
    .ask(`${lab.plainOrigin}${path}`, { body: makeBody('plain') })
    .then(({ text }) => text);
}

describe('other protocols', () => {
  it('belong to the scope they were opened in: WebSocket', async () => {
    const scope = await lab.openScope();
    const server = new WebSocketServer({ noServer: true });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    lab.rig.upstream.onUpgrade = (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (opened) => server.emit('connection', opened, request));
    };
    const session = lab.openOf(scope);
    const url = `${lab.origin.replace('https', 'wss')}/v1/realtime`;
    await expect(runInScope(scope, () => echoOver(url, 'hello'))).resolves.toBe('hello');
    await expect(runInScope(null, () => echoOver(url, 'outside'))).resolves.toBe('outside');
    expect(session.counts().upgrades).toBe(1);
  });

  it('tell scopes apart on one session of HTTP/2', async () => {
    const { key, cert, ca } = makeTestCertificate('localhost');
    const server = http2.createSecureServer({ key, cert });
    const kept: http2.ServerHttp2Session[] = [];
    server.on('session', (opened) => kept.push(opened));
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('over h2');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `https://localhost:${(server.address() as net.AddressInfo).port}`;
    lab.addOrigin(origin);
    const [first, second] = [await lab.openScope(), await lab.openScope()];
    const session = runInScope(first, () => http2.connect(origin, { ca }));
    const owners = [first, second, null, second, first];
    for (const owner of owners) {
      await expect(runInScope(owner, () => askOver(session, path, '{}'))).resolves.toEqual({
        status: 200,
        text: 'over h2',
      });
    }
    for (const scope of [first, second]) expect(lab.openOf(scope).counts()).toMatchObject({ tunnels: 0, calls: 2 });
    // Scope after scope adds no listener to the caller's session: Node warns of more than ten.
    const listeners = session.listenerCount('close');
    await runInScope(await lab.openScope(), () => askOver(session, path, '{}'));
    expect(session.listenerCount('close')).toBe(listeners);
    session.close();
    await once(session, 'close');
    for (const opened of kept) opened.destroy();
    await new Promise((done) => server.close(done));
  });
});
