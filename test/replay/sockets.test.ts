import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { OpenSession } from '../../src/core/host.js';
import { openSecure } from '../fixtures/proxy-client.js';
import { openSocketClient } from '../fixtures/socket-client.js';
import { openSocketProvider } from '../fixtures/socket-provider.js';
import { openReplayRig, type ReplayRig } from './replay-rig.js';

const key = 'sk-test-0123456789abcdef';
const client = new OpenAI({ apiKey: key });

async function makeOptions(rig: ReplayRig, session: OpenSession): Promise<object> {
  const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
  return { createConnection: () => secure };
}

/** Two turns of a conversation by the official client; gives all that the provider said. */
async function talk(rig: ReplayRig, session: OpenSession, texts: readonly string[]): Promise<readonly unknown[]> {
  const options = (await makeOptions(rig, session)) as never;
  const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options }, client);
  const said: unknown[] = [];
  realtime.on('event', (event) => said.push(event));
  await new Promise((resolve) => realtime.on('session.created', resolve));
  for (const text of texts) {
    const done = new Promise((resolve) => realtime.once('response.done', resolve));
    const content = [{ type: 'input_text' as const, text }];
    realtime.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    realtime.send({ type: 'response.create', response: {} });
    await done;
  }
  const closed = new Promise((resolve) => realtime.socket.once('close', resolve));
  realtime.close();
  await closed;
  return said;
}

describe.each([{ compress: false }, { compress: true }])(
  'a recorded WebSocket (compressed: $compress)',
  ({ compress }) => {
    it('says to the official client what it said, without its provider, and its responses are on record', async () => {
      const rig = await openReplayRig();
      const provider = openSocketProvider(rig, { compress });
      onTestFinished(() => provider.close());
      let first: readonly unknown[] = [];
      await rig.record(async (session) => {
        first = await talk(rig, session, [`Hi, my key is ${key}.`, 'And now?']);
      });
      expect(first.length).toBeGreaterThan(4);
      expect(rig.readCassette()).not.toContain(key);
      await rig.upstream.close();
      const again = await talk(rig, await rig.replay(), [`Hi, my key is ${key}.`, 'And now?']);
      expect(again).toEqual(first);
      const records = await rig.waitForRecords(4);
      const read = (from: number) =>
        records.slice(from, from + 2).map(({ usage, responseId, outcome }) => ({ usage, responseId, outcome }));
      expect(read(2)).toEqual(read(0));
      expect(records.map(({ cached }) => cached)).toEqual([false, false, true, true]);
      expect(rig.faults).toEqual([]);
    });
  },
);

describe('a replayed WebSocket', () => {
  it('is closed, and told, where its client says something else', async () => {
    const rig = await openReplayRig();
    const provider = openSocketProvider(rig, { compress: false });
    onTestFinished(() => provider.close());
    await rig.record((session) => talk(rig, session, ['Hi']));
    const session = await rig.replay();
    const socket = new WebSocket('wss://api.openai.com/v1/realtime?model=gpt-realtime', {
      ...(await makeOptions(rig, session)),
    } as never);
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.once('message', () =>
      socket.send(JSON.stringify({ type: 'response.create', response: { instructions: 'Else' } })),
    );
    expect(await closed).toBe(1011);
    const [fault] = await rig.waitForFaults(1);
    expect(fault).toMatchObject({ code: 'REPLAY_MISSED' });
    expect(fault?.message).toContain('is not as recorded');
  });

  it('is refused where it was not recorded, and nothing goes out', async () => {
    const rig = await openReplayRig();
    const provider = openSocketProvider(rig, { compress: false });
    onTestFinished(() => provider.close());
    await rig.record((session) => talk(rig, session, ['Hi']));
    const connections = rig.upstream.connections;
    const session = await rig.replay();
    await talk(rig, session, ['Hi']);
    const again = new WebSocket('wss://api.openai.com/v1/realtime?model=gpt-realtime', {
      ...(await makeOptions(rig, session)),
    } as never);
    const error = await new Promise<Error>((resolve) => again.once('error', resolve));
    expect(error.message).toContain('412');
    expect(rig.upstream.connections).toBe(connections);
    expect(rig.faults.map(({ code }) => code)).toEqual(['REPLAY_MISSED']);
  });
});

describe('a recorded WebSocket of a routed session', () => {
  it('is played to the same router, without what a budget refused', async () => {
    const rig = await openReplayRig();
    const provider = openSocketProvider(rig, { compress: true });
    onTestFinished(() => provider.close());
    const router = { name: 'fixed', options: { model: 'gpt-5-mini' } };
    const say = async (session: OpenSession, inputs: readonly string[]) => {
      const client = await openSocketClient({ port: session.port, ca: rig.ca, path: '/v1/responses', compress: true });
      for (const input of inputs) {
        client.say({ type: 'response.create', model: 'gpt-5', input });
        await client.next('response.completed', 'error');
      }
      client.socket.close();
      await client.closed;
      return client.heard;
    };
    const cassette = { path: rig.path };
    const made = await rig.openSession({ router, budget: { maxCalls: 1 }, cassette: { mode: 'record', ...cassette } });
    const first = await say(made, ['One', 'Two']);
    await made.close({ drain: true });
    expect(provider.heard).toMatchObject([{ model: 'gpt-5-mini', input: 'One' }]);
    expect(rig.readCassette()).not.toContain('Two');
    await rig.upstream.close();
    const again = await say(await rig.openSession({ router, cassette: { mode: 'replay', ...cassette } }), ['One']);
    expect(again).toEqual(first.slice(0, -1));
    expect(rig.faults.map(({ code }) => code)).toEqual(['BUDGET_EXCEEDED']);
  });
});
