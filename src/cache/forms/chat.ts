import type { JsonValue } from '../../core/call-record.js';
import type { JsonObject } from '../canonical-json.js';
import {
  checkMembers,
  type OtherForm,
  pick,
  readObject,
  readText,
  requireList,
  requireObject,
  Unmakeable,
} from './frames.js';

/**
 * Chat completions. Sources: the types `ChatCompletion` and `ChatCompletionChunk` of the npm package `openai` 6.49; that
 * DeepSeek and others state their reasoning as `reasoning_content`, OpenRouter and Groq as `reasoning`:
 * https://api-docs.deepseek.com/guides/reasoning_model, https://console.groq.com/docs/reasoning; read 2026-11-27.
 */
export const chatForm: OtherForm = { makeStream, makeJson };

const headNames = ['id', 'created', 'model', 'service_tier', 'system_fingerprint'];
/** Texts of a message that come in pieces. */
const textNames = ['reasoning_content', 'reasoning', 'content', 'refusal'] as const;
const silentNames = ['annotations', 'audio', 'function_call'];

function makeStream(reply: JsonObject, usage: boolean): string[] {
  checkMembers(reply, [...headNames, 'object', 'choices', 'usage']);
  const head = { ...pick(reply, ['id']), object: 'chat.completion.chunk', ...pick(reply, headNames.slice(1)) };
  const stated = usage ? requireObject(reply.usage) : null;
  const chunk = (choices: JsonValue, ofUsage: JsonValue = null): string =>
    `data: ${JSON.stringify({ ...head, choices, ...(usage ? { usage: ofUsage } : {}) })}\n\n`;
  const deltas = requireList(reply.choices).flatMap((choice) => listDeltas(choice));
  return [
    ...deltas.map((choice) => chunk([choice])),
    ...(stated === null ? [] : [chunk([], stated)]),
    'data: [DONE]\n\n',
  ];
}

function listDeltas(choice: JsonObject): JsonObject[] {
  checkMembers(choice, ['index', 'message', 'finish_reason'], ['logprobs']);
  const message = requireObject(choice.message);
  checkMembers(message, ['role', 'tool_calls', ...textNames], silentNames);
  const calls = message.tool_calls === null || message.tool_calls === undefined ? [] : requireList(message.tool_calls);
  const first = { ...pick(message, ['role']), content: message.content === null ? null : '' };
  const deltas: JsonObject[] = [
    message.refusal === undefined ? first : { ...first, refusal: null },
    ...textNames.flatMap((name) => (readText(message[name]) === '' ? [] : [pick(message, [name])])),
    ...calls.map((call, index) => ({ tool_calls: [{ index, ...requireCall(call) }] })),
  ];
  const place = pick(choice, ['index']);
  const more = pick(choice, ['logprobs']);
  if (typeof choice.finish_reason !== 'string') throw new Unmakeable('no finish_reason');
  return [
    ...deltas.map((delta) => ({ ...place, delta, ...more, finish_reason: null })),
    { ...place, delta: {}, ...more, finish_reason: choice.finish_reason },
  ];
}

function requireCall(call: JsonObject): JsonObject {
  checkMembers(call, ['id', 'type', 'function', 'custom']);
  return call;
}

interface Call {
  readonly parts: Record<string, JsonValue>;
  readonly texts: Record<string, string>;
}

interface Choice {
  readonly texts: Map<string, string | null>;
  readonly calls: Map<number, Call>;
  readonly more: Record<string, JsonValue>;
  role: JsonValue;
  finishReason: string | null;
}

