import type { JsonValue } from '../core/call-record.js';
import { describeMedia, isMedia, readMediaType, replaceDataUrls } from './redaction-media.js';
import { isValueSecret, readKind } from './redaction-named.js';
import { findExact, makeMask, maskSpans, mergeSpans, redactPlain } from './redaction-spans.js';
import type { SecretSet } from './secrets.js';
import { readNameStrength } from './secrets-names.js';

/** A string of a frame that is a piece of a longer text told over several frames. */
export interface Piece {
  /** The same for all pieces of one text. */
  readonly channel: string;
  /** Of the member that holds it. */
  readonly name: string;
  readonly original: string;
  /** Puts another text in its place. */
  readonly replace: (text: string) => void;
}

export interface JsonRedaction {
  readonly secrets: SecretSet;
  /** Whether inline media stays. */
  readonly keepsMedia: boolean;
  /** Told of every piece, when the value is a frame of a stream. */
  readonly onPiece?: (piece: Piece) => void;
}

/** Deeper than any dialect goes, and far above what the stack of `JSON.stringify` bears. */
const maxDepth = 200;
const tooDeep = '[nested too deeply to be kept]';

/** Shorter strings hold neither a secret nor the name of one with its value. */
const minTextLength = 6;

/** Members whose strings continue from frame to frame in the dialects' streams. */
const pieceMembers = new Set([
  ...['content', 'text', 'arguments', 'partial_json', 'thinking', 'delta', 'reasoning', 'reasoning_content', 'refusal'],
  ...['input', 'output', 'transcript', 'code', 'response', 'completion', 'summary'],
  // Told anew in each frame (OpenAI, ollama): read with the others, so that it does not make each frame another.
  ...['obfuscation', 'created_at'],
]);

const maxCleanNames = 1000;

type Holder = Record<string, unknown> | unknown[];

/** Redacts a value that `JSON.parse` gave and nobody else holds, in place. */
export class JsonRedactor {
  readonly #redaction: JsonRedaction;
  readonly #path: (string | number)[] = [];
  /** Names of members already looked at: the same few stand in every frame. */
  readonly #cleanNames = new Set<string>();
  #frame: unknown = null;
  /** Whether anything was replaced since the last `redact` began. */
  changed = false;

  constructor(redaction: JsonRedaction) {
    this.#redaction = redaction;
  }

  redact(value: JsonValue): JsonValue {
    this.changed = false;
    this.#frame = value;
    if (typeof value === 'string') return this.#redactText(value);
    if (typeof value === 'object' && value !== null) this.#walk(value as Holder);
    return value;
  }

  #walk(holder: Holder): void {
    if (Array.isArray(holder)) {
      for (let i = 0; i < holder.length; i++) this.#visit(holder, i, '');
      return;
    }
    for (const name of Object.keys(holder)) this.#visit(holder, name, name);
  }

  #visit(holder: Holder, at: string | number, name: string): void {
    const value: unknown = Array.isArray(holder) ? holder[Number(at)] : holder[at];
    if (typeof value === 'string') {
      if (value.length >= minTextLength || name !== '') this.#visitText(holder, at, value);
    } else if (typeof value === 'object' && value !== null) {
      if (this.#path.length >= maxDepth) return this.#put(holder, at, tooDeep);
      this.#path.push(Array.isArray(holder) ? readPlace(value, Number(at)) : at);
      if (Array.isArray(value) && name !== '') this.#maskList(value, name);
      this.#walk(value as Holder);
      this.#path.pop();
    }
    if (name.length >= minTextLength) this.#renameSecret(holder, name);
  }

  #visitText(holder: Holder, at: string | number, value: string): void {
    const name = typeof at === 'string' ? at : '';
    const { onPiece, secrets, keepsMedia } = this.#redaction;
    const strength = name === '' ? null : readNameStrength(name);
    if (strength !== null && isValueSecret(value, strength)) return this.#put(holder, at, makeMask(readKind(name)));
    if (value.length < minTextLength && onPiece === undefined) return;
    if (isMedia(name, value) && !Array.isArray(holder)) {
      const kept = keepsMedia
        ? maskSpans(value, mergeSpans(findExact(value, secrets)))
        : describeMedia(readMediaType(holder), value);
      return this.#put(holder, at, kept);
    }
    if (onPiece !== undefined && pieceMembers.has(name)) this.#offer(onPiece, { holder, at, value });
    this.#put(holder, at, this.#redactText(value));
  }

  #offer(onPiece: (piece: Piece) => void, found: { holder: Holder; at: string | number; value: string }): void {
    const channel = `${readDiscriminators(this.#frame)}/${this.#path.join('/')}/${found.at}`;
    onPiece({
      channel,
      name: String(found.at),
      original: found.value,
      replace: (text) => this.#put(found.holder, found.at, text),
    });
  }

  #maskList(list: unknown[], name: string): void {
    const strength = readNameStrength(name);
    if (strength === null) return;
    for (const [i, item] of list.entries()) {
      if (typeof item === 'string' && isValueSecret(item, strength)) this.#put(list, i, makeMask(readKind(name)));
    }
  }

  /** A secret may also be the name of a member. */
  #renameSecret(holder: Holder, name: string): void {
    if (Array.isArray(holder) || this.#cleanNames.has(name)) return;
    const kept = redactPlain(name, this.#redaction.secrets);
    if (kept === name) {
      if (this.#cleanNames.size < maxCleanNames) this.#cleanNames.add(name);
      return;
    }
    this.#put(holder, kept, holder[name]);
    delete holder[name];
  }

  #redactText(text: string): string {
    const { secrets, keepsMedia } = this.#redaction;
    const kept = redactPlain(keepsMedia ? text : replaceDataUrls(text), secrets);
    if (kept !== text) this.changed = true;
    return kept;
  }

  #put(holder: Holder, at: string | number, value: unknown): void {
    const before: unknown = Array.isArray(holder) ? holder[Number(at)] : holder[at];
    if (before === value) return;
    this.changed = true;
    if (Array.isArray(holder)) holder[Number(at)] = value;
    // NOTE: plain assignment to `__proto__` would set the prototype instead of the member that JSON.parse made.
    else Object.defineProperty(holder, at, { value, writable: true, enumerable: true, configurable: true });
  }
}

/** Where an item stands in its list: what it says of itself, for a frame holds only the items it changes. */
function readPlace(item: object, at: number): number {
  return 'index' in item && typeof item.index === 'number' ? item.index : at;
}

const discriminators = ['type', 'index', 'output_index', 'content_index', 'summary_index', 'item_id'] as const;

/** What tells the frames of one text from those of another that is told at the same time. */
function readDiscriminators(frame: unknown): string {
  if (typeof frame !== 'object' || frame === null) return '';
  const members = frame as Readonly<Record<string, unknown>>;
  let said = '';
  for (const name of discriminators) {
    const value = members[name];
    said += typeof value === 'string' || typeof value === 'number' ? `|${value}` : '|';
  }
  return said;
}
