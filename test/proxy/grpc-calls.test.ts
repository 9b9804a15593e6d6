/** What is read of calls by gRPC: real clients and servers of it, over TLS and HTTP/2, with the providers' own messages. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { v1beta } from '@google-ai/generativelanguage';
import grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { type GrpcLab, loadService, openGrpcLab } from '../fixtures/grpc/lab.js';
import { openHttp2Upstream } from '../fixtures/http2-upstream.js';
import { openRig } from '../fixtures/rig.js';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openLab(...options: Parameters<typeof openGrpcLab>): Promise<GrpcLab> {
  const lab = await openGrpcLab(...options);
  closing.push(() => lab.close());
  return lab;
}

type Call = grpc.ServerWritableStream<unknown, unknown>;
type Done = grpc.sendUnaryData<unknown>;
/** A client whose methods are found by their names, as grpc-js makes them. */
type AnyClient = grpc.Client & Record<string, (request: object, done?: Done) => grpc.ClientReadableStream<unknown>>;

function openClient(lab: GrpcLab, Service: grpc.ServiceClientConstructor, options: object = {}): AnyClient {
  const client = lab.throughSession(() => new Service(`${lab.host}:443`, lab.credentials, options));
  closing.push(() => client.close());
  return client as unknown as AnyClient;
}

const ask = (client: AnyClient, method: string, request: object): Promise<unknown> =>
  new Promise((resolve, reject) => {
    client[method]?.(request, (error, reply) => (error === null ? resolve(reply) : reject(error as Error)));
  });

async function hear(client: AnyClient, method: string, request: object): Promise<unknown[]> {
  const heard: unknown[] = [];
  const stream = client[method]?.(request);
  for await (const message of stream ?? []) heard.push(message);
  return heard;
}

