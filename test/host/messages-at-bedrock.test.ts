// Over 250 lines: one block, whose calls share their reading.
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
  listDocuments,
  openCloudRig,
  question,
  readAsked,
} from '../fixtures/cloud-rig.js';
import { encodeChunk, encodeException } from '../fixtures/event-stream.js';
import { ask } from '../fixtures/proxy-client.js';

const model = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const decision = { model, provider: 'aws-bedrock', apiKey: bedrockKey, region: 'us-east-1' };
const whole = readFixture('anthropic-messages/answer.json');
const open = async (options: Parameters<typeof openCloudRig>[1] = {}) => await openCloudRig(() => decision, options);

describe("a call of Anthropic's client that its router sends to Amazon Bedrock", () => {
  it('is asked as InvokeModel wants it, with the key of the router alone', async () => {
    const rig = await open();
    answer(rig, (response) => response.writeHead(200, json).end(whole));
    const client = rig.openClient();
    const { betas, ...rest } = { ...question, betas: ['context-1m-2025-08-07', 'b-2'] };
    const { data, request_id } = await client.beta.messages.create({ ...rest, betas }).withResponse();
    expect(data.content).toEqual(JSON.parse(whole.toString()).content);
    expect(request_id).toBe('aws-1');
    const asked = readAsked(rig);
    expect([asked.host, asked.url]).toEqual([
      'bedrock-runtime.us-east-1.amazonaws.com',
      `/model/${encodeURIComponent(model)}/invoke`,
    ]);
    expect(asked.body).toEqual({
      ...{ anthropic_version: '2026-10-21', anthropic_beta: betas },
      ...{ max_tokens: 64, messages: question.messages },
    });
    expect(asked.headers).toMatchObject({ authorization: `Bearer ${bedrockKey}`, host: asked.host });
    expect(asked.headers).not.toHaveProperty('x-api-key');
    expect(asked.headers).not.toHaveProperty('anthropic-version');
    expect(JSON.stringify(asked)).not.toContain(clientKey);
  });

  it('is recorded as a call of Bedrock, with its usage, its price and what was changed', async () => {
    const rig = await open();
    // No byte of a compressed one is another either.
    answer(rig, (response) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(whole)));
    await rig.openClient().messages.create(question);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      ...{ provider: 'aws-bedrock', api: 'invokeModel', requestedModel: 'claude-opus-4-5', routedModel: model },
      url: `https://bedrock-runtime.us-east-1.amazonaws.com/model/${encodeURIComponent(model)}/invoke`,
      ...{ outcome: 'ok', status: 200, stream: false, requestId: 'aws-1' },
      usage: { inputTokens: 20060, outputTokens: 97, cacheReadTokens: 18000, cacheWriteTokens: 2048 },
      changes: [
        'request: sent to aws-bedrock instead of anthropic by the router',
        "request: in Amazon Bedrock's form: model and stream in the path, anthropic_version in the body, no anthropic-version header",
        `request: model set to ${model} by the router`,
        'reply: request-id header added, as x-amzn-requestid has it',
      ],
    });
    expect(record?.cost.usd).toBeGreaterThan(0);
    expect(record?.receipt).toMatchObject({ replyFromProvider: record?.receipt?.replyToClient });
    expect(JSON.stringify(rig.records)).not.toMatch(/canary/);
  });

  it("streams, and its client sees Anthropic's events as Bedrock sent them", async () => {
    const rig = await open();
    answer(rig, (response) => response.writeHead(200, eventStream).end(Buffer.concat(encodeStream('answer.sse'))));
    const stream = rig.openClient().messages.stream(question);
    const events: unknown[] = [];
    stream.on('streamEvent', (event) => void events.push(structuredClone(event)));
    const message = await stream.finalMessage();
    // Pings are the client's own to leave out.
    expect(events.map((event) => (event as { type: string }).type)).toEqual(
      listDocuments('answer.sse').flatMap(({ type }) => (type === 'ping' ? [] : [type])),
    );
    expect(events.at(-1)).toMatchObject({
      type: 'message_stop',
      'amazon-bedrock-invocationMetrics': { outputTokenCount: 97 },
    });
    expect(message.content).toMatchObject([
      { type: 'thinking' },
      { type: 'text', text: expect.stringContaining('wörld 👋') },
    ]);
    const asked = readAsked(rig);
    expect(asked.url).toBe(`/model/${encodeURIComponent(model)}/invoke-with-response-stream`);
    expect(asked.body).not.toHaveProperty('stream');
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      ...{
        api: 'invokeModelWithResponseStream',
        stream: true,
        outcome: 'ok',
        partial: false,
        finishReasons: ['end_turn'],
      },
      usage: { inputTokens: 20060, outputTokens: 97 },
    });
    expect(record?.changes).toContain("reply: AWS event stream rewritten as Anthropic's event stream");
    expect(record?.timeToFirstTokenMs).not.toBeNull();
    expect(record?.receipt?.replyFromProvider).not.toEqual(record?.receipt?.replyToClient);
  });

  it('streams tools, however the bytes are cut', async () => {
    const rig = await open();
    const bytes = Buffer.concat(encodeStream('tools.sse'));
    answer(rig, (response) => {
      response.writeHead(200, eventStream);
      const write = (at: number): void => {
        if (at >= bytes.length) response.end();
        else response.write(bytes.subarray(at, at + 1), () => write(at + 1));
      };
      write(0);
    });
    const message = await rig.openClient().messages.stream(question).finalMessage();
    expect(message.stop_reason).toBe('tool_use');
    const tools = message.content.filter(({ type }) => type === 'tool_use');
    expect(tools.length).toBeGreaterThan(0);
    const [record] = await rig.waitForRecords(1);
    expect(record?.toolCalls).toEqual(message.content.flatMap((block) => ('name' in block ? [block.name] : [])));
  });

  it('gets each event at once', async () => {
    const rig = await open();
    const [first = Buffer.alloc(0), ...rest] = encodeStream('answer.sse');
    const held = { release: (): void => undefined };
    answer(rig, (response) => {
      response.writeHead(200, eventStream).write(first);
      held.release = () => void response.end(Buffer.concat(rest));
    });
    const stream = await rig.openClient().messages.create({ ...question, stream: true });
    const types: string[] = [];
    for await (const { type } of stream) {
      if (types.length === 0) held.release();
      types.push(type);
    }
    expect([types[0], types.at(-1)]).toEqual(['message_start', 'message_stop']);
  });

  it.each<readonly [number, string, new (...given: never[]) => Error, string]>([
    [400, '{"message":"invalid beta flag"}', Anthropic.BadRequestError, 'invalid_request_error'],
    [403, '{"Message":"You don\'t have access to the model."}', Anthropic.PermissionDeniedError, 'permission_error'],
    [404, '{"message":"This model is not found."}', Anthropic.NotFoundError, 'not_found_error'],
    [429, '{"message":"Too many tokens, please wait."}', Anthropic.RateLimitError, 'rate_limit_error'],
    [
      503,
      '{"message":"Bedrock is unable to process your request."}',
      Anthropic.InternalServerError,
      'overloaded_error',
    ],
  ])("raises the client's own error for %i", async (status, body, Raised, type) => {
    const rig = await open();
    answer(rig, (response) =>
      response.writeHead(status, { ...json, 'x-amzn-errortype': 'SomeException:http://x' }).end(body),
    );
    for (const stream of [false, true]) {
      const error: unknown = await rig
        .openClient()
        .messages.create({ ...question, stream })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Raised);
      const message = Object.values(JSON.parse(body) as object)[0];
      expect(error).toMatchObject({
        ...{ status, requestID: 'aws-1', type },
        error: { type: 'error', error: { type, message }, request_id: 'aws-1' },
      });
    }
    const [record] = await rig.waitForRecords(2);
    expect(record).toMatchObject({ status, outcome: 'http_error', error: { code: 'SomeException' } });
    expect(record?.changes).toContain("reply: error put in Anthropic's words");
  });

  it('passes on what is no error of AWS’s as it came', async () => {
    const rig = await open();
    const page = '<html>busy</html>';
    answer(rig, (response) => response.writeHead(502, { 'content-type': 'text/html' }).end(page));
    const reply = await rig
      .openClient()
      .messages.create(question)
      .asResponse()
      .catch((thrown: unknown) => thrown);
    expect(reply).toBeInstanceOf(Anthropic.InternalServerError);
    expect(String(reply)).toContain('busy');
    expect((await rig.waitForRecords(1))[0]?.changes.join()).not.toContain('reply:');
  });

  it.each([
    ['throttlingException', 'rate_limit_error'],
    ['modelStreamErrorException', 'api_error'],
    ['serviceUnavailableException', 'overloaded_error'],
  ])("raises the client's own error for a %s in the stream", async (exception, type) => {
    const rig = await open();
    const [first = Buffer.alloc(0)] = encodeStream('answer.sse');
    const frames = [first, encodeException(exception, 'Too many.'), encodeChunk({ type: 'ping' })];
    answer(rig, (response) => response.writeHead(200, eventStream).end(Buffer.concat(frames)));
    const error: unknown = await rig
      .openClient()
      .messages.stream(question)
      .finalMessage()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(error).toMatchObject({ error: { type: 'error', error: { type, message: 'Too many.' } } });
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ partial: true, error: { code: exception, message: 'Too many.' } });
  });

  it.each(['in a message', 'between two', 'by a message that is damaged'])(
    'is cut where the stream is, %s',
    async (where) => {
      const rig = await open();
      const frames = encodeStream('answer.sse');
      const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = frames;
      answer(rig, (response) => {
        response.writeHead(200, eventStream).write(Buffer.concat([first, second]));
        if (where === 'by a message that is damaged') {
          const damaged = Buffer.from(third);
          damaged.writeUInt8(damaged.readUInt8(damaged.length - 9) ^ 1, damaged.length - 9);
          response.end(Buffer.concat([damaged, ...frames.slice(3)]));
        } else if (where === 'in a message') response.end(third.subarray(0, third.length - 5));
        else response.write(Buffer.alloc(0), () => setImmediate(() => response.destroy()));
      });
      const types: string[] = [];
      const read = async (): Promise<void> => {
        const stream = await rig.openClient().messages.create({ ...question, stream: true });
        for await (const { type } of stream) types.push(type);
      };
      await expect(read()).rejects.toThrow();
      expect(types).toEqual(['message_start', 'content_block_start']);
      const [record] = await rig.waitForRecords(1);
      expect(record).toMatchObject({ outcome: 'upstream_aborted', status: 200 });
      // Of a damaged message the provider's end is there all the same, and is read.
      expect(record?.partial).toBe(where !== 'by a message that is damaged');
    },
  );

  it('streams what is compressed, compressed', async () => {
    const rig = await open();
    const bytes = gzipSync(Buffer.concat(encodeStream('answer.sse')));
    answer(rig, (response) => response.writeHead(200, { ...eventStream, 'content-encoding': 'gzip' }).end(bytes));
    const stream = rig.openClient().messages.stream(question);
    const { response } = await stream.withResponse();
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect((await stream.finalMessage()).stop_reason).toBe('end_turn');
    expect((await rig.waitForRecords(1))[0]).toMatchObject({ outcome: 'ok', usage: { outputTokens: 97 } });
  });

  it.each([
    ['gzip', 'upstream_aborted', 'event stream rewritten'],
    ['x-own', 'ok', 'reply: in a coding that cannot be read, passed on as it came'],
  ])('gives no stream of another coding than %s for Anthropic’s', async (coding, outcome, change) => {
    const rig = await open();
    const bytes = Buffer.concat(encodeStream('answer.sse'));
    answer(rig, (response) => response.writeHead(200, { ...eventStream, 'content-encoding': coding }).end(bytes));
    const got = await ask({
      ...{ port: rig.session.port, ca: rig.ca, host: 'api.anthropic.com', path: '/v1/messages' },
      ...{ headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...question, stream: true }) },
    });
    expect([got.complete, got.body.equals(bytes)]).toEqual([outcome === 'ok', outcome === 'ok']);
    const [record] = await rig.waitForRecords(1);
    expect(record?.outcome).toBe(outcome);
    expect(record?.changes.join()).toContain(change);
  });

  it('lets its client leave', async () => {
    const rig = await open();
    const [first = Buffer.alloc(0)] = encodeStream('answer.sse');
    const closed = new Promise<void>((resolve) => {
      answer(rig, (response) => {
        response.on('close', resolve).writeHead(200, eventStream).write(first);
      });
    });
    const stream = await rig.openClient().messages.create({ ...question, stream: true });
    for await (const _ of stream) break;
    await closed;
    expect((await rig.waitForRecords(1))[0]).toMatchObject({ outcome: 'client_aborted', partial: true });
  });

  it("is refused in Anthropic's words where its budget is spent", async () => {
    const rig = await open({ session: { budget: { maxCalls: 0 } } });
    const error: unknown = await rig
      .openClient()
      .messages.create(question)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(error).toMatchObject({
      type: 'invalid_request_error',
      message: expect.stringMatching(/llmtap refused this call/),
    });
    expect(rig.upstream.seen).toEqual([]);
    expect((await rig.waitForRecords(1))[0]?.changes.join()).not.toContain("Anthropic's words");
  });
});

