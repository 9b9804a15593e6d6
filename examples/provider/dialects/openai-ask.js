import { Refusal } from '../behaviour.js';

/** Models that reason before they answer. */
const reasoningModel = /^(?:o\d|gpt-5)/u;

/**
 * @param {unknown} model
 * @returns {string}
 */
export function requireModel(model) {
  if (typeof model === 'string' && model !== '') return model;
  throw new Refusal(400, 'you must provide a model parameter');
}

/** @param {string} model */
export function thinks(model) {
  return reasoningModel.test(model);
}

/**
 * The text of a message's content: a string, or a list of parts of which some are text.
 * @param {any} content
 * @returns {string}
 */
export function readText(content) {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => part?.text ?? '').join(' ');
}

/**
 * OpenAI's usage object of chat completions and completions.
 * @param {import('../provider.js').Bill} bill
 */
export function makeUsage(bill) {
  return {
    prompt_tokens: bill.inputTokens,
    completion_tokens: bill.outputTokens,
    total_tokens: bill.totalTokens,
    prompt_tokens_details: {
      cached_tokens: bill.cacheReadTokens,
      cache_write_tokens: bill.cacheWriteTokens,
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: bill.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** @param {unknown} data */
export function makeFrame(data) {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/**
 * What a stream says of its usage, as `stream_options.include_usage` asks: with it, every frame has a `usage` that is
 * `null` but in one more frame at the end, which has no choices; without it no frame has the field at all.
 *
 * @param {any} body
 * @param {import('../provider.js').Bill} bill
 */
export function readUsageWish(body, bill) {
  const asks = body.stream_options?.include_usage === true;
  return {
    asks,
    /** Into every frame that has choices. */
    blank: asks ? { usage: null } : {},
    /** The last frame, if any, from the fields all frames share. */
    lastFrame: (shared) => (asks ? [makeFrame({ ...shared, choices: [], usage: makeUsage(bill) })] : []),
  };
}

/**
 * Refuses what OpenAI refuses: stream options without a stream.
 * @param {any} body
 */
export function checkStreamOptions(body) {
  if (body.stream_options != null && body.stream !== true) {
    throw new Refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  }
}
