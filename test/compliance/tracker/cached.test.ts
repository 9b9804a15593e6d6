/**
 * The official clients inside scopes with a cache, through the built package: asked twice, streaming and not, they get the
 * same from the cache as from the provider, which is asked once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { GoogleGenAI } from '@google/genai';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LLMTracker } from '../../../dist/index.js';
import { openProviderProcess, type ProviderProcess } from '../../fixtures/provider-process.js';
import { type Client, clients } from './clients.js';

const remote = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
  google: 'https://generativelanguage.googleapis.com',
};

let home: string;
let provider: ProviderProcess;
let tracker: LLMTracker;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-cached-clients-'));
  provider = await openProviderProcess();
  tracker = new LLMTracker({
    ...{ home, cache: true, cacheDir: join(home, 'cached') },
    connectTo: [`:443:127.0.0.1:${provider.port}`],
    upstreamCa: provider.caPath,
  });
  await tracker.start();
});
afterAll(async () => {
  await tracker.close();
  await provider.close();
  rmSync(home, { recursive: true, force: true });
});

function openBedrock(requestHandler?: NodeHttpHandler): Client {
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    ...(requestHandler !== undefined && { requestHandler }),
    maxAttempts: 1,
  });
  const make = (text: string) => ({
    modelId: 'us.amazon.nova-lite-v1:0',
    messages: [{ role: 'user' as const, content: [{ text }] }],
  });
  return {
    ask: async (text) => JSON.stringify((await client.send(new ConverseCommand(make(text)))).output),
    stream: async (text) => {
      const { stream = [] } = await client.send(new ConverseStreamCommand(make(text)));
      const events: unknown[] = [];
      for await (const event of stream) events.push(event);
      return JSON.stringify(events);
    },
  };
}

function openVertex(): Client {
  const { models } = new GoogleGenAI({ vertexai: true, apiKey: 'AIza-express-mode' });
  const make = (contents: string) => ({ model: 'gemini-2.0-flash', contents });
  return {
    ask: async (text) => (await models.generateContent(make(text))).text ?? '',
    stream: async (text) => {
      let said = '';
      for await (const chunk of await models.generateContentStream(make(text))) said += chunk.text ?? '';
      return said;
    },
  };
}

const named = ['openai', 'openai responses', '@anthropic-ai/sdk', '@google/genai', 'ai with @ai-sdk/openai'];
const opened: Readonly<Record<string, () => Promise<Client>>> = {
  ...Object.fromEntries(
    [...named, '@langchain/openai', 'https.request'].map((name) => [
      name,
      async () => (await clients[name]?.(remote)) as Client,
    ]),
  ),
  'aws-bedrock over http/1.1': async () => openBedrock(new NodeHttpHandler()),
  'aws-bedrock over h2': async () => openBedrock(),
  'google-vertex': async () => openVertex(),
};

async function countAsked(text: string): Promise<number> {
  return (await provider.requests()).filter(({ body }) => JSON.stringify(body).includes(text)).length;
}

describe.each(Object.keys(opened))('%s', (name) => {
  let client: Client;
  beforeAll(async () => {
    client = (await opened[name]?.()) as Client;
  });

  it.each(['ask', 'stream'] as const)('gets the same the second time, of the cache alone: %s', async (way) => {
    const text = `Say ${name} ${way}`;
    const runId = `twice ${name} ${way}`;
    const [first, second] = await tracker.track({ runId }, async () => [
      await client[way](text),
      await client[way](text),
    ]);
    expect(second).toBe(first);
    expect(first?.length).toBeGreaterThan(5);
    expect(await countAsked(text)).toBe(1);
    const [miss, hit] = await tracker.records({ runId });
    expect([miss?.cached, hit?.cached]).toEqual([false, true]);
    expect(hit?.usage).toEqual(miss?.usage);
    expect(hit?.usageDetails).toEqual(miss?.usageDetails);
    expect(hit?.finishReasons).toEqual(miss?.finishReasons);
    expect(hit?.cachedLatencyMs).toBe(miss?.latencyMs);
  });

  it('gets the same while the provider is not to be asked at all', async () => {
    const text = `Say ${name} only`;
    const first = await tracker.track(async () => [await client.ask(text), await client.stream(text)]);
    const again = await tracker.track({ cache: 'only' }, async () => [
      await client.ask(text),
      await client.stream(text),
    ]);
    expect(again).toEqual(first);
  });

  it('reads a refusal of the cache as an error of its provider', async () => {
    const text = `Say ${name} never`;
    // The AI SDK's stream of text ends empty, and prints the error.
    const ways = name.startsWith('ai ') ? (['ask'] as const) : (['ask', 'stream'] as const);
    for (const way of ways) {
      const asking = tracker.track({ cache: 'only' }, async () => await client[way](text));
      // A client by hand has no errors of its own.
      if (name === 'https.request') await asking.catch(() => null);
      else await expect(asking).rejects.toThrow(/llmtap|412|Precondition|no output/i);
    }
    expect(await countAsked(text)).toBe(0);
  });
});

describe.each(['openai', '@anthropic-ai/sdk'])('%s', (name) => {
  it('streams what was kept whole, and gets whole what was kept as a stream', async () => {
    const client = (await clients[name]?.(remote)) as Client;
    const runId = `both ways ${name}`;
    const texts = await tracker.track({ runId }, async () => [
      ...[await client.ask('first whole'), await client.stream('first whole')],
      ...[await client.stream('first a stream'), await client.ask('first a stream')],
    ]);
    expect([texts[1], texts[3]]).toEqual([texts[0], texts[2]]);
    const records = await tracker.records({ runId });
    expect(records.map(({ cached }) => cached)).toEqual([false, true, false, true]);
    expect(records[1]?.usage).toEqual(records[0]?.usage);
    expect(records[3]?.usage).toEqual(records[2]?.usage);
    expect(records[1]?.changes[0]).toContain('made from the JSON kept from call');
    expect(records[3]?.changes[0]).toContain('made from the stream kept from call');
  });
});
