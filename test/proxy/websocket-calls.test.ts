import type { Duplex } from 'node:stream';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openSecure, readHead } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import {
  makeRealtimeResponse,
  openSocketProvider,
  type SocketProvider,
  send,
  sendLive,
} from '../fixtures/socket-provider.js';
import { type WatchedSession, watchSession } from '../fixtures/watch-session.js';
import { makeFrame } from '../providers/wire/websocket/frames.js';

let rig: Rig;
let session: WatchedSession;
let provider: SocketProvider | undefined;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => await rig.close());
beforeEach(async () => {
  session = await watchSession(rig.host, { configKey: 'voice' });
});
afterEach(async () => {
  provider?.close();
  await session.session.close();
});

const key = 'sk-test-0123456789abcdef';
const client = new OpenAI({ apiKey: key });

async function makeOptions(host = 'api.openai.com', port = session.port): Promise<object> {
  const secure = await openSecure(port, host, { ca: rig.ca });
  return { createConnection: () => secure };
}

async function openSocket(path: string, options: { host?: string; port?: number } = {}): Promise<WebSocket> {
  const { host = 'api.openai.com', port } = options;
  const headers = { Authorization: `Bearer ${key}` };
  const socket = new WebSocket(`wss://${host}${path}`, { headers, ...(await makeOptions(host, port)) } as never);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

/** Resolves with the next message of a type. */
const next = async (socket: WebSocket, type: string): Promise<Record<string, unknown>> =>
  await new Promise((resolve) => {
    const take = (data: Buffer): void => {
      const message = JSON.parse(data.toString()) as Record<string, unknown>;
      if (message.type !== type) return;
      socket.off('message', take);
      resolve(message);
    };
    socket.on('message', take);
  });

describe.each([
  { compress: false, how: 'plain' },
  { compress: true, how: 'compressed' },
])('with $how messages', ({ compress }) => {
  it('the official Realtime client’s responses are calls, recorded while the socket lives', async () => {
    provider = openSocketProvider(rig, { compress });
    const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: (await makeOptions()) as never }, client);
    await new Promise((resolve) => realtime.on('session.created', resolve));
    expect(realtime.socket.extensions).toBe(compress ? 'permessage-deflate' : '');
    const content = [{ type: 'input_text' as const, text: `Hi, my key is ${key}.` }];
    for (const turn of [1, 2]) {
      const done = new Promise((resolve) => realtime.once('response.done', resolve));
      realtime.send({ type: 'input_audio_buffer.append', audio: 'A'.repeat(4000) });
      realtime.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
      realtime.send({ type: 'response.create', response: { instructions: `Turn ${turn}.` } });
      await done;
      await session.waitForRecords(turn);
    }
    const [first, second] = session.records;
    expect(first).toMatchObject({
      provider: 'openai',
      api: 'realtime',
      configKey: 'voice',
      method: 'GET',
      url: 'https://api.openai.com/v1/realtime?model=gpt-realtime',
      protocol: 'websocket',
      requestedModel: 'gpt-realtime',
      model: 'gpt-realtime',
      stream: true,
      status: 101,
      outcome: 'ok',
      partial: false,
      usage: {
        inputTokens: 132,
        outputTokens: 121,
        cacheReadTokens: 64,
        cacheWriteTokens: null,
        reasoningTokens: null,
        totalTokens: 253,
      },
      usageProblem: null,
      usageDetails: {
        inputTextTokens: 119,
        inputAudioTokens: 13,
        inputImageTokens: 0,
        cacheReadTextTokens: 64,
        cacheReadAudioTokens: 0,
        cacheReadImageTokens: 0,
        outputTextTokens: 30,
        outputAudioTokens: 91,
      },
      finishReasons: ['completed'],
      toolCalls: ['look_up'],
      responseId: 'resp_1',
      error: null,
      changes: [],
      streamTiming: { pieces: 4 },
    });
    expect(second).toMatchObject({ responseId: 'resp_2', usage: { inputTokens: 132 } });
    expect(first?.requestBytes).toBeGreaterThan(compress ? 50 : 4000);
    expect(first?.timeToFirstTokenMs).toBeLessThanOrEqual(first?.latencyMs ?? 0);
    expect(JSON.stringify(first?.requestBody)).toContain('Turn 1.');
    expect(JSON.stringify(first)).not.toContain('AAAA');
    expect(JSON.stringify(first)).not.toContain(key);
    expect(JSON.stringify(first?.requestBody)).toContain('Hi, my key is [redacted');
    expect(first?.responseBody).toMatchObject({ type: 'response.done', response: { id: 'resp_1' } });
    expect(session.session.counts()).toMatchObject({ calls: 2, upgrades: 1, faults: 0 });
    realtime.close();
  });

  it('Codex’s Responses on one socket are a call each, but for the request that warms up', async () => {
    provider = openSocketProvider(rig, { compress });
    const socket = await openSocket('/backend-api/codex/responses', { host: 'chatgpt.com' });
    for (const message of [
      { type: 'response.create', model: 'gpt-5-codex', generate: false, input: [] },
      { type: 'response.create', model: 'gpt-5-codex', prompt_cache_key: 'thread-1', input: 'first' },
      { type: 'response.create', model: 'gpt-5-codex', previous_response_id: 'resp_2', input: 'second' },
    ]) {
      const completed = next(socket, 'response.completed');
      send(socket, message);
      await completed;
    }
    const records = await session.waitForRecords(2);
    expect(records).toMatchObject([
      {
        provider: 'chatgpt-codex',
        api: 'responses',
        requestedModel: 'gpt-5-codex',
        model: 'gpt-5-codex-2026-01-01',
        usage: { inputTokens: 102, outputTokens: 7, cacheReadTokens: 40, reasoningTokens: 2, totalTokens: 109 },
        serviceTier: 'default',
        toolCalls: ['shell'],
        responseId: 'resp_2',
        wireSession: { prompt_cache_key: 'thread-1' },
        requestBody: { input: 'first' },
        responseBody: { type: 'response.completed' },
      },
      { responseId: 'resp_3', usage: { inputTokens: 103 }, requestBody: { input: 'second' } },
    ]);
    socket.close();
  });
});

