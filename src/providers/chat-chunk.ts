import { rememberShape } from './chunk-shape.js';
import type { ReplyNotes } from './reply-notes.js';

/** Longer chunks are parsed, which bounds what the pattern may cost. */
const MAX_CHARS = 4096;

const plain = String.raw`(?:null|true|false|-?\d[\d.eE+-]*|"[^"\\]*(?:\\.[^"\\]*)*"|\[\]|\{\})`;
const inDelta = String.raw`"\w+": ?${plain}`;
const inChoice = String.raw`"(?:delta": ?\{(?:${list(inDelta)})?\}|index": ?0(?=[,}])|finish_reason": ?null|(?!(?:delta|index|finish_reason|message|usage)")\w+": ?${plain})`;
const atTop = String.raw`"(?:choices": ?\[\{${list(inChoice)}\}\]|(?:usage|error)": ?null|object": ?"chat\.completion\.chunk"|(?!(?:model|choices|usage|x_groq|error|object|type)")\w+": ?${plain})`;

/**
 * A chunk in which nothing but the model is to be noted: one choice, the first, with a delta of plain values and no
 * finish reason, and beside it plain values that are no usage and no error. Keys are spelled without escapes, and
 * there is at most one space after a colon or comma, as providers write it. It matches in one pass: about a fifth of
 * what parsing costs (measured).
 */
const furtherChunk = new RegExp(`^\\{(?:${atTop}, ?)*"model": ?"([^"\\\\]*)"(?:, ?${atTop})*\\}$`);

/**
 * Whether a chunk of a chat completion adds nothing to what was noted (`ReplyLanguage.isFurtherOutput`). Only the first
 * choice's may, since it matters which others there are, and only with the model that was noted.
 */
export const isFurtherChunk = rememberShape((data: string, notes: ReplyNotes): boolean => {
  const { model } = notes;
  if (model === null || notes.responseId === null || !notes.hasChoice(0) || data.length > MAX_CHARS) return false;
  return furtherChunk.exec(data)?.[1] === model;
});

function list(member: string): string {
  return `${member}(?:, ?${member})*`;
}
