/**
 * Google's Gemini API. Shapes as in the types of the npm package @google/genai 2.32, a stream's as in the output shown
 * in https://github.com/simonw/llm-gemini/issues/97 (both read 2026-11-21); documented at https://ai.google.dev/api.
 *
 * `usageMetadata` is cumulative over the chunks of a stream; thinking stands beside `candidatesTokenCount`, not within
 * it; a count of 0 is left out. Streams are server-sent events with `?alt=sse`, else one JSON array.
 * The `/v1internal:` paths are the Gemini CLI's: model and request in an envelope, the reply in another.
 *
 * @typedef {import('../provider.js').Dialect} Dialect
 * @typedef {import('../provider.js').Call} Call
 * @typedef {import('../provider.js').Reply} Reply
 */
import { Refusal } from '../behaviour.js';
import { makeId } from '../identity.js';
import { countTokens, countTokensWithin, splitTokens } from '../model.js';

const json = 'application/json; charset=UTF-8';
const unbilled = { responseId: null, bill: null, tellsBill: false, contentType: json };
const methods = '(generateContent|streamGenerateContent|countTokens)';
const publicPath = new RegExp(`^/v1(?:beta|alpha)?/(?:models|tunedModels)/([^/:]+):${methods}$`, 'u');
const wrappedPath = new RegExp(`^/v1internal:${methods}$`, 'u');

/** @type {Dialect} */
export const gemini = {
  provider: 'google',
  routes: [
    { api: 'generateContent', method: 'POST', path: publicPath, answer: answerPublic },
    { api: 'generateContent', method: 'POST', path: wrappedPath, answer: answerWrapped },
    { api: 'models', method: 'GET', path: /^\/v1beta\/models$/u, answer: listModels },
  ],
  hasKey: ({ headers, url }) =>
    Boolean(headers['x-goog-api-key'] ?? url.searchParams.get('key')) ||
    /^Bearer \S/u.test(headers.authorization ?? ''),
  // NOTE: no header of this API names the request; the reply's `responseId` does.
  makeRequestId: () => null,
  makeHeaders: () => ({
    vary: 'Origin, X-Origin, Referer',
    server: 'scaffolding on HTTPServer2',
    'server-timing': 'gfet4t7; dur=12',
  }),
  makeFailure: (failure) => {
    const text = JSON.stringify({ error: describe(failure) }, null, 2);
    return isArrayStream(failure.url) ? `[${text}\n]\n` : `${text}\n`;
  },
  makeErrorFrame: (failure) => {
    const data = { error: describe(failure) };
    return isArrayStream(failure.url)
      ? `,\r\n${JSON.stringify(data, null, 2)}\n]`
      : `data: ${JSON.stringify(data)}\r\n\r\n`;
  },
};

/** Status to Google's own name for it. */
const statusNames = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [429, 'RESOURCE_EXHAUSTED'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
]);

