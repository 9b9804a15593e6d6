// Over 250 lines: one block a package.
import { GoogleGenAI } from '@google/genai';
import { HTTPClient, Mistral } from '@mistralai/mistralai';
import { CohereClient, CohereClientV2 } from 'cohere-ai';
import Groq from 'groq-sdk';
import { Ollama } from 'ollama';
import OpenAI, { toFile } from 'openai';
import { ProxyAgent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import { readContentType, readFixture } from '../contract/provider-fixtures.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openUpstream } from '../fixtures/upstream.js';

/** Real clients in front of a real host; what answers them, over TLS, is a fixture's bytes. */
let rig: Rig;
let agent: ProxyAgent;
let fetchThrough: typeof fetch;

beforeAll(async () => {
  rig = await openRig({ bodies: 'redacted' });
  agent = new ProxyAgent({ uri: `http://127.0.0.1:${rig.session.port}`, requestTls: { ca: rig.ca } });
  // Node's own fetch takes a dispatcher of npm undici, whose types differ from its own.
  const through: object = { dispatcher: agent };
  const nodes = fetch;
  fetchThrough = (input, init) => nodes(input, { ...init, ...through });
});

afterAll(async () => {
  await agent.close();
  await rig.close();
});

beforeEach(() => {
  rig.upstream.seen.length = 0;
});

/** Answers every request from now on with a fixture, cut into small pieces where it is a stream. */
function serve(file: string | Buffer, contentType = readContentType(String(file)), upstream = rig.upstream): void {
  const bytes = typeof file === 'string' ? readFixture(file) : file;
  upstream.handler = (request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': contentType });
      for (let at = 0; at < bytes.length; at += 97) response.write(bytes.subarray(at, at + 97));
      response.end();
    });
  };
}

