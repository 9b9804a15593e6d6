import type { Usage } from '../core/usage.js';
import type { ReplyHead } from '../core/wire.js';
import type { JsonObject } from './json-fields.js';
import type { ReplyNotes } from './reply-notes.js';
import type { TokenCounts } from './token-counts.js';
import type { DetailNames } from './usage-details.js';

/** Names of counts that make up input and output. */
export interface UsageSources {
  readonly input: readonly string[];
  readonly output: readonly string[];
}

/**
 * How the replies of one API are understood, apart from how they are framed. The JSON reply is one document; in a
 * stream every frame is one. The same function reads both, so that the same answer gives the same numbers.
 */
export interface ReplyLanguage {
  /** What is looked for, for `usageProblem`: `usage.prompt_tokens and usage.completion_tokens`. */
  readonly lookedFor: string;
  /** A clause for `usageProblem` when a whole stream carried no usage; `null` when there is nothing to add. */
  readonly streamHint: string | null;
  /** For an API whose replies state no output tokens: the clause that says so. */
  readonly noOutput: string | null;
  /** For an API whose replies may count something else instead of tokens, or nothing: the clause that says so. */
  readonly noTokens?: string;
  /** For an API whose replies are not searched for usage: the clause that says why. */
  readonly noUsage?: string;
  /** For an API whose counts may contradict each other: the clause that says how; `undefined` when they do not. */
  readonly explainUnclear?: (counts: TokenCounts) => string | undefined;
  /** Whether a stream comes as JSON values, one to a line. */
  readonly streamsLines?: boolean;
  /** The counts, by the provider's names, without which input or output is unknown, as `makeUsage` takes them. */
  listSources(counts: TokenCounts): UsageSources;
  /** Notes what the head of the reply says, before its body. */
  readonly readHead?: (head: ReplyHead, notes: ReplyNotes) => void;
  /** Notes what one document says. Fields it does not know or whose type is wrong are passed over. */
  readDocument(document: JsonObject, notes: ReplyNotes): void;
  /**
   * Whether an event's text, unparsed, can only be a further piece of output, which would add nothing to `notes`, in
   * which a first one was noted. Most of a stream is that, and parsing it costs most of reading it. When in doubt,
   * `false`. Not asked in replies whose status is an error's, nor for events named `error`.
   *
   * NOTE: inside of a JSON text a quote has a backslash before it, so that no text can pass for a key (`"key"`). Keys
   * may be spelled with escapes by number (`\u0065`), by which none must be overlooked.
   * The text is not checked to be JSON.
   */
  readonly isFurtherOutput?: (data: string, notes: ReplyNotes) => boolean;
  /** The counts in the vocabulary of `Usage`; what was not stated is `null`. */
  makeUsage(counts: TokenCounts): Usage;
  /** The names of what usage states besides; `readDocument` notes them with the others. None when absent. */
  readonly details?: DetailNames;
}
