/**
 * Amazon Bedrock's runtime: Converse and InvokeModel, each with its stream. Shapes as in the types of the npm package
 * @aws-sdk/client-bedrock-runtime 3.1164 and in https://docs.aws.amazon.com/bedrock/latest/APIReference (both read
 * 2026-11-27).
 *
 * InvokeModel speaks a model family's own JSON: here Anthropic's messages, Llama's, and for any other model the one of
 * Mistral's text models, which states no tokens, so that only the reply's head does. `inputTokens` leaves out the cache.
 *
 * @typedef {import('../provider.js').Dialect} Dialect
 * @typedef {import('../provider.js').Call} Call
 * @typedef {import('../provider.js').Reply} Reply
 */
import { randomUUID } from 'node:crypto';
import { EventStreamCodec } from '@smithy/core/event-streams';
import { Refusal } from '../behaviour.js';
import { splitTokens } from '../model.js';
import { answerMessages } from './anthropic.js';

const json = 'application/json';
const eventStream = 'application/vnd.amazon.eventstream';
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text, 'utf8'),
);

/** @type {Dialect} */
export const bedrock = {
  provider: 'aws-bedrock',
  routes: [
    { api: 'converse', method: 'POST', path: /^\/model\/([^/]+)\/converse$/u, answer: answerConverse },
    { api: 'converseStream', method: 'POST', path: /^\/model\/([^/]+)\/converse-stream$/u, answer: answerConverse },
    { api: 'invokeModel', method: 'POST', path: /^\/model\/([^/]+)\/invoke$/u, answer: answerInvoke },
    {
      api: 'invokeModelWithResponseStream',
      method: 'POST',
      path: /^\/model\/([^/]+)\/invoke-with-response-stream$/u,
      answer: answerInvoke,
    },
  ],
  hasKey: ({ headers }) => /^(?:AWS4-HMAC-SHA256|Bearer) \S/u.test(headers.authorization ?? ''),
  makeRequestId: () => randomUUID(),
  makeHeaders: (requestId) => ({ 'x-amzn-requestid': requestId ?? '' }),
  makeFailure: ({ message }) => JSON.stringify({ message }),
  makeFailureHeaders: ({ status }) => ({
    'x-amzn-errortype': `${errorTypes.get(status) ?? 'InternalServerException'}:`,
  }),
  makeErrorFrame: ({ message }) =>
    encode({ ':message-type': 'exception', ':exception-type': 'modelStreamErrorException' }, { message }),
};

const errorTypes = new Map([
  [400, 'ValidationException'],
  [401, 'UnrecognizedClientException'],
  [403, 'AccessDeniedException'],
  [404, 'ResourceNotFoundException'],
  [429, 'ThrottlingException'],
  [503, 'ServiceUnavailableException'],
]);

/** A message of an AWS event stream. */
function encode(headers, payload) {
  const typed = Object.entries({ ...headers, ':content-type': json }).map(([name, value]) => {
    return [name, { type: 'string', value }];
  });
  return codec.encode({ headers: Object.fromEntries(typed), body: Buffer.from(JSON.stringify(payload)) });
}

const encodeEvent = (name, payload) => encode({ ':message-type': 'event', ':event-type': name }, payload);

/** A document of the model's own, in base64. */
const encodeChunk = (document) =>
  encodeEvent('chunk', { bytes: Buffer.from(JSON.stringify(document)).toString('base64'), p: 'abcdefgh' });

/**
 * @param {Call} call
 * @returns {Reply}
 */
function answerConverse({ url, body, match, speak }) {
  const ask = readConverse(decodeURIComponent(match[1] ?? ''), body);
  const { answer, bill } = speak(ask);
  const stopReason = answer.toolCall ? 'tool_use' : answer.isCut ? 'max_tokens' : 'end_turn';
  const usage = makeUsage(bill);
  const content = makeContent(answer);
  const stated = { ...bill, reasoningTokens: null };
  const reply = { model: ask.model, responseId: null, bill: stated, tellsBill: true };
  if (url.pathname.endsWith('converse-stream')) {
    return { ...reply, contentType: eventStream, body: makeConverseFrames({ content, stopReason, usage }) };
  }
  const output = { message: { role: 'assistant', content } };
  const whole = { output, stopReason, usage, metrics: { latencyMs: 12 }, serviceTier: { type: 'default' } };
  return { ...reply, contentType: json, body: JSON.stringify(whole) };
}

