import type { SessionIds } from './session.js';

/** Whose calls a run's are; what is absent is not known. */
export type RunIds = { readonly [Name in keyof SessionIds]?: NonNullable<SessionIds[Name]> };

/** Which scope a run is to have. */
export type ScopeOfRun = RunIds & {
  /** Said of a run of several scopes, of which none alone is to conclude what the run came to. */
  readonly statedBy?: 'caller';
};

/** What a scope can say of the calls made in it; a tracker's session can. */
export interface ScopeFacts {
  /** Tokens of the calls that have ended, by model. */
  usage?(): PromiseLike<Readonly<Record<string, ScopeUsage>>>;
}

/** Counts that no call states are `null`. */
export interface ScopeUsage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly totalTokens: number | null;
}

/**
 * Runs the work of one run where its calls are told apart from all others, and gives what it gives: in a session of a
 * tracker's by `(ids, work) => tracker.track(ids, work)`.
 */
export type RunScope = <T>(
  ids: ScopeOfRun,
  work: (facts?: ScopeFacts) => Promise<T>,
) => PromiseLike<T> | PromiseLike<Awaited<T>>;

/** Where nobody tells calls apart. */
export const noScope: RunScope = async (_, work) => await work();

/** A session holds ids of so many characters. */
const longestId = 512;

const textIds = ['runId', 'configKey', 'variationKey', 'graphKey', 'graphRunId'] as const;

/** The ids among what a run says of itself, as a session takes them; what it cannot hold is left out. */
export function makeRunIds(
  run: { readonly version: number } & { readonly [Name in (typeof textIds)[number]]?: string | undefined },
): RunIds {
  const held = textIds.flatMap((name) => {
    const text = run[name] ?? '';
    return text.trim() !== '' && text.length <= longestId ? [[name, text] as const] : [];
  });
  const ids: RunIds = Object.fromEntries(held);
  return Number.isSafeInteger(run.version) && run.version >= 0 ? { ...ids, version: run.version } : ids;
}

/** Tokens of the calls made in a scope, as far as they are stated; `null` when none are, or nobody can say. Never rejects. */
export async function sumScopeTokens(
  facts: ScopeFacts | undefined,
): Promise<{ readonly total: number; readonly input: number; readonly output: number } | null> {
  let total = 0;
  let input = 0;
  let output = 0;
  try {
    for (const usage of Object.values((await facts?.usage?.()) ?? {})) {
      const { inputTokens, outputTokens, totalTokens } = usage;
      input += inputTokens ?? 0;
      output += outputTokens ?? 0;
      total += totalTokens ?? (inputTokens ?? 0) + (outputTokens ?? 0);
    }
  } catch {
    // Who asks goes on without, as where there is no tap.
    return null;
  }
  return total > 0 ? { total, input, output } : null;
}
