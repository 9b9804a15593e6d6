import type { JsonValue } from '../../../core/call-record.js';
import { ByIndex } from './frames.js';
import { asObject, asObjects, asText, isObject, type JsonObject } from './message.js';

/** Members whose texts come in pieces. */
const textNames = ['content', 'reasoning_content', 'reasoning', 'refusal', 'tool_plan'] as const;

interface Call {
  id: JsonValue;
  name: JsonValue;
  readonly input: string[];
}

/** A message that comes in pieces, until it is as if it had come whole. */
export class ChatMessage {
  readonly #texts = new Map<string, string[]>();
  readonly #chunks: { readonly type: 'text' | 'thinking'; readonly text: string[] }[] = [];
  readonly #others: JsonObject[] = [];
  readonly #calls = new ByIndex<Call>();
  readonly #transcript: string[] = [];
  #audioId: JsonValue = null;
  #role: JsonValue = 'assistant';
  #reason: JsonValue = null;

  /** One piece of a choice: `{ delta, finish_reason }`. */
  add({ delta, finish_reason: reason }: JsonObject): void {
    const said = asObject(delta);
    const { id: audioId, transcript } = asObject(said.audio);
    this.#role = asText(said.role) ?? this.#role;
    this.#reason = asText(reason) ?? this.#reason;
    this.#audioId = asText(audioId) ?? this.#audioId;
    this.#transcript.push(asText(transcript) ?? '');
    for (const name of textNames) this.#addText(name, said[name]);
    for (const chunk of asObjects(said.content)) this.addChunk(chunk);
    for (const call of asObjects(said.tool_calls)) this.addCall(call.index, call);
    if (isObject(said.function_call)) this.addCall(0, { function: said.function_call });
  }

  /** A piece of a content that is a list: it goes on with the last, where that is of its type. */
  addChunk(chunk: JsonObject): void {
    const { type } = chunk;
    if (type !== 'text' && type !== 'thinking') {
      this.#others.push(chunk);
      return;
    }
    const text = type === 'text' ? (asText(chunk.text) ?? '') : joinThinking(chunk.thinking);
    const last = this.#chunks.at(-1);
    if (last?.type === type) last.text.push(text);
    else this.#chunks.push({ type, text: [text] });
  }

  /** @param index where there is none, an id begins another call */
  addCall(index: JsonValue | undefined, call: JsonObject): void {
    const { name, input } = readNamed(call);
    const id = asText(call.id);
    const place = index ?? (id === null ? undefined : this.#calls.next);
    const known = this.#calls.at(place, () => ({ id: null, name: '', input: [] }));
    known.id = id ?? known.id;
    known.name = asText(name) ?? known.name;
    known.input.push(isObject(input) ? JSON.stringify(input) : (asText(input) ?? ''));
  }

  #addText(name: string, value: JsonValue | undefined): void {
    const text = asText(value);
    if (text === null) return;
    const known = this.#texts.get(name);
    if (known === undefined) this.#texts.set(name, [text]);
    else known.push(text);
  }

  /** As a choice of a whole reply: `{ message, finish_reason }`. */
  close(): JsonObject {
    const texts: JsonObject = Object.fromEntries([...this.#texts].map(([name, pieces]) => [name, pieces.join('')]));
    const chunks = this.#chunks.map(({ type, text }) => ({ type, [type]: text.join('') }));
    const list = [...chunks, ...this.#others];
    const message = {
      ...texts,
      role: this.#role,
      ...(list.length > 0 && { content: [{ type: 'text', text: texts.content ?? '' }, ...list] }),
      tool_calls: this.#calls.inOrder.map(({ id, name, input }) => ({
        id,
        function: { name, arguments: input.join('') },
      })),
      audio: { id: this.#audioId, transcript: this.#transcript.join('') },
    };
    return { message, finish_reason: this.#reason };
  }
}

/** The thinking of a chunk: Mistral's is a list of texts, Cohere's a text. */
export function joinThinking(thinking: JsonValue | undefined): string {
  if (typeof thinking === 'string') return thinking;
  return asObjects(thinking)
    .map((chunk) => asText(chunk.text) ?? '')
    .join('');
}

/** The name and the arguments of a call, or of a piece of one: OpenAI has two kinds. */
export function readNamed(call: JsonObject): { readonly name?: JsonValue; readonly input?: JsonValue } {
  const { name = null, arguments: given, input = given } = asObject(call.custom ?? call.function);
  return { name, input: input ?? null };
}
