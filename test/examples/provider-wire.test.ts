import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { constants, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ExampleProvider,
  type ExampleProviderOptions,
  openExampleProvider,
  type SeenRequest,
} from '../../examples/provider/provider.js';

let provider: ExampleProvider;

beforeEach(async () => {
  provider = await openExampleProvider();
});

afterEach(async () => provider.close());

async function reopen(options: ExampleProviderOptions): Promise<void> {
  await provider.close();
  provider = await openExampleProvider(options);
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const init = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers };
  return fetch(provider.url + path, { method: 'POST', headers: init, body: JSON.stringify(body) });
}

function makeChat(model: string, stream = true) {
  return { model, stream, messages: [{ role: 'user', content: 'Say it' }] };
}

function makeDeferred() {
  let resolve: (seen: SeenRequest) => void = () => undefined;
  const promise = new Promise<SeenRequest>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const gemini = { contents: [{ role: 'user', parts: [{ text: 'Say it' }] }] };
const streamPath = '/v1beta/models/gemini-2.5-flash:streamGenerateContent';

/** The raw bytes of a reply, chunk framing included, from a connection of its own. */
async function readRaw(path: string, body: unknown): Promise<string> {
  const content = JSON.stringify(body);
  const socket = connect(provider.port, '127.0.0.1');
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${content.length}\r\n\r\n${content}`,
  );
  return readAll(socket);
}

/** A reply's body as it came, until its end or its cut. */
async function readUntilCut(path: string, body: unknown, headers: Record<string, string>) {
  const options = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
  const asked = request(provider.url + path, options).end(JSON.stringify(body));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
  await new Promise((resolve) => response.once('close', resolve));
  return { bytes: Buffer.concat(chunks), isWhole: response.complete };
}

describe('the frames of a stream', () => {
  it('end in [DONE] after the last frame, each frame in a chunk of its own', async () => {
    const raw = await readRaw('/v1/chat/completions', makeChat('gpt-4o'));
    const chunks = raw.split(/\r\n[\da-f]+\r\n/u).slice(1, -1);
    expect(chunks.length).toBe(provider.requests[0]?.frames);
    expect(chunks.every((chunk) => /^data: .*\n\n$/u.test(chunk))).toBe(true);
    expect(chunks.at(-1)).toBe('data: [DONE]\n\n');
  });

  it('carry a null usage when it was asked for, and none when include_usage is false', async () => {
    const asked = await post('/v1/chat/completions', {
      ...makeChat('gpt-4o'),
      stream_options: { include_usage: true },
    });
    const frames = (await asked.text()).split('\n\n').slice(0, -2);
    const usages = frames.map((frame) => JSON.parse(frame.slice(6)).usage);
    expect(usages.slice(0, -1).every((usage) => usage === null)).toBe(true);
    expect(usages.at(-1)).toMatchObject({ total_tokens: 17 });
    const denied = await post('/v1/completions', {
      ...makeChat('gpt-4o'),
      prompt: 'Say',
      stream_options: { include_usage: false },
    });
    expect(await denied.text()).not.toContain('usage');
  });

  it('name their event as Anthropic does, with cumulative usage at the end', async () => {
    const reply = await post('/v1/messages', { ...makeChat('claude-haiku-4-5'), max_tokens: 50 });
    const events = [...(await reply.text()).matchAll(/^event: (\w+)\ndata: (.*)$/gmu)];
    expect(events.map(([, name, data]) => [name, JSON.parse(data ?? '').type]).every(([a, b]) => a === b)).toBe(true);
    expect([events[0]?.[1], events.at(-1)?.[1]]).toEqual(['message_start', 'message_stop']);
    expect(JSON.parse(events[0]?.[2] ?? '').message.usage).toMatchObject({ input_tokens: 2, output_tokens: 1 });
    expect(JSON.parse(events.at(-2)?.[2] ?? '').usage).toMatchObject({ input_tokens: 2, output_tokens: 15 });
    expect(reply.headers.get('request-id')).toBe(provider.requests[0]?.requestId);
  });

  it('are events with alt=sse and elements of one array without', async () => {
    const events = await (await post(`${streamPath}?alt=sse`, gemini)).text();
    const fromEvents = events
      .split('\r\n\r\n')
      .slice(0, -1)
      .map((event) => JSON.parse(event.replace('data: ', '')));
    const array = await post(streamPath, gemini);
    const fromArray: unknown = await array.json();
    expect(array.headers.get('content-type')).toContain('application/json');
    const strip = (chunk: { candidates: unknown; usageMetadata: unknown }) => [chunk.candidates, chunk.usageMetadata];
    expect((fromArray as typeof fromEvents).map(strip)).toEqual(fromEvents.map(strip));
  });

  it('come in the envelope of the Gemini CLI on its own paths', async () => {
    const body = { model: 'gemini-2.5-pro', project: 'p', request: gemini };
    const reply = await post('/v1internal:generateContent', body);
    expect(await reply.json()).toMatchObject({ response: { modelVersion: 'gemini-2.5-pro', usageMetadata: {} } });
  });
});

describe('a provider that compresses', () => {
  it.each(['br', 'gzip', 'deflate'])('sends %s when it is all the client accepts', async (encoding) => {
    await reopen({ compress: true });
    const streamed = await post('/v1/chat/completions', makeChat('gpt-4o'), { 'accept-encoding': encoding });
    expect(streamed.headers.get('content-encoding')).toBe(encoding);
    expect((await streamed.text()).endsWith('data: [DONE]\n\n')).toBe(true);
    const plain = await post('/v1/chat/completions', makeChat('gpt-4o', false), { 'accept-encoding': encoding });
    expect(plain.headers.get('content-encoding')).toBe(encoding);
    expect(await plain.json()).toMatchObject({ object: 'chat.completion' });
  });

  it('sends plain bytes to a client that accepts no encoding', async () => {
    await reopen({ compress: true });
    const reply = await post('/v1/chat/completions', makeChat('gpt-4o', false), { 'accept-encoding': 'identity' });
    expect(reply.headers.get('content-encoding')).toBeNull();
  });
});

describe('a provider that is to fail', () => {
  it('refuses a request without a key in the shape of each dialect', async () => {
    await reopen({ requiresKey: true });
    const openai = await post('/v1/chat/completions', makeChat('gpt-4o'));
    expect([openai.status, await openai.json()]).toMatchObject([401, { error: { code: 'invalid_api_key' } }]);
    const anthropic = await post('/v1/messages', makeChat('x'));
    expect([anthropic.status, await anthropic.json()]).toMatchObject([
      401,
      { error: { type: 'authentication_error' } },
    ]);
    const google = await post(streamPath, gemini);
    expect([google.status, await google.json()]).toMatchObject([401, [{ error: { status: 'UNAUTHENTICATED' } }]]);
    expect((await post(`${streamPath}?key=k`, gemini)).status).toBe(200);
  });

  it('says when to try again', async () => {
    const reply = await post('/v1/chat/completions', makeChat('fail-429'));
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '1']);
    expect((await post('/v1/chat/completions', makeChat('fail-400'))).headers.get('retry-after')).toBeNull();
  });

  it('cuts a stream after the frames asked for, and a body in its middle', async () => {
    const stream = await post('/v1/chat/completions', makeChat('cut-2'));
    await expect(stream.text()).rejects.toThrow();
    const whole = await post('/v1/chat/completions', makeChat('cut', false));
    await expect(whole.text()).rejects.toThrow();
    expect(provider.requests.map(({ end, frames }) => [end, frames])).toEqual([
      ['cut', 2],
      ['cut', 0],
    ]);
  });

  it('cuts a compressed stream after frames the client can still read', async () => {
    await reopen({ compress: 'gzip' });
    // By node:http, which keeps every byte: fetch may let go of what it had yet to inflate when the cut came.
    const reply = await readUntilCut('/v1/chat/completions', makeChat('cut-2'), { 'accept-encoding': 'gzip' });
    expect(reply.isWhole).toBe(false);
    const text = gunzipSync(reply.bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
    expect(text.match(/data: .*\n\n/gu)).toHaveLength(2);
  });

  it.each([
    ['/v1/chat/completions', '"type":"server_error"'],
    ['/v1/messages', 'event: error\ndata: {"type":"error"'],
    ['/v1beta/models/break-2:streamGenerateContent?alt=sse', '"status":"INTERNAL"'],
  ])('breaks off a stream of %s with an error frame', async (path, error) => {
    const reply = await post(path, { ...makeChat('break-2'), ...gemini, max_tokens: 50 });
    expect(reply.status).toBe(200);
    expect(await reply.text()).toContain(error);
  });

  it('never answers a model that hangs, and notes when the client leaves', async () => {
    const leaving = new AbortController();
    const answer = () => {
      setImmediate(() => leaving.abort());
      return { thought: '', text: 'never heard', toolCall: null };
    };
    const { promise: served, resolve: onServed } = makeDeferred();
    await reopen({ answer, onServed });
    const body = JSON.stringify(makeChat('hang'));
    const call = fetch(`${provider.url}/v1/chat/completions`, { method: 'POST', body, signal: leaving.signal });
    await expect(call).rejects.toThrow();
    expect(await served).toMatchObject({ end: 'client_gone', status: 0 });
  });

  it('answers nonsense with 400 and unknown paths with 404', async () => {
    expect((await post('/v1/chat/completions', { model: 'gpt-4o', messages: [null] })).status).toBe(400);
    expect((await post('/v1/chat/completions', {})).status).toBe(400);
    expect((await fetch(`${provider.url}/v1/chat/completions`, { method: 'POST', body: '{' })).status).toBe(400);
    expect((await post('/v1/nothing', {})).status).toBe(404);
  });

  it('closes twice, also in the middle of a stream', async () => {
    await reopen({ pauseMs: 60_000 });
    const reply = await post('/v1/chat/completions', makeChat('gpt-4o'));
    await Promise.all([provider.close(), provider.close()]);
    await expect(reply.text()).rejects.toThrow();
  });
});
