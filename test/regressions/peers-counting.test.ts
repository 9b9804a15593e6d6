// Failures of the field's tools in counting; the numbers are those of test/regressions/README.md.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallRecord, JsonValue } from '../../src/core/call-record.js';
import { ask, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { makeChatFrame } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig({ warm: 'now' });
});
afterEach(async () => await rig.close());

const messagesBody = JSON.stringify({ model: 'claude-sonnet-4-5', stream: true, max_tokens: 9, messages: [] });
const anthropic = { host: 'api.anthropic.com', path: '/v1/messages', body: messagesBody };
const asking = { model: 'gpt-4o', stream: true, stream_options: { include_usage: true }, messages: [] };
const openai = { host: 'api.openai.com', path: '/v1/chat/completions', body: JSON.stringify(asking) };
const gemini = {
  host: 'generativelanguage.googleapis.com',
  path: '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
  body: '{"contents":[]}',
};

type Asked = typeof openai;

async function record(asked: Asked, body: string, contentType = 'text/event-stream'): Promise<CallRecord> {
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(200, { 'content-type': contentType }).end(body)).resume();
  };
  const count = rig.records.length;
  await ask({ port: rig.session.port, ca: rig.ca, ...asked });
  return (await rig.waitForRecords(count + 1))[count] as CallRecord;
}

const makeEvents = (documents: readonly { readonly type: string; readonly [key: string]: JsonValue }[]): string =>
  documents.map((document) => `event: ${document.type}\ndata: ${JSON.stringify(document)}\n\n`).join('');

/** A stream of messages whose usage is stated so at its start, and then so again and again. */
function makeMessages(start: JsonValue, ...later: JsonValue[]): string {
  const message = { id: 'msg_1', type: 'message', model: 'claude-sonnet-4-5-20250929', content: [], usage: start };
  const last = later.length - 1;
  return makeEvents([
    { type: 'message_start', message },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
    ...later.map((usage, at) => ({
      type: 'message_delta',
      delta: { stop_reason: at === last ? 'end_turn' : null },
      usage,
    })),
    { type: 'message_stop' },
  ]);
}

const makeUsageFrames = (...usages: JsonValue[]): string =>
  `${usages.map((usage) => makeChatFrame({ choices: [{ index: 0, delta: { content: 'x' } }], usage })).join('')}data: [DONE]\n\n`;

describe('failure 23: tokens of the cache', () => {
  // langfuse/langfuse#12306, BerriAI/litellm PR 26919 and 40016, openlit/openlit#1378: one provider counts them in, another does not.
  it('are in the input of every provider, once, whichever way it counts them', async () => {
    const outside = { input_tokens: 10, cache_read_input_tokens: 3000, cache_creation_input_tokens: 2000 };
    const inside = { cached_tokens: 3000, cache_write_tokens: 2000 };
    const records = [
      await record(anthropic, makeMessages({ ...outside, output_tokens: 1 }, { output_tokens: 100 })),
      await record(
        openai,
        makeUsageFrames({ prompt_tokens: 5010, completion_tokens: 100, prompt_tokens_details: inside }),
      ),
    ];
    for (const { usage } of records)
      expect(usage).toMatchObject({
        ...{ inputTokens: 5010, cacheReadTokens: 3000, cacheWriteTokens: 2000, outputTokens: 100 },
      });
    // 10 × 3 + 3000 × 0.3 + 2000 × 3.75 + 100 × 15 millionths: neither 3000 at full price, nor any of them twice.
    expect(records[0]?.cost.usd).toBeCloseTo(0.00993, 8);
  });

  // BerriAI/litellm#37485: cached tokens of a stream were dropped, and the call priced at 7.4 times its cost.
  it('of a stream are priced as such', async () => {
    const usage = { prompt_tokens: 10_000, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 9_000 } };
    const { cost } = await record(openai, makeUsageFrames(usage));
    // 1000 × 2.5 + 9000 × 1.25 + 10 × 10 millionths.
    expect(cost.usd).toBeCloseTo(0.01385, 8);
  });

  // BerriAI/litellm PR 40845: a later event must be able to set a count back.
  it('that a later event sets back to 0 are 0', async () => {
    const start = { input_tokens: 10, cache_read_input_tokens: 3000, output_tokens: 1 };
    const later = { input_tokens: 3010, cache_read_input_tokens: 0, output_tokens: 5 };
    expect((await record(anthropic, makeMessages(start, later))).usage).toMatchObject({
      ...{ inputTokens: 3010, cacheReadTokens: 0, outputTokens: 5 },
    });
    const counts = { prompt_tokens: 10, completion_tokens: 5 };
    const frames = makeUsageFrames(
      { ...counts, prompt_tokens_details: { cached_tokens: 8 } },
      { ...counts, prompt_tokens_details: { cached_tokens: 0 } },
    );
    expect((await record(openai, frames)).usage).toMatchObject({ inputTokens: 10, cacheReadTokens: 0 });
  });
});

