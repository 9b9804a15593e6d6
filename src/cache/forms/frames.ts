import type { JsonValue } from '../../core/call-record.js';
import { isObject, type JsonObject, readExactObject } from '../canonical-json.js';

/** How one API's reply is made in its other form. `null`, each, for what cannot be without losing or inventing a part. */
export interface OtherForm {
  /** The events of a stream, each as it is sent. @param usage whether the stream was asked to state its usage */
  readonly makeStream: (reply: JsonObject, usage: boolean) => readonly string[] | null;
  readonly makeJson: (frames: readonly string[]) => JsonObject | null;
}

/** The data of each event of a whole stream. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, read 2026-11-27. */
export function readFrames(text: string): string[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  const frames: string[] = [];
  let data: string[] = [];
  for (const line of lines) {
    if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
    if (line !== '' || data.length === 0) continue;
    frames.push(data.join('\n'));
    data = [];
  }
  return data.length === 0 ? frames : [...frames, data.join('\n')];
}

export function readObject(text: string): JsonObject | undefined {
  return readExactObject(Buffer.from(text));
}

/** Thrown for a part that has no place in the other form; caught where the form is made. */
export class Unmakeable extends Error {}

/** Refuses members nobody here knows the meaning of; those that may be there are so only while they say nothing. */
export function checkMembers(value: JsonObject, known: readonly string[], silent: readonly string[] = []): void {
  for (const [name, member] of Object.entries(value)) {
    if (known.includes(name) || (silent.includes(name) && saysNothing(member))) continue;
    throw new Unmakeable(name);
  }
}

export function requireObject(value: JsonValue | undefined): JsonObject {
  if (isObject(value)) return value;
  throw new Unmakeable('no object');
}

export function requireList(value: JsonValue | undefined): readonly JsonObject[] {
  if (!Array.isArray(value)) throw new Unmakeable('no list');
  return value.map((item: JsonValue) => requireObject(item));
}

/** `''` for what is absent or `null`. */
export function readText(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  throw new Unmakeable('no text');
}

/** The named members that are there. */
export function pick(value: JsonObject, names: readonly string[]): Record<string, JsonValue> {
  const picked: Record<string, JsonValue> = {};
  for (const name of names) if (value[name] !== undefined) picked[name] = value[name];
  return picked;
}

function saysNothing(value: JsonValue): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}
