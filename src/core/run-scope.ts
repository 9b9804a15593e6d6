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

/** The ids of a run as a session takes them; what it cannot hold is left out. */
export function makeRunIds(given: {
  readonly runId: string;
  readonly configKey: string;
  readonly version: number;
  readonly variationKey?: string | undefined;
  readonly graphKey?: string | undefined;
  readonly graphRunId?: string | undefined;
}): RunIds {
  const { version, ...texts } = given;
  const held = Object.entries(texts).filter(
    ([, text]) => typeof text === 'string' && text.trim() !== '' && text.length <= longestId,
  );
  const ids: RunIds = Object.fromEntries(held);
  return Number.isSafeInteger(version) && version >= 0 ? { ...ids, version } : ids;
}
