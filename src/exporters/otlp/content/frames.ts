import type { JsonValue } from '../../../core/call-record.js';
import { isObject, type JsonObject } from './message.js';

/**
 * The objects of a stream, of a reply as a record keeps it: a list (Gemini without `alt=sse`), or text of server-sent events,
 * or of a JSON value a line (NDJSON; AWS event streams and WebSockets are kept so). Lines that are none, and the end of what
 * was cut, are passed over.
 */
export function readFrames(body: JsonValue): readonly JsonObject[] {
  if (Array.isArray(body)) return body.filter((frame: JsonValue) => isObject(frame));
  if (typeof body !== 'string') return [];
  const frames: JsonObject[] = [];
  let data: string[] = [];
  const flush = (): void => {
    const frame = data.length === 0 ? undefined : parse(data.join('\n'));
    if (isObject(frame)) frames.push(frame);
    data = [];
  };
  for (const line of body.split(/\r\n|\n|\r/)) {
    if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
    else if (line === '') flush();
    else if (line.startsWith('{')) {
      const frame = parse(line);
      if (isObject(frame)) frames.push(frame);
    }
  }
  flush();
  return frames;
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** Values by the index that frames give them, in the order of the index. */
export class ByIndex<T> {
  readonly #items = new Map<number, T>();
  #last = 0;
  #next = 0;

  /** What an index that is not said may mean: one more than there are. */
  get next(): number {
    return this.#next;
  }

  /** @param index what is no number goes to the one that was asked for last */
  at(index: JsonValue | undefined, make: () => T): T {
    const key = typeof index === 'number' ? index : this.#last;
    this.#last = key;
    const known = this.#items.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#items.set(key, made);
    this.#next = Math.max(this.#next, key + 1);
    return made;
  }

  get inOrder(): readonly T[] {
    return [...this.#items].sort(([a], [b]) => a - b).map(([, item]) => item);
  }
}
