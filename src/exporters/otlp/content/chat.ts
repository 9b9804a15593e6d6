import type { JsonValue } from '../../../core/call-record.js';
import { ChatMessage, joinThinking, readNamed } from './chat-message.js';
import { nameFinish } from './finish-reason.js';
import { ByIndex } from './frames.js';
import { makeFile, makeSound, makeUri } from './media.js';
import {
  asAnswer,
  asObject,
  asObjects,
  asText,
  type ContentReader,
  isObject,
  type JsonObject,
  type Message,
  makeOther,
  makeProviderTool,
  makeText,
  makeTool,
  makeToolCall,
  makeToolResponse,
  orNull,
  type Part,
} from './message.js';

/**
 * Chat completions of OpenAI's and of who speaks like it, Mistral's and Cohere's (version 2) chat, which differ in a few
 * members. Sources: `ChatCompletionMessageParam`, `ChatCompletion` and `ChatCompletionChunk` of the npm package `openai` 6.49;
 * `@mistralai/mistralai` 2.7 (`thinking` chunks); https://docs.cohere.com/reference/chat (`tool_plan`, `thinking`);
 * https://api-docs.deepseek.com/guides/reasoning_model (`reasoning_content`); read 2026-11-27.
 */
export const chatContent: ContentReader = {
  readRequest: (body) => ({
    input: orNull(asObjects(body.messages).map(readMessage)),
    system: null,
    tools: orNull([...asObjects(body.tools), ...asObjects(body.functions)].flatMap(readTool)),
  }),
  readReply: (body) => asObjects(body.choices).map(readChoice),
  readStream: (frames) => {
    const choices = new ByIndex<ChatMessage>();
    for (const frame of frames)
      for (const piece of asObjects(frame.choices)) choices.at(piece.index, () => new ChatMessage()).add(piece);
    return choices.inOrder.map((choice) => readChoice(choice.close()));
  },
};

function readChoice({ message, finish_reason: reason }: JsonObject): Message {
  return { ...readMessage(asAnswer(message)), finish_reason: nameFinish(reason) };
}

/** A message of the conversation, asked or answered. */
export function readMessage(message: JsonObject): Message {
  const { content, name } = message;
  const role = asText(message.role) ?? 'user';
  const isToolsReply = role === 'tool' || role === 'function';
  const parts = isToolsReply
    ? [makeToolResponse(message.tool_call_id ?? message.name, content)]
    : [
        ...readReasoning(message),
        ...readContent(content),
        ...makeText(message.refusal).map((part) => ({ ...part, type: 'refusal' })),
        ...readAudio(asObject(message.audio)),
        ...asObjects(message.tool_calls).map(readCall),
        ...(isObject(message.function_call) ? [readCall({ function: message.function_call })] : []),
      ];
  return { role: isToolsReply ? 'tool' : role, parts, ...(asText(name) !== null && { name: name ?? null }) };
}

function readReasoning(message: JsonObject): readonly Part[] {
  const { reasoning_content: content, reasoning, tool_plan: plan } = message;
  return makeText(asText(content) ?? asText(reasoning) ?? plan, 'reasoning');
}

function readContent(content: JsonValue | undefined): readonly Part[] {
  return typeof content === 'string' ? makeText(content) : asObjects(content).flatMap(readPart);
}

function readPart(part: JsonObject): readonly Part[] {
  const { type, file, input_audio: audio } = part;
  if (type === 'text') return makeText(part.text);
  if (type === 'thinking') return makeText(joinThinking(part.thinking), 'reasoning');
  if (type === 'image_url') return makeUri(readUrl(part.image_url), { modality: 'image' });
  if (type === 'video_url') return makeUri(readUrl(part.video_url), { modality: 'video' });
  if (type === 'document_url') return makeUri(readUrl(part.document_url), { modality: 'document' });
  if (type === 'input_audio') return readAudio(typeof audio === 'string' ? { data: audio } : asObject(audio));
  if (type === 'file') {
    const { file_id: id, file_data: data } = asObject(file);
    return asText(id) === null ? makeUri(data) : makeFile(id);
  }
  return makeOther(part);
}

function readUrl(value: JsonValue | undefined): JsonValue | undefined {
  return isObject(value) ? value.url : value;
}

function readAudio({ data, format, id, transcript }: JsonObject): readonly Part[] {
  if (asText(data) !== null) return makeSound(data, format);
  return [...makeFile(id, 'audio'), ...makeText(transcript)];
}

function readCall(call: JsonObject): Part {
  const { name, input } = readNamed(call);
  return makeToolCall(call.id, name, input);
}

export function readTool(tool: JsonObject): readonly JsonObject[] {
  const { function: named, custom, type } = tool;
  if (isObject(named)) return makeTool(named.name, named.description, named.parameters);
  if (isObject(custom)) return [makeProviderTool('custom', custom)];
  if (type === undefined || type === 'function') return makeTool(tool.name, tool.description, tool.parameters);
  return [makeProviderTool(asText(type) ?? 'other', tool)];
}