describe('Responses over a WebSocket', () => {
  it('are read of the official client', async () => {
    provider = openSocketProvider(rig);
    const responses = new ResponsesWS(client, (await makeOptions()) as never);
    const completed = new Promise((resolve) => responses.once('response.completed', resolve));
    responses.send({ type: 'response.create', model: 'gpt-5', input: 'Hi.' });
    await completed;
    expect(await session.waitForRecords(1)).toMatchObject([
      { url: 'https://api.openai.com/v1/responses', protocol: 'websocket', responseId: 'resp_1', outcome: 'ok' },
    ]);
    responses.close();
  });

  it('side by side under names of their own are not mixed', async () => {
    const asked: string[] = [];
    provider = openSocketProvider(rig, {
      answer: (socket, { stream_id: lane, model }) => {
        asked.push(String(lane));
        const response = { id: `resp_${String(lane)}`, model, status: 'in_progress' };
        send(socket, { type: 'response.created', response, stream_id: lane });
        if (asked.length < 3) return;
        for (const name of ['a', 'b', 'a'])
          send(socket, { type: 'response.output_text.delta', delta: 'word', stream_id: name });
        for (const name of ['b', 'c', 'a']) {
          const usage = { input_tokens: name.charCodeAt(0), output_tokens: 1, total_tokens: name.charCodeAt(0) + 1 };
          const done = { id: `resp_${name}`, model: `m-${name}`, status: 'completed', usage };
          send(socket, { type: 'response.completed', response: done, stream_id: name });
        }
      },
    });
    const socket = await openSocket('/v1/responses');
    for (const lane of ['a', 'b', 'c'])
      send(socket, { type: 'response.create', stream_id: lane, model: `m-${lane}`, input: lane });
    const records = await session.waitForRecords(3);
    expect(
      records.map((each) => [each.responseId, each.requestedModel, each.usage.inputTokens, each.streamTiming?.pieces]),
    ).toEqual([
      ['resp_b', 'm-b', 98, 1],
      ['resp_c', 'm-c', 99, undefined],
      ['resp_a', 'm-a', 97, 2],
    ]);
    socket.close();
  });

  it('refused by an error are a call with that error; the next on the socket is read', async () => {
    provider = openSocketProvider(rig);
    const socket = await openSocket('/v1/responses');
    send(socket, { type: 'response.create', model: 'refused', input: 'x' });
    await next(socket, 'error');
    send(socket, { type: 'response.create', model: 'gpt-5', input: 'y' });
    await next(socket, 'response.completed');
    expect(await session.waitForRecords(2)).toMatchObject([
      {
        outcome: 'ok',
        partial: false,
        error: { code: 'model_not_found', message: 'There is no such model.' },
        usage: { inputTokens: null },
        usageProblem: 'The provider reported the error model_not_found and no final usage.',
        responseBody: { type: 'error' },
      },
      { requestedModel: 'gpt-5', responseId: 'resp_2', error: null },
    ]);
    socket.close();
  });
});

