import { chatContent, readMessage } from './chat.js';
import { ChatMessage } from './chat-message.js';
import { nameFinish } from './finish-reason.js';
import {
  asAnswer,
  asObject,
  asObjects,
  asText,
  type ContentReader,
  isObject,
  type JsonObject,
  type Message,
  makeText,
  makeTool,
  makeToolCall,
  makeToolResponse,
  orNull,
} from './message.js';

/** Cohere's chat, version 2. Source: https://docs.cohere.com/reference/chat, /reference/chat-stream (read 2026-11-27). */
export const cohereContent: ContentReader = {
  readRequest: (body) => chatContent.readRequest(body),
  readReply: (body) => {
    if (!isObject(body.message)) return [];
    const { message, finish_reason: reason } = body;
    return [{ ...readMessage(asAnswer(message)), finish_reason: nameFinish(reason) }];
  },
  readStream: (frames) => {
    const message = new ChatMessage();
    let begun = false;
    for (const { type, index, delta } of frames) {
      const said = asObject(asObject(delta).message);
      if (type === 'message-start') begun = true;
      if (type === 'tool-plan-delta') message.add({ delta: said });
      if (type === 'content-start' || type === 'content-delta') message.addChunk(readChunk(asObject(said.content)));
      if (type === 'tool-call-start' || type === 'tool-call-delta') message.addCall(index, asObject(said.tool_calls));
      if (type === 'message-end') message.add({ finish_reason: asObject(delta).finish_reason ?? null });
    }
    return begun ? cohereContent.readReply(message.close()) : [];
  },
};

/** Only the first piece of a text names its type. */
function readChunk(chunk: JsonObject): JsonObject {
  return { ...chunk, type: chunk.thinking === undefined ? 'text' : 'thinking' };
}

const roles: Readonly<Record<string, string>> = { USER: 'user', CHATBOT: 'assistant', SYSTEM: 'system', TOOL: 'tool' };

/** Cohere's first chat. Source: https://docs.cohere.com/v1/reference/chat, /v1/reference/chat-stream (read 2026-11-27). */
export const cohereV1Content: ContentReader = {
  readRequest: (body) => ({
    input: orNull([
      ...asObjects(body.chat_history).map(readTurn),
      ...(asText(body.message) === null ? [] : [{ role: 'user', parts: makeText(body.message) }]),
      ...(Array.isArray(body.tool_results) ? [readTurn({ role: 'TOOL', tool_results: body.tool_results })] : []),
    ]),
    system: orNull(makeText(body.preamble)),
    tools: orNull(asObjects(body.tools).flatMap(readTool)),
  }),
  readReply: (body) => {
    const turn = readTurn({ ...body, role: 'CHATBOT', message: body.text ?? null });
    if (turn.parts.length === 0) return [];
    return [{ ...turn, finish_reason: nameFinish(body.finish_reason) }];
  },
  readStream: (frames) => {
    const last = frames.find(({ event_type: type }) => type === 'stream-end');
    if (isObject(last?.response)) {
      return cohereV1Content.readReply({ finish_reason: last.finish_reason ?? null, ...last.response });
    }
    const text = frames
      .map((frame) => (frame.event_type === 'text-generation' ? (asText(frame.text) ?? '') : ''))
      .join('');
    const calls = frames.flatMap((frame) => asObjects(frame.tool_calls));
    return cohereV1Content.readReply({ text, tool_calls: calls });
  },
};

function readTurn(turn: JsonObject): Message {
  const role = asText(turn.role) ?? 'USER';
  const parts = [
    ...makeText(turn.message),
    ...asObjects(turn.tool_calls).map((call) => makeToolCall(null, call.name, call.parameters)),
    ...asObjects(turn.tool_results).map(({ call, outputs }) => makeToolResponse(asObject(call).name, outputs)),
  ];
  return { role: roles[role.toUpperCase()] ?? role, parts };
}

/** Parameters by name, each with a type in Python's words: no JSON schema, and not made one here. */
function readTool({ name, description, parameter_definitions: definitions }: JsonObject): readonly JsonObject[] {
  return makeTool(name, description, undefined).map((tool) => ({
    ...tool,
    ...(isObject(definitions) && { parameter_definitions: definitions }),
  }));
}