function makeJson(frames: readonly string[]): JsonObject {
  const choices = new Map<number, Choice>();
  let head: Record<string, JsonValue> = {};
  let usage: JsonObject | null = null;
  for (const frame of frames) {
    if (frame === '[DONE]') break;
    const chunk = requireObject(readObject(frame));
    checkMembers(chunk, [...headNames, 'object', 'choices', 'usage', 'obfuscation']);
    const stated = Object.entries(pick(chunk, headNames)).filter(([, value]) => value !== null);
    head = { ...head, ...Object.fromEntries(stated) };
    if (chunk.usage !== undefined && chunk.usage !== null) usage = requireObject(chunk.usage);
    for (const piece of requireList(chunk.choices)) addPiece(choices, piece);
  }
  // A whole reply states its usage always: one made without would lie about what it cost.
  if (usage === null || choices.size === 0) throw new Unmakeable('no usage');
  return {
    ...pick(head, ['id']),
    object: 'chat.completion',
    ...pick(head, ['created', 'model']),
    choices: [...choices].sort(([a], [b]) => a - b).map(([index, choice]) => closeChoice(index, choice)),
    usage,
    ...pick(head, ['service_tier', 'system_fingerprint']),
  };
}

function addPiece(choices: Map<number, Choice>, piece: JsonObject): void {
  checkMembers(piece, ['index', 'delta', 'finish_reason'], ['logprobs']);
  const index = requireIndex(piece.index);
  const choice = choices.get(index) ?? {
    ...{ texts: new Map(), calls: new Map(), more: pick(piece, ['logprobs']), role: 'assistant', finishReason: null },
  };
  choices.set(index, choice);
  const delta = requireObject(piece.delta);
  checkMembers(delta, ['role', 'tool_calls', ...textNames], silentNames);
  for (const name of textNames) addText(choice.texts, name, delta[name]);
  if (typeof delta.role === 'string' && delta.role !== '') choice.role = delta.role;
  if (delta.tool_calls !== undefined && delta.tool_calls !== null)
    for (const call of requireList(delta.tool_calls)) addCall(choice.calls, call);
  if (typeof piece.finish_reason === 'string') choice.finishReason = piece.finish_reason;
}

function addText(texts: Map<string, string | null>, name: string, value: JsonValue | undefined): void {
  if (value === undefined) return;
  const before = texts.get(name);
  if (value === null) texts.set(name, before ?? null);
  else texts.set(name, `${before ?? ''}${readText(value)}`);
}

/** The texts of a call that come in pieces, by the kind it is of. */
const callTexts: Readonly<Record<string, string>> = { function: 'arguments', custom: 'input' };

function addCall(calls: Map<number, Call>, piece: JsonObject): void {
  checkMembers(piece, ['index', 'id', 'type', ...Object.keys(callTexts)]);
  const index = requireIndex(piece.index);
  const call = calls.get(index) ?? { parts: {}, texts: {} };
  calls.set(index, call);
  for (const name of ['id', 'type']) {
    const value = piece[name];
    if (value !== undefined && value !== null) call.parts[name] = value;
  }
  for (const [kind, text] of Object.entries(callTexts)) {
    if (piece[kind] === undefined) continue;
    const inner = requireObject(piece[kind]);
    checkMembers(inner, ['name', text]);
    call.parts[kind] = { ...(call.parts[kind] as JsonObject | undefined), ...pick(inner, ['name']) };
    call.texts[kind] = `${call.texts[kind] ?? ''}${readText(inner[text])}`;
  }
}

function closeChoice(index: number, { role, texts, calls, more, finishReason }: Choice): JsonObject {
  if (finishReason === null) throw new Unmakeable('no finish_reason');
  const told = Object.fromEntries([...texts].filter(([name]) => name !== 'content'));
  const content = texts.get('content') ?? null;
  const toolCalls = [...calls].sort(([a], [b]) => a - b).map(([, call]) => closeCall(call));
  return {
    index,
    message: {
      role,
      // Nothing but calls is said as `null`, which a stream may begin as an empty text.
      content: content === '' && toolCalls.length > 0 ? null : content,
      ...told,
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    },
    ...more,
    finish_reason: finishReason,
  };
}

function closeCall({ parts, texts }: Call): JsonObject {
  const inner = Object.entries(texts).map(([kind, text]) => {
    const stated = requireObject(parts[kind]);
    return [kind, { ...stated, [callTexts[kind] ?? '']: text }];
  });
  return { ...pick(parts, ['id', 'type']), ...(Object.fromEntries(inner) as JsonObject) };
}

function requireIndex(value: JsonValue | undefined): number {
  if (typeof value === 'number') return value;
  throw new Unmakeable('no index');
}