/** @returns {import('../provider.js').Ask} */
function readConverse(model, body) {
  if (!Array.isArray(body.messages)) throw new Refusal(400, 'The messages field is required.');
  const tools = (body.toolConfig?.tools ?? []).filter(({ toolSpec }) => toolSpec !== undefined);
  const spoken = body.messages.findLast(({ role, content }) => role === 'user' && readTexts(content) !== '');
  const result = body.messages.at(-1)?.content.find(({ toolResult }) => toolResult !== undefined);
  const tool = tools[0]?.toolSpec;
  return {
    model,
    stable: [
      (body.system ?? []).map(({ text }) => text),
      tools.map(({ toolSpec }) => [toolSpec.name, toolSpec.description]),
    ],
    turns: body.messages.map(({ content }) =>
      content.map(({ text, toolUse }) => [text, toolUse?.name, toolUse?.input]),
    ),
    isCached: [...(body.system ?? []), ...(body.toolConfig?.tools ?? [])].some(({ cachePoint }) => cachePoint != null),
    hasAnswered: body.messages.some(({ role }) => role === 'assistant'),
    lastText: readTexts(spoken?.content ?? []),
    toolResult: result === undefined ? null : readTexts(result.toolResult.content),
    tool: tool === undefined ? null : { name: tool.name, schema: tool.inputSchema?.json },
    maxTokens: body.inferenceConfig?.maxTokens ?? null,
    thinks: body.additionalModelRequestFields?.thinking?.type === 'enabled',
  };
}

const readTexts = (content) => content.map(({ text }) => text ?? '').join('');

function makeContent({ thought, text, toolCall }) {
  const reasoning =
    thought === '' ? [] : [{ reasoningContent: { reasoningText: { text: thought, signature: 'c2ln' } } }];
  if (toolCall === null) return [...reasoning, { text }];
  return [
    ...reasoning,
    { toolUse: { toolUseId: `tooluse_${randomUUID()}`, name: toolCall.name, input: toolCall.input } },
  ];
}

/** @param {import('../provider.js').Bill} bill */
function makeUsage({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, totalTokens }) {
  return {
    inputTokens: (inputTokens ?? 0) - (cacheReadTokens ?? 0) - (cacheWriteTokens ?? 0),
    outputTokens,
    totalTokens,
    cacheReadInputTokens: cacheReadTokens,
    cacheWriteInputTokens: cacheWriteTokens,
    ...(cacheWriteTokens ? { cacheDetails: [{ ttl: '5m', inputTokens: cacheWriteTokens }] } : {}),
  };
}

