import { afterEach, describe, expect, it } from 'vitest';
import type { HostOptions, SessionOptions } from '../../src/core/host.js';
import type { RouteQuestion } from '../../src/core/routing.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openSocketClient, type SocketClient } from '../fixtures/socket-client.js';
import { openSocketProvider, type SocketProvider, type SocketProviderOptions } from '../fixtures/socket-provider.js';

let rig: Rig;
let provider: SocketProvider;
afterEach(async () => {
  provider.close();
  await rig.close();
});

const fixed = { name: 'fixed', options: { model: 'gpt-5-mini' } };

interface Routed {
  readonly session?: SessionOptions;
  readonly host?: Partial<HostOptions>;
  readonly provider?: SocketProviderOptions;
}

async function openRouted({ session = { router: fixed }, host = {}, ...options }: Routed = {}): Promise<void> {
  rig = await openRig({ ...host, session });
  provider = openSocketProvider(rig, options.provider);
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
const setTo = (model: string): string => `request: model set to ${model} by the router`;

describe.each([
  ['plain', false],
  ['compressed', true],
  ['compressed, each message by itself', { clientNoContextTakeover: true }],
] as const)('responses over a WebSocket, %s', (_, compress) => {
  it('go to the model the router chose, each of them', async () => {
    await openRouted({ provider: { compress } });
    const client = await openClient('/v1/responses', { compress: compress !== false });
    for (const input of ['Say one two three.', 'Say one two three, again.', 'Say one two three, once more.']) {
      client.say({ type: 'response.say', text: input });
      client.say(create({ input }));
      await client.next('response.completed');
    }
    const asked = provider.heard.filter(({ type }) => type === 'response.create');
    expect(asked.map(({ model, input }) => [model, input])).toEqual([
      ['gpt-5-mini', 'Say one two three.'],
      ['gpt-5-mini', 'Say one two three, again.'],
      ['gpt-5-mini', 'Say one two three, once more.'],
    ]);
    const anew = 'request: compressed anew, for a message before it was changed or left out';
    const again = compress === true ? [setTo('gpt-5-mini'), anew] : [setTo('gpt-5-mini')];
    const records = await rig.waitForRecords(3);
    expect(records.map(({ changes }) => changes)).toEqual([[setTo('gpt-5-mini')], again, again]);
    expect(records[0]).toMatchObject({
      ...{ requestedModel: 'gpt-5', routedModel: 'gpt-5-mini', model: 'gpt-5-mini-2026-01-01', outcome: 'ok' },
      requestBody: { model: 'gpt-5' },
    });
    const [{ receipt } = { receipt: null }] = records;
    expect(receipt?.requestToProvider).not.toBe(receipt?.requestFromClient);
    expect(receipt?.replyToClient).toBe(receipt?.replyFromProvider);
  });
});

describe('a router', () => {
  it('is asked for each message that names a model, with all it says', async () => {
    const questions: RouteQuestion[] = [];
    const router = async (question: RouteQuestion) => {
      questions.push(question);
      await new Promise((resolve) => setImmediate(resolve));
      return questions.length === 1 ? null : 'gpt-5-nano';
    };
    await openRouted({ session: { routed: true }, host: { router } });
    const client = await openClient('/v1/responses');
    client.say(create({ input: 'x'.repeat(100_000) }));
    client.say({ type: 'response.say', text: 'in its order' });
    await client.next('response.completed');
    await rig.waitForRecords(1);
    client.say(create());
    await client.next('response.completed');
    expect(questions.map(({ api, requestedModel }) => [api, requestedModel])).toEqual([
      ['responses', 'gpt-5'],
      ['responses', 'gpt-5'],
    ]);
    expect(questions[0]?.request).toMatchObject({ input: 'x'.repeat(100_000) });
    expect(provider.heard.map(({ type, model }) => [type, model])).toEqual([
      ['response.create', 'gpt-5'],
      ['response.say', undefined],
      ['response.create', 'gpt-5-nano'],
    ]);
    const [first, second] = await rig.waitForRecords(2);
    expect([first?.routedModel, first?.changes]).toEqual(['gpt-5', []]);
    expect([second?.routedModel, second?.changes]).toEqual(['gpt-5-nano', [setTo('gpt-5-nano')]]);
    expect(first?.receipt?.requestToProvider).toBe(first?.receipt?.requestFromClient);
  });

  it('whose answer is half a character leaves the socket as asked, with a fault', async () => {
    await openRouted({ session: { routed: true }, host: { router: () => Promise.resolve('gpt-\ud800') } });
    const client = await openClient('/v1/realtime?model=gpt-realtime');
    expect(await client.next('session.created')).toMatchObject({ session: { model: 'gpt-realtime' } });
    const [fault] = await rig.waitForFaults(1);
    expect(fault).toMatchObject({ code: 'ROUTER_FAILED', message: expect.stringContaining('a name that is no text') });
    client.socket.close();
  });

  it('that is late leaves the message as asked, with a fault', async () => {
    const router = async () => await new Promise<string>(() => undefined);
    await openRouted({ session: { routed: true }, host: { router, routerDeadlineMs: 20 } });
    const client = await openClient('/v1/responses');
    client.say(create());
    await client.next('response.completed');
    expect(provider.heard).toMatchObject([{ model: 'gpt-5' }]);
    expect(await rig.waitForFaults(1)).toMatchObject([{ code: 'ROUTER_FAILED' }]);
  });

  it('that chooses another provider cannot have it on a socket that is open, and its next choice is taken', async () => {
    const router = async () => ({ model: 'llama', provider: 'xai', fallbacks: ['gpt-5-mini'] });
    await openRouted({ session: { routed: true }, host: { router } });
    const client = await openClient('/v1/responses');
    client.say(create());
    await client.next('response.completed');
    expect(provider.heard).toMatchObject([{ model: 'gpt-5-mini' }]);
    expect((await rig.waitForFaults(1))[0]?.message).toContain('its WebSocket is open');
  });

  it('chooses for all of a Realtime session by the path it is opened by', async () => {
    await openRouted({ session: { router: { name: 'fixed', options: { model: 'gpt-realtime-mini' } } } });
    let url = '';
    const upgrade = rig.upstream.onUpgrade;
    rig.upstream.onUpgrade = (request, socket, head) => {
      url = request.url ?? '';
      upgrade(request, socket, head);
    };
    const client = await openClient('/v1/realtime?intent=a&model=gpt-realtime&x=%20y');
    client.say({ type: 'response.create' });
    await client.next('response.done');
    expect(url).toBe('/v1/realtime?intent=a&model=gpt-realtime-mini&x=%20y');
    expect(await rig.waitForRecords(1)).toMatchObject([
      {
        ...{ requestedModel: 'gpt-realtime', routedModel: 'gpt-realtime-mini', changes: [setTo('gpt-realtime-mini')] },
        url: 'https://api.openai.com/v1/realtime?intent=a&model=gpt-realtime&x=%20y',
      },
    ]);
  });

  it('chooses for all turns of Gemini Live by its setup', async () => {
    await openRouted({ session: { router: { name: 'fixed', options: { model: 'gemini-live-small' } } } });
    const client = await openClient('/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent', {
      host: 'generativelanguage.googleapis.com',
    });
    client.say({ setup: { model: 'models/gemini-live', generationConfig: { model: 'not this' } } });
    for (const text of ['Hi', 'Hi again']) {
      client.say({ clientContent: { turns: [{ role: 'user', parts: [{ text }] }], turnComplete: true } });
    }
    const records = await rig.waitForRecords(2);
    expect(provider.heard[0]).toEqual({
      setup: { model: 'models/gemini-live-small', generationConfig: { model: 'not this' } },
    });
    expect(records.map(({ requestedModel, routedModel }) => [requestedModel, routedModel])).toEqual([
      ['gemini-live', 'gemini-live-small'],
      ['gemini-live', 'gemini-live-small'],
    ]);
  });

  it('has its price in the budget', async () => {
    await openRouted({ session: { router: fixed, budget: { maxCostUsd: 0.005 } } });
    const client = await openClient('/v1/responses');
    client.say(create({ max_output_tokens: 1000 }));
    await client.next('response.completed');
    client.say(create({ max_output_tokens: 1_000_000 }));
    await client.next('error');
    expect(provider.heard).toHaveLength(1);
  });
});
