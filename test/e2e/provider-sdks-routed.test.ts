/**
 * Official packages that are no clients of the example provider, in front of a real host: refused by a budget each raises its
 * own error, and those whose URL names the model are routed there.
 */
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import { HTTPClient, Mistral } from '@mistralai/mistralai';
import { MistralError } from '@mistralai/mistralai/models/errors';
import { Cohere, CohereClientV2 } from 'cohere-ai';
import Groq from 'groq-sdk';
import { AzureOpenAI } from 'openai';
import { ProxyAgent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SessionOptions } from '../../src/core/host.js';
import { readFixture } from '../contract/provider-fixtures.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
const agents: ProxyAgent[] = [];

beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => {
  for (const agent of agents) await agent.close();
  await rig.close();
});
beforeEach(() => {
  rig.upstream.seen.length = 0;
  rig.records.length = 0;
});

/** A fetch that goes through a session of its own. */
async function openFetch(options: SessionOptions): Promise<typeof fetch> {
  const session = await rig.openSession(options);
  const agent = new ProxyAgent({ uri: `http://127.0.0.1:${session.port}`, requestTls: { ca: rig.ca } });
  agents.push(agent);
  const through: object = { dispatcher: agent };
  return (input, init) => fetch(input, { ...init, ...through });
}

function serve(file: string): void {
  rig.upstream.handler = (request, response) => {
    request
      .resume()
      .once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(readFixture(file)));
  };
}

const messages = [{ role: 'user' as const, content: 'Hi' }];
const reason = /llmtap refused this call: the run's budget of 0 calls is spent\./;

describe('a call that is refused', () => {
  const refused = { budget: { maxCalls: 0 } };

  it('is too many for cohere-ai', async () => {
    const client = new CohereClientV2({ token: 'canary', maxRetries: 0, fetch: await openFetch(refused) });
    const error: unknown = await client.chat({ model: 'command-a', messages }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Cohere.TooManyRequestsError);
    expect(JSON.stringify(error)).toMatch(reason);
  });

  it('is over the limit for groq-sdk, which does not ask again', async () => {
    const client = new Groq({ apiKey: 'canary', fetch: await openFetch(refused) });
    const error: unknown = await client.chat.completions
      .create({ model: 'llama-3.3-70b-versatile', messages })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Groq.RateLimitError);
    expect(String(error)).toMatch(reason);
    expect(rig.records).toHaveLength(1);
  });

  it('is an error of @mistralai/mistralai with its status', async () => {
    const httpClient = new HTTPClient({ fetcher: await openFetch(refused) });
    const client = new Mistral({ apiKey: 'canary', httpClient, retryConfig: { strategy: 'none' } });
    const error: unknown = await client.chat
      .complete({ model: 'mistral-small-latest', messages })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MistralError);
    expect(error).toMatchObject({ statusCode: 429, body: expect.stringMatching(reason) });
  });
});

describe('a call whose URL names its model', () => {
  it("goes to the deployment chosen of openai's AzureOpenAI, and its body names no other", async () => {
    serve('openai-chat/answer.json');
    const router = { name: 'fixed', options: { model: 'cheap-deployment' } };
    const client = new AzureOpenAI({
      ...{ endpoint: 'https://mine.openai.azure.com', apiKey: 'canary', apiVersion: '2024-10-21', maxRetries: 0 },
      fetch: await openFetch({ router }),
    });
    await client.chat.completions.create({ model: 'dear-deployment', messages });
    const [seen] = rig.upstream.seen;
    expect(seen?.url).toBe('/openai/deployments/cheap-deployment/chat/completions?api-version=2024-10-21');
    expect(seen?.body.toString()).not.toContain('dear-deployment');
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      ...{ provider: 'azure-openai', requestedModel: 'dear-deployment', routedModel: 'cheap-deployment' },
      outcome: 'ok',
    });
  });

  it("goes to the model chosen of Anthropic's at Vertex AI", async () => {
    serve('anthropic-messages/answer.json');
    const router = { name: 'fixed', options: { model: 'claude-haiku-4-5@20251001' } };
    const login = { getRequestHeaders: async () => new Headers({ authorization: 'Bearer ya29.canary' }) };
    // Asked for headers alone.
    const authClient = login as unknown as NonNullable<ConstructorParameters<typeof AnthropicVertex>[0]>['authClient'];
    const client = new AnthropicVertex({
      ...{ region: 'us-east5', projectId: 'mine', maxRetries: 0, fetch: await openFetch({ router }) },
      authClient,
    });
    await client.messages.create({ model: 'claude-opus-4-5@20251101', max_tokens: 10, messages });
    expect(decodeURIComponent(rig.upstream.seen[0]?.url ?? '')).toBe(
      '/v1/projects/mine/locations/us-east5/publishers/anthropic/models/claude-haiku-4-5@20251001:rawPredict',
    );
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      ...{ provider: 'google-vertex', requestedModel: 'claude-opus-4-5@20251101' },
      routedModel: 'claude-haiku-4-5@20251001',
    });
  });
});
