/**
 * Chat completions: `POST /v1/chat/completions`.
 * Shapes as in the types of the npm package openai 6.49 (read 2026-11-21); documented at
 * https://platform.openai.com/docs/api-reference/chat.
 *
 * @typedef {import('../provider.js').Call} Call
 * @typedef {import('../provider.js').Reply} Reply
 */
import { Refusal } from '../behaviour.js';
import { findSnapshot, makeId, nowSeconds } from '../identity.js';
import { splitTokens } from '../model.js';
import {
  checkStreamOptions,
  makeFrame,
  makeUsage,
  readText,
  readUsageWish,
  requireModel,
  thinks,
} from './openai-ask.js';

/**
 * @param {Call} call
 * @returns {Reply}
 */
export function answerChat({ body, speak }) {
  const ask = readAsk(body);
  const { answer, bill } = speak(ask);
  const shared = {
    id: makeId('chatcmpl-', 29),
    created: nowSeconds(),
    model: findSnapshot(ask.model),
    service_tier: 'default',
    system_fingerprint: 'fp_50cad350e4',
  };
  const choice = makeChoice(answer);
  const reply = { model: ask.model, responseId: shared.id, bill };
  if (body.stream !== true) {
    const whole = { ...shared, object: 'chat.completion', choices: [choice], usage: makeUsage(bill) };
    return { ...reply, tellsBill: true, contentType: 'application/json', body: JSON.stringify(whole, null, 2) };
  }
  const wish = readUsageWish(body, bill);
  const frames = makeFrames({ ...shared, object: 'chat.completion.chunk' }, choice, wish);
  return { ...reply, tellsBill: wish.asks, contentType: 'text/event-stream; charset=utf-8', body: frames };
}

/**
 * @param {any} body
 * @returns {import('../provider.js').Ask}
 */
function readAsk(body) {
  checkStreamOptions(body);
  const model = requireModel(body.model);
  if (!Array.isArray(body.messages)) throw new Refusal(400, "Missing required parameter: 'messages'.");
  const isSystem = (message) => message.role === 'system' || message.role === 'developer';
  const turns = body.messages.filter((message) => !isSystem(message));
  const last = turns.at(-1);
  return {
    model,
    stable: [body.messages.filter(isSystem).map(readContent), body.tools ?? []],
    turns: turns.map(readContent),
    isCached: true,
    hasAnswered: turns.some((message) => message.role === 'assistant'),
    lastText: readText(turns.findLast((message) => message.role === 'user')?.content),
    toolResult: last?.role === 'tool' ? readText(last.content) : null,
    tool: chooseTool(body),
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? null,
    thinks: thinks(model),
  };
}

/** What of a message is billed: its content and the tools it calls, not its role. */
function readContent({ content, tool_calls: toolCalls }) {
  return [content ?? '', (toolCalls ?? []).map((toolCall) => toolCall.function ?? '')];
}

/** @param {any} body */
function chooseTool(body) {
  if (!body.tools?.length || body.tool_choice === 'none') return null;
  const wanted = body.tool_choice?.function?.name;
  const tool = body.tools.find((candidate) => candidate.function?.name === wanted) ?? body.tools[0];
  return { name: tool.function.name, schema: tool.function.parameters };
}

/** The one choice of a reply. */
function makeChoice({ text, toolCall, isCut }) {
  const refusal = { refusal: null, annotations: [] };
  if (toolCall !== null) {
    const called = { name: toolCall.name, arguments: JSON.stringify(toolCall.input) };
    const toolCalls = [{ id: makeId('call_', 24), type: 'function', function: called }];
    const message = { role: 'assistant', content: null, tool_calls: toolCalls, ...refusal };
    return { index: 0, message, logprobs: null, finish_reason: 'tool_calls' };
  }
  const message = { role: 'assistant', content: text, ...refusal };
  return { index: 0, message, logprobs: null, finish_reason: isCut ? 'length' : 'stop' };
}

/** The stream of a choice: its role, a frame for each token or piece of arguments, its end, the usage if asked for. */
function* makeFrames(shared, { message, finish_reason: finishReason }, wish) {
  const frame = (delta, end = null) =>
    makeFrame({ ...shared, choices: [{ index: 0, delta, logprobs: null, finish_reason: end }], ...wish.blank });
  const toolCall = message.tool_calls?.[0];
  if (toolCall === undefined) {
    yield frame({ role: 'assistant', content: '', refusal: null });
    for (const content of splitTokens(message.content)) yield frame({ content });
  } else {
    const opening = { ...toolCall, function: { ...toolCall.function, arguments: '' } };
    yield frame({ role: 'assistant', content: null, tool_calls: [{ index: 0, ...opening }], refusal: null });
    for (const piece of toolCall.function.arguments.match(/.{1,8}/gsu) ?? []) {
      yield frame({ tool_calls: [{ index: 0, function: { arguments: piece } }] });
    }
  }
  yield frame({}, finishReason);
  yield* wish.lastFrame(shared);
  yield 'data: [DONE]\n\n';
}