describe('a socket that goes in the middle of a response', () => {
  const begin = (socket: WebSocket): void => {
    send(socket, { type: 'response.created', response: { id: 'resp_1', model: 'gpt-5-2026', status: 'in_progress' } });
    send(socket, { type: 'response.output_text.delta', delta: 'Half an answ' });
  };
  const partial = {
    partial: true,
    status: 101,
    model: 'gpt-5-2026',
    responseId: 'resp_1',
    usage: { outputTokens: null },
  };

  it.each([
    ['cut', (socket: WebSocket) => socket.terminate(), 'cut the connection|closed'],
    ['closed with words', (socket: WebSocket) => socket.close(1011, 'over quota'), '1011: over quota'],
  ])('%s by the provider, leaves one record', async (_how, end, words) => {
    provider = openSocketProvider(rig, {
      answer: (socket) => {
        begin(socket);
        setImmediate(() => end(socket));
      },
    });
    const socket = await openSocket('/v1/responses');
    send(socket, { type: 'response.create', model: 'gpt-5', input: 'x' });
    await new Promise((resolve) => socket.once('close', resolve));
    const [record] = await session.waitForRecords(1);
    expect(record).toMatchObject({ ...partial, outcome: 'upstream_aborted', error: { code: 'UPSTREAM_ABORTED' } });
    expect(record?.error?.message).toMatch(new RegExp(words));
    expect(session.records).toHaveLength(1);
  });

  it.each([
    ['cut', (socket: WebSocket) => socket.terminate()],
    ['closed', (socket: WebSocket) => socket.close(1000, 'enough')],
  ])('%s by its client, leaves one record, with what had come', async (_how, end) => {
    provider = openSocketProvider(rig, { answer: begin });
    const socket = await openSocket('/v1/responses');
    const begun = next(socket, 'response.output_text.delta');
    send(socket, { type: 'response.create', model: 'gpt-5', input: 'x' });
    await begun;
    end(socket);
    const [record] = await session.waitForRecords(1);
    expect(record).toMatchObject({ ...partial, outcome: 'client_aborted', error: { code: 'CLIENT_ABORTED' } });
    expect(JSON.stringify(record?.responseBody)).toContain('Half an answ');
  });

  it('cut with its session, says so', async () => {
    provider = openSocketProvider(rig, { answer: begin });
    const own = await watchSession(rig.host);
    const socket = await openSocket('/v1/responses', { port: own.port });
    const begun = next(socket, 'response.output_text.delta');
    send(socket, { type: 'response.create', model: 'gpt-5', input: 'x' });
    await begun;
    await own.close();
    expect(own.records).toMatchObject([{ ...partial, outcome: 'client_aborted', error: { code: 'SESSION_CLOSED' } }]);
  });

  it('closed between responses leaves none', async () => {
    provider = openSocketProvider(rig);
    const socket = await openSocket('/v1/responses');
    send(socket, { type: 'response.create', model: 'gpt-5', input: 'x' });
    await next(socket, 'response.completed');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    await closed;
    expect(await session.close()).toMatchObject({ calls: 1, upgrades: 1 });
    expect(session.records).toHaveLength(1);
  });
});

