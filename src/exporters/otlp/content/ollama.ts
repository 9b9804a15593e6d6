import type { JsonValue } from '../../../core/call-record.js';
import { readMessage, readTool } from './chat.js';
import { nameFinish } from './finish-reason.js';
import { makeBlob } from './media.js';
import {
  asAnswer,
  asObjects,
  asText,
  type ContentReader,
  isObject,
  type JsonObject,
  type Message,
  makeText,
  orNull,
} from './message.js';

/** ollama's own chat. Source: https://docs.ollama.com/api/chat, types of the npm package `ollama` 0.6 (read 2026-11-27). */
export const ollamaContent: ContentReader = {
  readRequest: (body) => ({
    input: orNull(asObjects(body.messages).map(readTurn)),
    system: null,
    tools: orNull(asObjects(body.tools).flatMap(readTool)),
  }),
  readReply: (body) => (isObject(body.message) ? [readLast(body.message, body.done_reason)] : []),
  readStream: (frames) => {
    const messages = frames.flatMap(({ message }) => (isObject(message) ? [message] : []));
    if (messages.length === 0) return [];
    const join = (name: string): string => messages.map((message) => asText(message[name]) ?? '').join('');
    const calls = messages.flatMap((message) => asObjects(message.tool_calls));
    const message = { role: 'assistant', content: join('content'), thinking: join('thinking'), tool_calls: calls };
    return [readLast(message, frames.at(-1)?.done_reason)];
  },
};

/** ollama's completions. Source: https://docs.ollama.com/api/generate (read as above). */
export const ollamaGenerateContent: ContentReader = {
  readRequest: (body) => ({
    input:
      asText(body.prompt) === null ? null : [readTurn({ content: body.prompt ?? null, images: body.images ?? null })],
    system: orNull(makeText(body.system)),
    tools: null,
  }),
  readReply: (body) => ollamaGenerateContent.readStream([body]),
  readStream: (frames) => {
    const told = frames.filter(({ response, thinking }) => asText(response) !== null || asText(thinking) !== null);
    if (told.length === 0) return [];
    const join = (name: string): string => told.map((frame) => asText(frame[name]) ?? '').join('');
    const message = { role: 'assistant', content: join('response'), thinking: join('thinking') };
    return [readLast(message, frames.at(-1)?.done_reason)];
  },
};

function readLast(message: JsonObject, reason: JsonValue | undefined): Message {
  return { ...readTurn(asAnswer(message)), finish_reason: nameFinish(reason) };
}

function readTurn(message: JsonObject): Message {
  const { thinking, images, tool_name: tool } = message;
  const named = tool === undefined ? message : { ...message, tool_call_id: message.tool_call_id ?? tool };
  const { parts, ...rest } = readMessage({ ...named, reasoning: thinking ?? null });
  const pictures = Array.isArray(images)
    ? images.flatMap((image: JsonValue) => makeBlob(image, undefined, 'image'))
    : [];
  return { ...rest, parts: [...parts, ...pictures] };
}
