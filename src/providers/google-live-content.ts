import type { JsonValue } from '../core/call-record.js';
import { findField, findText, isJsonObject, type JsonObject } from './json-fields.js';

/**
 * What the client's part of a turn of Gemini Live is in. Google reads its names in either spelling
 * (https://protobuf.dev/programming-guides/json/), and its package for Python writes `client_content`, `realtime_input`,
 * `tool_response` (`google/genai/live.py` of https://github.com/googleapis/python-genai; read 2026-11-27).
 */
const CONTENT = ['clientContent', 'realtimeInput', 'toolResponse'] as const;

/** Whether the client's message is a part of a turn. */
export function holdsContent(document: JsonObject): boolean {
  return CONTENT.some((name) => findSaid(document, name) !== undefined);
}

/** What a client says by this name, in either spelling. */
function findSaid(document: JsonObject | undefined, name: string): JsonValue | undefined {
  const spelt = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return findField(document, name) ?? findField(document, spelt);
}

function findSaidObject(document: JsonObject, name: string): JsonObject | undefined {
  const said = findSaid(document, name);
  return isJsonObject(said) ? said : undefined;
}

/** Sound and pictures are counted, not kept. */
export function isMedia(document: JsonObject): boolean {
  return (
    findSaid(document, 'realtimeInput') !== undefined &&
    findText(findSaidObject(document, 'realtimeInput'), 'text') === undefined
  );
}

/** By more than an open microphone. */
export function asksForAnswer(document: JsonObject): boolean {
  if (findSaid(document, 'toolResponse') !== undefined) return true;
  const content = findSaidObject(document, 'clientContent');
  if (content !== undefined) return findSaid(content, 'turnComplete') === true;
  const input = findSaidObject(document, 'realtimeInput');
  return ['text', 'activityEnd', 'audioStreamEnd'].some((name) => findSaid(input, name) !== undefined);
}