describe('Realtime', () => {
  it('records a response the server begins of its own accord, and several at once', async () => {
    provider = openSocketProvider(rig, {
      answer: (socket) => {
        for (const id of ['resp_a', 'resp_b'])
          send(socket, { type: 'response.created', response: { id, status: 'in_progress' } });
        for (const id of ['resp_b', 'resp_a'])
          send(socket, { type: 'response.done', response: makeRealtimeResponse(id) });
      },
    });
    const socket = await openSocket('/v1/realtime?model=gpt-realtime');
    send(socket, { type: 'input_audio_buffer.append', audio: 'AAAA' });
    expect((await session.waitForRecords(2)).map(({ responseId }) => responseId)).toEqual(['resp_b', 'resp_a']);
    socket.close();
  });

  it('records transcripts of what the user says apart, with their own model, tokens and price', async () => {
    provider = openSocketProvider(rig, {
      answer: (socket, { type }) => {
        const ids = { item_id: 'item_1', content_index: 0 };
        const transcription = { model: 'gpt-4o-transcribe' };
        if (type === 'session.update')
          send(socket, { type: 'session.updated', session: { audio: { input: { transcription } } } });
        if (type !== 'input_audio_buffer.commit') return;
        send(socket, { type: 'input_audio_buffer.committed', item_id: 'item_1' });
        const usage = { type: 'tokens', input_tokens: 26, output_tokens: 9, total_tokens: 35 };
        const events = 'conversation.item.input_audio_transcription';
        send(socket, { type: `${events}.delta`, ...ids, delta: `My key is ${key}` });
        send(socket, { type: `${events}.completed`, ...ids, transcript: `My key is ${key}`, usage });
      },
    });
    const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: (await makeOptions()) as never }, client);
    await new Promise((resolve) => realtime.on('session.created', resolve));
    const updated = new Promise((resolve) => realtime.once('session.updated', resolve));
    realtime.send({ type: 'session.update', session: { type: 'realtime' } });
    await updated;
    realtime.send({ type: 'input_audio_buffer.append', audio: 'A'.repeat(4000) });
    realtime.send({ type: 'input_audio_buffer.commit' });
    const [record] = await session.waitForRecords(1);
    expect(record).toMatchObject({
      ...{
        provider: 'openai',
        api: 'realtime.transcription',
        protocol: 'websocket',
        requestedModel: 'gpt-4o-transcribe',
      },
      ...{ outcome: 'ok', partial: false, responseId: 'item_1', finishReasons: ['completed'] },
      usage: { inputTokens: 26, outputTokens: 9, totalTokens: 35 },
      streamTiming: { pieces: 2 },
    });
    expect(JSON.stringify(record)).not.toContain(key);
    realtime.close();
  });

  it('states a failed response’s error, and gives an error to the request it names', async () => {
    provider = openSocketProvider(rig, {
      answer: (socket, { event_id: eventId, type }) => {
        if (type !== 'response.create') return;
        if (eventId !== undefined) {
          const error = { type: 'invalid_request_error', code: 'bad', message: 'No.', event_id: eventId };
          return send(socket, { type: 'error', event_id: 'event_7', error });
        }
        send(socket, { type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } });
        const error = { type: 'server_error', code: 'rate_limit_exceeded' };
        const response = { id: 'resp_1', status: 'failed', status_details: { type: 'failed', error }, output: [] };
        send(socket, { type: 'response.done', response });
      },
    });
    const socket = await openSocket('/v1/realtime?model=gpt-realtime');
    send(socket, { type: 'response.create', event_id: 'mine' });
    await next(socket, 'error');
    send(socket, { type: 'response.create' });
    await next(socket, 'response.done');
    expect(await session.waitForRecords(2)).toMatchObject([
      { error: { code: 'bad', message: 'No.' }, partial: false },
      { error: { code: 'rate_limit_exceeded' }, finishReasons: ['failed'], responseId: 'resp_1', partial: false },
    ]);
    socket.close();
  });
});

