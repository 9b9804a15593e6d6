/**
 * The clients people use, routed: wherever each API keeps its model, the provider is asked for the one its router chose,
 * streaming and not, and the client notices nothing. Through the built package.
 */
import Anthropic from '@anthropic-ai/sdk';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { GoogleGenAI } from '@google/genai';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LLMTracker, TrackerEvent } from '../../../dist/index.js';
import { openTrackerLab, type TrackerLab } from '../../tracker/tracker-lab.js';

let lab: TrackerLab;
let tracker: LLMTracker;
const faults: (TrackerEvent & { readonly type: 'fault.occurred' })[] = [];
beforeAll(async () => {
  lab = await openTrackerLab();
  tracker = lab.makeTracker();
  tracker.onEvent((event) => {
    if (event.type === 'fault.occurred') faults.push(event);
  });
  await tracker.start();
});
afterAll(async () => await lab.close());

type Served = Awaited<ReturnType<TrackerLab['provider']['requests']>>[number];

/** Out of the path, or else the body. */
function readModel(served: Served | undefined): string | undefined {
  const named = /\/models?\/([^/:?]+(?:%3A\d+)?|[^/?]+(?=\/converse))/.exec(served?.path ?? '')?.[1];
  return named === undefined ? (served?.body as { model: string } | null)?.model : decodeURIComponent(named);
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

const openai = new OpenAI({ apiKey: 'sk-routed', maxRetries: 0 });
const anthropic = new Anthropic({ apiKey: 'sk-ant-routed', maxRetries: 0 });
const gemini = new GoogleGenAI({ apiKey: 'AIza-routed' });
const vertex = new GoogleGenAI({ vertexai: true, apiKey: 'AIza-express-mode' });
const messages = [{ role: 'user' as const, content: 'Say hi' }];
const turns = [{ role: 'user' as const, content: [{ text: 'Say hi' }] }];

/** One that is logged in by a key, whose requests are not signed. */
const bedrock = new BedrockRuntimeClient({
  region: 'us-east-1',
  token: { token: 'bedrock-api-key-routed' },
  authSchemePreference: ['httpBearerAuth'],
  requestHandler: new NodeHttpHandler(),
  maxAttempts: 1,
});
const signing = new BedrockRuntimeClient({
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
  maxAttempts: 1,
});

interface Case {
  readonly name: string;
  readonly asked: string;
  readonly chosen: string;
  readonly call: (model: string) => Promise<unknown>;
}

const cases: readonly Case[] = [
  {
    name: 'openai, a chat',
    asked: 'gpt-4o',
    chosen: 'gpt-4o-mini',
    call: (model) => openai.chat.completions.create({ model, messages }),
  },
  {
    name: 'openai, a streamed chat',
    asked: 'gpt-4o',
    chosen: 'gpt-4o-mini',
    call: async (model) => drain(await openai.chat.completions.create({ model, messages, stream: true })),
  },
  {
    name: 'openai, a streamed response',
    asked: 'gpt-4o',
    chosen: 'gpt-4o-mini',
    call: async (model) => drain(await openai.responses.create({ model, input: 'Say hi', stream: true })),
  },
  {
    name: 'anthropic, a message',
    asked: 'claude-opus-4-5',
    chosen: 'claude-haiku-4-5',
    call: (model) => anthropic.messages.create({ model, max_tokens: 100, messages }),
  },
  {
    name: 'anthropic, a streamed message',
    asked: 'claude-opus-4-5',
    chosen: 'claude-haiku-4-5',
    call: (model) => anthropic.messages.stream({ model, max_tokens: 100, messages }).finalMessage(),
  },
  {
    name: 'google, contents, whose model is in the URL',
    asked: 'gemini-2.5-pro',
    chosen: 'gemini-2.5-flash',
    call: (model) => gemini.models.generateContent({ model, contents: 'Say hi' }),
  },
  {
    name: 'google, streamed contents',
    asked: 'gemini-2.5-pro',
    chosen: 'gemini-2.5-flash',
    call: async (model) => drain(await gemini.models.generateContentStream({ model, contents: 'Say hi' })),
  },
  {
    name: 'vertex, contents, whose model is in the URL',
    asked: 'gemini-2.5-pro',
    chosen: 'gemini-2.0-flash',
    call: (model) => vertex.models.generateContent({ model, contents: 'Say hi' }),
  },
  {
    name: 'bedrock, a conversation, whose model is in the URL',
    asked: 'us.amazon.nova-pro-v1:0',
    chosen: 'us.amazon.nova-lite-v1:0',
    call: (modelId) => bedrock.send(new ConverseCommand({ modelId, messages: turns })),
  },
  {
    name: 'bedrock, a streamed conversation',
    asked: 'us.amazon.nova-pro-v1:0',
    chosen: 'us.amazon.nova-lite-v1:0',
    call: async (modelId) => {
      const { stream = [] } = await bedrock.send(new ConverseStreamCommand({ modelId, messages: turns }));
      await drain(stream as AsyncIterable<unknown>);
    },
  },
];

describe('a client whose call is routed', () => {
  it.each(cases)('is answered by the model chosen: $name', async ({ name, asked, chosen, call }) => {
    const router = { name: 'fixed', options: { model: chosen } };
    await tracker.track({ runId: name, router }, async () => await call(asked));
    const served = (await lab.provider.requests()).at(-1);
    expect(readModel(served)).toBe(chosen);
    const [record, ...more] = await tracker.records({ runId: name });
    expect(more).toEqual([]);
    expect(record).toMatchObject({ outcome: 'ok', requestedModel: asked, routedModel: chosen });
    expect(record?.changes).toContain(`request: model set to ${chosen} by the router`);
    expect(record?.usage).toMatchObject({
      inputTokens: served?.bill?.inputTokens,
      outputTokens: served?.bill?.outputTokens,
    });
  });

  it('goes as asked where it is signed, path and body, with a fault that says why', async () => {
    const [asked, chosen] = ['us.amazon.nova-pro-v1:0', 'us.amazon.nova-lite-v1:0'];
    const ids = { runId: 'signed', router: { name: 'fixed', options: { model: chosen } } };
    await tracker.track(ids, async () => {
      await signing.send(new ConverseCommand({ modelId: asked, messages: turns }));
    });
    expect(readModel((await lab.provider.requests()).at(-1))).toBe(asked);
    const [record] = await tracker.records({ runId: 'signed' });
    expect(record).toMatchObject({ outcome: 'ok', requestedModel: asked, routedModel: asked, changes: [] });
    expect(faults.map(({ fault }) => fault.message).join()).toMatch(/could not be routed because it is signed/);
  });
});
