import type { JsonValue } from '../core/call-record.js';
import type { UsageDetails } from '../core/usage.js';
import type { ReplyFacts } from '../core/wire.js';
import type { ChunkShape } from './chunk-shape.js';
import { describeKind, isJsonObject } from './json-fields.js';
import { OutputWatch } from './output-times.js';
import { TokenCounts } from './token-counts.js';

const MAX_NAME_CHARS = 256;
const MAX_TOOL_CALLS = 1000;
const MAX_CHOICES = 256;
/** Tools run by the provider in one call; agents that search for minutes run some hundred. */
const MAX_COUNTED = 4096;

interface ToolCall {
  readonly choice: number;
  readonly key: string;
  readonly id: string | null;
  readonly name: string;
}

/**
 * What a dialect notes while it reads the documents of one reply, in bounded memory: a JSON reply is one document,
 * a stream many. Noting the same fact again is harmless, so one reader serves both.
 */
export class ReplyNotes {
  /** Counts under the provider's own names. */
  readonly counts = new TokenCounts();
  /** What stood where the usage object was expected, when it was none. */
  badUsage: string | null = null;
  /** The first error a document stated. */
  error: ReplyFacts['error'] = null;
  /** The reply's own word for why its usage is not there yet (`queued`). */
  pending: string | null = null;
  #serviceTier: string | null = null;
  #reportedUsd: number | null = null;
  #model: string | null = null;
  #responseId: string | null = null;
  #firstTokenAtMs: number | null = null;
  #settled = false;
  #ended = false;
  readonly #amounts: { -readonly [K in keyof UsageDetails]: UsageDetails[K] } = {};
  readonly #counted = new Set<string>();
  readonly #choices = new Set<number>();
  readonly #finishReasons = new Map<number, string>();
  readonly #toolCalls: ToolCall[] = [];
  readonly #lastOfKey = new Map<string, number>();

  /** Of the last chunk in which there was nothing to note, for its dialect to know the next by. */
  chunkShape: ChunkShape | null = null;
  /** The time at which what is read now arrived. */
  atMs = 0;
  #hasPiece = false;
  /** When pieces of output came. */
  readonly watch = new OutputWatch();

  get model(): string | null {
    return this.#model;
  }

  get serviceTier(): string | null {
    return this.#serviceTier;
  }

  /** US dollars. */
  get reportedUsd(): number | null {
    return this.#reportedUsd;
  }

  get responseId(): string | null {
    return this.#responseId;
  }

  get firstTokenAtMs(): number | null {
    return this.#firstTokenAtMs;
  }

  /**
   * Whether the counts seen last are final, not running ones. The finish of the only choice makes them so. Where there
   * are several, only the end does, or usage stated apart from them: choices may come one after the other.
   */
  get settled(): boolean {
    return this.#settled || this.#ended || (this.#choices.size === 1 && this.isFinished);
  }

  /** Whether there were choices, and each of them ended. */
  get isFinished(): boolean {
    return this.#choices.size > 0 && this.#choices.size === this.#finishReasons.size;
  }

  /** Whether the dialect's own end was seen. */
  get ended(): boolean {
    return this.#ended;
  }

