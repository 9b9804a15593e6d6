import './own-undici.js';
import https from 'node:https';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import * as undici from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { releaseSession } from '../../../src/activation/traffic/install-traffic.js';
import { chatReply } from '../../fixtures/replies.js';
import { openUserProxy } from '../../fixtures/user-proxy.js';
import { askNode, askUndici, countOf, makeBody, makeRandom, path } from './calls.js';
import { makeGate, openTrafficLab, type TrafficLab } from './traffic-lab.js';

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
    const call = runInScope(scope, () => askUndici(lab, pool));
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
    await expect(runInScope(scope, () => askUndici(lab, pool))).rejects.toMatchObject({ code: 'UND_ERR_DESTROYED' });
  });

  it('waits for the calls of a scope that is over, too', async () => {
    const scope = await lab.openScope();
    const pool = new undici.Pool(lab.origin);
    const { upstream } = lab.rig;
    const usual = upstream.handler;
    const [arrived, answer] = [makeGate(), makeGate()];
    upstream.handler = (request, response) => {
      request.resume();
      arrived.resolve();
      void answer.promise.then(() => response.end(chatReply));
    };
    const call = runInScope(scope, () => askUndici(lab, pool));
    await arrived.promise;
    scope.end();
    releaseSession(scope);
    const closing = pool.close();
    await new Promise((done) => setImmediate(done));
    answer.resolve();
    await expect(call).resolves.toBe(chatReply);
    await closing;
    upstream.handler = usual;
  });

  it('fails the calls of a scope when its client is destroyed', async () => {
    const scope = await lab.openScope();
    const client = new undici.Client(lab.origin);
    const { upstream } = lab.rig;
    const usual = upstream.handler;
    const arrived = makeGate();
    upstream.handler = () => arrived.resolve();
    const call = runInScope(scope, () => askUndici(lab, client));
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
    const outside = await askUndici(lab, agent).catch((error: unknown) => error);
    const inside = await runInScope(scope, () => askUndici(lab, agent)).catch((error: unknown) => error);
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
      await expect(runInScope(owner, () => askUndici(lab, agent))).resolves.toBe(chatReply);
    }
    expect(proxy.asked.length).toBeGreaterThanOrEqual(3);
    expect(countOf(lab, scope) + countOf(lab, other)).toBe(0);
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
    await expect(runInScope(scope, () => askUndici(lab, agent))).resolves.toBe(chatReply);
    await expect(runInScope(null, () => askUndici(lab, agent))).resolves.toBe(chatReply);
    await expect(runInScope(scope, () => askUndici(lab, agent))).resolves.toBe(chatReply);
    expect(connects).toBe(2);
    expect(countOf(lab, scope)).toBe(2);
    await agent.close();
  });

  it('answers from its mocks, and sees what a mock passes on, or says that it does not', async () => {
    const scope = await lab.openScope();
    const pooled = new undici.MockAgent();
    pooled.get(lab.origin).intercept({ path, method: 'POST' }).reply(200, 'mocked');
    await expect(runInScope(scope, () => askUndici(lab, pooled))).resolves.toBe('mocked');
    expect(countOf(lab, scope)).toBe(0);
    await expect(runInScope(scope, () => askUndici(lab, pooled))).resolves.toBe(chatReply);
    expect(countOf(lab, scope)).toBe(1);
    const single = new undici.MockAgent({ connections: 1 });
    single.get(lab.origin);
    await expect(runInScope(scope, () => askUndici(lab, single))).resolves.toBe(chatReply);
    expect(countOf(lab, scope)).toBe(1);
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
    expect(countOf(lab, scope)).toBe(1);
    await client.close();
  });
});

describe('many scopes', () => {
  it.each([
    ['a pool of one connection', 1, 1],
    ['a pool of three connections', 3, 1],
    ['a pool that pipelines', 2, 4],
  ])('all come to their turn when calls are aborted at random on %s', async (_name, connections, pipelining) => {
    const scopes = [await lab.openScope(), await lab.openScope(), null];
    const pool = new undici.Pool(lab.origin, { connections, pipelining });
    const random = makeRandom(connections * 10 + pipelining);
    const outcomes = Array.from({ length: 240 }, async (_, n) => {
      const scope = scopes[n % 3] ?? null;
      const isAborted = random() < 0.3;
      const signal = isAborted ? AbortSignal.timeout(Math.floor(random() * 20)) : undefined;
      return await runInScope(scope, async () => {
        const options = { path, method: 'POST', body: makeBody(`r${n % 3}-${n}`), ...(signal && { signal }) } as const;
        const { body } = await pool.request(options);
        return await body.text();
      }).catch((error: unknown) => (isAborted ? chatReply : error));
    });
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set([chatReply]));
    const models = lab.modelsBySession();
    for (const [index, scope] of scopes.entries()) {
      const mine = scope === null ? [] : (models.get(scope.session.sessionId) ?? []);
      expect(mine.filter((model) => !model.startsWith(`r${index}-`) && model !== '')).toEqual([]);
    }
    expect(lab.rig.records.some(({ requestedModel }) => requestedModel?.startsWith('r2-'))).toBe(false);
    await pool.close();
  });

  it('leave nothing behind in agents and dispatchers they share', async () => {
    const agent = new https.Agent({ keepAlive: true });
    const client = new undici.Client(lab.origin);
    for (let n = 0; n < 30; n += 1) {
      const session = await lab.rig.openSession();
      const scope = lab.scopeOf(session);
      await runInScope(scope, () => Promise.all([askNode(lab, { agent }), askUndici(lab, client)]));
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
