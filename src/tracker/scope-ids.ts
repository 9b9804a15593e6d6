import { TrackerError } from '../core/errors.js';
import type { Shape } from '../core/option-checks.js';
import type { SessionIds } from '../core/session.js';

/** The ids a scope stamps on its calls. What is absent or `null` is not given. */
export type ScopeIds = { readonly [K in keyof SessionIds]?: SessionIds[K] | null };

/** The ids that are given. */
export type GivenIds = { readonly [K in keyof SessionIds]?: NonNullable<SessionIds[K]> };

const isId = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '' && value.length <= 512;
export const orNull = ({ wanted, isRight }: Shape): Shape => ({
  wanted,
  isRight: (value) => value === null || isRight(value),
});
export const id: Shape = { wanted: 'a text of 1 to 512 characters', isRight: isId };
export const wholeNumber: Shape = {
  wanted: 'a whole number of 0 or more',
  isRight: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};

export const idShapes = {
  ...{ runId: orNull(id), configKey: orNull(id), variationKey: orNull(id), version: orNull(wholeNumber) },
  ...{ graphKey: orNull(id), graphRunId: orNull(id), dataId: orNull(id), comboId: orNull(id), agentId: orNull(id) },
} satisfies Readonly<Record<keyof SessionIds, Shape>>;
const idNames = Object.keys(idShapes) as (keyof SessionIds)[];

/**
 * The ids of a scope: its own, then the tracker's. Throws `OPTION_CONFLICT` when both give one and they differ: the
 * tracker's whole life belongs to the id it was made for.
 */
export function mergeIds(scope: ScopeIds, tracker: ScopeIds): GivenIds {
  const merged: Record<string, unknown> = {};
  for (const name of idNames) {
    const own = scope[name] ?? null;
    const inherited = tracker[name] ?? null;
    if (own !== null && inherited !== null && own !== inherited) {
      throw new TrackerError(
        'OPTION_CONFLICT',
        `Could not open a scope with ${name} ${JSON.stringify(own)}: this tracker was made for ${name} ${JSON.stringify(inherited)}.`,
        { hint: `Leave ${name} out of one of them, or make another tracker.` },
      );
    }
    const value = own ?? inherited;
    if (value !== null) merged[name] = value;
  }
  return merged;
}

/** Whether any id is given. */
export function hasIds(options: ScopeIds): boolean {
  return idNames.some((name) => (options[name] ?? null) !== null);
}

/** The ids among other options. */
export function pickIds(options: ScopeIds): GivenIds {
  return mergeIds(options, {});
}
