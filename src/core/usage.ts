/**
 * Token counts of one call, in one vocabulary for every provider.
 *
 * `inputTokens` includes cache reads and cache writes; `outputTokens` includes reasoning. A count the wire
 * did not state is `null`, never 0.
 */
export interface Usage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly totalTokens: number | null;
}

/** The usage of a call about which the wire said nothing. */
export const unknownUsage: Usage = Object.freeze({
  inputTokens: null,
  outputTokens: null,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  reasoningTokens: null,
  totalTokens: null,
});

/**
 * What a reply states of its usage besides `Usage`: parts of its counts, and what is not counted in tokens. What is absent
 * was not stated. Each token count but an advisor's is a part of the count of `Usage` it is named after.
 */
export interface UsageDetails {
  /** Written to a cache that keeps it for five minutes, for an hour; together `cacheWriteTokens`. */
  readonly cacheWrite5mTokens?: number;
  readonly cacheWrite1hTokens?: number;
  readonly inputTextTokens?: number;
  readonly inputAudioTokens?: number;
  readonly inputImageTokens?: number;
  readonly inputVideoTokens?: number;
  readonly cacheReadAudioTokens?: number;
  readonly cacheReadTextTokens?: number;
  readonly cacheReadImageTokens?: number;
  readonly outputTextTokens?: number;
  readonly outputAudioTokens?: number;
  readonly outputImageTokens?: number;
  /** Of a predicted output: what came true, and what did not and is billed all the same. */
  readonly acceptedPredictionTokens?: number;
  readonly rejectedPredictionTokens?: number;
  /** Of summing up a conversation on the provider's side, before it was answered; parts of input and output. */
  readonly compactionInputTokens?: number;
  readonly compactionOutputTokens?: number;
  /** Of another model the provider asked for advice, at that model's price; not in input and output. */
  readonly advisorInputTokens?: number;
  readonly advisorOutputTokens?: number;
  /** Tool results put into the prompt by the provider. */
  readonly toolPromptTokens?: number;
  /** Searches of the web the provider ran, billed by the piece. */
  readonly webSearches?: number;
  /** Searches of files the provider stores, billed by the piece. */
  readonly fileSearches?: number;
  /** Billed units of a reranker. */
  readonly searchUnits?: number;
  readonly inputCharacters?: number;
  /** Of sound; may be a fraction. */
  readonly inputSeconds?: number;
  /** Of a document. */
  readonly inputPages?: number;
  readonly outputImages?: number;
}
