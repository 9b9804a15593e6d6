/**
 * AWS's and Google's cloud clients inside scopes, through the built package: streaming and not, shared by scopes that run
 * at once. Their endpoints are not to be moved to a local server, so that they have a suite beside `clients.test.ts`.
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
import type { Client } from './clients.js';

let home: string;
let provider: ProviderProcess;
let tracker: LLMTracker;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-clouds-'));
  provider = await openProviderProcess();
  tracker = new LLMTracker({
    home,
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

/** Over HTTP/2, as the package does where it is told nothing, unless a handler is given. */
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
    ask: async (text) => {
      const { output } = await client.send(new ConverseCommand(make(text)));
      return output?.message?.content?.map((block) => block.text ?? '').join('') ?? '';
    },
    stream: async (text) => {
      const { stream = [] } = await client.send(new ConverseStreamCommand(make(text)));
      let said = '';
      for await (const { contentBlockDelta } of stream) said += contentBlockDelta?.delta?.text ?? '';
      return said;
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

describe.each([
  { name: 'aws-bedrock', protocol: 'http/1.1', open: () => openBedrock(new NodeHttpHandler()) },
  { name: 'aws-bedrock', protocol: 'h2', open: () => openBedrock() },
  { name: 'google-vertex', protocol: 'http/1.1', open: openVertex },
])('the client of $name over $protocol', ({ name, protocol, open }) => {
  it('in a scope is recorded with what was billed, streaming and not', async () => {
    const client = open();
    for (const way of ['ask', 'stream'] as const) {
      const runId = `${name} ${protocol} ${way}`;
      expect(await tracker.track({ runId }, async () => await client[way]('Say one two three'))).toContain('4 words');
      const [record, ...more] = await tracker.records({ runId });
      const served = (await provider.requests()).findLast((seen) => seen.provider === name);
      expect(more).toEqual([]);
      expect(record).toMatchObject({
        provider: name,
        protocol,
        status: 200,
        outcome: 'ok',
        usage: { inputTokens: served?.bill?.inputTokens, outputTokens: served?.bill?.outputTokens },
        stream: way === 'stream',
        changes: [],
      });
    }
  });

  it('shared by scopes that run at once gives each its own calls', async () => {
    const client = open();
    const scopes = [0, 1, 2, 3];
    await Promise.all(
      scopes.map(
        async (scope) =>
          await tracker.track({ runId: `shared ${name} ${protocol} ${scope}` }, async () => {
            await Promise.all([client.ask(`scope ${scope} asks`), client.stream(`scope ${scope} streams`)]);
          }),
      ),
    );
    for (const scope of scopes) {
      const records = await tracker.records({ runId: `shared ${name} ${protocol} ${scope}` }, { bodies: true });
      const said = records.map(({ requestBody }) => /scope \d \w+/.exec(JSON.stringify(requestBody))?.[0]);
      expect(said.toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
        `scope ${scope} asks`,
        `scope ${scope} streams`,
      ]);
    }
  });
});
