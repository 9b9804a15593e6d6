import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
afterEach(async () => await rig.close());

async function answer(contentType: string, body: string, request: Partial<Parameters<typeof ask>[0]> = {}) {
  rig.upstream.handler = (asked, response) => {
    asked.on('end', () => response.writeHead(200, { 'content-type': contentType }).end(body)).resume();
  };
  const count = rig.records.length;
  await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest, ...request });
  return (await rig.waitForRecords(count + 1))[count];
}

// Of 10 input tokens 4 are cached: 6 × 2.5 + 4 × 1.25 + 5 × 10 = 15 + 5 + 50 millionths.
const chatUsd = 0.00007;

describe('the record of a call', () => {
  it.each(['now', 'later'] as const)('says what the call cost, with the list loaded %s', async (warm) => {
    rig = await openRig({ warm });
    const record = await answer('application/json', chatReply);
    expect(record?.cost).toEqual({
      usd: chatUsd,
      problem: null,
      basis: {
        ...{ source: 'genai-prices', version: '0.1.8', provider: 'openai', model: 'gpt-4o' },
        rates: { inputTokens: 2.5, cacheReadTokens: 1.25, outputTokens: 10 },
      },
      savedUsd: null,
      reportedUsd: null,
    });
    expect(Object.isFrozen(record?.cost)).toBe(true);
  });

  it('says so of a stream whose client did not ask for usage', async () => {
    rig = await openRig();
    const record = await answer('text/event-stream', chatFramesWithUsage.join(''), { body: chatStreamRequest });
    expect([record?.stream, record?.cost.usd]).toEqual([true, chatUsd]);
  });

  it('says so of cache writes by lifetime and searches, as Anthropic states them', async () => {
    rig = await openRig();
    const usage = {
      ...{ input_tokens: 10, cache_read_input_tokens: 3000, cache_creation_input_tokens: 2000, output_tokens: 100 },
      cache_creation: { ephemeral_5m_input_tokens: 1500, ephemeral_1h_input_tokens: 500 },
      ...{ server_tool_use: { web_search_requests: 2 }, service_tier: 'standard' },
    };
    const model = 'claude-sonnet-4-5-20250929';
    const reply = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: 'end_turn',
      usage,
    };
    const body = JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 9, messages: [] });
    const request = { host: 'api.anthropic.com', path: '/v1/messages', body };
    const record = await answer('application/json', JSON.stringify(reply), request);
    // 10 × 3 + 3000 × 0.3 + 1500 × 3.75 + 500 × 6 + 100 × 15 + 2 × 10,000 millionths
    expect(record?.cost).toMatchObject({ usd: 0.031055, problem: null });
  });

  it("has no price for Anthropic's fast mode, which the list does not have", async () => {
    rig = await openRig();
    const usage = { input_tokens: 10, output_tokens: 100, service_tier: 'standard', speed: 'fast' };
    const reply = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-opus-4-6', content: [], usage };
    const body = JSON.stringify({ model: 'claude-opus-4-6', max_tokens: 9, messages: [] });
    const request = { host: 'api.anthropic.com', path: '/v1/messages', body };
    const record = await answer('application/json', JSON.stringify(reply), request);
    expect([record?.serviceTier, record?.cost.usd]).toEqual(['fast', null]);
  });

  it('has no price for a tier the list does not have, and says so', async () => {
    rig = await openRig();
    const flex = JSON.stringify({ ...(JSON.parse(chatReply) as object), service_tier: 'flex' });
    const record = await answer('application/json', flex);
    const problem = 'The price list does not have the service tier flex.';
    expect(record?.cost).toMatchObject({ usd: null, problem, basis: null });
  });

  it("takes the user's own prices first, and is on file as it was announced", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'llmtap-prices-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const prices = join(folder, 'prices.json');
    writeFileSync(
      prices,
      JSON.stringify({ models: { 'gpt-4o-2024-08-06': { inputPerMillion: 1, outputPerMillion: 2 } } }),
    );
    rig = await openRig({ prices });
    const record = await answer('application/json', chatReply);
    expect(record?.cost).toMatchObject({ usd: 0.00002, basis: { source: 'file', model: 'gpt-4o-2024-08-06' } });
    await rig.host.flush(1000);
    const reader = openLedgerReader({ home: rig.home });
    expect(reader.requireCall('latest').cost).toEqual(record?.cost);
    expect(reader.summarise({}).models[0]?.costUsd).toEqual({ known: 0.00002, unknownCalls: 0 });
    reader.close();
  });

  it('repeats no secret that a model name holds', async () => {
    rig = await openRig();
    const model = 'model-sk-proj-0123456789abcdefghijklmnopqrstuvwxyzABCD';
    const reply = JSON.stringify({ ...(JSON.parse(chatReply) as object), model });
    const record = await answer('application/json', reply, { body: JSON.stringify({ model, messages: [] }) });
    expect(record?.cost.problem).toContain('does not have');
    expect(JSON.stringify(record?.cost)).not.toContain('sk-proj-0123456789');
  });
});
