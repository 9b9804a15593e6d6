import type { Usage } from '../core/usage.js';
import type { JsonObject } from './json-fields.js';
import type { ReplyNotes } from './reply-notes.js';
import type { TokenCounts } from './token-counts.js';

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
  /** Notes what one document says. Fields it does not know or whose type is wrong are passed over. */
  readDocument(document: JsonObject, notes: ReplyNotes): void;
  /**
   * Whether an event's text, unparsed, can only be a further piece of output, of which nothing is to be noted once a
   * first one was. Most of a stream is that, and parsing it costs most of reading it. When in doubt, `false`.
   */
  isFurtherOutput?(data: string): boolean;
  /** The counts in the vocabulary of `Usage`; what was not stated is `null`. */
  makeUsage(counts: TokenCounts): Usage;
}
