import type { JsonValue } from '../../../core/call-record.js';
import { ByIndex } from './frames.js';
import { asObject, asText, isObject, type JsonObject } from './message.js';

interface Item {
  said: JsonObject;
  /** Texts by where they belong: the list and the place in it, or a member. */
  readonly pieces: Map<string, string[]>;
  isDone: boolean;
}

/** Where the text of a delta belongs. */
const places: Readonly<Record<string, readonly [list: 'content' | 'summary', type: string, member: string]>> = {
  'response.output_text.delta': ['content', 'output_text', 'text'],
  'response.refusal.delta': ['content', 'refusal', 'refusal'],
  'response.reasoning_text.delta': ['content', 'reasoning_text', 'text'],
  'response.reasoning_summary_text.delta': ['summary', 'summary_text', 'text'],
};
const members: Readonly<Record<string, string>> = {
  'response.function_call_arguments.delta': 'arguments',
  'response.custom_tool_call_input.delta': 'input',
};
const lastEvents = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** The events of a response, as the response: the last event tells it whole; one that was cut is put together of its pieces. */
export class ResponseItems {
  readonly #items = new ByIndex<Item>();
  #last: JsonObject | null = null;

  add(event: JsonObject): void {
    const type = asText(event.type) ?? '';
    if (lastEvents.has(type) && isObject(event.response)) this.#last = event.response;
    if (type === 'response.output_item.added' || type === 'response.output_item.done') {
      const item = this.#at(event);
      item.said = asObject(event.item);
      item.isDone = type.endsWith('.done');
    }
    const text = asText(event.delta);
    if (text !== null) this.#addText(event, type, text);
  }

  close(): JsonObject {
    const output = this.#items.inOrder.map(closeItem);
    if (this.#last === null) return { status: 'in_progress', output };
    // What fails tells its error, and not always what it had said.
    return Array.isArray(this.#last.output) && this.#last.output.length > 0 ? this.#last : { ...this.#last, output };
  }

  #at(event: JsonObject): Item {
    return this.#items.at(event.output_index, () => ({ said: {}, pieces: new Map(), isDone: false }));
  }

  #addText(event: JsonObject, type: string, text: string): void {
    const [list] = places[type] ?? [];
    const member = members[type];
    if (list === undefined && member === undefined) return;
    const index = list === 'summary' ? event.summary_index : event.content_index;
    const place = list === undefined ? (member ?? '') : `${type}|${typeof index === 'number' ? index : 0}`;
    const { pieces } = this.#at(event);
    const known = pieces.get(place);
    if (known === undefined) pieces.set(place, [text]);
    else known.push(text);
  }
}

function closeItem({ said, pieces, isDone }: Item): JsonObject {
  if (isDone) return said;
  const lists: Record<string, JsonValue[]> = {};
  const texts: Record<string, JsonValue> = {};
  for (const [place, text] of pieces) {
    const [list, type, member] = places[place.split('|')[0] ?? ''] ?? [];
    if (list === undefined) texts[place] = text.join('');
    else lists[list] = [...(lists[list] ?? []), { type: type ?? '', [member ?? 'text']: text.join('') }];
  }
  return { ...said, ...lists, ...texts };
}