describe("Google's own client of Gemini over gRPC", () => {
  const host = 'generativelanguage.googleapis.com';
  const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url));
  const protos = join(modules, '@google-ai/generativelanguage/build/protos');
  const gax = join(modules, 'google-gax/build/protos');
  const Service = loadService(
    join(protos, 'google/ai/generativelanguage/v1beta/generative_service.proto'),
    'google.ai.generativelanguage.v1beta.GenerativeService',
    { includeDirs: [protos, gax] },
  );

  async function openGoogle(handlers: grpc.UntypedServiceImplementation) {
    const lab = await openLab(host, Service.service, handlers);
    const client = new v1beta.GenerativeServiceClient({ sslCreds: lab.credentials });
    process.env.grpc_proxy = `http://127.0.0.1:${lab.rig.session.port}`;
    await client.initialize();
    delete process.env.grpc_proxy;
    closing.push(() => client.close());
    return { lab, client };
  }

  const contents = [{ role: 'user', parts: [{ text: 'a secret question' }] }];
  const usage = {
    prompt_token_count: 20,
    candidates_token_count: 7,
    thoughts_token_count: 30,
    cached_content_token_count: 8,
    tool_use_prompt_token_count: 5,
    total_token_count: 62,
    prompt_tokens_details: [
      { modality: 'TEXT', token_count: 15 },
      { modality: 'AUDIO', token_count: 5 },
    ],
  };

  it('is on record with its model, usage by kind, finish and id', async () => {
    const { lab, client } = await openGoogle({
      GenerateContent: (_call: unknown, done: Done) =>
        done(null, {
          candidates: [
            {
              content: { parts: [{ text: 'hello' }, { function_call: { name: 'look_up' } }], role: 'model' },
              finish_reason: 'MAX_TOKENS',
            },
          ],
          usage_metadata: usage,
          model_version: 'gemini-2.5-pro-002',
          response_id: 'r-1',
        }),
    });
    const [reply] = await client.generateContent({ model: 'models/gemini-2.5-pro', contents });
    expect(reply.candidates?.[0]?.content?.parts?.[0]?.text).toBe('hello');
    const [record] = await lab.rig.waitForRecords(1);
    expect(record).toMatchObject({
      ...{ provider: 'google', api: 'grpc', protocol: 'h2', outcome: 'ok', stream: false, partial: false },
      requestedModel: 'gemini-2.5-pro',
      model: 'gemini-2.5-pro-002',
      usage: { inputTokens: 25, outputTokens: 37, cacheReadTokens: 8, reasoningTokens: 30, totalTokens: 62 },
      usageProblem: null,
      usageDetails: { inputTextTokens: 15, inputAudioTokens: 5, toolPromptTokens: 5 },
      finishReasons: ['MAX_TOKENS'],
      toolCalls: ['look_up'],
      responseId: 'r-1',
      ...{ timeToFirstTokenMs: null, streamTiming: null },
    });
    expect(record?.receipt?.replyFromProvider).toBe(record?.receipt?.replyToClient);
    expect(JSON.stringify(record)).not.toContain('secret question');
  });

  it('takes of a stream the counts stated last, and its pace', async () => {
    const piece = (text: string, candidates_token_count: number, finish_reason?: string) => ({
      candidates: [{ content: { parts: [{ text }] }, ...(finish_reason !== undefined && { finish_reason }) }],
      usage_metadata: { prompt_token_count: 4, candidates_token_count, total_token_count: 4 + candidates_token_count },
      model_version: 'gemini-2.5-flash',
    });
    const { lab, client } = await openGoogle({
      StreamGenerateContent: (call: Call) => {
        call.write(piece('Hel', 1));
        call.write(piece('lo', 2));
        call.write(piece('.', 3, 'STOP'));
        call.end();
      },
    });
    const texts: unknown[] = [];
    for await (const part of client.streamGenerateContent({ model: 'models/gemini-2.5-flash', contents }))
      texts.push(part.candidates[0].content.parts[0].text);
    expect(texts).toEqual(['Hel', 'lo', '.']);
    expect(await lab.rig.waitForRecords(1)).toMatchObject([
      {
        ...{ stream: true, partial: false, model: 'gemini-2.5-flash', finishReasons: ['STOP'] },
        usage: { inputTokens: 4, outputTokens: 3, totalTokens: 7 },
        timeToFirstTokenMs: expect.any(Number),
        streamTiming: { pieces: 3, gapP50Ms: expect.any(Number) },
      },
    ]);
  });
});

describe('Vertex AI over gRPC', () => {
  const Service = loadService('vertex.proto', 'google.cloud.aiplatform.v1.PredictionService');
  const host = 'europe-west4-aiplatform.googleapis.com';
  const model = 'projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-pro';

  it('is read by its own numbers, the model behind the contents of the request', async () => {
    const lab = await openLab(host, Service.service, {
      GenerateContent: (_call: unknown, done: Done) =>
        done(null, {
          candidates: [
            {
              content: { role: 'model', parts: [{ text: 'hm', thought: true }, { text: 'yes' }] },
              finish_reason: 1,
              grounding_metadata: { web_search_queries: ['one', 'two'] },
            },
          ],
          usage_metadata: {
            ...{ prompt_token_count: 9, candidates_token_count: 2, thoughts_token_count: 3, total_token_count: 14 },
            ...{ cached_content_token_count: 4, traffic_type: 2 },
            prompt_tokens_details: [{ modality: 2, token_count: 9 }],
          },
          model_version: 'gemini-2.5-pro',
          response_id: 'v-1',
        }),
    });
    const contents = [{ role: 'user', parts: [{ text: 'long '.repeat(10_000) }] }];
    await ask(openClient(lab, Service), 'GenerateContent', { model, contents });
    expect(await lab.rig.waitForRecords(1)).toMatchObject([
      {
        ...{ provider: 'google-vertex', requestedModel: 'gemini-2.5-pro', responseId: 'v-1' },
        serviceTier: 'PROVISIONED_THROUGHPUT',
        usage: { inputTokens: 9, outputTokens: 5, cacheReadTokens: 4, reasoningTokens: 3, totalTokens: 14 },
        usageDetails: { inputImageTokens: 9, webSearches: 2 },
        finishReasons: ['STOP'],
      },
    ]);
  });

  it('says that a method is not read whose format is the model’s, and yet which model was asked', async () => {
    const lab = await openLab(host, Service.service, {
      Predict: (_call: unknown, done: Done) => done(null, { model_version_id: '1' }),
    });
    await ask(openClient(lab, Service), 'Predict', { endpoint: model });
    expect(await lab.rig.waitForRecords(1)).toMatchObject([
      {
        requestedModel: 'gemini-2.5-pro',
        usage: { inputTokens: null, outputTokens: null },
        usageProblem: 'The messages of this method of gRPC are not read by this version.',
      },
    ]);
  });
});

