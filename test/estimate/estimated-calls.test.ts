import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type CallRecord, type Host, type HostOptions, openHost, type TrackerEvent } from '../../dist/index.js';
import { countTokens } from '../../src/estimate/tokenizer.js';
import { openSecure, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { openUpstream, type TestUpstream } from '../fixtures/upstream.js';

let home: string;
let upstream: TestUpstream;
let host: Host;
let events: TrackerEvent[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-estimate-'));
  upstream = await openUpstream();
});
afterEach(async () => {
  await host.close();
  await upstream.close();
  rmSync(home, { recursive: true, force: true });
});

const text = 'The quick brown fox jumps over the lazy dog, again and again.';
const question = 'Tell me of a fox.';
const frame = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: 'gpt-4o', choices: [{ index: 0, delta: { content } }] })}\n\n`;

async function open(options: Partial<HostOptions> = {}) {
  const connectTo = [`:443:127.0.0.1:${upstream.port}`];
  host = await openHost({ home, env: {}, connectTo, upstreamCa: upstream.caPath, ...options });
  events = [];
  host.onEvent((event) => void events.push(event));
  return await host.openSession();
}

/** A stream of which some has come to the client, who then leaves, or whose provider does. */
async function cut(port: number, who: 'client' | 'provider'): Promise<void> {
  upstream.handler = (request, response) => {
    request
      .on('end', () => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(frame(text));
      })
      .resume();
  };
  const request = await startRequest({ port, ca: readFileSync(host.caPath, 'utf8') });
  request.on('error', () => undefined);
  request.end(JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: question }] }));
  const response = await waitForResponse(request);
  response.on('error', () => undefined);
  await new Promise((resolve) => response.once('data', resolve));
  if (who === 'client') request.destroy();
  else await upstream.close();
}

const findRecord = (): CallRecord | undefined =>
  events.flatMap((event) => (event.type === 'call.completed' ? [event.record] : []))[0];

describe('a stream that is cut before it stated its usage', () => {
  it.each(['client', 'provider'] as const)('by its %s is estimated, beside the unknown usage', async (who) => {
    const session = await open();
    await cut(session.port, who);
    await session.close();
    const record = findRecord();
    const expected = await countTokens({ model: 'gpt-4o', input: [question], output: [text] });
    expect(record).toMatchObject({
      partial: true,
      usage: { inputTokens: null, outputTokens: null },
      estimatedUsage: expected,
    });
    expect(record?.usageProblem).toMatch(/\w/);
    // The session is not over before its calls are on record.
    expect(events.map(({ type }) => type).filter((type) => type !== 'session.opened')).toEqual([
      'call.completed',
      'session.closed',
    ]);
  });

  it('is not, where no bodies are kept', async () => {
    const session = await open({ bodies: 'none' });
    await cut(session.port, 'client');
    await session.close();
    expect(findRecord()).toMatchObject({ partial: true, estimatedUsage: null });
  });
});

describe('a whole reply without a word of its tokens', () => {
  interface Asked {
    readonly host?: string;
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: object;
  }

  /** Answers one call, and closes the session when its client has the whole reply. */
  async function answer(type: string, reply: string, { body, ...asked }: Asked, status = 200): Promise<CallRecord> {
    const session = await open();
    upstream.handler = (request, response) => {
      request.on('end', () => response.writeHead(status, { 'content-type': type }).end(reply)).resume();
    };
    const request = await startRequest({ port: session.port, ca: readFileSync(host.caPath, 'utf8'), ...asked });
    request.end(JSON.stringify(body));
    const response = await waitForResponse(request);
    let got = '';
    for await (const chunk of response) got += String(chunk);
    expect(got).toBe(reply);
    await session.close();
    const record = findRecord();
    if (record === undefined) throw new Error('no call on record');
    return record;
  }

  const messages = [{ role: 'user', content: question }];

  it('is estimated: a stream that was not to be asked for usage', async () => {
    const half = text.length / 2;
    const last = { id: 'c1', model: 'gpt-4o', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    const stream = `${frame(text.slice(0, half))}${frame(text.slice(half))}data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`;
    const record = await answer('text/event-stream', stream, {
      headers: { 'idempotency-key': 'k' },
      body: { model: 'gpt-4o', stream: true, messages },
    });
    expect(record).toMatchObject({
      ...{ outcome: 'ok', partial: false, changes: [], usage: { inputTokens: null, outputTokens: null } },
      estimatedUsage: await countTokens({ model: 'gpt-4o', input: [question], output: [text] }),
      cost: { usd: null },
    });
    expect(record.usageProblem).toContain('stream_options.include_usage');
  });

  it("is estimated: an API that never states any, Anthropic's text completions", async () => {
    const body = { model: 'claude-2.1', prompt: question, max_tokens_to_sample: 9 };
    const reply = JSON.stringify({ type: 'completion', completion: text, stop_reason: 'stop_sequence' }, null, 2);
    const record = await answer('application/json', reply, { host: 'api.anthropic.com', path: '/v1/complete', body });
    const counted = await countTokens({ model: 'claude-2.1', input: [question], output: [text] });
    expect(record).toMatchObject({ usage: { outputTokens: null }, estimatedUsage: counted });
    expect(counted.tokenizer).toContain('not this model’s own');
  });

  it.each<[string, string, string, Asked, number?]>([
    ['an error', 'application/json', '{"error":{"message":"no such model"}}', { body: { model: 'm', messages } }, 400],
    [
      'a reply that states some',
      'application/json',
      JSON.stringify({ choices: [{ message: { content: text } }], usage: { prompt_tokens: 1, completion_tokens: 2 } }),
      { body: { model: 'gpt-4o', messages } },
    ],
    [
      'embeddings, in which the model writes nothing',
      'application/json',
      '{"data":[{"embedding":[0.1]}],"model":"text-embedding-3-small"}',
      { path: '/v1/embeddings', body: { model: 'text-embedding-3-small', input: question } },
    ],
    [
      'what is billed by the second',
      'application/json',
      JSON.stringify({ text, usage: { type: 'duration', seconds: 3 } }),
      { path: '/v1/audio/transcriptions', body: { model: 'whisper-1' } },
    ],
    ['sound', 'audio/mpeg', text, { path: '/v1/audio/speech', body: { model: 'tts-1', input: question } }],
  ])('is not, where it is %s', async (_what, type, reply, asked, status) => {
    expect((await answer(type, reply, asked, status)).estimatedUsage).toBeNull();
  });
});

describe('a response on a WebSocket that is cut before it stated its usage', () => {
  /** The provider answers with these messages; the client leaves when the last has come. */
  async function cutSocket(port: number, path: string, answer: readonly object[]): Promise<void> {
    const server = new WebSocketServer({ noServer: true });
    upstream.onUpgrade = (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (opened) =>
        opened.once('message', () => {
          for (const message of answer) opened.send(JSON.stringify(message));
        }),
      );
    const secure = await openSecure(port, 'api.openai.com', { ca: readFileSync(host.caPath, 'utf8') });
    const socket = new WebSocket(`wss://api.openai.com${path}`, { createConnection: () => secure } as never);
    await new Promise((resolve) => socket.once('open', resolve));
    let left = answer.length;
    const all = new Promise<void>((resolve) => socket.on('message', () => --left === 0 && resolve()));
    socket.send(JSON.stringify({ type: 'response.create', model: 'gpt-4o', input: question }));
    await all;
    socket.terminate();
  }

  it('has its output estimated; what went in is known to the provider alone', async () => {
    const session = await open();
    await cutSocket(session.port, '/v1/responses', [
      { type: 'response.created', response: { id: 'resp_1', model: 'gpt-4o', status: 'in_progress' } },
      { type: 'response.output_text.delta', delta: text },
    ]);
    await session.close();
    const expected = await countTokens({ model: 'gpt-4o', input: null, output: [text] });
    expect(findRecord()).toMatchObject({ protocol: 'websocket', partial: true, estimatedUsage: expected });
    expect(events.map(({ type }) => type).slice(-2)).toEqual(['call.completed', 'session.closed']);
  });

  it('has none where it was spoken', async () => {
    const session = await open();
    await cutSocket(session.port, '/v1/realtime?model=gpt-realtime', [
      { type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } },
      { type: 'response.output_audio.delta', response_id: 'resp_1', delta: 'AAAA' },
      { type: 'response.output_audio_transcript.delta', response_id: 'resp_1', delta: text },
    ]);
    await session.close();
    expect(findRecord()).toMatchObject({ protocol: 'websocket', partial: true, estimatedUsage: null });
  });
});
