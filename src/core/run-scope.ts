import type { SessionIds } from './session.js';

/** Whose calls a run's are; what is absent is not known. */
export type RunIds = { readonly [Name in keyof SessionIds]?: NonNullable<SessionIds[Name]> };

/**
 * Runs the work of one run where its calls are told apart from all others, and gives what it gives: in a session of a
 * tracker's by `(ids, work) => tracker.track(ids, work)`.
 */
export type RunScope = <T>(ids: RunIds, work: () => Promise<T>) => PromiseLike<T> | PromiseLike<Awaited<T>>;

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
