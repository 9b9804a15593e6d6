import './own-undici.js';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import * as undici from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { installTraffic } from '../../../src/activation/traffic/install-traffic.js';
import { chatReply } from '../../fixtures/replies.js';
import { askNode, askUndici, countOf, path } from './calls.js';
import { makeGate, openTrafficLab, type TrafficLab, waitForRecordsOf } from './traffic-lab.js';

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
    await runInScope(scope, () => Promise.all([askUndici(lab, own), askNode(lab, {}), fetch(`${lab.origin}${path}`)]));
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
    await runInScope(scope, () => askNode(lab, { agent: false }));
    expect(theirs).toBe(1);
    expect(countOf(lab, scope)).toBe(1);
    if (order === 'theirs first') tls.connect = ours;
    undo();
    expect(tls.connect).toBe(order === 'theirs first' ? original : wrapper);
    await runInScope(scope, () => askNode(lab, { agent: false }));
    expect(countOf(lab, scope)).toBe(1);
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
    const calls = runInScope(scope, () =>
      Promise.all([askNode(lab, { agent }, 'flying'), askUndici(lab, own, 'flying')]),
    );
    await arrived.promise;
    lab.undo();
    answer.resolve();
    await calls;
    upstream.handler = usual;
    await Promise.all([askNode(lab, { agent }, 'later'), askUndici(lab, own, 'later')]);
    const records = await waitForRecordsOf(lab, scope, 2);
    expect(records.map((record) => record.requestedModel)).toEqual(['flying', 'flying']);
    agent.destroy();
    await own.close();
  });

  it('calls what stood before it as the caller did', async () => {
    lab.undo();
    const receivers: unknown[] = [];
    const holders = [
      [http.Agent.prototype, 'createConnection'],
      [net, 'connect'],
      [tls, 'connect'],
    ] as const;
    const originals = holders.map(([holder, name]) => Reflect.get(holder, name) as (...args: unknown[]) => unknown);
    for (const [index, [holder, name]] of holders.entries()) {
      Reflect.set(holder, name, function (this: unknown, ...args: unknown[]): unknown {
        receivers.push(this);
        return Reflect.apply(originals[index] as (...args: unknown[]) => unknown, this, args);
      });
    }
    const undo = installTraffic();
    const agent = new http.Agent();
    await new Promise((done) => http.get(lab.plainOrigin, { agent }, (response) => response.resume().on('end', done)));
    await askNode(lab, { agent: false });
    undo();
    for (const [index, [holder, name]] of holders.entries()) Reflect.set(holder, name, originals[index]);
    expect(receivers[0]).toBe(agent);
    expect(receivers.at(-1)).toBe(tls);
  });
});
