import { isObject } from '../core/option-checks.js';
import type { TokenCounts } from './run-metrics.js';

/** Tokens as a provider's package states them. */
export interface ReadUsage extends TokenCounts {
  /** What the input consists of; absent where the usage says nothing of a cache. */
  readonly inputDetails?: {
    readonly uncached: number;
    readonly cacheRead: number;
    readonly cacheCreation: number;
  };
}

interface Spelling {
  readonly input: string;
  readonly output: string;
  /** Counts that stand beside the input, as in Anthropic's and Bedrock's usage; with others they are part of it. */
  readonly cacheRead?: string;
  readonly cacheCreation?: readonly string[];
}

/** The first whose input and output are both there counts. */
const spellings: readonly Spelling[] = [
  {
    ...{ input: 'input_tokens', output: 'output_tokens' },
    ...{ cacheRead: 'cache_read_input_tokens', cacheCreation: ['cache_creation_input_tokens'] },
  },
  {
    ...{ input: 'inputTokens', output: 'outputTokens' },
    ...{ cacheRead: 'cacheReadInputTokens', cacheCreation: ['cacheCreationInputTokens', 'cacheWriteInputTokens'] },
  },
  { input: 'input', output: 'output' },
  { input: 'prompt_tokens', output: 'completion_tokens' },
  { input: 'promptTokens', output: 'completionTokens' },
];

/**
 * Reads the usage a provider's package gives with a reply, by whichever of the usual spellings it has: those of OpenAI, Anthropic,
 * Bedrock, the AI SDK and LangChain. What was read from a cache, or written to it, is input. The total is input and output
 * together, whatever the usage says. `null` for what is no usage, or is spelled as none of them: never 0. Source of the first
 * three: js-ai-sdk packages/client 0.1.1, read 2026-11-27.
 *
 * @example
 * readUsage({ input_tokens: 3, cache_read_input_tokens: 7, output_tokens: 1 })?.input; // 10
 */
export function readUsage(usage: unknown): ReadUsage | null {
  if (!isObject(usage)) return null;
  const given = usage as Readonly<Record<string, unknown>>;
  for (const { input, output, cacheRead, cacheCreation = [] } of spellings) {
    const uncached = readCount(given[input]);
    const out = readCount(given[output]);
    if (uncached === null || out === null) continue;
    const read = cacheRead === undefined ? null : readCount(given[cacheRead]);
    const created = cacheCreation.map((name) => readCount(given[name])).find((count) => count !== null) ?? null;
    const all = uncached + (read ?? 0) + (created ?? 0);
    const counts = { total: all + out, input: all, output: out };
    if (read === null && created === null) return counts;
    return { ...counts, inputDetails: { uncached, cacheRead: read ?? 0, cacheCreation: created ?? 0 } };
  }
  return null;
}

function readCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}
