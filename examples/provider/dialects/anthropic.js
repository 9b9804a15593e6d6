/**
 * Anthropic's Messages API. Shapes as in the types of the npm package @anthropic-ai/sdk 1.11 (read 2026-11-21);
 * documented at https://docs.anthropic.com/en/api/messages, …/messages-streaming and …/errors.
 *
 * `usage.input_tokens` leaves out what was read from and written to the cache; the counts of a stream's
 * `message_delta` are cumulative.
 *
 * @typedef {import('../provider.js').Dialect} Dialect
 * @typedef {import('../provider.js').Call} Call
 * @typedef {import('../provider.js').Reply} Reply
 */
import { Refusal } from '../behaviour.js';
import { findSnapshot, makeId } from '../identity.js';
import { countTokensWithin, splitTokens } from '../model.js';
import { readText, requireModel } from './openai-ask.js';

const json = 'application/json';
const unbilled = { responseId: null, bill: null, tellsBill: false, contentType: json };

/** @type {Dialect} */
export const anthropic = {
  provider: 'anthropic',
  routes: [
    { api: 'messages', method: 'POST', path: /\/v1\/messages$/u, answer: answerMessages },
    { api: 'count_tokens', method: 'POST', path: /\/v1\/messages\/count_tokens$/u, answer: answerCount },
    { api: 'models', method: 'GET', path: /^\/v1\/models$/u, accepts: isAnthropic, answer: listModels },
  ],
  hasKey: ({ headers }) => Boolean(headers['x-api-key']) || /^Bearer \S/u.test(headers.authorization ?? ''),
  makeRequestId: () => makeId('req_011C', 20),
  makeHeaders: (requestId) => ({
    'request-id': requestId,
    'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
    'anthropic-ratelimit-requests-limit': '4000',
    'anthropic-ratelimit-requests-remaining': '3999',
  }),
  makeFailure: (failure) => JSON.stringify(describe(failure)),
  makeErrorFrame: (failure) => `event: error\ndata: ${JSON.stringify(describe(failure))}\n\n`,
};

/** @param {import('node:http').IncomingHttpHeaders} headers */
function isAnthropic(headers) {
  return headers['anthropic-version'] !== undefined;
}

/** Status to the error's type; any other is the caller's below 500, the provider's from there on. */
const errorTypes = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [529, 'overloaded_error'],
]);

/** @param {import('../provider.js').Failure} failure */
function describe({ status, message, requestId }) {
  const type = errorTypes.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { type: 'error', error: { type, message }, request_id: requestId };
}

/**
 * @param {Call} call
 * @returns {Reply}
 */
export function answerMessages({ body, headers, speak }) {
  if (!isAnthropic(headers)) throw new Refusal(400, 'anthropic-version: header is required');
  if (typeof body.max_tokens !== 'number') throw new Refusal(400, 'max_tokens: Field required');
  const ask = readAsk(body);
  const { answer, bill } = speak(ask);
  const stopReason = answer.toolCall ? 'tool_use' : answer.isCut ? 'max_tokens' : 'end_turn';
  const message = {
    model: findSnapshot(ask.model),
    id: makeId('msg_01', 22),
    type: 'message',
    role: 'assistant',
    content: makeContent(answer),
    stop_reason: stopReason,
    stop_sequence: null,
    usage: makeUsage(bill),
  };
  const reply = { model: ask.model, responseId: message.id, bill: makeStatedBill(bill), tellsBill: true };
  if (body.stream !== true) return { ...reply, contentType: json, body: JSON.stringify(message) };
  return { ...reply, contentType: 'text/event-stream; charset=utf-8', body: makeFrames(message) };
}

/**
 * @param {Call} call
 * @returns {Reply}
 */
export function answerCount({ body }) {
  const ask = readAsk(body);
  const count = countTokensWithin([ask.stable, ask.turns]);
  return { ...unbilled, model: ask.model, body: JSON.stringify({ input_tokens: count }) };
}

/** @returns {Reply} */
function listModels() {
  const data = ['claude-sonnet-4-5-20250929', 'claude-haiku-4-5-20251001'].map((id) => {
    return { type: 'model', id, display_name: id, created_at: '2025-09-29T00:00:00Z' };
  });
  const page = { data, has_more: false, first_id: data[0]?.id, last_id: data.at(-1)?.id };
  return { ...unbilled, model: '', body: JSON.stringify(page) };
}

/**
 * @param {any} body
 * @returns {import('../provider.js').Ask}
 */
