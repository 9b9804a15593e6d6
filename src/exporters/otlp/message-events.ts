import type { CallRecord, JsonValue } from '../../core/call-record.js';
import type { JsonObject, Message, Part } from './content/message.js';
import { readContent } from './content/read-content.js';

/** One event of the older conventions. */
export interface MessageEvent {
  readonly name: string;
  readonly body: JsonObject;
  readonly isAnswer: boolean;
}

const names: Readonly<Record<string, string>> = {
  system: 'gen_ai.system.message',
  developer: 'gen_ai.system.message',
  assistant: 'gen_ai.assistant.message',
  tool: 'gen_ai.tool.message',
};

/**
 * What was said as the events of older conventions: one a message, the last `gen_ai.choice`, one a choice. What they have no
 * place for, reasoning and tool definitions, is left out. Source: model/gen-ai/events.yaml of
 * https://github.com/open-telemetry/semantic-conventions before v1.37, read as stored copies 2026-11-27; that a choice's tool
 * calls stand in its message: opentelemetry-instrumentation-openai-v2, Elastic's instrumentation for Node.
 */
export function listMessageEvents(record: CallRecord): readonly MessageEvent[] {
  const content = readContent(record);
  if (content === null) return [];
  const { system, input, output } = content;
  const instructions = system === null ? [] : [{ role: 'system', parts: system }];
  return [
    ...[...instructions, ...(input ?? [])].flatMap(listAsked),
    ...(output ?? []).map((message, index) => makeChoice(message, index)),
  ];
}

/** The results of tools have events of their own, whosever message they stood in. */
function listAsked({ role, parts }: Message): readonly MessageEvent[] {
  const results = parts.filter(({ type }) => type === 'tool_call_response');
  const rest = parts.filter(({ type }) => type !== 'tool_call_response' && type !== 'reasoning');
  const name = names[role] ?? 'gen_ai.user.message';
  const spoken = { role, ...describeParts(rest) };
  return [
    ...results.map(({ id = null, response = null }) => ({
      ...{ name: 'gen_ai.tool.message', isAnswer: false },
      body: { role: 'tool', id, content: response },
    })),
    ...(rest.length === 0 ? [] : [{ name, body: spoken, isAnswer: false }]),
  ];
}

function makeChoice({ role, parts, finish_reason: reason = 'error' }: Message, index: number): MessageEvent {
  const message = { role, ...describeParts(parts.filter(({ type }) => type !== 'reasoning')) };
  return { name: 'gen_ai.choice', isAnswer: true, body: { index, finish_reason: reason, message } };
}

/** Text alone is one text; else the parts are told as they are. */
function describeParts(parts: readonly Part[]): { readonly content?: JsonValue; readonly tool_calls?: JsonValue } {
  const calls = parts.filter(({ type }) => type === 'tool_call');
  const others = parts.filter(({ type }) => type !== 'tool_call');
  const isText = others.every(({ type }) => type === 'text');
  const text = others.map(({ content }) => (typeof content === 'string' ? content : '')).join('');
  return {
    ...(others.length > 0 && { content: isText ? text : others }),
    ...(calls.length > 0 && { tool_calls: calls.map(describeCall) }),
  };
}

function describeCall({ id = null, name = null, arguments: input = null }: Part): JsonObject {
  return { id, type: 'function', function: { name, arguments: input } };
}
