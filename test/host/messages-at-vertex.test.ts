import { gzipSync } from 'node:zlib';
import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { readFixture } from '../contract/provider-fixtures.js';
import {
  answer,
  bedrockKey,
  clientKey,
  encodeStream,
  eventStream,
  json,
  openCloudRig,
  question,
  readAsked,
  vertexKey,
} from '../fixtures/cloud-rig.js';

const model = 'claude-sonnet-4-5@20250929';
const decision = { model, provider: 'google-vertex', apiKey: vertexKey, region: 'us-east5', project: 'mine-123' };
const bedrock = { model: 'anthropic.claude-v', provider: 'aws-bedrock', apiKey: bedrockKey, region: 'us-east-1' };
const google = { 'content-type': 'application/json; charset=UTF-8' };
const whole = readFixture('anthropic-messages/answer.json');
const frames = readFixture('anthropic-messages/answer.sse');
const open = async (more: object = {}) => await openCloudRig(() => ({ ...decision, ...more }));

describe("a call of Anthropic's client that its router sends to Vertex AI", () => {
  it('is asked by rawPredict, with the token of the router alone', async () => {
    const rig = await open();
    answer(rig, (response) => response.writeHead(200, google).end(whole));
    const message = await rig.openClient().beta.messages.create({ ...question, betas: ['b-1'] });
    expect(message.content).toEqual(JSON.parse(whole.toString()).content);
    const asked = readAsked(rig);
    expect([asked.host, asked.url]).toEqual([
      'us-east5-aiplatform.googleapis.com',
      `/v1/projects/mine-123/locations/us-east5/publishers/anthropic/models/${model}:rawPredict`,
    ]);
    expect(asked.body).toEqual({
      ...{ anthropic_version: '2026-10-21', max_tokens: 64, messages: question.messages },
    });
    expect(asked.headers).toMatchObject({ authorization: `Bearer ${vertexKey}`, 'anthropic-beta': 'b-1' });
    expect(asked.headers).not.toHaveProperty('x-api-key');
    expect(asked.headers).not.toHaveProperty('anthropic-version');
    expect(JSON.stringify(asked)).not.toContain(clientKey);
  });

  it('is recorded as a call of Vertex AI, priced there, its reply untouched', async () => {
    const rig = await open();
    answer(rig, (response) => response.writeHead(200, google).end(whole));
    await rig.openClient().messages.create(question);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      ...{ provider: 'google-vertex', api: 'messages', requestedModel: 'claude-opus-4-5', routedModel: model },
      ...{ outcome: 'ok', usage: { inputTokens: 20060, outputTokens: 97 } },
      changes: [
        'request: sent to google-vertex instead of anthropic by the router',
        "request: in Vertex AI's form: model in the path, anthropic_version in the body, no anthropic-version header",
        `request: model set to ${model} by the router`,
      ],
    });
    expect(record?.cost.usd).toBeGreaterThan(0);
    expect(record?.receipt?.replyFromProvider).toEqual(record?.receipt?.replyToClient);
    expect(JSON.stringify(rig.records)).not.toMatch(/canary/);
  });

  it("streams Anthropic's events as they come", async () => {
    const rig = await open({ region: 'global' });
    answer(rig, (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(frames));
    const message = await rig.openClient().messages.stream(question).finalMessage();
    expect(message.stop_reason).toBe('end_turn');
    const asked = readAsked(rig);
    expect([asked.host, asked.url]).toEqual([
      'aiplatform.googleapis.com',
      `/v1/projects/mine-123/locations/global/publishers/anthropic/models/${model}:streamRawPredict`,
    ]);
    expect(asked.body).toMatchObject({ stream: true });
    expect((await rig.waitForRecords(1))[0]).toMatchObject({
      ...{ stream: true, partial: false, usage: { inputTokens: 20060, outputTokens: 97 } },
    });
  });

  it.each<readonly [number, string, new (...given: never[]) => Error, string]>([
    [401, 'UNAUTHENTICATED', Anthropic.AuthenticationError, 'authentication_error'],
    [403, 'PERMISSION_DENIED', Anthropic.PermissionDeniedError, 'permission_error'],
    [429, 'RESOURCE_EXHAUSTED', Anthropic.RateLimitError, 'rate_limit_error'],
    [500, 'INTERNAL', Anthropic.InternalServerError, 'api_error'],
  ])("raises the client's own error for %i %s, in a list and compressed, too", async (code, status, Raised, type) => {
    const rig = await open();
    const body = JSON.stringify([{ error: { code, message: 'Because.', status } }]);
    answer(rig, (response) => response.writeHead(code, { ...google, 'content-encoding': 'gzip' }).end(gzipSync(body)));
    const error: unknown = await rig
      .openClient()
      .messages.create({ ...question, stream: true })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Raised);
    expect(error).toMatchObject({ status: code, error: { type: 'error', error: { type, message: 'Because.' } } });
    expect((await rig.waitForRecords(1))[0]).toMatchObject({ status: code, error: { code: status } });
  });

  it("passes on Anthropic's own error as it came", async () => {
    const rig = await open();
    const body = '{"type":"error","error":{"type":"invalid_request_error","message":"No."},"request_id":"req_vrtx_1"}';
    answer(rig, (response) => response.writeHead(400, google).end(body));
    const error: unknown = await rig
      .openClient()
      .messages.create(question)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 400, error: JSON.parse(body) });
    const [record] = await rig.waitForRecords(1);
    expect(record?.receipt?.replyFromProvider).toEqual(record?.receipt?.replyToClient);
    expect(record?.changes.join()).not.toContain('reply:');
  });

  it('stays as asked where no project is known', async () => {
    const rig = await open({ project: undefined });
    answer(rig, (response) => response.writeHead(200, google).end(whole));
    await rig.openClient().messages.create(question);
    expect(readAsked(rig).host).toBe('api.anthropic.com');
    expect(rig.faults[0]?.message).toMatch(/no project is known: give project, or set ANTHROPIC_VERTEX_PROJECT_ID/);
  });
});