describe('xAI over gRPC', () => {
  const Service = loadService('xai.proto', 'xai_api.Chat');
  const host = 'api.x.ai';
  const request = { messages: [{ content: [{ text: 'hi' }], role: 1 }], model: 'grok-4' };
  const unary = (usage: object) => ({
    GetCompletion: (_call: unknown, done: Done) =>
      done(null, {
        ...{ id: 'x-1', model: 'grok-4-0709' },
        outputs: [
          { finish_reason: 4, message: { content: '', tool_calls: [{ id: 'c', function: { name: 'look_up' } }] } },
        ],
        usage,
      }),
  });

  it('counts reasoning that the completion leaves out, searches, and the cost it states', async () => {
    const usage = {
      ...{ prompt_tokens: 32, completion_tokens: 9, reasoning_tokens: 94, total_tokens: 135 },
      ...{ cached_prompt_text_tokens: 6, prompt_image_tokens: 12, server_side_tools_used: [1, 3, 2] },
      cost_in_usd_ticks: 12_300_000,
    };
    const lab = await openLab(host, Service.service, unary(usage));
    const zipped = { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip };
    await ask(openClient(lab, Service, zipped), 'GetCompletion', request);
    expect(await lab.rig.waitForRecords(1)).toMatchObject([
      {
        ...{ provider: 'x-ai', requestedModel: 'grok-4', model: 'grok-4-0709', responseId: 'x-1' },
        usage: { inputTokens: 32, outputTokens: 103, cacheReadTokens: 6, reasoningTokens: 94, totalTokens: 135 },
        usageDetails: { inputImageTokens: 12, webSearches: 2 },
        ...{ finishReasons: ['REASON_TOOL_CALLS'], toolCalls: ['look_up'] },
        cost: { reportedUsd: 0.00123 },
      },
    ]);
  });

  it.each([
    ['is part of the completion where the total says so', 120, 20],
    ['leaves the output unknown where the total fits neither', 121, null],
  ])('reasoning %s', async (_what, total_tokens, outputTokens) => {
    const usage = { prompt_tokens: 100, completion_tokens: 20, reasoning_tokens: 10, total_tokens };
    const lab = await openLab(host, Service.service, unary(usage));
    await ask(openClient(lab, Service), 'GetCompletion', request);
    const [record] = await lab.rig.waitForRecords(1);
    expect(record?.usage).toMatchObject({ inputTokens: 100, outputTokens });
    if (outputTokens === null) expect(record?.usageProblem).toContain('reasoning is part of the completion');
  });

  const chunk = (content: string, completion_tokens: number, finish_reason = 0) => ({
    ...{ id: 'x-2', model: 'grok-4-0709', outputs: [{ delta: { content }, finish_reason }] },
    usage: { prompt_tokens: 5, completion_tokens, total_tokens: 5 + completion_tokens },
  });

  it('takes of a stream the usage of its last chunk', async () => {
    const lab = await openLab(host, Service.service, {
      GetCompletionChunk: (call: Call) => {
        call.write(chunk('one', 1));
        call.write(chunk('two', 2));
        call.write(chunk('', 2, 3));
        call.end();
      },
    });
    expect(await hear(openClient(lab, Service), 'GetCompletionChunk', request)).toHaveLength(3);
    expect(await lab.rig.waitForRecords(1)).toMatchObject([
      {
        ...{ stream: true, partial: false, finishReasons: ['REASON_STOP'], streamTiming: { pieces: 2 } },
        usage: { inputTokens: 5, outputTokens: 2, totalTokens: 7 },
      },
    ]);
  });

  it('does not take a running count for the final one, when the client goes or the provider fails', async () => {
    const lab = await openLab(host, Service.service, {
      GetCompletionChunk: (call: Call) => {
        call.write(chunk('one', 1));
        if ((call.request as { user: string }).user === 'fail')
          call.emit('error', { code: grpc.status.UNAVAILABLE, details: 'gone' });
      },
    });
    const client = openClient(lab, Service);
    const stream = client.GetCompletionChunk?.(request);
    const cancelled = new Promise((resolve) => stream?.once('error', resolve));
    await new Promise((resolve) => stream?.once('data', resolve));
    stream?.cancel();
    await cancelled;
    await lab.rig.waitForRecords(1);
    await expect(hear(client, 'GetCompletionChunk', { ...request, user: 'fail' })).rejects.toThrow('gone');
    expect(await lab.rig.waitForRecords(2)).toMatchObject([
      { outcome: 'client_aborted', partial: true, usage: { inputTokens: 5, outputTokens: null } },
      {
        ...{ outcome: 'ok', partial: false, error: { code: 'UNAVAILABLE', message: 'gone' } },
        usage: { inputTokens: 5, outputTokens: null },
        usageProblem: expect.stringContaining('running count of output tokens was 1'),
      },
    ]);
  });
});