/** @param {import('../provider.js').Failure} failure */
function describe({ status, message }) {
  return {
    code: status,
    message,
    status: statusNames.get(status) ?? (status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT'),
  };
}

/** @param {URL} url */
function isArrayStream(url) {
  return url.pathname.endsWith(':streamGenerateContent') && url.searchParams.get('alt') !== 'sse';
}

/**
 * @param {Call} call
 * @returns {Reply}
 */
export function answerPublic(call) {
  const [, model = '', method = ''] = call.match;
  return answer(call, { model: decodeURIComponent(model), method, request: call.body, wrap: (chunk) => chunk });
}

/**
 * @param {Call} call
 * @returns {Reply}
 */
function answerWrapped(call) {
  const [, method = ''] = call.match;
  const traceId = makeId('', 16);
  const { model, request } = call.body;
  return answer(call, {
    model: model ?? '',
    method,
    request: request ?? {},
    wrap: (response) => ({ response, traceId }),
  });
}

/** @returns {Reply} */
function answer({ url, speak }, { model, method, request, wrap }) {
  if (!Array.isArray(request.contents) && method !== 'countTokens') throw new Refusal(400, 'contents is not specified');
  const ask = readAsk(model, request.generateContentRequest ?? request);
  if (method === 'countTokens') {
    const totalTokens = countTokensWithin([ask.stable, ask.turns]);
    const details = [{ modality: 'TEXT', tokenCount: totalTokens }];
    return { ...unbilled, model, body: JSON.stringify({ totalTokens, promptTokensDetails: details }, null, 2) };
  }
  const { answer: said, bill } = speak(ask);
  const responseId = makeId('', 22);
  const shared = { modelVersion: model, responseId };
  const reply = { model, responseId, bill: makeStatedBill(bill), tellsBill: true };
  const showsThought = request.generationConfig?.thinkingConfig?.includeThoughts === true;
  const parts = makeParts(said, showsThought);
  const finishReason = said.isCut ? 'MAX_TOKENS' : 'STOP';
  if (method === 'generateContent') {
    const candidates = [{ content: { parts: parts.flatMap(joinPieces), role: 'model' }, finishReason, index: 0 }];
    const whole = wrap({ candidates, usageMetadata: makeUsage(bill, bill.outputTokens), ...shared });
    return { ...reply, contentType: json, body: `${JSON.stringify(whole, null, 2)}\n` };
  }
  const chunks = makeChunks({ parts, finishReason, bill, shared, wrap });
  const isArray = isArrayStream(url);
  return {
    ...reply,
    contentType: isArray ? json : 'text/event-stream',
    body: isArray ? frameArray(chunks) : frameEvents(chunks),
  };
}

/** @returns {Reply} */
function listModels() {
  const names = ['gemini-2.5-flash', 'gemini-2.5-pro'];
  const models = names.map((name) => {
    return {
      name: `models/${name}`,
      displayName: name,
      supportedGenerationMethods: ['generateContent', 'countTokens'],
    };
  });
  return { ...unbilled, model: '', body: JSON.stringify({ models }, null, 2) };
}

/** @returns {import('../provider.js').Ask} */
function readAsk(model, request) {
  const turns = request.contents ?? [];
  const readText = (content) => (content?.parts ?? []).map((part) => part.text ?? '').join(' ');
  const result = turns.at(-1)?.parts?.find((part) => part.functionResponse)?.functionResponse.response;
  const declared = (request.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []);
  const isOff = request.toolConfig?.functionCallingConfig?.mode === 'NONE';
  const tool = isOff ? undefined : declared[0];
  const budget = request.generationConfig?.thinkingConfig?.thinkingBudget;
  return {
    model,
    stable: [request.systemInstruction?.parts ?? [], declared],
    turns: turns.map(({ parts }) => parts),
    isCached: true,
    hasAnswered: turns.some(({ role }) => role === 'model'),
    lastText: readText(turns.findLast((turn) => (turn.role ?? 'user') === 'user' && readText(turn).trim() !== '')),
    toolResult: result === undefined ? null : Object.values(result).join(' '),
    tool: tool === undefined ? null : { name: tool.name, schema: tool.parametersJsonSchema ?? tool.parameters },
    maxTokens: request.generationConfig?.maxOutputTokens ?? null,
    thinks: /^gemini-(?:2\.5|[3-9])/u.test(model) && budget !== 0,
  };
}

/** The parts of an answer, each with the pieces it is streamed in. */
function makeParts({ thought, text, toolCall }, showsThought) {
  const thinking =
    showsThought && thought !== '' ? splitTokens(thought).map((piece) => ({ text: piece, thought: true })) : [];
  const said = toolCall
    ? [{ functionCall: { name: toolCall.name, args: toolCall.input } }]
    : (text === '' ? [''] : splitTokens(text)).map((piece) => ({ text: piece }));
  return [thinking, said].filter((pieces) => pieces.length > 0);
}

/** The pieces of one part as the one part they are. */
function joinPieces(pieces) {
  if (pieces[0].text === undefined) return pieces;
  return [{ ...pieces[0], text: pieces.map(({ text }) => text).join('') }];
}

/** @param {import('../provider.js').Bill} bill @param {number | null} outputTokens said and thought so far */
function makeUsage(bill, outputTokens) {
  const thoughts = bill.reasoningTokens ?? 0;
  const input = bill.inputTokens ?? 0;
  return {
    promptTokenCount: input,
    candidatesTokenCount: (outputTokens ?? 0) - thoughts || undefined,
    totalTokenCount: input + (outputTokens ?? 0),
    cachedContentTokenCount: bill.cacheReadTokens || undefined,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
    thoughtsTokenCount: thoughts || undefined,
  };
}

/** The bill as far as this dialect states it: no cache writes, and no count of 0. */
function makeStatedBill(bill) {
  const { cacheReadTokens, reasoningTokens } = bill;
  return {
    ...bill,
    cacheWriteTokens: null,
    cacheReadTokens: cacheReadTokens || null,
    reasoningTokens: reasoningTokens || null,
  };
}

/** One chunk a piece; the counts of each are those of the whole stream so far. */
function* makeChunks({ parts, finishReason, bill, shared, wrap }) {
  const pieces = parts.flat();
  let output = bill.reasoningTokens ?? 0;
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1;
    if (!piece.thought)
      output += piece.text === undefined ? countTokensWithin(piece.functionCall) : countTokens(piece.text);
    const end = isLast ? { finishReason } : {};
    const candidates = [{ content: { parts: [piece], role: 'model' }, ...end, index: 0 }];
    const usageMetadata = makeUsage(bill, isLast ? bill.outputTokens : output);
    yield wrap({ candidates, usageMetadata, ...shared });
  }
}

function* frameEvents(chunks) {
  for (const chunk of chunks) yield `data: ${JSON.stringify(chunk)}\r\n\r\n`;
}

/** One JSON array over the whole stream, an element at a time. */
function* frameArray(chunks) {
  let opening = '[';
  for (const chunk of chunks) {
    yield `${opening}${JSON.stringify(chunk, null, 2)}\n`;
    opening = ',\r\n';
  }
  yield opening === '[' ? '[]\n' : ']\n';
}