describe('the next try of a call to Anthropic', () => {
  it('is at Bedrock, then at Vertex AI, each with its own record and form', async () => {
    const fallbacks = [bedrock, decision];
    const rig = await openCloudRig(() => ({ model: 'claude-opus-4-5', fallbacks }));
    answer(rig, (response, request) => {
      if (request.url?.startsWith('/v1/messages') === true) response.writeHead(529, json).end('{"type":"error"}');
      else if (request.url?.startsWith('/model/') === true) response.writeHead(429, json).end('{"message":"busy"}');
      else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(frames);
    });
    const message = await rig.openClient().messages.stream(question).finalMessage();
    expect(message.stop_reason).toBe('end_turn');
    const records = await rig.waitForRecords(3);
    expect(records.map(({ provider, status }) => [provider, status])).toEqual([
      ['anthropic', 529],
      ['aws-bedrock', 429],
      ['google-vertex', 200],
    ]);
    expect(records[1]?.changes.at(-1)).toBe('reply: not passed on, the router had the request sent again');
    expect(records[1]?.changes.join()).not.toContain("Anthropic's words");
    expect(readAsked(rig, 0).headers).toHaveProperty('anthropic-version');
    expect(readAsked(rig, 1).headers.authorization).toBe(`Bearer ${bedrockKey}`);
    expect(readAsked(rig, 2).headers.authorization).toBe(`Bearer ${vertexKey}`);
  });

  it('is what a router of ours is told on the command line, as JSON', async () => {
    const router = { name: 'fallback', options: { candidates: ['claude-opus-4-5', bedrock] } };
    const rig = await openCloudRig(() => ({ model: 'unused' }), { session: { routed: false, router } });
    answer(rig, (response, request) => {
      if (request.url?.startsWith('/v1/messages') === true) response.destroy();
      else response.writeHead(200, eventStream).end(Buffer.concat(encodeStream('answer.sse')));
    });
    expect((await rig.openClient().messages.stream(question).finalMessage()).stop_reason).toBe('end_turn');
    expect((await rig.waitForRecords(2)).map(({ provider }) => provider)).toEqual(['anthropic', 'aws-bedrock']);
  });

  it('is passed over where it can be sent nowhere', async () => {
    const { region: _, ...nowhere } = bedrock;
    const rig = await openCloudRig(() => ({ ...nowhere, fallbacks: [decision] }));
    answer(rig, (response) => response.writeHead(200, google).end(whole));
    await rig.openClient().messages.create(question);
    expect((await rig.waitForRecords(1)).map(({ provider }) => provider)).toEqual(['google-vertex']);
    expect(rig.faults[0]?.message).toMatch(/no region is known/);
  });
});

describe('Azure AI Foundry, which takes messages as Anthropic does', () => {
  it.each([
    ['a key', 'foundry-key-canary-123', 'x-api-key', 'foundry-key-canary-123'],
    ['a token', 'eyJ0eXAi.eyJhdWQi.canary', 'authorization', 'Bearer eyJ0eXAi.eyJhdWQi.canary'],
  ])('is a provider to register, logged in to by %s', async (_what, apiKey, header, value) => {
    const baseUrl = 'https://mine.services.ai.azure.com/anthropic';
    const providers = [{ name: 'foundry', baseUrl, dialect: 'anthropic' as const }];
    const rig = await openCloudRig(() => ({ model: 'claude-opus-4-5', provider: 'foundry', apiKey }), { providers });
    answer(rig, (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(frames));
    await rig.openClient().messages.stream(question).finalMessage();
    const { host, url, headers } = readAsked(rig);
    expect([host, url]).toEqual(['mine.services.ai.azure.com', '/anthropic/v1/messages']);
    expect(headers[header]).toBe(value);
    expect(headers).not.toHaveProperty(header === 'x-api-key' ? 'authorization' : 'x-api-key');
    expect((await rig.waitForRecords(1))[0]).toMatchObject({ provider: 'foundry', usage: { outputTokens: 97 } });
  });
});
