import './own-undici.js';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { createRequire } from 'node:module';
import net from 'node:net';
import { resolve } from 'node:path';
import tls from 'node:tls';
import * as undici from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { runInScope } from '../../../src/activation/scope.js';
import { installTraffic, releaseSession } from '../../../src/activation/traffic/install-traffic.js';
import { chatReply } from '../../fixtures/replies.js';
import type { TestScope } from '../../fixtures/scoped-session.js';
import { makeTestCertificate } from '../../fixtures/upstream.js';
import { openUserProxy } from '../../fixtures/user-proxy.js';
import { askOver, echoOver, makeClient } from './clients.js';
import { makeGate, openTrafficLab, type TrafficLab, waitForRecordsOf } from './traffic-lab.js';

const path = '/v1/chat/completions';
let lab: TrafficLab;

beforeAll(async () => {
  lab = await openTrafficLab();
});

beforeEach(() => {
  lab.undo();
  lab.reinstall();
});

afterAll(async () => {
  await lab.close();
});

const makeBody = (model: string): string => JSON.stringify({ model, messages: [] });

function askNode(
  options: https.RequestOptions & { readonly secureContext?: tls.SecureContext },
  model = 'node',
): Promise<string> {
  return new Promise((done, fail) => {
    const request = https.request(`${lab.origin}${path}`, { method: 'POST', ...options }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => done(text)).on('error', fail);
    });
    request.on('error', fail).end(makeBody(model));
  });
}

async function askUndici(dispatcher: undici.Dispatcher, model = 'undici'): Promise<string> {
  const { body } = await undici.request(`${lab.origin}${path}`, { method: 'POST', body: makeBody(model), dispatcher });
  return await body.text();
}

const countOf = (scope: TestScope): number =>
  lab.rig.records.filter((record) => record.sessionId === scope.session.sessionId).length;

/** Own properties of everything the seams may touch. */
function snapshot(h2Prototype: object): unknown[] {
  const chainOf = (object: object): object[] => {
    const up = Object.getPrototypeOf(object) as object | null;
    return up === null || up === Object.prototype ? [] : [up, ...chainOf(up)];
  };
  const builtIn = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')) as object;
  const targets = [
    tls,
    net,
    http,
    https,
    http2,
    http.Agent.prototype,
    https.Agent.prototype,
    h2Prototype,
    ...chainOf(builtIn),
    ...chainOf(undici.Client.prototype),
    undici.Client.prototype,
    undici.Pool.prototype,
  ];
  return targets.map((target) => Object.getOwnPropertyDescriptors(target));
}

