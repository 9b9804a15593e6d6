import { describe, expect, it } from 'vitest';
import type { UsageDetails } from '../../src/core/usage.js';
import type { Dialect } from '../../src/core/wire.js';
import { anthropicMessages } from '../../src/providers/anthropic-messages.js';
import { googleStreamGenerate } from '../../src/providers/google-generate.js';
import { openaiChat } from '../../src/providers/openai-chat.js';
import { openaiResponses } from '../../src/providers/openai-responses.js';
import { openaiResponsesSocket } from '../../src/providers/openai-responses-socket.js';
import { type Passed, readCalls } from './socket-calls.js';

const request = { model: null, stream: true, wireSession: null };

function readStream(dialect: Dialect, ...events: readonly object[]): UsageDetails | null {
  const reader = dialect.openReply({ status: 200, contentType: 'text/event-stream' }, request);
  for (const event of events) reader.write(Buffer.from(`data: ${JSON.stringify(event)}\n\n`), 1);
  return reader.end().usageDetails;
}

function readJson(dialect: Dialect, document: object): UsageDetails | null {
  const reader = dialect.openReply({ status: 200, contentType: 'application/json' }, request);
  reader.write(Buffer.from(JSON.stringify(document)), 1);
  return reader.end().usageDetails;
}

describe('searches of the Responses API', () => {
  const search = (id: string, action?: object, status = 'completed') => ({
    ...{ id, type: 'web_search_call', status },
    ...(action !== undefined && { action }),
  });
  const output = [
    search('ws_1', { type: 'search', queries: ['one', 'two'] }),
    { id: 'rs_1', type: 'reasoning', summary: [] },
    search('ws_2', { type: 'open_page', url: 'https://example.com' }),
    search('ws_3', { type: 'find_in_page', pattern: 'x' }),
    search('ws_4', { type: 'search', query: 'three' }),
    search('ws_5', { type: 'search', query: 'four' }, 'failed'),
    { id: 'fs_1', type: 'file_search_call', status: 'completed', queries: ['five'] },
    { id: 'ci_1', type: 'code_interpreter_call', status: 'completed' },
  ];
  const response = { id: 'r', object: 'response', status: 'completed', model: 'gpt-5', output, usage: {} };
  const events = [
    ...output.flatMap((item, output_index) => [
      {
        type: 'response.output_item.added',
        output_index,
        item: { id: item.id, type: item.type, status: 'in_progress' },
      },
      { type: 'response.output_item.done', output_index, item },
    ]),
    { type: 'response.completed', response },
  ];
  const counted = { webSearches: 2, fileSearches: 1 };

  it('are counted where the model searched, not where it opened or failed, once each', () => {
    expect(readJson(openaiResponses, response)).toEqual(counted);
    expect(readStream(openaiResponses, ...events)).toEqual(counted);
  });

  it('are counted where the last event leaves the output out, as Codex’s does', () => {
    const last = { type: 'response.completed', response: { ...response, output: [] } };
    expect(readStream(openaiResponses, ...events.slice(0, -1), last)).toEqual(counted);
  });

  it('are counted where no action is named', () => {
    expect(readJson(openaiResponses, { ...response, output: [search('ws_1')] })).toEqual({ webSearches: 1 });
  });

  it('are counted over a WebSocket', () => {
    const asked: Passed = ['C', { type: 'response.create', model: 'gpt-5', input: [] }];
    const [call] = readCalls(openaiResponsesSocket, [asked, ...events.map((event): Passed => ['S', event])]);
    expect(call?.facts.reply.usageDetails).toEqual(counted);
  });
});

describe("OpenAI's search models", () => {
  it.each(['gpt-4o-search-preview-2025-03-11', 'gpt-5-search-api', 'openai/gpt-4o-mini-search-preview'])(
    'search once a call: %s',
    (model) => {
      const reply = { id: 'c', model, choices: [{ index: 0, message: { content: 'hi' }, finish_reason: 'stop' }] };
      expect(readJson(openaiChat, reply)).toEqual({ webSearches: 1 });
      const frame = { id: 'c', model, choices: [{ index: 0, delta: { content: 'hi' } }] };
      expect(readStream(openaiChat, frame, frame)).toEqual({ webSearches: 1 });
    },
  );

  it('are not those whose name only mentions it', () => {
    expect(readJson(openaiChat, { model: 'my-search-preview', choices: [] })).toBeNull();
    expect(readJson(openaiChat, { model: 'gpt-4o', choices: [] })).toBeNull();
  });
});

describe('searches of others', () => {
  it('are those Anthropic states, the last count of a stream', () => {
    const usage = (web_search_requests: number) => ({ output_tokens: 1, server_tool_use: { web_search_requests } });
    const started = { type: 'message_start', message: { usage: { input_tokens: 1, ...usage(0) } } };
    expect(readStream(anthropicMessages, started, { type: 'message_delta', delta: {}, usage: usage(3) })).toEqual({
      webSearches: 3,
    });
    expect(readJson(anthropicMessages, { type: 'message', content: [], usage: usage(2) })).toEqual({ webSearches: 2 });
  });

  it('are the queries Gemini grounds an answer by', () => {
    const candidate = (extra: object) => ({
      candidates: [{ index: 0, content: { parts: [{ text: 'a' }] }, ...extra }],
    });
    const grounded = candidate({
      groundingMetadata: { webSearchQueries: ['one', 'two'] },
      finishReason: 'STOP',
    });
    expect(readStream(googleStreamGenerate, candidate({}), grounded)).toEqual({ webSearches: 2 });
    expect(readStream(googleStreamGenerate, candidate({ groundingMetadata: {} }))).toBeNull();
  });
});
