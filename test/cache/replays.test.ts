/** Every dialect's reply, kept and given again; and how other caches fail at it (`peers` 28), as tests. */
import { describe, expect, it } from 'vitest';
import { answerCases } from '../contract/provider-answers.js';
import { readContentType, readFixture } from '../contract/provider-fixtures.js';
import type { Reply } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { answerWith, type CacheRig, json, openCacheRig } from './cache-rig.js';

interface Place {
  readonly host: string;
  readonly path: string;
  readonly body?: object;
}

const messages = [{ role: 'user', content: 'Hi' }];
const google = (method: string): Place => ({
  host: 'generativelanguage.googleapis.com',
  path: `/v1beta/models/gemini-2.5-flash:${method}`,
  body: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
});
const bedrock = (method: string): Place => ({
  host: 'bedrock-runtime.us-east-1.amazonaws.com',
  path: `/model/us.amazon.nova-lite-v1:0/${method}`,
  body: { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
});
const openai = (path: string, body: object): Place => ({ host: 'api.openai.com', path, body: { model: 'm', ...body } });

/** Where a reply of a fixture comes from, whole and as a stream. */
const places: Readonly<Record<string, (form: string) => Place>> = {
  'openai-chat': (form) => openai('/v1/chat/completions', { messages, stream: form === 'sse' }),
  'openai-completions': (form) => openai('/v1/completions', { prompt: 'Hi', stream: form === 'sse' }),
  'openai-responses': (form) => openai('/v1/responses', { input: 'Hi', stream: form === 'sse' }),
  'openai-embeddings': () => openai('/v1/embeddings', { input: 'Hi' }),
  'openai-moderations': () => openai('/v1/moderations', { input: 'Hi' }),
  'anthropic-messages': (form) => ({
    host: 'api.anthropic.com',
    path: '/v1/messages',
    body: { model: 'm', max_tokens: 9, messages, stream: form === 'sse' },
  }),
  'google-generate': (form) =>
    google(
      form === 'json' ? 'generateContent' : form === 'sse' ? 'streamGenerateContent?alt=sse' : 'streamGenerateContent',
    ),
  'bedrock-converse': (form) => bedrock(form === 'json' ? 'converse' : 'converse-stream'),
  'bedrock-invoke': (form) => bedrock(form === 'json' ? 'invoke' : 'invoke-with-response-stream'),
  'cohere-chat': (form) => ({
    host: 'api.cohere.com',
    path: '/v2/chat',
    body: { model: 'm', messages, stream: form === 'sse' },
  }),
  'ollama-chat': (form) => ({
    host: 'ollama.com',
    path: '/api/chat',
    body: { model: 'm', messages, stream: form === 'ndjson' },
  }),
};

const replies = answerCases.flatMap(({ answer, forms, headers = {} }) => {
  const place = places[answer.split('/')[0] ?? ''];
  return place === undefined ? [] : forms.map((form) => ({ file: `${answer}.${form}`, headers, place: place(form) }));
});

/** Answers with a body in pieces, each a write of its own. */
function answerInPieces(
  body: Buffer,
  headers: Readonly<Record<string, string>>,
  gapMs = 0,
): CacheRig['upstream']['handler'] {
  return (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, headers);
      const size = Math.ceil(body.length / 5);
      const send = (at: number): void => {
        if (at >= body.length) return void response.end();
        response.write(body.subarray(at, at + size), () => setTimeout(send, gapMs, at + size));
      };
      send(0);
    });
  };
}

const ask = async (rig: CacheRig, { host, path, body }: Place): Promise<Reply> =>
  await rig.call({ host, path, body: JSON.stringify(body) });

describe('the reply of each dialect', () => {
  it('is tried for every one that has a key', () => {
    expect(new Set(replies.map(({ file }) => file.split('/')[0]))).toEqual(new Set(Object.keys(places)));
    expect(replies.length).toBeGreaterThan(40);
  });

  it('comes from the cache as it came from its provider, byte for byte', async () => {
    const rig = await openCacheRig();
    for (const [number, { file, place, headers }] of replies.entries()) {
      // Each is a request of its own, for many answer the same.
      const own = { ...place, body: { ...place.body, metadata: { number: String(number) } } };
      rig.upstream.handler = answerInPieces(readFixture(file), { ...headers, 'content-type': readContentType(file) });
      const first = await ask(rig, own);
      const asked = rig.upstream.seen.length;
      const second = await ask(rig, own);
      expect(second.status, file).toBe(200);
      expect(second.headers['content-type'], file).toBe(first.headers['content-type']);
      if (!first.body.equals(second.body)) expect(second.body.toString(), file).toBe(first.body.toString());
      // One without usage is on record when its tokens were counted, maybe after the next.
      const [miss, hit] = (await rig.waitForRecords(2 * number + 2))
        .filter(({ requestBody }) => JSON.stringify(requestBody).includes(`"number":"${number}"`))
        .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
      if (hit?.cached !== true) {
        // What states an error, or no whole answer, is asked again.
        expect([file, miss?.error !== null || miss?.usageProblem !== null || miss?.partial]).toEqual([file, true]);
        continue;
      }
      expect(rig.upstream.seen.length, file).toBe(asked);
      expect([file, hit?.usage, hit?.usageDetails, hit?.finishReasons, hit?.toolCalls]).toEqual([
        ...[file, miss?.usage, miss?.usageDetails, miss?.finishReasons, miss?.toolCalls],
      ]);
    }
  });
});