function readAsk(body) {
  const model = requireModel(body.model);
  if (!Array.isArray(body.messages)) throw new Refusal(400, 'messages: Field required');
  const last = body.messages.at(-1);
  const result = Array.isArray(last?.content) ? last.content.find(({ type }) => type === 'tool_result') : undefined;
  const spoken = body.messages.findLast(({ role, content }) => role === 'user' && readText(content).trim() !== '');
  const offered = body.tool_choice?.type === 'none' ? [] : (body.tools ?? []);
  const tool = offered.find(({ name }) => name === body.tool_choice?.name) ?? offered[0];
  return {
    model,
    stable: [readBlocks(body.system ?? ''), (body.tools ?? []).map(readTool)],
    turns: body.messages.map(({ content }) => readBlocks(content)),
    isCached: [body.system, body.tools].flat().some((part) => part?.cache_control != null),
    hasAnswered: body.messages.some(({ role }) => role === 'assistant'),
    lastText: readText(spoken?.content),
    toolResult: result === undefined ? null : readText(result.content),
    tool: tool === undefined ? null : { name: tool.name, schema: tool.input_schema },
    maxTokens: body.max_tokens ?? null,
    thinks: body.thinking?.type === 'enabled' || body.thinking?.type === 'adaptive',
  };
}

/** What of a tool is billed. */
function readTool({ name, description, input_schema: schema }) {
  return [name, description, schema];
}

/** What of a content is billed: text, tool names and inputs, results. */
function readBlocks(content) {
  if (!Array.isArray(content)) return content;
  return content.map(({ text, thinking, name, input, content: inner }) => [text, thinking, name, input, inner]);
}

function makeContent({ thought, text, toolCall }) {
  const thinking = thought === '' ? [] : [{ type: 'thinking', thinking: thought, signature: makeId('EqQB', 60) }];
  if (toolCall === null) return [...thinking, { type: 'text', text }];
  return [...thinking, { type: 'tool_use', id: makeId('toolu_01', 22), name: toolCall.name, input: toolCall.input }];
}

/** @param {import('../provider.js').Bill} bill */
function makeUsage({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, reasoningTokens }) {
  return {
    input_tokens: (inputTokens ?? 0) - (cacheReadTokens ?? 0) - (cacheWriteTokens ?? 0),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cacheReadTokens,
    cache_creation: { ephemeral_5m_input_tokens: cacheWriteTokens, ephemeral_1h_input_tokens: 0 },
    output_tokens: outputTokens,
    ...(reasoningTokens ? { output_tokens_details: { thinking_tokens: reasoningTokens } } : {}),
    service_tier: 'standard',
  };
}

/** The bill as far as this dialect states it: no total, and thinking only where there was some. */
function makeStatedBill(bill) {
  return { ...bill, totalTokens: null, reasoningTokens: bill.reasoningTokens || null };
}

/** The stream: the empty message, each block opened, filled and closed, then how it stopped and what it cost. */
function* makeFrames(message) {
  const frame = (type, fields) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const { output_tokens_details: thinking, service_tier: tier, cache_creation: creation, ...final } = message.usage;
  const usage = { ...final, cache_creation: creation, output_tokens: 1, service_tier: tier };
  const empty = { ...message, content: [], stop_reason: null, usage };
  yield frame('message_start', { message: empty });
  for (const [index, block] of message.content.entries()) {
    const { opened, deltas } = openBlock(block);
    yield frame('content_block_start', { index, content_block: opened });
    if (index === 0) yield frame('ping', {});
    for (const delta of deltas) yield frame('content_block_delta', { index, delta });
    yield frame('content_block_stop', { index });
  }
  const delta = { stop_reason: message.stop_reason, stop_sequence: null };
  yield frame('message_delta', {
    delta,
    usage: { ...final, ...(thinking ? { output_tokens_details: thinking } : {}) },
  });
  yield frame('message_stop', {});
}

/** A block as it begins, and the deltas that fill it. */
function openBlock(block) {
  if (block.type === 'text') {
    const deltas = splitTokens(block.text).map((text) => ({ type: 'text_delta', text }));
    return { opened: { ...block, text: '' }, deltas };
  }
  if (block.type === 'thinking') {
    const deltas = splitTokens(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking }));
    const signature = { type: 'signature_delta', signature: block.signature };
    return { opened: { ...block, thinking: '', signature: '' }, deltas: [...deltas, signature] };
  }
  const pieces = ['', ...(JSON.stringify(block.input).match(/.{1,8}/gsu) ?? [])];
  const deltas = pieces.map((piece) => ({ type: 'input_json_delta', partial_json: piece }));
  return { opened: { ...block, input: {} }, deltas };
}