async function recordOf(call: () => Promise<unknown>): Promise<CallRecord> {
  const before = rig.records.length;
  await call();
  const records = await rig.waitForRecords(before + 1);
  const record = records[before];
  if (record === undefined) throw new Error('no record');
  return record;
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

describe('the official package openai', () => {
  const makeClient = () => new OpenAI({ apiKey: 'sk-canary', maxRetries: 0, fetch: fetchThrough });
  const picture = () => toFile(Buffer.alloc(200_000, 'model'), 'a.png', { type: 'image/png' });
  const sound = () => toFile(Buffer.alloc(200_000, 7), 'a.wav', { type: 'audio/wav' });

  it('edits a picture by a form, whose fields are read and whose file is not kept', async () => {
    serve('openai-images/edit.json');
    const record = await recordOf(async () =>
      makeClient().images.edit({ model: 'gpt-image-1', image: await picture(), prompt: 'Add a beach ball.' }),
    );
    expect(record).toMatchObject({
      provider: 'openai',
      api: 'images.edits',
      requestedModel: 'gpt-image-1',
      stream: false,
      usage: { inputTokens: 584, outputTokens: 1056 },
      usageDetails: { inputImageTokens: 564, outputImages: 1 },
      changes: [],
    });
    expect(record.requestBytes).toBeGreaterThan(200_000);
    expect(record.requestBody).toContain('[media image/png, not kept]');
    expect(record.requestBody).toContain('Add a beach ball.');
    expect(rig.upstream.seen[0]?.body.length).toBe(record.requestBytes);
  });

  it('streams a picture in the making', async () => {
    serve('openai-images/answer.sse');
    const record = await recordOf(async () =>
      drain(await makeClient().images.generate({ model: 'gpt-image-1', prompt: 'A cat.', stream: true })),
    );
    expect(record).toMatchObject({ api: 'images.generations', stream: true, usage: { outputTokens: 4160 } });
    expect(record.timeToFirstTokenMs).toBeGreaterThan(0);
  });

  it('hears a recording, streamed and not', async () => {
    serve('openai-audio/answer.json');
    const model = 'gpt-4o-transcribe';
    const whole = await recordOf(async () => makeClient().audio.transcriptions.create({ model, file: await sound() }));
    serve('openai-audio/answer.sse');
    const streamed = await recordOf(async () =>
      drain(await makeClient().audio.transcriptions.create({ model, file: await sound(), stream: true })),
    );
    for (const record of [whole, streamed])
      expect(record).toMatchObject({
        api: 'audio.transcriptions',
        requestedModel: model,
        usage: { inputTokens: 69, outputTokens: 45 },
        usageDetails: { inputAudioTokens: 65 },
      });
    expect([whole.stream, streamed.stream]).toEqual([false, true]);
  });

  it('speaks: the sound is passed on and neither read nor kept', async () => {
    const mp3 = Buffer.alloc(300_000, 0xfb);
    serve(mp3, 'audio/mpeg');
    let heard = 0;
    const record = await recordOf(async () => {
      const speech = await makeClient().audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello.' });
      heard = (await speech.arrayBuffer()).byteLength;
    });
    expect(heard).toBe(mp3.length);
    expect(record).toMatchObject({
      api: 'audio.speech',
      requestedModel: 'tts-1',
      outcome: 'ok',
      partial: false,
      responseBody: '[media audio/mpeg, not kept]',
      usage: { inputTokens: null, outputTokens: null },
      usageProblem: 'The reply is no text (content type audio/mpeg), and states no usage.',
    });
  });

  it('moderates', async () => {
    serve('openai-moderations/answer.json');
    const record = await recordOf(() => makeClient().moderations.create({ input: 'I want …' }));
    expect(record).toMatchObject({ api: 'moderations', model: 'omni-moderation-latest', outcome: 'ok' });
  });
});

describe('the official package cohere-ai', () => {
  const options = () => ({ token: 'canary', maxRetries: 0, fetch: fetchThrough });
  const messages = [{ role: 'user' as const, content: 'Hi' }];
  const model = 'command-a-03-2025';

  it('chats in version 2, streamed and not', async () => {
    const client = new CohereClientV2(options());
    serve('cohere-chat/answer.json');
    const whole = await recordOf(async () => client.chat({ model, messages }));
    serve('cohere-chat/tools.sse');
    const streamed = await recordOf(async () => drain(await client.chatStream({ model, messages })));
    expect(whole).toMatchObject({
      provider: 'cohere',
      api: 'chat',
      model,
      usage: { inputTokens: 11, outputTokens: 58 },
    });
    expect(streamed).toMatchObject({ stream: true, partial: false, toolCalls: ['get_weather', 'get_weather'] });
  });

  it('chats in version 1, whose stream comes line by line', async () => {
    const client = new CohereClient(options());
    serve('cohere-chat-v1/answer.ndjson', 'application/stream+json');
    const record = await recordOf(async () => drain(await client.chatStream({ model, message: 'Hi' })));
    expect(record).toMatchObject({ stream: true, partial: false, usage: { inputTokens: 7, outputTokens: 25 } });
    expect(record.timeToFirstTokenMs).toBeGreaterThan(0);
  });

  it('embeds and ranks', async () => {
    const client = new CohereClientV2(options());
    serve('cohere-embed/answer.json');
    const embed = {
      model: 'embed-v4.0',
      inputType: 'search_query',
      texts: ['hello'],
      embeddingTypes: ['float'],
    } as const;
    const embedded = await recordOf(async () =>
      client.embed({ ...embed, texts: ['hello'], embeddingTypes: ['float'] }),
    );
    serve('rerank/cohere.json');
    const ranked = await recordOf(async () =>
      client.rerank({ model: 'rerank-v3.5', query: 'capital', documents: ['Lisbon', 'Porto'] }),
    );
    expect(embedded).toMatchObject({ api: 'embed', usage: { inputTokens: 2 } });
    expect(ranked).toMatchObject({ api: 'rerank', model: 'rerank-v3.5', usageDetails: { searchUnits: 1 } });
  });
});

describe('the official package ollama', () => {
  const messages = [{ role: 'user', content: 'Hi' }];

  it('chats in the cloud, streamed and not', async () => {
    const client = new Ollama({ host: 'https://ollama.com', fetch: fetchThrough });
    serve('ollama-chat/answer.json');
    const whole = await recordOf(async () => client.chat({ model: 'qwen3:8b', messages }));
    serve('ollama-chat/answer.ndjson');
    const streamed = await recordOf(async () =>
      drain(await client.chat({ model: 'qwen3:8b', messages, stream: true })),
    );
    for (const record of [whole, streamed])
      expect(record).toMatchObject({
        provider: 'ollama-cloud',
        api: 'chat',
        usage: { inputTokens: 26, outputTokens: 298 },
        finishReasons: ['stop'],
      });
    expect([whole.stream, streamed.stream]).toEqual([false, true]);
    expect(streamed.responseBody).toContain('"eval_count":298');
  });

  it('generates and embeds at a registered server over plain HTTP', async () => {
    const local = await openUpstream({ plain: true });
    const plain = new ProxyAgent({ uri: `http://127.0.0.1:${rig.session.port}`, proxyTunnel: false });
    const through: object = { dispatcher: plain };
    const host = `http://127.0.0.1:${local.port}`;
    rig.host.registerProvider({ name: 'local', baseUrl: `${host}/v1` });
    const client = new Ollama({ host, fetch: (input, init) => fetch(input, { ...init, ...through }) });
    try {
      serve('ollama-generate/answer.ndjson', 'application/x-ndjson', local);
      const generated = await recordOf(async () =>
        drain(await client.generate({ model: 'llama3.2', prompt: 'Why?', stream: true })),
      );
      serve('ollama-embed/answer.json', 'application/json', local);
      const embedded = await recordOf(() => client.embed({ model: 'all-minilm', input: ['a', 'b'] }));
      expect(generated).toMatchObject({
        provider: 'local',
        api: 'generate',
        stream: true,
        usage: { outputTokens: 12 },
      });
      expect(embedded).toMatchObject({ provider: 'local', api: 'embed', usage: { inputTokens: 8 } });
    } finally {
      await plain.close();
      await local.close();
    }
  });
});

describe('the official package groq-sdk', () => {
  it('chats and hears', async () => {
    const client = new Groq({ apiKey: 'canary', maxRetries: 0, fetch: fetchThrough });
    serve('openai-chat/groq.sse');
    const model = 'openai/gpt-oss-20b';
    const chat = await recordOf(async () =>
      drain(await client.chat.completions.create({ model, stream: true, messages: [{ role: 'user', content: 'Hi' }] })),
    );
    serve('openai-audio/groq.json');
    const file = await toFile(Buffer.alloc(100_000, 7), 'a.wav', { type: 'audio/wav' });
    const heard = await recordOf(async () => client.audio.transcriptions.create({ model: 'whisper-large-v3', file }));
    expect(chat).toMatchObject({ provider: 'groq', usage: { inputTokens: 78, outputTokens: 27 } });
    expect(heard).toMatchObject({ api: 'audio.transcriptions', requestedModel: 'whisper-large-v3', outcome: 'ok' });
  });
});

describe('the official package @mistralai/mistralai', () => {
  it('chats, reads documents and classifies', async () => {
    const httpClient = new HTTPClient({ fetcher: fetchThrough });
    const client = new Mistral({ apiKey: 'canary', httpClient, retryConfig: { strategy: 'none' } });
    serve('openai-chat/mistral.sse');
    const chat = await recordOf(async () =>
      drain(await client.chat.stream({ model: 'mistral-small-latest', messages: [{ role: 'user', content: 'Hi' }] })),
    );
    serve('mistral-ocr/answer.json');
    const document = { type: 'document_url', documentUrl: 'https://example.com/a.pdf' } as const;
    const read = await recordOf(() => client.ocr.process({ model: 'mistral-ocr-latest', document }));
    serve('openai-moderations/mistral.json');
    const moderated = await recordOf(() =>
      client.classifiers.moderate({ model: 'mistral-moderation-latest', inputs: 'Hi' }),
    );
    expect(chat).toMatchObject({ provider: 'mistral', usage: { inputTokens: 13, outputTokens: 25 } });
    expect(read).toMatchObject({ api: 'ocr', usageDetails: { inputPages: 2 } });
    expect(moderated).toMatchObject({ api: 'moderations', usage: { inputTokens: 43, outputTokens: 0 } });
  });

  it('converses', async () => {
    const httpClient = new HTTPClient({ fetcher: fetchThrough });
    const { conversations } = new Mistral({ apiKey: 'canary', httpClient, retryConfig: { strategy: 'none' } }).beta;
    serve('mistral-conversations/answer.json');
    const begun = await recordOf(() => conversations.start({ model: 'mistral-medium-latest', inputs: 'Hi' }));
    serve('mistral-conversations/answer.sse');
    const conversationAppendStreamRequest = { inputs: 'And then?' };
    const goneOn = await recordOf(async () =>
      drain(await conversations.appendStream({ conversationId: 'conv_01', conversationAppendStreamRequest })),
    );
    const usage = { inputTokens: 7300, outputTokens: 55 };
    expect(begun).toMatchObject({
      api: 'conversations',
      requestedModel: 'mistral-medium-latest',
      stream: false,
      usage,
    });
    expect(goneOn).toMatchObject({ requestedModel: null, model: 'mistral-medium-2505', stream: true, usage });
  });
});

describe('the official package @google/genai', () => {
  it('interacts, streamed and not', async () => {
    vi.stubGlobal('fetch', fetchThrough);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { interactions } = new GoogleGenAI({ apiKey: 'AIza-canary' });
    const asked = { model: 'gemini-3-flash-preview', input: 'Hi', previous_interaction_id: 'v1_Before' };
    serve('google-interactions/answer.json');
    const whole = await recordOf(() => interactions.create(asked));
    serve('google-interactions/answer.sse');
    const streamed = await recordOf(async () => drain(await interactions.create({ ...asked, stream: true })));
    for (const record of [whole, streamed])
      expect(record).toMatchObject({
        ...{ provider: 'google', api: 'interactions', requestedModel: asked.model, outcome: 'ok', partial: false },
        usage: { inputTokens: 140, outputTokens: 62, cacheReadTokens: 64, reasoningTokens: 22 },
        wireSession: { previous_interaction_id: 'v1_Before' },
      });
    expect([whole.stream, streamed.stream, streamed.streamTiming?.pieces]).toEqual([false, true, 6]);
  });
});