describe('a compressed reply of gRPC', () => {
  // { id: 'x', model: 'grok-4', usage: { completion_tokens: 3, prompt_tokens: 2, total_tokens: 5 } } of GetChatCompletionResponse
  const message = Buffer.from([
    ...[0x0a, 0x01, 0x78, 0x32, 0x06, ...Buffer.from('grok-4')],
    ...[0x4a, 0x06, 0x08, 0x03, 0x10, 0x02, 0x18, 0x05],
  ]);
  const frame = (flag: number, body: Buffer): Buffer => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt8(flag);
    prefix.writeUInt32BE(body.length, 1);
    return Buffer.concat([prefix, body]);
  };

  it.each([
    ['gzip', frame(1, gzipSync(message)), { inputTokens: 2, outputTokens: 3 }, null],
    ['gzip', frame(1, message), { inputTokens: null, outputTokens: null }, 'could not be decompressed'],
    ['snappy', frame(1, message), { inputTokens: null, outputTokens: null }, 'is compressed by snappy'],
    ['gzip', frame(7, message), { inputTokens: null, outputTokens: null }, 'neither 0 nor 1'],
  ])('in %s is read, or why not is said', async (encoding, body, usage, problem) => {
    const provider = await openHttp2Upstream({ host: 'api.x.ai' });
    closing.push(() => provider.close());
    provider.handler = (stream) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': encoding },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(body);
    };
    const rig = await openRig({ connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath });
    closing.push(() => rig.close());
    const Client = grpc.makeGenericClientConstructor({}, 'Chat');
    process.env.grpc_proxy = `http://127.0.0.1:${rig.session.port}`;
    const client = new Client('api.x.ai:443', grpc.credentials.createSsl(Buffer.from(rig.ca)));
    delete process.env.grpc_proxy;
    closing.push(() => client.close());
    const pass = (bytes: Buffer): Buffer => bytes;
    await new Promise((resolve) => {
      client.makeUnaryRequest('/xai_api.Chat/GetCompletion', pass, pass, message, resolve);
    });
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ usage, model: problem === null ? 'grok-4' : null });
    if (problem === null) expect(record?.usageProblem).toBeNull();
    else expect(record?.usageProblem).toContain(problem);
  });
});
