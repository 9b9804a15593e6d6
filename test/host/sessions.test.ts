import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TrackerEvent } from '../../src/core/events.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { ask, openTunnel } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
  rig.upstream.handler = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
});
afterEach(async () => await rig.close());

const call = async (port = rig.session.port) => await ask({ port, ca: rig.ca, body: chatRequest });

describe('a session', () => {
  it('has a run id of its own, a UUIDv4, and no other id, unless it is given some', async () => {
    const { session } = rig.session;
    expect(session.runId).toMatch(uuidV4);
    expect(session.sessionId).toMatch(/^sess_[0-9a-f]{12}$/);
    const { configKey, variationKey, version, graphKey, graphRunId, dataId, comboId, agentId, command } = session;
    const others = [configKey, variationKey, version, graphKey, graphRunId, dataId, comboId, agentId, command];
    expect(others).toEqual(others.map(() => null));
    const second = (await rig.openSession()).session;
    expect(second.runId).not.toBe(session.runId);
    expect(Object.isFrozen(second)).toBe(true);
  });

  it('stamps every id it was given on its calls', async () => {
    const keys = { configKey: 'c', variationKey: 'v', version: 7, graphKey: 'g', graphRunId: 'gr' };
    const ids = { runId: 'my run', ...keys, dataId: 'd', comboId: 'co', agentId: 'a' };
    const session = await rig.openSession(ids);
    await call(session.port);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ ...ids, sessionId: session.session.sessionId });
    expect(record?.callId).toMatch(uuidV4);
    expect(Object.isFrozen(record)).toBe(true);
  });

  it('has secrets removed from its command, in the ledger and in memory', async () => {
    const session = await rig.openSession({ command: ['agent', '--api-key', 'very-secret-value', 'ask'] });
    expect(session.session.command).toEqual(['agent', '--api-key', '[redacted:argument]', 'ask']);
  });

  it('asks for credentials when told to, and has them in its URL', async () => {
    const session = await rig.openSession({ credentials: true });
    const { username, password, port } = new URL(session.proxyUrl);
    expect([username, Number(port)]).toEqual(['llmtap', session.port]);
    expect((await openTunnel(session.port, 'api.openai.com:443')).status).toBe(407);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const opened = await openTunnel(session.port, 'api.openai.com:443', { 'proxy-authorization': authorization });
    expect(opened.status).toBe(200);
    opened.socket.destroy();
  });

  it('may be closed twice, by itself and by its host, and is told of once', async () => {
    const events: TrackerEvent[] = [];
    rig.host.onEvent((event) => events.push(event));
    await Promise.all([rig.session.close({ exitCode: 3 }), rig.session.close({ exitCode: 4 })]);
    await rig.session.close();
    await Promise.all([rig.host.close(), rig.host.close()]);
    await rig.host.close();
    expect(events.filter(({ type }) => type === 'session.closed')).toHaveLength(1);
    const ledger = openLedgerReader({ home: rig.home });
    expect(ledger.listRuns()).toMatchObject([{ runId: rig.session.session.runId, exitCode: 3 }]);
    ledger.close();
  });

  it('cannot be opened on a host that is closed', async () => {
    await rig.host.close();
    await expect(rig.openSession()).rejects.toMatchObject({ code: 'HOST_CLOSED', hint: expect.stringMatching(/\S/) });
  });
});

describe('events', () => {
  it('tell of sessions, calls and faults, in the order they happen', async () => {
    const events: TrackerEvent[] = [];
    const stop = rig.host.onEvent((event) => events.push(event));
    const session = await rig.openSession({ agentId: 'a' });
    await call(session.port);
    await call(session.port);
    // Node says nothing when it does not trust: the second silence is taken for that.
    for (let i = 0; i < 2; i++) {
      const untrusting = ask({ port: session.port, ca: '', host: 'api.anthropic.com', body: '{}' });
      await expect(untrusting).rejects.toThrow(/certificate/);
    }
    await rig.waitForFaults(1);
    await session.close();
    stop();
    stop();
    await rig.openSession();
    expect(events.map(({ type }) => type)).toEqual([
      'session.opened',
      'call.completed',
      'call.completed',
      'fault.occurred',
      'session.closed',
    ]);
    const [opened, completed, , fault, closed] = events;
    expect(opened).toMatchObject({ session: { agentId: 'a' } });
    expect(completed).toMatchObject({ record: { agentId: 'a', outcome: 'ok' } });
    const { sessionId } = session.session;
    expect(fault).toMatchObject({ fault: { code: 'TLS_REFUSED', sessionId, hint: expect.stringMatching(/\S/) } });
    expect(closed).toMatchObject({ session: { sessionId }, counts: { calls: 2, faults: 1 } });
  });

  it('reach every listener though one throws, and the call and the ledger do not notice', async () => {
    const seen: string[] = [];
    const throwing = await openRig();
    throwing.upstream.handler = rig.upstream.handler;
    throwing.host.onEvent(() => {
      throw new Error('a listener of the user’s');
    });
    throwing.host.onEvent(({ type }) => seen.push(type));
    const reply = await ask({ port: throwing.session.port, ca: throwing.ca, body: chatRequest });
    expect([reply.status, reply.body.toString()]).toEqual([200, chatReply]);
    await throwing.host.close();
    expect(seen).toEqual(['call.completed', 'session.closed']);
    const ledger = openLedgerReader({ home: throwing.home });
    expect([...ledger.listCalls({})]).toHaveLength(1);
    ledger.close();
    await throwing.close();
  });
});

it('a provider registered while a session is open is seen by its next call', async () => {
  rig.host.registerProvider({ name: 'late', baseUrl: 'https://late.example:9/' });
  expect(rig.host.registered).toEqual([{ scheme: 'https', host: 'late.example', port: 9 }]);
  rig.host.registerProvider({ name: 'late', baseUrl: 'https://late.example' });
  await ask({ port: rig.session.port, ca: rig.ca, host: 'late.example', body: chatRequest });
  expect(await rig.waitForRecords(1)).toMatchObject([{ provider: 'late', outcome: 'ok' }]);
  expect(() => rig.host.registerProvider({ name: 'late', baseUrl: 'nonsense' })).toThrow(/late/);
});