describe('Gemini Live', () => {
  it('records a turn without usage while the socket lives, a moment after its end', async () => {
    provider = openSocketProvider(rig, {
      answer: (socket, { clientContent }) => {
        if (clientContent !== undefined) sendLive(socket, { serverContent: { turnComplete: true } });
      },
    });
    const path = '/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent';
    const socket = await openSocket(path, { host: 'us-central1-aiplatform.googleapis.com' });
    send(socket, { setup: { model: 'projects/p/locations/l/publishers/google/models/gemini-live' } });
    send(socket, { clientContent: { turns: [], turnComplete: true } });
    const [record] = await session.waitForRecords(1);
    expect(record).toMatchObject({
      provider: 'google-vertex',
      api: 'live',
      model: 'gemini-live',
      outcome: 'ok',
      partial: false,
      usage: { inputTokens: null, outputTokens: null },
    });
    expect(record?.latencyMs).toBeLessThan(250);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.close();
  });
});

describe('concurrent sockets', () => {
  it('of two sessions are not mixed', async () => {
    provider = openSocketProvider(rig, { compress: true });
    const other = await watchSession(rig.host, { configKey: 'other' });
    const sockets = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        openSocket('/v1/responses', { port: at % 2 === 0 ? session.port : other.port }),
      ),
    );
    await Promise.all(
      sockets.map(async (socket, at) => {
        for (const turn of [1, 2, 3]) {
          const completed = next(socket, 'response.completed');
          send(socket, { type: 'response.create', model: `m-${at % 2}-${at}-${turn}`, input: 'x' });
          await completed;
        }
      }),
    );
    for (const [watched, parity] of [
      [session, 0],
      [other, 1],
    ] as const) {
      const models = (await watched.waitForRecords(15)).map(({ requestedModel }) => requestedModel);
      expect(models.filter((model) => model?.startsWith(`m-${parity}-`))).toHaveLength(15);
      expect(new Set(models).size).toBe(15);
    }
    for (const socket of sockets) socket.terminate();
    await other.close();
  });
});

describe('a socket that cannot be read any more', () => {
  it('goes on, with one fault, and what was under way is recorded as it stands', async () => {
    const opened = new Promise<Duplex>((resolve) => {
      rig.upstream.onUpgrade = (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
        resolve(socket);
      };
    });
    const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
    secure.write(
      'GET /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await readHead(secure);
    const far = await opened;
    const mask = [1, 2, 3, 4];
    secure.write(makeFrame({ payload: JSON.stringify({ type: 'response.create', model: 'gpt-5' }), mask }));
    await new Promise((resolve) => far.once('data', resolve));
    // A frame of a kind that does not exist, and then no frames at all.
    far.write(Buffer.from('8300', 'hex'));
    const [record] = await session.waitForRecords(1);
    expect(record).toMatchObject({ outcome: 'ok', partial: true, requestedModel: 'gpt-5', error: null });
    expect(record?.usageProblem).toContain('A frame of the unknown kind 3 came.');
    const faults = rig.faults.filter(({ code }) => code === 'READER_FAILED');
    const message =
      'Could not read a openai responses WebSocket: A frame of the unknown kind 3 came. The socket itself went on.';
    expect(faults).toMatchObject([{ message }]);
    far.write('whatever');
    await new Promise((resolve) =>
      secure.on('data', (bytes: Buffer) => bytes.includes('whatever') && resolve(null)).resume(),
    );
    secure.destroy();
    await session.close();
    expect(session.records).toHaveLength(1);
  });
});