  /** By choice. */
  get finishReasons(): readonly string[] {
    return [...this.#finishReasons].sort(([a], [b]) => a - b).map(([, reason]) => reason);
  }

  /** By choice, within a choice in the order of the wire. */
  get toolCalls(): readonly string[] {
    return [...this.#toolCalls].sort((a, b) => a.choice - b.choice).map((call) => call.name);
  }

  /** The last model named wins. */
  noteModel(value: JsonValue | undefined): void {
    if (typeof value === 'string' && value !== '') this.#model = value.slice(0, MAX_NAME_CHARS);
  }

  /** The last tier named wins: what was asked for may be named before the one that served. */
  noteServiceTier(value: JsonValue | undefined): void {
    if (typeof value === 'string' && value !== '') this.#serviceTier = value.slice(0, MAX_NAME_CHARS);
  }

  /** The cost in US dollars a reply states of itself; what is stated last wins. */
  noteReportedUsd(value: JsonValue | undefined): void {
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) this.#reportedUsd = value;
  }

  /** The first id wins. */
  noteResponseId(value: JsonValue | undefined): void {
    if (typeof value === 'string' && value !== '') this.#responseId ??= value.slice(0, MAX_NAME_CHARS);
  }

  /** Whether this choice was noted. */
  hasChoice(choice: number): boolean {
    return this.#choices.has(choice);
  }

  /** Notes that there is this choice. One more than can finish is kept, so that too many are never all finished. */
  noteChoice(choice: number): void {
    if (this.#choices.size <= MAX_CHOICES) this.#choices.add(choice);
  }

  /** Notes why a choice ended; what it was noted with last wins. */
  noteFinish(choice: number, value: JsonValue | undefined): void {
    if (typeof value !== 'string' || value === '') return;
    this.noteChoice(choice);
    if (this.#finishReasons.size < MAX_CHOICES || this.#finishReasons.has(choice))
      this.#finishReasons.set(choice, value.slice(0, MAX_NAME_CHARS));
  }

  /**
   * Notes a tool call by where it stands. Pieces of one call share choice and key; a piece without a name, or one
   * that repeats it, adds nothing. Another id at the same place is another call: some servers give all of them
   * index 0.
   */
  noteToolCall(place: { choice: number; key: string; id?: string | undefined }, name: JsonValue | undefined): void {
    if (typeof name !== 'string' || name === '' || this.#toolCalls.length >= MAX_TOOL_CALLS) return;
    const key = `${place.choice}/${place.key}`;
    const last = this.#toolCalls[this.#lastOfKey.get(key) ?? -1];
    const id = place.id ?? null;
    if (last !== undefined && (id === null || last.id === null || id === last.id)) return;
    this.#lastOfKey.set(key, this.#toolCalls.length);
    this.#toolCalls.push({ choice: place.choice, key, id, name: name.slice(0, MAX_NAME_CHARS) });
  }

  /** How many tool calls were noted: a key for calls that have no place of their own. */
  get toolCallCount(): number {
    return this.#toolCalls.length;
  }

  /** Notes the counts of a usage object; `undefined` and `null` say nothing. */
  noteUsage(usage: JsonValue | undefined, names: readonly string[]): void {
    if (usage === undefined || usage === null) return;
    if (isJsonObject(usage)) this.counts.note(usage, names);
    else this.badUsage = describeKind(usage);
  }

  /** A document begins: what it holds of output is one piece. */
  beginDocument(): void {
    this.#hasPiece = false;
  }

  /** What usage is besides tokens, where it is no whole number or stands outside of a usage object; the last stated wins. */
  noteAmount(detail: keyof UsageDetails, value: JsonValue | undefined): void {
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) this.#amounts[detail] = value;
  }

  /** Counts one of a thing, however often it is noted at the same place. */
  noteOneAt(detail: keyof UsageDetails, place: number): void {
    const key = `${detail} ${place}`;
    if (this.#counted.has(key) || this.#counted.size >= MAX_COUNTED) return;
    this.#counted.add(key);
    this.noteAmount(detail, this.findAmount(detail) + 1);
  }

  /** 0 when none was noted. */
  findAmount(detail: keyof UsageDetails): number {
    return this.#amounts[detail] ?? 0;
  }

  get amounts(): UsageDetails {
    return this.#amounts;
  }

  /** A piece of model output passed. */
  noteOutput(): void {
    this.#firstTokenAtMs ??= this.atMs;
    if (this.#hasPiece) return;
    this.#hasPiece = true;
    this.watch.note(this.atMs);
  }

  /** The counts noted by now are final ones. */
  noteSettled(): void {
    this.#settled = true;
  }

  /** The dialect's own end passed; `false` takes back what was held for it, since more came. */
  noteEnd(isEnd = true): void {
    this.#ended = isEnd;
  }
}
