import type { JsonValue } from '../../../core/call-record.js';
import { nameFinish } from './finish-reason.js';
import { ByIndex } from './frames.js';
import { makeBlob, makeFile, makeUri } from './media.js';
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
 * Anthropic's messages, also by Bedrock, Vertex AI and others. Source: the types `MessageCreateParams`, `Message` and
 * `RawMessageStreamEvent` of the npm package `@anthropic-ai/sdk` 1.14 (read 2026-11-27).
 */
export const anthropicContent: ContentReader = {
  readRequest: (body) => ({
    input: orNull(asObjects(body.messages).map(readMessage)),
    system: orNull(readContent(body.system)),
    tools: orNull(asObjects(body.tools).flatMap(readTool)),
  }),
  readReply: (body) => {
    if (!Array.isArray(body.content)) return [];
    return [{ ...readMessage(asAnswer(body)), finish_reason: nameFinish(body.stop_reason) }];
  },
  readStream,
};

function readMessage(message: JsonObject): Message {
  return { role: asText(message.role) ?? 'user', parts: readContent(message.content) };
}

function readContent(content: JsonValue | undefined): readonly Part[] {
  return typeof content === 'string' ? makeText(content) : asObjects(content).flatMap(readBlock);
}

function readBlock(block: JsonObject): readonly Part[] {
  const type = asText(block.type) ?? '';
  if (type === 'text') return makeText(block.text);
  if (type === 'thinking') return makeText(block.thinking, 'reasoning');
  // Its data is sealed by Anthropic, and says nothing to anybody else.
  if (type === 'redacted_thinking') return [{ type }];
  if (type === 'image' || type === 'document') return readSource(asObject(block.source), type);
  if (type === 'tool_use') return [makeToolCall(block.id, block.name, block.input)];
  if (type === 'tool_result') return [makeToolResponse(block.tool_use_id, block.content)];
  if (type === 'server_tool_use' || type === 'mcp_tool_use') {
    return [makeServerCall(block.id, asText(block.name) ?? '', { type, input: block.input ?? null })];
  }
  if (type.endsWith('_tool_result')) {
    return [makeServerResponse(block.tool_use_id, { type, content: block.content ?? null })];
  }
  return makeOther(block);
}

function readSource(source: JsonObject, modality: string): readonly Part[] {
  const { type, media_type: mimeType } = source;
  if (type === 'base64') return makeBlob(source.data, mimeType);
  if (type === 'url') return makeUri(source.url, { modality });
  if (type === 'file') return makeFile(source.file_id, modality);
  if (type === 'text') return makeText(source.data);
  return readContent(source.content);
}

/** The caller's own have a schema, Anthropic's a type with a date. */
function readTool(tool: JsonObject): readonly JsonObject[] {
  const type = asText(tool.type);
  if (type === null || type === 'custom') return makeTool(tool.name, tool.description, tool.input_schema);
  return [makeProviderTool(type, tool)];
}

interface Block {
  readonly start: JsonObject;
  /** The texts of its deltas by the member they belong to. */
  readonly texts: Map<string, string[]>;
}

const deltaMembers: Readonly<Record<string, readonly [member: string, piece: string]>> = {
  text_delta: ['text', 'text'],
  thinking_delta: ['thinking', 'thinking'],
  input_json_delta: ['input', 'partial_json'],
  compaction_delta: ['content', 'content'],
};

function readStream(frames: readonly JsonObject[]): readonly Message[] {
  const blocks = new ByIndex<Block>();
  let head: JsonObject | null = null;
  let reason: JsonValue = null;
  for (const frame of frames) {
    if (frame.type === 'message_start') head = asObject(frame.message);
    else if (frame.type === 'content_block_start') {
      blocks.at(frame.index, () => ({ start: asObject(frame.content_block), texts: new Map() }));
    } else if (frame.type === 'content_block_delta') addDelta(blocks, frame);
    else if (frame.type === 'message_delta') reason = asText(asObject(frame.delta).stop_reason) ?? reason;
  }
  if (head === null) return [];
  const content = blocks.inOrder.map(closeBlock);
  return anthropicContent.readReply({ ...head, content, stop_reason: reason });
}

function addDelta(blocks: ByIndex<Block>, frame: JsonObject): void {
  const delta = asObject(frame.delta);
  const [member, piece] = deltaMembers[asText(delta.type) ?? ''] ?? [];
  const text = asText(delta[piece ?? '']);
  if (member === undefined || text === null) return;
  const { texts } = blocks.at(frame.index, () => ({ start: { type: 'text' }, texts: new Map() }));
  const known = texts.get(member);
  if (known === undefined) texts.set(member, [text]);
  else known.push(text);
}

function closeBlock({ start, texts }: Block): JsonObject {
  const told = Object.fromEntries([...texts].map(([member, pieces]) => [member, pieces.join('')]));
  const { input } = told;
  return { ...start, ...told, ...(input !== undefined && { input: parseInput(input) }) };
}

function parseInput(text: string): JsonValue {
  try {
    const value = JSON.parse(text) as JsonValue;
    return isObject(value) ? value : text;
  } catch {
    return text;
  }
}
