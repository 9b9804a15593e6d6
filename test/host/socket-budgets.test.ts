import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { BudgetLimits } from '../../src/core/budget.js';
import { openSecure } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openSocketClient, type SocketClient } from '../fixtures/socket-client.js';
import {
  openSocketProvider,
  type SocketProvider,
  type SocketProviderOptions,
  send,
} from '../fixtures/socket-provider.js';

let rig: Rig;
let provider: SocketProvider;
afterEach(async () => {
  provider.close();
  await rig.close();
});

async function openBudget(budget: BudgetLimits, options: SocketProviderOptions = {}): Promise<void> {
  rig = await openRig({ session: { budget } });
  provider = openSocketProvider(rig, options);
}

async function openClient(path: string, options: { host?: string; compress?: boolean } = {}): Promise<SocketClient> {
  return await openSocketClient({ port: rig.session.port, ca: rig.ca, path, ...options });
}

const create = (more: object = {}) => ({
  type: 'response.create',
  model: 'gpt-5',
  input: 'Say one two three.',
  ...more,
});
const refusal = (count: string) => `llmtap refused this call: the run's budget of ${count} is spent.`;

const framings = [
  ['plain', false],
  ['compressed', true],
  ['compressed, each message by itself', { clientNoContextTakeover: true }],
  ['compressed with a small window', { clientMaxWindowBits: 9 }],
] as const;

describe.each(framings)('a response over a WebSocket, %s', (_, compress) => {
  it('beyond the budget gets the error of the API, and what follows goes on', async () => {
    await openBudget({ maxCalls: 1 }, { compress });
    const client = await openClient('/v1/responses', { compress: compress !== false });
    client.say(create());
    await client.next('response.completed');
    client.say(create({ input: 'Say it again. Say one two three.' }));
    expect(await client.next('error')).toEqual({
      type: 'error',
      status: 429,
      error: { type: 'insufficient_quota', code: 'insufficient_quota', message: refusal('1 call'), param: null },
    });
    // Preparing is no call.
    client.say(create({ generate: false, input: 'Say one two three. Say it again.' }));
    await client.next('response.completed');
    client.say(create());
    await client.next('error');
    client.say({ type: 'response.say', text: 'Say one two three.' });
    client.say(create({ generate: false }));
    await client.next('response.completed');
    expect(provider.heard.map(({ type, generate, text }) => [type, generate, text])).toEqual([
      ['response.create', undefined, undefined],
      ['response.create', false, undefined],
      ['response.say', undefined, 'Say one two three.'],
      ['response.create', false, undefined],
    ]);
    const [first, second] = await rig.waitForRecords(3);
    expect(first).toMatchObject({ outcome: 'ok', status: 101, changes: [] });
    expect(second).toMatchObject({
      ...{ outcome: 'http_error', status: 429, requestedModel: 'gpt-5', protocol: 'websocket', partial: false },
      error: { code: 'BUDGET_EXCEEDED', message: refusal('1 call') },
      usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
      cost: { usd: 0, problem: null },
      changes: ['reply: a refusal by the tap, the provider was not asked'],
      requestBody: { type: 'response.create', input: 'Say it again. Say one two three.' },
    });
    expect(rig.faults).toMatchObject([{ code: 'BUDGET_EXCEEDED' }]);
    client.socket.close();
    expect((await client.closed).code).toBe(1005);
  });
});

describe('responses at once', () => {
  it('keep room for what they may take, and are refused in the order of their lane', async () => {
    let onAsked: (far: WebSocket) => void = () => undefined;
    const asked = new Promise<WebSocket>((resolve) => {
      onAsked = resolve;
    });
    await openBudget({ maxTokens: 250 }, { answer: (far) => onAsked(far) });
    const client = await openClient('/v1/responses');
    client.say(create({ max_output_tokens: 150 }));
    const far = await asked;
    client.say(create({ max_output_tokens: 150 }));
    client.say(create({ max_output_tokens: 150, stream_id: 'other' }));
    // The lane of its own hears at once, the other one when it is its turn.
    expect(await client.next('error')).toMatchObject({ status: 429, stream_id: 'other' });
    expect(client.heard).toHaveLength(1);
    const usage = { input_tokens: 10, output_tokens: 20, total_tokens: 30 };
    send(far, { type: 'response.completed', response: { id: 'resp_1', model: 'gpt-5', status: 'completed', usage } });
    await client.next('response.completed');
    const { error } = await client.next('error');
    expect(error).toMatchObject({ message: expect.stringMatching(/has \d+ left, and this call may take 1\d\d\.$/) });
    // What the first took is less than what was kept for it: there is room again.
    const heard = provider.heard.length;
    client.say(create({ max_output_tokens: 150 }));
    client.socket.close();
    await client.closed;
    expect(provider.heard).toHaveLength(heard + 1);
    const records = await rig.waitForRecords(4);
    expect(records.map((record) => record.error?.code ?? null)).toEqual([
      ...['BUDGET_EXCEEDED', 'BUDGET_EXCEEDED', null, 'CLIENT_ABORTED'],
    ]);
    // The receipt is of all the socket, and so is what is told of it.
    expect(records[2]?.receipt?.requestToProvider).not.toBe(records[2]?.receipt?.requestFromClient);
    expect(records[2]?.changes).toEqual([
      'request: as it came; another message of its WebSocket was changed or left out',
    ]);
  });
});