describe('a kept stream', () => {
  const streamRequest = JSON.stringify({ ...(JSON.parse(chatRequest) as object), stream: true });
  const file = 'anthropic-messages/answer.sse';
  const place = places['anthropic-messages']?.('sse') as Place;

  it('comes in as many pieces as it was recorded in, not as one blob (litellm 11145, freellmapi 1098)', async () => {
    const rig = await openCacheRig();
    rig.upstream.handler = answerInPieces(readFixture(file), { 'content-type': readContentType(file) }, 5);
    const [first, second] = [await ask(rig, place), await ask(rig, place)];
    expect(first.chunks.length).toBe(5);
    expect(second.chunks.length).toBe(5);
    expect(second.headers['transfer-encoding']).toBe('chunked');
  });

  it('is kept at all, and keeps the details of its usage (litellm 24579, 42244)', async () => {
    const rig = await openCacheRig();
    rig.upstream.handler = answerWith(readFixture('openai-chat/answer.sse'), { 'content-type': 'text/event-stream' });
    for (let i = 0; i < 2; i++) await rig.call({ body: streamRequest });
    const [miss, hit] = await rig.waitForRecords(2);
    expect(hit?.cached).toBe(true);
    expect(hit?.usage).toMatchObject({ cacheReadTokens: 1024, reasoningTokens: 33 });
    expect(hit?.usageDetails).toEqual(miss?.usageDetails);
  });

  it('has its own pace when that is asked for, and none when it is not', async () => {
    const rig = await openCacheRig({ replaySpeed: 1 });
    rig.upstream.handler = answerInPieces(readFixture(file), { 'content-type': readContentType(file) }, 40);
    await ask(rig, place);
    const arrivals: number[] = [];
    const body = JSON.stringify(place.body);
    const paced = { host: place.host, path: place.path, body, onChunk: () => arrivals.push(performance.now()) };
    await rig.call(paced);
    // Four gaps of 40 ms were recorded; what the clocks of both sides may differ by is left out.
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(120);
    const fast = await rig.openSession({ cache: { mode: 'on' } });
    const beganMs = performance.now();
    await rig.call({ ...paced, port: fast.port });
    expect(performance.now() - beganMs).toBeLessThan(160);
  });
});

describe('a replay', () => {
  it('never asks the live model on a miss (bernstein 1832)', async () => {
    const rig = await openCacheRig();
    await rig.call();
    const only = await rig.openSession({ cache: { mode: 'only' } });
    for (let i = 0; i < 3; i++) {
      const miss = await rig.call({ port: only.port, body: chatRequest.replace('Hi', `miss ${i}`) });
      expect(miss.status).toBe(412);
    }
    expect(rig.upstream.seen).toHaveLength(1);
  });

  it('gives the answer that was kept, not that of another call since (bernstein 1846)', async () => {
    const rig = await openCacheRig();
    await rig.call();
    rig.upstream.handler = answerWith(chatReply.replace('Hello.', 'Another.'));
    const off = { ...json, 'x-llmtap-cache': 'off' };
    expect((await rig.call({ headers: off })).body.toString()).toContain('Another.');
    expect((await rig.call({ body: chatRequest.replace('Hi', 'Ho') })).body.toString()).toContain('Another.');
    expect((await rig.call()).body.toString()).toBe(chatReply);
  });

  it('of a secret cut across the frames of a stream is not kept at all (cline 9797)', async () => {
    const rig = await openCacheRig();
    const key = 'sk-proj-4f9d0b7c2a1e8d6f5b3c4f9d0b7c2a1e8d6f5b3c';
    const frames = [key.slice(0, 14), key.slice(14, 30), key.slice(30)].map((content) => {
      const chunk = {
        id: 'c',
        object: 'chat.completion.chunk',
        model: 'm',
        choices: [{ index: 0, delta: { content } }],
      };
      return `data: ${JSON.stringify(chunk)}\n\n`;
    });
    const end = `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`;
    const text = `${frames.join('')}${end}data: [DONE]\n\n`;
    rig.upstream.handler = answerWith(text, { 'content-type': 'text/event-stream' });
    for (let i = 0; i < 2; i++) await rig.call({ body: streamRequestOf(key), headers: json });
    expect((await rig.waitForRecords(2)).map(({ cached }) => cached)).toEqual([false, false]);
  });
});

function streamRequestOf(key: string): string {
  return JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: `Say ${key}` }] });
}