function* makeConverseFrames({ content, stopReason, usage }) {
  yield encodeEvent('messageStart', { role: 'assistant', p: 'abc' });
  for (const [contentBlockIndex, block] of content.entries()) {
    if (block.toolUse !== undefined) {
      const { toolUseId, name } = block.toolUse;
      yield encodeEvent('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name } } });
    }
    for (const delta of listDeltas(block)) yield encodeEvent('contentBlockDelta', { contentBlockIndex, delta });
    yield encodeEvent('contentBlockStop', { contentBlockIndex });
  }
  yield encodeEvent('messageStop', { stopReason });
  yield encodeEvent('metadata', { usage, metrics: { latencyMs: 12 }, serviceTier: { type: 'default' } });
}

function listDeltas({ text, toolUse, reasoningContent }) {
  if (toolUse !== undefined) {
    const pieces = JSON.stringify(toolUse.input).match(/.{1,8}/gsu) ?? [];
    return pieces.map((input) => ({ toolUse: { input } }));
  }
  if (reasoningContent === undefined) return splitTokens(text).map((piece) => ({ text: piece }));
  const pieces = splitTokens(reasoningContent.reasoningText.text).map((piece) => ({ text: piece }));
  return [...pieces, { signature: reasoningContent.reasoningText.signature }].map((piece) => ({
    reasoningContent: piece,
  }));
}

/**
 * @param {Call} call
 * @returns {Reply}
 */
function answerInvoke(call) {
  const model = decodeURIComponent(call.match[1] ?? '');
  const isStream = call.url.pathname.endsWith('-stream');
  if (/anthropic/u.test(model)) return answerClaude(call, model, isStream);
  const makeDocuments = /llama/u.test(model) ? makeLlama : makeMistral;
  return answerPrompt(call, { model, isStream, makeDocuments });
}

/** Anthropic's reply; in a stream each event's data, the last with Bedrock's own counts. */
function answerClaude(call, model, isStream) {
  const headers = { ...call.headers, 'anthropic-version': call.body.anthropic_version };
  const body = { ...call.body, model, stream: isStream };
  const reply = answerMessages({ ...call, headers, body });
  if (typeof reply.body === 'string') return { ...reply, headers: makeCountHeaders(reply.bill) };
  return { ...reply, contentType: eventStream, body: wrapFrames(reply.body, reply.bill) };
}

function* wrapFrames(frames, bill) {
  for (const frame of frames) {
    const document = JSON.parse(String(frame).replace(/^[^{]*/u, ''));
    if (document.type === 'ping') continue;
    yield encodeChunk(document.type === 'message_stop' ? { ...document, ...makeMetrics(bill) } : document);
  }
}

/** @returns {Reply} */
function answerPrompt({ body, speak }, { model, isStream, makeDocuments }) {
  if (typeof body.prompt !== 'string') throw new Refusal(400, 'required key [prompt] not found');
  const maxTokens = body.max_gen_len ?? body.max_tokens ?? null;
  const { answer, bill } = speak({
    model,
    stable: [],
    turns: [body.prompt],
    isCached: false,
    hasAnswered: false,
    lastText: body.prompt,
    toolResult: null,
    tool: null,
    maxTokens,
    thinks: false,
  });
  const { input, output } = { input: bill.inputTokens ?? 0, output: bill.outputTokens ?? 0 };
  const stated = {
    ...bill,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
    totalTokens: input + output,
  };
  const reply = { model, responseId: null, bill: stated, tellsBill: true };
  const documents = makeDocuments({ answer, bill, isStream });
  if (!isStream) {
    return { ...reply, contentType: json, headers: makeCountHeaders(stated), body: JSON.stringify(documents[0]) };
  }
  const last = { ...documents.at(-1), ...makeMetrics(stated) };
  return { ...reply, contentType: eventStream, body: [...documents.slice(0, -1), last].map(encodeChunk) };
}

function makeLlama({ answer, bill, isStream }) {
  const reason = answer.isCut ? 'length' : 'stop';
  const pieces = isStream ? splitTokens(answer.text) : [answer.text];
  return pieces.map((generation, index) => {
    const isLast = index === pieces.length - 1;
    return {
      generation,
      prompt_token_count: index === 0 ? bill.inputTokens : null,
      generation_token_count: isLast ? bill.outputTokens : index + 1,
      stop_reason: isLast ? reason : null,
    };
  });
}

function makeMistral({ answer, isStream }) {
  const pieces = isStream ? splitTokens(answer.text) : [answer.text];
  return pieces.map((text, index) => {
    const isLast = index === pieces.length - 1;
    return { outputs: [{ text, stop_reason: isLast ? (answer.isCut ? 'length' : 'stop') : null }] };
  });
}

/** Bedrock's own counts, in the head of a reply without streaming. */
function makeCountHeaders({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }) {
  const cached = (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0);
  return {
    'x-amzn-bedrock-input-token-count': String((inputTokens ?? 0) - cached),
    'x-amzn-bedrock-output-token-count': String(outputTokens ?? 0),
    'x-amzn-bedrock-invocation-latency': '12',
  };
}

/** The same in the last document of a stream. */
function makeMetrics({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }) {
  const cached = (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0);
  const metrics = {
    inputTokenCount: (inputTokens ?? 0) - cached,
    outputTokenCount: outputTokens,
    invocationLatency: 12,
  };
  return { 'amazon-bedrock-invocationMetrics': { ...metrics, firstByteLatency: 4 } };
}
