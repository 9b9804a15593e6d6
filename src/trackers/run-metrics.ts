import { isObject } from '../core/option-checks.js';

/** Tokens of a run. */
export interface TokenCounts {
  readonly total: number;
  readonly input: number;
  readonly output: number;
}

/** What one execution came to, as its runner states it. */
export interface RunMetrics {
  readonly success: boolean;
  /** `null` when they are not known. */
  readonly tokens?: TokenCounts | null | undefined;
  /** Keys of the tools called, in order. */
  readonly toolCalls?: readonly string[] | undefined;
  /** Milliseconds by the runner's own measure, which beats the tracker's. */
  readonly durationMs?: number | undefined;
}

/** Metrics as far as they can be used; `null` where nothing was said, or nothing usable. */
export interface ReadMetrics {
  readonly success: boolean | null;
  /** As given: whether they can be used is the tracker's to say, and to log. */
  readonly tokens: TokenCounts | null;
  readonly toolCalls: readonly string[] | null;
  readonly durationMs: number | null;
}

/** Reads what an extractor gave; `null` when it gave no metrics at all. */
export function readMetrics(given: unknown): ReadMetrics | null {
  if (!isObject(given)) return null;
  const { success, tokens, toolCalls, durationMs } = given as Partial<RunMetrics>;
  return {
    success: typeof success === 'boolean' ? success : null,
    tokens: tokens ?? null,
    toolCalls: toolCalls ?? null,
    durationMs: readMs(durationMs),
  };
}

/** Milliseconds, never negative; `null` for what is no finite number. */
export function readMs(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(value, 0) : null;
}

/** Counts of which what is no finite number, or negative, is 0; `null` for what is no object. */
export function readTokens(value: unknown): TokenCounts | null {
  if (!isObject(value)) return null;
  const { total, input, output } = value as Readonly<Record<string, unknown>>;
  return { total: readCount(total), input: readCount(input), output: readCount(output) };
}

/** Text with something in it besides blanks, or `null`. */
export function readKey(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

function readCount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(value, 0) : 0;
}
