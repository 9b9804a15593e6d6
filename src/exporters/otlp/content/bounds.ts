import type { JsonValue } from '../../../core/call-record.js';
import type { JsonObject, Message } from './message.js';
import type { CallContent } from './read-content.js';

/** Characters of one text of a message. */
const mostOfText = 32 * 1024;
/** Characters of one attribute, as JSON. */
const mostOfAttribute = 256 * 1024;

/**
 * What a collector will take: a text of more than 32,768 characters loses its end, an attribute of more than 262,144 its oldest
 * messages, or of what was answered and of tools the last. `truncated` names the attributes that lost something.
 */
export function boundContent(content: CallContent): CallContent {
  const truncated = new Set(content.truncated);
  const bound = <Item extends JsonObject>(
    attribute: string,
    items: readonly Item[] | null,
    keep: (items: readonly Item[]) => readonly Item[],
  ): readonly Item[] | null => {
    if (items === null) return null;
    const cutter = new Cutter();
    const short = items.map((item) => cutter.cut(item) as Item);
    const kept = keep(short);
    if (cutter.didCut || kept !== short) truncated.add(attribute);
    return kept;
  };
  return {
    input: bound('gen_ai.input.messages', content.input, (items: readonly Message[]) => keepLast(items)),
    system: bound('gen_ai.system_instructions', content.system, keepFirst),
    tools: bound('gen_ai.tool.definitions', content.tools, keepFirst),
    output: bound('gen_ai.output.messages', content.output, keepFirst),
    truncated: [...truncated],
  };
}

function keepFirst<Item extends JsonObject>(items: readonly Item[]): readonly Item[] {
  let room = mostOfAttribute;
  const end = items.findIndex((item) => {
    room -= JSON.stringify(item).length + 1;
    return room < 0;
  });
  if (end === -1) return items;
  return end > 0 || items[0] === undefined ? items.slice(0, end) : keepSome(items[0]);
}

function keepLast<Item extends JsonObject>(items: readonly Item[]): readonly Item[] {
  const turned = items.toReversed();
  const kept = keepFirst(turned);
  return kept === turned ? items : kept.toReversed();
}

/** Of a message that alone is too much, the parts there is room for. */
function keepSome<Item extends JsonObject>(item: Item): readonly Item[] {
  const { parts } = item;
  return Array.isArray(parts) ? [{ ...item, parts: keepFirst(parts as readonly JsonObject[]) }] : [];
}

/** Copies a value, its long texts without their ends. */
class Cutter {
  didCut = false;

  cut(value: JsonValue): JsonValue {
    if (typeof value === 'string') return this.#cutText(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item: JsonValue) => this.cut(item));
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.cut(member)]));
  }

  /** Half a character, which JSON can escape and UTF-8 cannot write, becomes U+FFFD: collectors differ in what they make of it. */
  #cutText(text: string): string {
    if (text.length <= mostOfText) return text.toWellFormed();
    this.didCut = true;
    // Not in the middle of a character of two units.
    const end = /[\ud800-\udbff]/.test(text[mostOfText - 1] ?? '') ? mostOfText - 1 : mostOfText;
    return `${text.slice(0, end).toWellFormed()}[cut: ${end} of ${text.length} characters]`;
  }
}
