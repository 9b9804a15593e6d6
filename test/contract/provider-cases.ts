import type { Usage } from '../../src/core/usage.js';
import type { Dialect, ReplyFacts } from '../../src/core/wire.js';

/** One answer in every form there are bytes of, and what each of them must say. */
export interface AnswerCase {
  readonly dialect: Dialect;
  /** Folder and name of the fixtures. */
  readonly answer: string;
  readonly forms: readonly string[];
  /** Of the reply, where its head states something. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly facts: Partial<ReplyFacts>;
}

/** A body that states an error: with its status, and what it must be read as. */
export interface ErrorCase {
  readonly dialect: Dialect;
  readonly file: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Input, output, cache read, cache write, reasoning, total. */
export function counts(...[input, output, read, write, reasoning, total]: readonly (number | null)[]): Usage {
  return {
    inputTokens: input ?? null,
    outputTokens: output ?? null,
    cacheReadTokens: read ?? null,
    cacheWriteTokens: write ?? null,
    reasoningTokens: reasoning ?? null,
    totalTokens: total ?? null,
  };
}
