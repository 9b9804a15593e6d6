import type { JsonValue } from '../../../core/call-record.js';

/**
 * What was said in a call, as OpenTelemetry's conventions for generative AI have it: the values of `gen_ai.input.messages`,
 * `gen_ai.output.messages`, `gen_ai.system_instructions` and `gen_ai.tool.definitions`.
 *
 * Source: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md and
 * docs/gen-ai/non-normative/models.py as of October 2026 (read 2026-11-27). `finish_reason` of a message is deprecated there
 * and wanted by the schema up to 1.41: it is given where it is known.
 */
export type JsonObject = { readonly [key: string]: JsonValue };

/** `{ type: "text", content }`, `reasoning`, `tool_call`, `tool_call_response`, `blob`, `uri`, `file`, or the provider's own. */
export type Part = JsonObject & { readonly type: string };

export interface Message extends JsonObject {
  /** `system`, `user`, `assistant`, `tool`, or as the provider says. */
  readonly role: string;
  readonly parts: readonly Part[];
}

/** What a request says; `null` for what it does not have. */
export interface Asked {
  readonly input: readonly Message[] | null;
  /** Instructions that stand apart from the messages. */
  readonly system: readonly Part[] | null;
  readonly tools: readonly JsonObject[] | null;
}

/** One API, read from bodies as a record keeps them. Each function takes any object at all. */
export interface ContentReader {
  readonly readRequest: (body: JsonObject) => Asked;
  /** One message a choice. */
  readonly readReply: (body: JsonObject) => readonly Message[];
  /** The same of the frames of a stream, also of one that was cut. */
  readonly readStream: (frames: readonly JsonObject[]) => readonly Message[];
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{}` for what is no object. */
export function asObject(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** `[]` for what is no list; what is no object in it is left out. */
export function asObjects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: JsonValue) => isObject(item)) : [];
}

/** `null` for what is no text, or an empty one. */
export function asText(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A message of the model's, which may not say whose it is. */
export function asAnswer(message: JsonValue | undefined): JsonObject {
  const said = asObject(message);
  return { ...said, role: asText(said.role) ?? 'assistant' };
}

/** The first of these members that is there: names differ between versions of an API, and between its JSON and its protobuf. */
export function pick(value: JsonObject, ...names: readonly string[]): JsonValue | undefined {
  return names.map((name) => value[name]).find((member) => member !== undefined && member !== null);
}

export function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

/** No part for no text. */
export function makeText(text: JsonValue | undefined, type: 'text' | 'reasoning' = 'text'): readonly Part[] {
  const content = asText(text);
  return content === null ? [] : [{ type, content }];
}

/** @param input arguments as an object, or as the JSON text that a model wrote */
export function makeToolCall(
  id: JsonValue | undefined,
  name: JsonValue | undefined,
  input: JsonValue | undefined,
): Part {
  return { type: 'tool_call', id: asText(id), name: asText(name) ?? '', arguments: readArguments(input) };
}

export function makeToolResponse(id: JsonValue | undefined, response: JsonValue | undefined): Part {
  return { type: 'tool_call_response', id: asText(id), response: response ?? null };
}

/** A call that the provider carries out itself, with what it says of it. */
export function makeServerCall(id: JsonValue | undefined, name: string, details: JsonObject): Part {
  return { type: 'server_tool_call', id: asText(id), name, server_tool_call: withType(details, name) };
}

export function makeServerResponse(id: JsonValue | undefined, details: JsonObject): Part {
  return { type: 'server_tool_call_response', id: asText(id), server_tool_call_response: withType(details, 'other') };
}

/** A part that the conventions have no shape for, as the provider has it, but for what it has sealed. */
export function makeOther(part: JsonObject): readonly Part[] {
  const type = asText(part.type);
  if (type === null) return [];
  const told = Object.entries(part).filter(([name]) => name !== 'encrypted_content');
  return [{ ...Object.fromEntries(told), type }];
}

/** A function of the caller's; `parameters` is a JSON schema. */
export function makeTool(
  name: JsonValue | undefined,
  description: JsonValue | undefined,
  parameters: JsonValue | undefined,
): readonly JsonObject[] {
  const known = asText(name);
  if (known === null) return [];
  const text = asText(description);
  return [
    {
      type: 'function',
      name: known,
      ...(text !== null && { description: text }),
      ...(isObject(parameters) && { parameters }),
    },
  ];
}

/** A tool of the provider's: its type, and its name where it has one. */
export function makeProviderTool(type: string, tool: JsonObject): JsonObject {
  return { ...tool, type, name: asText(tool.name) ?? type };
}

function withType(details: JsonObject, type: string): JsonObject {
  return asText(details.type) === null ? { ...details, type } : details;
}

/** As the object it is; what is no JSON (a stream that was cut, a tool that takes text) stays text. */
function readArguments(input: JsonValue | undefined): JsonValue {
  if (typeof input !== 'string') return input ?? null;
  try {
    return JSON.parse(input) as JsonValue;
  } catch {
    return input;
  }
}
