import type { JsonValue } from '../core/call-record.js';

/** Where a request keeps what the model reads. */
const inputKeys: ReadonlySet<string> = new Set([
  ...['messages', 'input', 'instructions', 'prompt', 'system', 'contents', 'systemInstruction', 'system_instruction'],
  ...['request', 'preamble', 'message', 'chat_history', 'texts'],
]);
/** What of it is text for the model, on whatever level. */
const textKeys: ReadonlySet<string> = new Set([
  ...['content', 'text', 'thinking', 'reasoning', 'reasoning_content', 'refusal', 'arguments', 'output', 'parts'],
  ...['message', 'input', 'args', 'response', 'name', 'tool_calls', 'function', 'functionCall', 'functionResponse'],
]);
/** What of a frame is a piece of output. */
const outputKeys: ReadonlySet<string> = new Set([
  ...['content', 'text', 'thinking', 'reasoning', 'reasoning_content', 'refusal', 'arguments', 'partial_json', 'name'],
  ...['args', 'response', 'delta', 'choices', 'candidates', 'parts', 'message', 'tool_calls', 'function'],
  ...['functionCall', 'content_block', 'output', 'serverContent', 'modelTurn', 'completion', 'generations'],
]);
/** Frames of the Responses API that tell again what deltas have told. */
const repeating = /^response\.(?!.*\.delta$)/;
const mostDepth = 12;

/** The texts of a request, one for each message; `null` when it is no JSON that could be kept whole. */
export function listInputTexts(body: string | null): string[] | null {
  const request = parse(body);
  if (!isObject(request)) return null;
  return Object.entries(request).flatMap(([key, value]) => {
    if (!inputKeys.has(key)) return [];
    if (key === 'request' && isObject(value)) return listInputTexts(JSON.stringify(value)) ?? [];
    const messages = Array.isArray(value) ? value : [value];
    return messages.map((message) => collect(message, textKeys).join('')).filter((text) => text !== '');
  });
}

/** The pieces of output of a stream's frames, or of a document, as one text; `null` when there is none. */
export function listOutputTexts(body: string | null): string[] | null {
  const whole = /^\s*[{[]/.test(body ?? '') ? parse(body) : undefined;
  const frames = whole === undefined ? listFrames(body ?? '') : [whole].flat().filter(isObject);
  const text = frames.flatMap((frame) => collect(frame, outputKeys)).join('');
  return text === '' ? null : [text];
}

function listFrames(body: string): { readonly [key: string]: JsonValue }[] {
  return body.split('\n').flatMap((line) => {
    const frame = parse(line.replace(/^data: ?/, '').replace(/^[[,]/, ''));
    return isObject(frame) && !(typeof frame.type === 'string' && repeating.test(frame.type)) ? [frame] : [];
  });
}

function collect(value: JsonValue | undefined, keys: ReadonlySet<string>, depth = 0): string[] {
  if (typeof value === 'string') return [value];
  if (depth > mostDepth || typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((part: JsonValue) => collect(part, keys, depth + 1));
  return Object.entries(value).flatMap(([key, part]) => {
    if (!keys.has(key)) return [];
    // A tool's arguments are objects here and text there: the model wrote them as JSON.
    if (key === 'args' || (key === 'input' && depth > 0)) return [JSON.stringify(part)];
    return collect(part, keys, depth + 1);
  });
}

function isObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string | null): JsonValue | undefined {
  if (text === null || text === '') return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