describe('undoing', () => {
  it('leaves every property as it was', async () => {
    lab.undo();
    const session = http2.connect(lab.plainOrigin);
    const prototype = Object.getPrototypeOf(session) as object;
    session.on('error', () => undefined).destroy();
    void globalThis.Response;
    const before = snapshot(prototype);
    const undo = installTraffic();
    const again = installTraffic();
    const during = snapshot(prototype);
    expect(during).not.toEqual(before);
    const scope = await lab.openScope();
    const own = new undici.Agent();
    await runInScope(scope, () => Promise.all([askUndici(own), askNode({}), fetch(`${lab.origin}${path}`)]));
    http2
      .connect(lab.plainOrigin)
      .on('error', () => undefined)
      .destroy();
    await own.close();
    undo();
    undo();
    expect(tls.connect).not.toBe(Reflect.get(before[0] as object, 'connect').value);
    again();
    expect(snapshot(prototype)).toEqual(before);
    const { connect } = await import('node:tls');
    expect(connect).toBe(tls.connect);
  });

  it.each(['ours first', 'theirs first'])('goes in any order with another patcher: %s', async (order) => {
    lab.undo();
    const original = tls.connect;
    const undo = installTraffic();
    const ours = tls.connect;
    let theirs = 0;
    const wrapper = (...args: unknown[]): tls.TLSSocket => {
      theirs += 1;
      return Reflect.apply(ours, tls, args) as tls.TLSSocket;
    };
    tls.connect = wrapper as typeof tls.connect;
    const scope = await lab.openScope();
    await runInScope(scope, () => askNode({ agent: false }));
    expect(theirs).toBe(1);
    expect(countOf(scope)).toBe(1);
    if (order === 'theirs first') tls.connect = ours;
    undo();
    expect(tls.connect).toBe(order === 'theirs first' ? original : wrapper);
    await runInScope(scope, () => askNode({ agent: false }));
    expect(countOf(scope)).toBe(1);
    tls.connect = original;
  });

  it('lets a call in flight end, and no later call use its connection', async () => {
    const scope = await lab.openScope();
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const own = new undici.Pool(lab.origin, { connections: 1 });
    const { upstream } = lab.rig;
    const usual = upstream.handler;
    const [arrived, answer] = [makeGate(), makeGate()];
    let waiting = 0;
    upstream.handler = (request, response) => {
      waiting += 1;
      if (waiting === 2) arrived.resolve();
      request.resume();
      void answer.promise.then(() => response.end(chatReply));
    };
    const calls = runInScope(scope, () => Promise.all([askNode({ agent }, 'flying'), askUndici(own, 'flying')]));
    await arrived.promise;
    lab.undo();
    answer.resolve();
    await calls;
    upstream.handler = usual;
    await Promise.all([askNode({ agent }, 'later'), askUndici(own, 'later')]);
    const records = await waitForRecordsOf(lab, scope, 2);
    expect(records.map((record) => record.requestedModel)).toEqual(['flying', 'flying']);
    agent.destroy();
    await own.close();
  });
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
    const answers = await runInScope(scope, () => Promise.all(Array.from({ length: 20 }, () => askUndici(pool))));
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
      await runInScope(scope, () => askNode({ agent }));
      await runInScope(scope, () => askUndici(pool));
    }
    tls.connect = connect;
    expect(connects).toBe(2);
    expect(countOf(scope)).toBe(10);
    agent.destroy();
    await pool.close();
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
    await runInScope(scope, () => askNode({ agent: false, checkServerIdentity }));
    await runInScope(scope, () => askNode({ agent: false, secureContext }));
    expect(countOf(scope)).toBe(0);
    expect(scope.told.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(/^IN_PROCESS_UNSEEN .*localhost was made with a checkServerIdentity of its own/),
      expect.stringMatching(/^IN_PROCESS_UNSEEN .*localhost was made with a secureContext of its own/),
    ]);
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
    await expect(runInScope(scope, () => askNode({}))).resolves.toBe(chatReply);
    expect(countOf(scope)).toBe(1);
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
    const calls = runInScope(scope, () => [askNode({ agent: false }), fetchText(lab.plainOrigin)]);
    scope.waitFor(undefined);
    serving.resolve();
    await expect(Promise.all(calls)).resolves.toEqual([chatReply, chatReply]);
    expect(countOf(scope)).toBe(2);
  });

  it('cuts what waits for it when it will not come again, and lets the next call go directly', async () => {
    const scope = await lab.openScope();
    const serving = makeGate();
    scope.waitFor(serving.promise);
    const calls = runInScope(scope, () => [askNode({ agent: false }), askPlainNode()]);
    scope.end();
    serving.resolve();
    const outcomes = await Promise.allSettled(calls);
    expect(
      outcomes.map((outcome) => outcome.status === 'rejected' && Reflect.get(outcome.reason as object, 'code')),
    ).toEqual(['ECONNRESET', 'ECONNRESET']);
    await expect(runInScope(scope, () => askNode({}))).resolves.toBe(chatReply);
    expect(countOf(scope)).toBe(0);
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

describe('undici', () => {
  it('waits for the calls of a scope when its pool is closed', async () => {
    const scope = await lab.openScope();
    const pool = new undici.Pool(lab.origin);
    const { upstream } = lab.rig;
    const usual = upstream.handler;
    const [arrived, answer] = [makeGate(), makeGate()];
    upstream.handler = (request, response) => {
      arrived.resolve();
      request.resume();
      void answer.promise.then(() => response.end(chatReply));
    };
    const call = runInScope(scope, () => askUndici(pool));
    await arrived.promise;
    let closed = false;
    const closing = pool.close().then(() => {
      closed = true;
    });
    await new Promise((done) => setImmediate(done));
    expect(closed).toBe(false);
    answer.resolve();
    await expect(call).resolves.toBe(chatReply);
    await closing;
    upstream.handler = usual;
    await expect(runInScope(scope, () => askUndici(pool))).rejects.toMatchObject({ code: 'UND_ERR_DESTROYED' });
  });

  it('fails the calls of a scope when its client is destroyed', async () => {
    const scope = await lab.openScope();
    const client = new undici.Client(lab.origin);
    const { upstream } = lab.rig;
    const usual = upstream.handler;
    const arrived = makeGate();
    upstream.handler = () => arrived.resolve();
    const call = runInScope(scope, () => askUndici(client));
    const outcome = call.catch((error: unknown) => error);
    await arrived.promise;
    await client.destroy(Object.assign(new Error('enough'), { code: 'ENOUGH' }));
    expect(await outcome).toMatchObject({ code: 'ENOUGH' });
    upstream.handler = usual;
  });

  it('keeps its time-outs', async () => {
    const scope = await lab.openScope();
    const { upstream } = lab.rig;
    const usual = upstream.handler;
    upstream.handler = (_request, response) => {
      response.write('{');
    };
    const agent = new undici.Agent({ bodyTimeout: 50 });
    const outside = await askUndici(agent).catch((error: unknown) => error);
    const inside = await runInScope(scope, () => askUndici(agent)).catch((error: unknown) => error);
    expect(outside).toMatchObject({ name: 'BodyTimeoutError', code: 'UND_ERR_BODY_TIMEOUT' });
    expect(inside).toMatchObject({ name: 'BodyTimeoutError', code: 'UND_ERR_BODY_TIMEOUT' });
    upstream.handler = usual;
    await agent.destroy();
  });

  it('is told of when it leaves by a proxy of the program, and its connections stay apart', async () => {
    const [scope, other] = [await lab.openScope(), await lab.openScope()];
    const proxy = await openUserProxy();
    const agent = new undici.ProxyAgent(`http://127.0.0.1:${proxy.port}`);
    for (const owner of [scope, other, null, scope]) {
      await expect(runInScope(owner, () => askUndici(agent))).resolves.toBe(chatReply);
    }
    expect(proxy.asked.length).toBeGreaterThanOrEqual(3);
    expect(countOf(scope) + countOf(other)).toBe(0);
    expect(scope.told.map(({ message }) => message)).toEqual([expect.stringContaining("socket of the program's own")]);
    await agent.close();
    await proxy.close();
  });

  it("uses the caller's own way of connecting", async () => {
    const scope = await lab.openScope();
    const connector = undici.buildConnector({ timeout: 5000 });
    let connects = 0;
    const connect: undici.buildConnector.connector = (options, done) => {
      connects += 1;
      // As one that looks a name up first.
      setImmediate(() => connector(options, done));
    };
    const agent = new undici.Agent({ connect });
    await expect(runInScope(scope, () => askUndici(agent))).resolves.toBe(chatReply);
    await expect(runInScope(null, () => askUndici(agent))).resolves.toBe(chatReply);
    await expect(runInScope(scope, () => askUndici(agent))).resolves.toBe(chatReply);
    expect(connects).toBe(2);
    expect(countOf(scope)).toBe(2);
    await agent.close();
  });

  it('answers from its mocks, and sees what a mock passes on, or says that it does not', async () => {
    const scope = await lab.openScope();
    const pooled = new undici.MockAgent();
    pooled.get(lab.origin).intercept({ path, method: 'POST' }).reply(200, 'mocked');
    await expect(runInScope(scope, () => askUndici(pooled))).resolves.toBe('mocked');
    expect(countOf(scope)).toBe(0);
    await expect(runInScope(scope, () => askUndici(pooled))).resolves.toBe(chatReply);
    expect(countOf(scope)).toBe(1);
    const single = new undici.MockAgent({ connections: 1 });
    single.get(lab.origin);
    await expect(runInScope(scope, () => askUndici(single))).resolves.toBe(chatReply);
    expect(countOf(scope)).toBe(1);
    expect(scope.told.map(({ message }) => message)).toEqual([expect.stringContaining('MockAgent')]);
    await Promise.all([pooled.close(), single.close()]);
  });

  it.each(['loaded later', 'bundled'])('is found when a copy of it is %s', async (how) => {
    const load = createRequire(resolve('node_modules/ai/package.json'));
    const forget = (): void => {
      for (const file of Object.keys(load.cache))
        if (/[\\/]ai[\\/]node_modules[\\/]undici[\\/]/.test(file)) delete load.cache[file];
    };
    forget();
    const copy = load('undici') as typeof undici;
    if (how === 'bundled') forget();
    const [scope, other] = [await lab.openScope(), await lab.openScope()];
    const pool = new copy.Pool(lab.origin, { connections: 1 });
    const ask = async (model: string): Promise<string> => {
      const { body } = await pool.request({ path, method: 'POST', body: makeBody(model) });
      return await body.text();
    };
    for (const [owner, model] of [
      [scope, 'a1'],
      [null, 'out'],
      [other, 'b1'],
      [scope, 'a2'],
    ] as const) {
      await expect(runInScope(owner, () => ask(model))).resolves.toBe(chatReply);
    }
    const models = lab.modelsBySession();
    expect(models.get(scope.session.sessionId)).toEqual(['a1', 'a2']);
    expect(models.get(other.session.sessionId)).toEqual(['b1']);
    expect([...scope.told, ...other.told]).toEqual([]);
    await pool.close();
  });

  it('of a bundled copy whose connection is older than the scope is told of', async () => {
    lab.undo();
    const load = createRequire(resolve('node_modules/ai/package.json'));
    const forget = (): void => {
      for (const file of Object.keys(load.cache))
        if (/[\\/]ai[\\/]node_modules[\\/]undici[\\/]/.test(file)) delete load.cache[file];
    };
    forget();
    const copy = load('undici') as typeof undici;
    forget();
    const client = new copy.Client(lab.origin);
    const ask = async (): Promise<string> => {
      const { body } = await client.request({ path, method: 'POST', body: makeBody('old') });
      return await body.text();
    };
    await ask();
    lab.reinstall();
    const scope = await lab.openScope();
    await expect(runInScope(scope, ask)).resolves.toBe(chatReply);
    expect(scope.told.map(({ message }) => message)).toEqual([expect.stringContaining('opened before the scope')]);
    await expect(runInScope(scope, ask)).resolves.toBe(chatReply);
    expect(countOf(scope)).toBe(1);
    await client.close();
  });
});

describe('many scopes', () => {
  it('leave nothing behind in agents and dispatchers they share', async () => {
    const agent = new https.Agent({ keepAlive: true });
    const client = new undici.Client(lab.origin);
    for (let n = 0; n < 30; n += 1) {
      const session = await lab.rig.openSession();
      const scope = lab.scopeOf(session);
      await runInScope(scope, () => Promise.all([askNode({ agent }), askUndici(client)]));
      scope.end();
      releaseSession(scope);
      await session.close({ drain: true });
    }
    await new Promise((done) => setImmediate(done));
    expect(Object.keys(agent.freeSockets)).toEqual([]);
    expect(Object.keys(agent.sockets)).toEqual([]);
    agent.destroy();
    await client.close();
  });
});

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
    expect(lab.openOf(first).counts().tunnels).toBe(1);
    expect(lab.openOf(second).counts().tunnels).toBe(1);
    session.close();
    await once(session, 'close');
    await new Promise((done) => server.close(done));
  });
});
