import type { JsonObject } from '../canonical-json.js';
import { type OtherForm, readObject, readText, requireObject, Unmakeable } from './frames.js';

/**
 * OpenAI's responses: the last event of a stream has the whole reply. A stream is not made: its events number and name parts
 * that a whole reply does not. Source: the type `ResponseStreamEvent` of the npm package `openai` 6.49, read 2026-11-27.
 */
export const responsesForm: OtherForm = { makeStream: () => null, makeJson };

function makeJson(frames: readonly string[]): JsonObject {
  for (const frame of [...frames].reverse()) {
    if (frame === '[DONE]') continue;
    const event = requireObject(readObject(frame));
    const type = readText(event.type);
    if (type === 'response.completed' || type === 'response.incomplete') return requireObject(event.response);
    break;
  }
  throw new Unmakeable('not whole');
}