describe('where at Bedrock a call goes', () => {
  it("is the environment's region where the router says none", async () => {
    const { region: _, ...rest } = decision;
    const rig = await openCloudRig(() => rest, { env: { AWS_REGION: 'eu-central-1' } });
    answer(rig, (response) => response.writeHead(200, json).end(whole));
    await rig.openClient().messages.create(question);
    expect(readAsked(rig).host).toBe('bedrock-runtime.eu-central-1.amazonaws.com');
  });

  it.each<readonly [object, RegExp]>([
    [{ region: undefined }, /no region is known: give region, or set AWS_REGION/],
    [{ region: 'us-east-1.evil.example' }, /"us-east-1\.evil\.example" is no region/],
    [{ region: 'x@evil' }, /"x@evil" is no region/],
    [{ model: '../../admin' }, /"\.\.\/\.\.\/admin" cannot stand in its path/],
  ])('%j leaves the call as asked, and one fault says why', async (more, why) => {
    const rig = await openCloudRig(() => ({ ...decision, ...more }));
    answer(rig, (response) => response.writeHead(200, json).end(whole));
    await rig.openClient().messages.create(question);
    await rig.openClient().messages.create(question);
    const asked = readAsked(rig);
    expect(asked.host).toBe('api.anthropic.com');
    expect(JSON.stringify(asked.headers)).toContain(clientKey);
    expect(rig.faults).toMatchObject([{ code: 'ROUTER_FAILED', message: expect.stringMatching(why) }]);
    expect((await rig.waitForRecords(1))[0]?.changes).toEqual([]);
  });

  it.each(['aws-bedrock', 'google-vertex'])('is not asked of a call of chat completions to %s', async (provider) => {
    const rig = await openCloudRig(() => ({ ...decision, provider }));
    answer(rig, (response) => response.writeHead(200, json).end('{}'));
    const client = rig.openClient();
    await client.post('/v1/chat/completions', { body: { ...question } });
    expect(readAsked(rig).host).toBe('api.anthropic.com');
    expect(rig.faults[0]?.message).toMatch(/depends on the account|does not serve/);
  });
});

it('a call of Bedrock’s own is not put in the form of Anthropic’s API', async () => {
  const rig = await openCloudRig(() => ({ model: 'claude-opus-4-5', provider: 'anthropic', apiKey: 'k' }));
  answer(rig, (response) => response.writeHead(200, json).end(whole));
  const client = rig.openClient();
  await client.post(`https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke`, { body: { max_tokens: 1 } });
  expect(readAsked(rig).url).toBe('/model/m/invoke');
  expect(rig.faults[0]?.message).toMatch(/anthropic does not serve invokeModel, and calls are not translated/);
});
