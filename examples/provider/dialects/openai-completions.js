/**
 * The older completions: `POST /v1/completions`.
 * Shapes as in the types of the npm package openai 6.49 (read 2026-11-21); documented at
 * https://platform.openai.com/docs/api-reference/completions.
 */
import { findSnapshot, makeId, nowSeconds } from '../identity.js';
import { splitTokens } from '../model.js';
import { checkStreamOptions, makeFrame, makeUsage, readUsageWish, requireModel } from './openai-ask.js';

/** The API's own default. */
const defaultMaxTokens = 16;

/**
 * @param {import('../provider.js').Call} call
 * @returns {import('../provider.js').Reply}
 */
export function answerCompletion({ body, speak }) {
  const ask = readAsk(body);
  const { answer, bill } = speak(ask);
  const shared = {
    id: makeId('cmpl-', 29),
    object: 'text_completion',
    created: nowSeconds(),
    model: findSnapshot(ask.model),
  };
  const finishReason = answer.isCut ? 'length' : 'stop';
  const reply = { model: ask.model, responseId: shared.id, bill };
  if (body.stream !== true) {
    const choices = [{ text: answer.text, index: 0, logprobs: null, finish_reason: finishReason }];
    const whole = JSON.stringify({ ...shared, choices, usage: makeUsage(bill) }, null, 2);
    return { ...reply, tellsBill: true, contentType: 'application/json', body: whole };
  }
  const wish = readUsageWish(body, bill);
  const frames = makeFrames(shared, { text: answer.text, finishReason, wish });
  return { ...reply, tellsBill: wish.asks, contentType: 'text/event-stream; charset=utf-8', body: frames };
}

/**
 * @param {any} body
 * @returns {import('../provider.js').Ask}
 */
function readAsk(body) {
  checkStreamOptions(body);
  const prompt = [body.prompt ?? ''].flat().join('\n');
  return {
    model: requireModel(body.model),
    stable: [],
    turns: prompt,
    isCached: false,
    hasAnswered: false,
    lastText: prompt,
    toolResult: null,
    tool: null,
    maxTokens: body.max_tokens ?? defaultMaxTokens,
    thinks: false,
  };
}

function* makeFrames(shared, { text, finishReason, wish }) {
  const frame = (piece, end) =>
    makeFrame({ ...shared, choices: [{ text: piece, index: 0, logprobs: null, finish_reason: end }], ...wish.blank });
  for (const piece of splitTokens(text)) yield frame(piece, null);
  yield frame('', finishReason);
  yield* wish.lastFrame(shared);
  yield 'data: [DONE]\n\n';
}
