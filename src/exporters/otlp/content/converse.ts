import type { JsonValue } from '../../../core/call-record.js';
import { nameFinish } from './finish-reason.js';
import { ByIndex } from './frames.js';
import { makeBlob, makeUri } from './media.js';
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
  makeServerCall,
  makeServerResponse,
  makeText,
  makeTool,
  makeToolCall,
  makeToolResponse,
  orNull,
  type Part,
} from './message.js';

/**
 * Bedrock's Converse, and Nova's own bodies, which are like it. Source: the types `ContentBlock`, `ConverseResponse` and
 * `ConverseStreamOutput` of the npm package `@aws-sdk/client-bedrock-runtime` 3.1164 (read 2026-11-27).
 */
export const converseContent: ContentReader = {
  readRequest: (body) => ({
    input: orNull(asObjects(body.messages).map(readMessage)),
    system: orNull(asObjects(body.system).flatMap(readBlock)),
    tools: orNull(asObjects(asObject(body.toolConfig).tools).flatMap(readTool)),
  }),
  readReply: (body) => {
    const { message } = asObject(body.output);
    if (!isObject(message)) return [];
    return [{ ...readMessage(asAnswer(message)), finish_reason: nameFinish(body.stopReason) }];
  },
  readStream,
};

function readMessage(message: JsonObject): Message {
  return { role: asText(message.role) ?? 'user', parts: asObjects(message.content).flatMap(readBlock) };
}

/** A block has one member, which says what it is. */
function readBlock(block: JsonObject): readonly Part[] {
  const { text, reasoningContent, toolUse, toolResult } = block;
  if (text !== undefined) return makeText(text);
  if (isObject(reasoningContent)) return makeText(asObject(reasoningContent.reasoningText).text, 'reasoning');
  if (isObject(toolUse)) {
    const { toolUseId, name, input, type } = toolUse;
    if (type === 'server_tool_use')
      return [makeServerCall(toolUseId, asText(name) ?? '', { type, input: input ?? null })];
    return [makeToolCall(toolUseId, name, input)];
  }
  if (isObject(toolResult)) {
    const { toolUseId, content, type } = toolResult;
    if (asText(type) !== null) return [makeServerResponse(toolUseId, { type: type ?? '', content: content ?? null })];
    return [makeToolResponse(toolUseId, content)];
  }
  return readMedia(block);
}

/** `{ image: { format, source: { bytes } } }`, `document` and so on; what is none of them is named by its member. */
function readMedia(block: JsonObject): readonly Part[] {
  const [kind, value] = Object.entries(block)[0] ?? [];
  // A mark for the cache says nothing to the model.
  if (kind === undefined || kind === 'cachePoint' || !isObject(value)) return [];
  const { format, source } = value;
  const { bytes, s3Location } = asObject(source);
  const type = `${kind === 'document' ? 'application' : kind}/${asText(format) ?? 'octet-stream'}`;
  if (asText(bytes) !== null) return makeBlob(bytes, type);
  const uri = asText(asObject(s3Location).uri);
  if (uri !== null) return makeUri(uri, { mimeType: type, modality: kind });
  return makeOther({ ...value, type: kind });
}

function readTool(tool: JsonObject): readonly JsonObject[] {
  const { toolSpec } = tool;
  if (isObject(toolSpec)) return makeTool(toolSpec.name, toolSpec.description, asObject(toolSpec.inputSchema).json);
  const [type, settings] = Object.entries(tool)[0] ?? [];
  return type === undefined || type === 'cachePoint' ? [] : [makeProviderTool(type, asObject(settings))];
}

interface Block {
  start: JsonObject;
  readonly text: string[];
  readonly reasoning: string[];
  readonly input: string[];
}

function readStream(frames: readonly JsonObject[]): readonly Message[] {
  const blocks = new ByIndex<Block>();
  const at = ({ contentBlockIndex }: JsonObject): Block =>
    blocks.at(contentBlockIndex, () => ({ start: {}, text: [], reasoning: [], input: [] }));
  let role: string | null = null;
  let reason: JsonValue = null;
  for (const { messageStart, contentBlockStart, contentBlockDelta, messageStop } of frames) {
    if (isObject(messageStart)) role = asText(messageStart.role) ?? 'assistant';
    if (isObject(contentBlockStart)) at(contentBlockStart).start = asObject(contentBlockStart.start);
    if (isObject(contentBlockDelta)) addDelta(at(contentBlockDelta), asObject(contentBlockDelta.delta));
    if (isObject(messageStop)) reason = messageStop.stopReason ?? null;
  }
  if (role === null) return [];
  const content = blocks.inOrder.flatMap(closeBlock);
  return converseContent.readReply({ output: { message: { role, content } }, stopReason: reason });
}

function addDelta(block: Block, { text, reasoningContent, toolUse }: JsonObject): void {
  block.text.push(asText(text) ?? '');
  block.reasoning.push(asText(asObject(reasoningContent).text) ?? '');
  block.input.push(asText(asObject(toolUse).input) ?? '');
}

function closeBlock({ start, text, reasoning, input }: Block): readonly JsonObject[] {
  const [said, thought, asked] = [text, reasoning, input].map((pieces) => pieces.join(''));
  if (isObject(start.toolUse)) return [{ toolUse: { ...start.toolUse, input: asked ?? '' } }];
  if (isObject(start.toolResult)) return [start];
  return [
    ...(thought ? [{ reasoningContent: { reasoningText: { text: thought } } }] : []),
    ...(said ? [{ text: said }] : []),
  ];
}
