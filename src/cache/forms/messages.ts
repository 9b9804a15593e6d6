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
 * Anthropic's messages. Sources: https://docs.claude.com/en/docs/build-with-claude/streaming, and the types `Message`,
 * `RawMessageStreamEvent` of the npm package `@anthropic-ai/sdk` 1.11; read 2026-11-27.
 */
export const messagesForm: OtherForm = { makeStream, makeJson };

const messageNames = ['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage'];
const silentNames = ['container', 'context_management', 'diagnostics', 'stop_details'];

/** What a block has besides its type; those of `input` or text come in pieces, the others whole with their start. */
const blockNames: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
  tool_use: ['id', 'name', 'input'],
  server_tool_use: ['id', 'name', 'input'],
  web_search_tool_result: ['tool_use_id', 'content'],
};
/** Members that come in pieces: the type of their deltas, and the name of the piece in one. */
const pieces: Readonly<Record<string, readonly [type: string, name: string]>> = {
  text: ['text_delta', 'text'],
  thinking: ['thinking_delta', 'thinking'],
  signature: ['signature_delta', 'signature'],
  input: ['input_json_delta', 'partial_json'],
};

function makeStream(reply: JsonObject): string[] {
  checkMembers(reply, messageNames, silentNames);
  const usage = requireObject(reply.usage);
  const ended = pick(reply, ['stop_reason', 'stop_sequence']);
  const start = {
    ...reply,
    ...{ content: [], stop_reason: null, stop_sequence: null },
    // None has come yet; the last event has them all.
    usage: { ...usage, output_tokens: 0 },
  };
  return [
    { type: 'message_start', message: start },
    ...requireList(reply.content).flatMap((block, index) => listBlockEvents(block, index)),
    { type: 'message_delta', delta: ended, usage },
    { type: 'message_stop' },
  ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

function listBlockEvents(block: JsonObject, index: number): (JsonObject & { readonly type: string })[] {
  const names = checkBlock(block);
  const inPieces = names.filter((name) => pieces[name] !== undefined);
  const empty = Object.fromEntries(inPieces.map((name): [string, JsonValue] => [name, name === 'input' ? {} : '']));
  const deltas = inPieces.flatMap((name) => {
    const [type = '', piece = ''] = pieces[name] ?? [];
    const value = name === 'input' ? JSON.stringify(requireObject(block.input)) : readText(block[name]);
    return value === '' ? [] : [{ type: 'content_block_delta', index, delta: { type, [piece]: value } }];
  });
  return [
    { type: 'content_block_start', index, content_block: { ...block, ...empty } },
    ...deltas,
    { type: 'content_block_stop', index },
  ];
}

function checkBlock(block: JsonObject): readonly string[] {
  const names = blockNames[readText(block.type)];
  if (names === undefined) throw new Unmakeable(readText(block.type));
  checkMembers(block, ['type', ...names], ['citations']);
  return names;
}

interface Block {
  readonly start: JsonObject;
  readonly texts: Map<string, string>;
}

class Message {
  #start: JsonObject | null = null;
  #ended: Record<string, JsonValue> = {};
  #usage: Record<string, JsonValue> = {};
  #isWhole = false;
  readonly #blocks: Block[] = [];

  add(event: JsonObject): void {
    const type = readText(event.type);
    if (type === 'ping') return;
    if (type === 'message_start') this.#begin(requireObject(event.message));
    else if (type === 'content_block_start') this.#open(requireObject(event.content_block), event.index);
    else if (type === 'content_block_delta') this.#extend(requireObject(event.delta), event.index);
    else if (type === 'message_delta') this.#end(event);
    else if (type === 'message_stop') this.#isWhole = true;
    else if (type !== 'content_block_stop') throw new Unmakeable(type);
  }

  close(): JsonObject {
    if (this.#start === null || !this.#isWhole) throw new Unmakeable('not whole');
    return {
      ...this.#start,
      content: this.#blocks.map((block) => closeBlock(block)),
      ...this.#ended,
      usage: this.#usage,
    };
  }

  #begin(message: JsonObject): void {
    checkMembers(message, messageNames, silentNames);
    if (requireList(message.content).length > 0) throw new Unmakeable('content');
    this.#start = message;
    this.#usage = { ...requireObject(message.usage) };
  }

  #open(block: JsonObject, index: JsonValue | undefined): void {
    checkBlock(block);
    if (index !== this.#blocks.length) throw new Unmakeable('index');
    this.#blocks.push({ start: block, texts: new Map() });
  }

  #extend(delta: JsonObject, index: JsonValue | undefined): void {
    const block = typeof index === 'number' ? this.#blocks[index] : undefined;
    const found = Object.entries(pieces).find(([, [type]]) => type === delta.type);
    if (block === undefined || found === undefined) throw new Unmakeable(readText(delta.type));
    const [name, [, piece]] = found;
    checkMembers(delta, ['type', piece]);
    block.texts.set(name, `${block.texts.get(name) ?? ''}${readText(delta[piece])}`);
  }

  #end(event: JsonObject): void {
    checkMembers(event, ['type', 'delta', 'usage'], silentNames);
    const delta = requireObject(event.delta);
    checkMembers(delta, ['stop_reason', 'stop_sequence'], silentNames);
    this.#ended = { ...this.#ended, ...delta };
    // Later counts are the whole ones; what is not counted again stays.
    const usage = Object.entries(requireObject(event.usage)).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(usage) };
  }
}

function makeJson(frames: readonly string[]): JsonObject {
  const message = new Message();
  for (const frame of frames) message.add(requireObject(readObject(frame)));
  return message.close();
}

function closeBlock({ start, texts }: Block): JsonObject {
  const whole = [...texts].map(([name, text]): [string, JsonValue] => {
    if (name !== 'input') return [name, `${readText(start[name])}${text}`];
    return [name, text === '' ? (start.input ?? {}) : requireObject(readObject(text))];
  });
  return { ...start, ...Object.fromEntries(whole) };
}
