import type { JsonValue } from '../../../core/call-record.js';
import { nameFinish } from './finish-reason.js';
import { ByIndex } from './frames.js';
import { makeBlob, makeUri } from './media.js';
import {
  asObject,
  asObjects,
  asText,
  type ContentReader,
  isObject,
  type JsonObject,
  type Message,
  makeOther,
  makeProviderTool,
  makeServerCall,
  makeServerResponse,
  makeText,
  makeTool,
  makeToolCall,
  makeToolResponse,
  orNull,
  type Part,
  pick,
} from './message.js';

/**
 * Gemini's `generateContent`, by Google AI, Vertex AI and the Gemini CLI, which wraps request and reply. Members may be
 * written either way: `systemInstruction`, `system_instruction`. Source: the types `Content`, `Part` and
 * `GenerateContentResponse` of the npm package `@google/genai` 2.32 (read 2026-11-27).
 */
export const geminiContent: ContentReader = {
  readRequest: (body) => {
    const asked = isObject(body.request) ? body.request : body;
    const system = pick(asked, 'systemInstruction', 'system_instruction');
    const contents = isObject(asked.contents) ? [asked.contents] : asObjects(asked.contents);
    return {
      input: orNull(contents.map(readContent)),
      system: orNull(typeof system === 'string' ? makeText(system) : readContent(asObject(system)).parts),
      tools: orNull((isObject(asked.tools) ? [asked.tools] : asObjects(asked.tools)).flatMap(readTool)),
    };
  },
  readReply: (body) => readCandidates([body]),
  readStream: readCandidates,
};

/** What the conventions call `assistant` is `model` here. */
function readContent(content: JsonObject): Message {
  const role = asText(content.role) ?? 'user';
  return { role: role === 'model' ? 'assistant' : role, parts: joinTexts(asObjects(content.parts).flatMap(readPart)) };
}

function readPart(part: JsonObject): readonly Part[] {
  const blob = pick(part, 'inlineData', 'inline_data');
  const file = pick(part, 'fileData', 'file_data');
  const call = pick(part, 'functionCall', 'function_call');
  const response = pick(part, 'functionResponse', 'function_response');
  const code = pick(part, 'executableCode', 'executable_code');
  const result = pick(part, 'codeExecutionResult', 'code_execution_result');
  if (isObject(blob)) return makeBlob(blob.data, pick(blob, 'mimeType', 'mime_type'));
  if (isObject(file)) {
    return makeUri(pick(file, 'fileUri', 'file_uri'), { mimeType: pick(file, 'mimeType', 'mime_type') });
  }
  if (isObject(call)) return [makeToolCall(call.id, call.name, call.args)];
  if (isObject(response)) return [makeToolResponse(response.id ?? response.name, response.response)];
  if (isObject(code)) return [makeServerCall(null, 'code_execution', code)];
  if (isObject(result)) return [makeServerResponse(null, { ...result, type: 'code_execution' })];
  if (part.text === undefined) return makeOther(part);
  return makeText(part.text, part.thought === true ? 'reasoning' : 'text');
}

/** A text may be told in several parts, as in the pieces of a stream. */
function joinTexts(parts: readonly Part[]): readonly Part[] {
  const joined: { part: Part; texts: string[] }[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    const isText = part.type === 'text' || part.type === 'reasoning';
    if (isText && last?.part.type === part.type) last.texts.push(asText(part.content) ?? '');
    else joined.push({ part, texts: isText ? [asText(part.content) ?? ''] : [] });
  }
  return joined.map(({ part, texts }) => (texts.length > 1 ? { ...part, content: texts.join('') } : part));
}

/** Functions of the caller's; Google's own tools are members of other names. */
function readTool(tool: JsonObject): readonly JsonObject[] {
  const names = ['functionDeclarations', 'function_declarations'];
  const functions = asObjects(pick(tool, ...names)).flatMap((one) =>
    makeTool(one.name, one.description, pick(one, 'parametersJsonSchema', 'parameters_json_schema', 'parameters')),
  );
  const own = Object.entries(tool).flatMap(([type, settings]) =>
    names.includes(type) ? [] : [makeProviderTool(type, asObject(settings))],
  );
  return [...functions, ...own];
}

interface Candidate {
  readonly parts: JsonObject[];
  role: string;
  reason: JsonValue;
}

/** A whole reply is a stream of one frame. */
function readCandidates(frames: readonly JsonObject[]): readonly Message[] {
  const candidates = new ByIndex<Candidate>();
  for (const frame of frames) {
    const reply = isObject(frame.response) ? frame.response : frame;
    for (const { index = 0, content, finishReason, finish_reason: reason = finishReason } of asObjects(
      reply.candidates,
    )) {
      const candidate = candidates.at(index, () => ({ parts: [], role: 'model', reason: null }));
      const { parts, role } = asObject(content);
      for (const part of asObjects(parts)) candidate.parts.push(part);
      candidate.role = asText(role) ?? candidate.role;
      candidate.reason = asText(reason) ?? candidate.reason;
    }
  }
  return candidates.inOrder.map(({ parts, role, reason }) => ({
    ...readContent({ role, parts }),
    finish_reason: nameFinish(reason),
  }));
}
