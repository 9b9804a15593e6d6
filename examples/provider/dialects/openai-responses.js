/**
 * Responses: `POST /v1/responses`.
 * Shapes as in the types of the npm package openai 6.49 (read 2026-11-21); documented at
 * https://platform.openai.com/docs/api-reference/responses and …/responses-streaming.
 */
import { Refusal } from '../behaviour.js';
import { findSnapshot, makeHexId, nowSeconds } from '../identity.js';
import { splitTokens } from '../model.js';
import { readText, requireModel, thinks } from './openai-ask.js';

/**
 * @param {import('../provider.js').Call} call
 * @returns {import('../provider.js').Reply}
 */
export function answerResponse({ body, speak }) {
  const ask = readAsk(body);
  const { answer, bill } = speak(ask);
  const output = makeOutput(answer);
  const begun = makeBegun(body, ask.model);
  const done = {
    ...begun,
    status: answer.isCut ? 'incomplete' : 'completed',
    completed_at: answer.isCut ? null : nowSeconds(),
    incomplete_details: answer.isCut ? { reason: 'max_output_tokens' } : null,
    output,
    usage: makeUsage(bill),
  };
  const reply = { model: ask.model, responseId: begun.id, bill, tellsBill: true };
  if (body.stream !== true) return { ...reply, contentType: 'application/json', body: JSON.stringify(done, null, 2) };
  return { ...reply, contentType: 'text/event-stream; charset=utf-8', body: makeFrames(begun, done) };
}

/**
 * @param {any} body
 * @returns {import('../provider.js').Ask}
 */
function readAsk(body) {
  const model = requireModel(body.model);
  if (body.input === undefined) throw new Refusal(400, "Missing required parameter: 'input'.");
  const items = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input;
  const last = items.at(-1);
  const tool = body.tool_choice === 'none' ? undefined : body.tools?.find(({ type }) => type === 'function');
  return {
    model,
    stable: [body.instructions ?? '', body.tools ?? []],
    turns: items.map((item) => [item.content ?? '', item.name ?? '', item.arguments ?? '', item.output ?? '']),
    isCached: true,
    hasAnswered: items.some((item) => item.role === 'assistant' || item.type === 'function_call'),
    lastText: readText(items.findLast((item) => item.role === 'user')?.content),
    toolResult: last?.type === 'function_call_output' ? readText(last.output) : null,
    tool: tool === undefined ? null : { name: tool.name, schema: tool.parameters },
    maxTokens: body.max_output_tokens ?? null,
    thinks: thinks(model),
  };
}

/** The response as it stands before the model has said anything. */
function makeBegun(body, model) {
  return {
    id: makeHexId('resp_', 50),
    object: 'response',
    created_at: nowSeconds(),
    status: 'in_progress',
    background: false,
    completed_at: null,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    model: findSnapshot(model),
    output: [],
    parallel_tool_calls: true,
    previous_response_id: body.previous_response_id ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: body.store ?? true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_p: 1,
    truncation: 'disabled',
    usage: null,
    user: null,
    metadata: body.metadata ?? {},
  };
}

function makeOutput({ thought, text, toolCall, isCut }) {
  const reasoning = thought === '' ? [] : [{ id: makeHexId('rs_', 50), type: 'reasoning', summary: [] }];
  if (toolCall !== null) {
    const { name, namespace, input } = toolCall;
    const called = { name, ...(namespace && { namespace }), arguments: JSON.stringify(input) };
    const ids = { id: makeHexId('fc_', 50), call_id: makeHexId('call_', 24) };
    return [...reasoning, { type: 'function_call', ...ids, status: 'completed', ...called }];
  }
  const content = [{ type: 'output_text', annotations: [], logprobs: [], text }];
  const status = isCut ? 'incomplete' : 'completed';
  return [...reasoning, { id: makeHexId('msg_', 50), type: 'message', status, role: 'assistant', content }];
}

/** @param {import('../provider.js').Bill} bill */
function makeUsage(bill) {
  return {
    input_tokens: bill.inputTokens,
    input_tokens_details: { cached_tokens: bill.cacheReadTokens, cache_write_tokens: bill.cacheWriteTokens },
    output_tokens: bill.outputTokens,
    output_tokens_details: { reasoning_tokens: bill.reasoningTokens },
    total_tokens: bill.totalTokens,
  };
}

/** The stream: named events, numbered from 0; the last holds the whole response. There is no `[DONE]`. */
function* makeFrames(begun, done) {
  let sequence = 0;
  const frame = (type, fields) => {
    const text = `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...fields })}\n\n`;
    sequence += 1;
    return text;
  };
  yield frame('response.created', { response: begun });
  yield frame('response.in_progress', { response: begun });
  for (const [index, item] of done.output.entries()) {
    for (const [type, fields] of makeItemEvents(item)) yield frame(type, { output_index: index, ...fields });
  }
  yield frame(`response.${done.status}`, { response: done });
}

/** The events of one output item, without their numbers. */
function* makeItemEvents(item) {
  const started = { ...item, ...(item.status ? { status: 'in_progress' } : {}) };
  if (item.type === 'message') started.content = [];
  if (item.type === 'function_call') started.arguments = '';
  yield ['response.output_item.added', { item: started }];
  if (item.type === 'message') yield* makeTextEvents(item);
  if (item.type === 'function_call') {
    for (const delta of item.arguments.match(/.{1,8}/gsu) ?? []) {
      yield ['response.function_call_arguments.delta', { item_id: item.id, delta }];
    }
    const { name } = item;
    yield ['response.function_call_arguments.done', { item_id: item.id, name, arguments: item.arguments }];
  }
  yield ['response.output_item.done', { item }];
}

function* makeTextEvents(item) {
  const [part] = item.content;
  const place = { item_id: item.id, content_index: 0 };
  yield ['response.content_part.added', { ...place, part: { ...part, text: '' } }];
  for (const delta of splitTokens(part.text)) yield ['response.output_text.delta', { ...place, delta, logprobs: [] }];
  yield ['response.output_text.done', { ...place, text: part.text, logprobs: [] }];
  yield ['response.content_part.done', { ...place, part }];
}