describe('the official clients', () => {
  const api = new OpenAI({ apiKey: 'sk-test-0123456789abcdef' });
  const connect = async (): Promise<object> => {
    const secure = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    return { createConnection: () => secure };
  };

  it('of Responses tell of the refusal as an error', async () => {
    await openBudget({ maxCalls: 0 });
    const responses = new ResponsesWS(api, (await connect()) as never);
    const failed = new Promise<unknown>((resolve) => responses.once('error', resolve));
    responses.send(create() as never);
    expect(String(await failed)).toContain(refusal('0 calls'));
    expect(provider.heard).toEqual([]);
    responses.close();
  });

  it('of Realtime tell of it by the event that was refused, and the session lives', async () => {
    await openBudget({ maxCalls: 1 });
    const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: (await connect()) as never }, api);
    await new Promise((resolve) => realtime.on('session.created', resolve));
    const done = new Promise((resolve) => realtime.once('response.done', resolve));
    realtime.send({ type: 'response.create' });
    await done;
    const failed = new Promise<{ error?: object }>((resolve) => realtime.once('error', resolve as never));
    realtime.send({ type: 'response.create', event_id: 'mine_2' });
    expect((await failed).error).toMatchObject({ message: refusal('1 call'), event_id: 'mine_2' });
    const item = { type: 'message' as const, role: 'user' as const, content: [] };
    realtime.send({ type: 'conversation.item.create', item });
    realtime.close();
    await rig.waitForRecords(2);
    expect(rig.records.map(({ outcome, requestedModel }) => [outcome, requestedModel])).toEqual([
      ['ok', 'gpt-realtime'],
      ['http_error', 'gpt-realtime'],
    ]);
  });
});

describe('what a Realtime server begins itself', () => {
  it('counts, and what the client asks for after it is refused', async () => {
    await openBudget(
      { maxCalls: 1 },
      {
        answer: (far, { type }) => {
          if (type !== 'input_audio_buffer.append') return;
          send(far, { type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } });
          const usage = { input_tokens: 10, output_tokens: 20, total_tokens: 30 };
          send(far, { type: 'response.done', response: { id: 'resp_1', status: 'completed', usage } });
        },
      },
    );
    const client = await openClient('/v1/realtime?model=gpt-realtime');
    client.say({ type: 'input_audio_buffer.append', audio: 'AAAA' });
    await client.next('response.done');
    await rig.waitForRecords(1);
    client.say({ type: 'response.create', response: { max_output_tokens: 10 } });
    expect(await client.next('error')).toMatchObject({ error: { code: 'insufficient_quota', event_id: null } });
    expect(provider.heard).toHaveLength(1);
  });
});

describe('a budget in tokens', () => {
  it('heeds the limit a Realtime response sets', async () => {
    await openBudget({ maxTokens: 1000 });
    const client = await openClient('/v1/realtime?model=gpt-realtime');
    client.say({ type: 'response.create', response: { max_output_tokens: 2000 } });
    expect(await client.next('error')).toMatchObject({
      error: { message: expect.stringMatching(/this call may take 20\d\d\.$/) },
    });
  });
});

describe('Gemini Live', () => {
  const host = 'generativelanguage.googleapis.com';
  const path = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';
  const turn = { clientContent: { turns: [{ role: 'user', parts: [{ text: 'Hi' }] }], turnComplete: true } };

  it('has no message for a refusal, and is closed as by Google', async () => {
    await openBudget({ maxCalls: 1 });
    const client = await openClient(path, { host });
    client.say({ setup: { model: 'models/gemini-live' } });
    client.say(turn);
    await rig.waitForRecords(1);
    client.say(turn);
    expect(await client.closed).toEqual({ code: 1011, reason: refusal('1 call') });
    expect(await rig.waitForRecords(2)).toMatchObject([
      { outcome: 'ok', model: 'gemini-live' },
      { outcome: 'http_error', requestedModel: 'gemini-live', error: { code: 'BUDGET_EXCEEDED' } },
    ]);
    expect(provider.heard).toHaveLength(2);
  });

  it('is refused once, whatever its client had said by the time it heard', async () => {
    await openBudget({ maxCalls: 0 });
    const client = await openClient(path, { host });
    client.say({ setup: { model: 'models/gemini-live' } });
    const sound = { realtimeInput: { audio: { mimeType: 'audio/pcm', data: 'AAAA' } } };
    for (let i = 0; i < 50; i++) client.say(sound);
    client.say(turn);
    expect((await client.closed).code).toBe(1011);
    await rig.waitForRecords(1);
    await rig.session.close();
    expect(rig.records.map(({ error }) => error?.code)).toEqual(['BUDGET_EXCEEDED']);
    expect(provider.heard).toHaveLength(1);
  });

  it('asks for room in either spelling: Google’s package for Python says client_content', async () => {
    await openBudget({ maxCalls: 0 });
    const client = await openClient(path, { host });
    client.say({ setup: { model: 'models/gemini-live' } });
    client.say({ client_content: { turns: [{ role: 'user', parts: [{ text: 'Hi' }] }], turnComplete: true } });
    expect((await client.closed).code).toBe(1011);
    expect(provider.heard).toHaveLength(1);
  });

  it('keeps no room for a microphone that was open and asked nothing', async () => {
    await openBudget({ maxCalls: 1 });
    const sound = { realtimeInput: { audio: { mimeType: 'audio/pcm', data: 'AAAA' } } };
    const silent = await openClient(path, { host });
    silent.say({ setup: { model: 'models/gemini-live' } });
    silent.say(sound);
    silent.socket.close();
    await silent.closed;
    const client = await openClient(path, { host });
    client.say({ setup: { model: 'models/gemini-live' } });
    client.say(turn);
    expect(await rig.waitForRecords(1)).toMatchObject([{ outcome: 'ok' }]);
    client.socket.close();
  });
});
