import type { JsonValue } from '../../../core/call-record.js';
import { readTool } from './chat.js';
import { nameFinish } from './finish-reason.js';
import { makeBlob, makeFile, makeSound, makeUri } from './media.js';
import {
  asObject,
  asObjects,
  asText,
  type ContentReader,
  isObject,
  type JsonObject,
  type Message,
  makeOther,
  makeServerCall,
  makeText,
  makeToolCall,
  makeToolResponse,
  orNull,
  type Part,
} from './message.js';
import { ResponseItems } from './response-items.js';

/**
 * OpenAI's Responses API, over HTTP and over a WebSocket. Source: the types `ResponseInputItem`, `ResponseOutputItem` and
 * `ResponseStreamEvent` of the npm package `openai` 6.49 (read 2026-11-27).
 */
export const responsesContent: ContentReader = {
  readRequest: (body) => {
    const asked = isObject(body.response) ? body.response : body;
    return {
      input: orNull(readInput(asked.input)),
      system: orNull(makeText(asked.instructions)),
      tools: orNull(asObjects(asked.tools).flatMap(readTool)),
    };
  },
  readReply,
  readStream: (frames) => {
    const items = new ResponseItems();
    for (const frame of frames) items.add(frame);
    return readReply(items.close());
  },
};

function readInput(input: JsonValue | undefined): readonly Message[] {
  if (typeof input === 'string') return [{ role: 'user', parts: makeText(input) }];
  return asObjects(input).flatMap((item) => {
    const parts = readItem(item);
    return parts.length === 0 ? [] : [{ role: asText(item.role) ?? nameRole(parts), parts }];
  });
}

function nameRole(parts: readonly Part[]): string {
  return parts[0]?.type === 'tool_call_response' ? 'tool' : 'assistant';
}

/** All that a response holds is one choice: OpenAI's items have no roles of their own but for messages. */
function readReply(body: JsonObject): readonly Message[] {
  const { status, output, incomplete_details: details } = body;
  const parts = asObjects(output).flatMap(readItem);
  const reason = status === 'incomplete' ? (asObject(details).reason ?? 'length') : status;
  if (parts.length === 0) return [];
  return [{ role: 'assistant', parts, finish_reason: nameFinish(status === 'in_progress' ? null : reason) }];
}

function readItem(item: JsonObject): readonly Part[] {
  const { type = 'message', content } = item;
  if (type === 'message') return typeof content === 'string' ? makeText(content) : asObjects(content).flatMap(readPart);
  if (type === 'reasoning') {
    return [...asObjects(item.summary), ...asObjects(content)].flatMap(({ text }) => makeText(text, 'reasoning'));
  }
  if (type === 'function_call') return [makeToolCall(item.call_id, item.name, item.arguments)];
  if (type === 'custom_tool_call') return [makeToolCall(item.call_id, item.name, item.input)];
  return readTools(item, asText(type) ?? 'other');
}

/** Calls of tools that OpenAI defines: the client carries out those that have a `call_id`, OpenAI the others. */
function readTools(item: JsonObject, type: string): readonly Part[] {
  const name = type.replace(/_call(_output)?$/, '');
  if (type === 'image_generation_call') return makeBlob(item.result, 'image/png');
  if (type.endsWith('_output')) return [makeToolResponse(item.call_id, item.output)];
  if (!type.endsWith('_call')) return makeOther(item);
  if (asText(item.call_id) === null) return [makeServerCall(item.id, asText(item.name) ?? name, item)];
  const { action, operation } = item;
  return [makeToolCall(item.call_id, name, action ?? operation ?? null)];
}

function readPart(part: JsonObject): readonly Part[] {
  const { type, file_id: id } = part;
  if (type === 'input_text' || type === 'output_text' || type === 'text') return makeText(part.text);
  if (type === 'refusal') return makeText(part.refusal).map((text) => ({ ...text, type }));
  if (type === 'input_image') {
    return asText(id) === null ? makeUri(part.image_url, { modality: 'image' }) : makeFile(id, 'image');
  }
  if (type === 'input_file') return asText(id) === null ? makeUri(part.file_url ?? part.file_data) : makeFile(id);
  if (type === 'input_audio') {
    const { data, format } = asObject(part.input_audio);
    return makeSound(data, format);
  }
  return makeOther(part);
}