describe('failure 24: counts that a stream states again and again', () => {
  // ccusage/ccusage#901, #938 (the first one counted: 2.7 times too few); jhlee0409/claude-code-history-viewer#283 (all of them).
  it('are those stated last, neither the first nor their sum', async () => {
    const start = { input_tokens: 10, output_tokens: 1 };
    const running = [{ output_tokens: 50 }, { output_tokens: 90 }, { output_tokens: 135 }];
    expect((await record(anthropic, makeMessages(start, ...running))).usage.outputTokens).toBe(135);
    // As vLLM does by `stream_options.continuous_usage_stats`.
    const frames = [1, 2, 3].map((output) => ({ prompt_tokens: 7, completion_tokens: output }));
    expect((await record(openai, makeUsageFrames(...frames))).usage).toMatchObject({ inputTokens: 7, outputTokens: 3 });
  });
});

describe('failure 25: usage of Gemini', () => {
  // datapizza-labs/datapizza-ai#134, langchain-ai/langchainjs PR 8694 and 11423, NousResearch/hermes-agent#15253.
  it('is that of the last chunk, and its thinking is output though it stands apart', async () => {
    const chunks = [1, 2, 3].map((n) => ({
      candidates: [{ content: { parts: [{ text: 'x' }] }, ...(n === 3 && { finishReason: 'STOP' }) }],
      usageMetadata: {
        promptTokenCount: 20,
        candidatesTokenCount: 10 * n,
        thoughtsTokenCount: 100 * n,
        totalTokenCount: 20 + 110 * n,
      },
      modelVersion: 'gemini-2.5-pro',
    }));
    const body = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join('');
    const { usage, cost } = await record(gemini, body);
    expect(usage).toMatchObject({ inputTokens: 20, outputTokens: 330, reasoningTokens: 300, totalTokens: 350 });
    // 20 × 1.25 + 330 × 10 millionths.
    expect(cost.usd).toBeCloseTo(0.003325, 8);
  });
});

describe('failure 26: a stream that its client leaves', () => {
  // BerriAI/litellm PR 33736, 36008, 37734, #35958: $0 on record while the provider bills.
  it('has no price rather than one of 0, and what it had stated', async () => {
    const { length } = makeMessages({ input_tokens: 10, output_tokens: 1 });
    const text = makeMessages({ input_tokens: 10, output_tokens: 1 }).slice(0, length - 60);
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(text);
    };
    const request = await startRequest({ port: rig.session.port, ca: rig.ca, ...anthropic });
    request.on('error', () => undefined).end(messagesBody);
    const response = await waitForResponse(request);
    response.on('error', () => undefined).once('data', () => request.destroy());
    expect(await rig.waitForRecords(1)).toMatchObject([
      {
        ...{ outcome: 'client_aborted', partial: true, usage: { inputTokens: 10, outputTokens: null } },
        cost: { usd: null, problem: expect.stringMatching(/\w/) },
      },
    ]);
  });
});
