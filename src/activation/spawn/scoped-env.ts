import { caFileVariables } from '../../core/ca-variables.js';
import type { ErrorCode } from '../../core/errors.js';
import { readErrorMessage } from '../../core/errors.js';
import type { ScopedSession } from '../../core/scope.js';
import { findInheritedEnv } from '../inherited-env.js';
import { type GivenEnv, makeParentEnv, mergeEnv } from './merge-env.js';

/** A child about to be started. */
export interface ChildStart<V> {
  /** What the child would get. */
  readonly given: GivenEnv<V>;
  /** Whether the caller gave it, so that it goes before what the session would set. */
  readonly isExplicit: boolean;
}

/**
 * What a child of the session gets in the place of what it would have got; `undefined` when nothing can be made of it,
 * which is announced and never thrown: the child starts without the session.
 */
export function findScopedEnv<V>(session: ScopedSession, start: ChildStart<V>): Record<string, V | string> | undefined {
  const foldsCase = process.platform === 'win32';
  try {
    const variables = session.makeChildVariables(makeParentEnv(start.given, foldsCase));
    const winner = start.isExplicit && !session.force ? 'caller' : 'session';
    if (winner === 'caller') reportCarriedAlong(session, start.given, variables);
    return mergeEnv({ given: start.given, variables, winner, foldsCase });
  } catch (error) {
    announceUnseen(session, error);
    return undefined;
  }
}

function announceUnseen(session: ScopedSession, error: unknown): void {
  const { code, hint } = error as { code?: ErrorCode; hint?: string | null };
  session.announceFault(
    typeof code === 'string' ? code : 'INTERNAL',
    `A child was started without the session's variables, so its calls are not seen: ${readErrorMessage(error)}`,
    hint ?? null,
  );
}

/** Without them a child's calls go past the session, or fail for want of our root. */
const decisiveNames: readonly string[] = [
  'HTTPS_PROXY',
  'https_proxy',
  'NODE_OPTIONS',
  'LLMTAP_HOOK',
  ...caFileVariables,
];

/**
 * A value that is the process's own was not chosen for this child but copied with the rest, and is the likeliest reason
 * for calls that are missing. The value is not told: a proxy's may hold a password.
 */
function reportCarriedAlong(
  session: ScopedSession,
  given: GivenEnv,
  variables: Readonly<Record<string, string>>,
): void {
  const inherited = findInheritedEnv();
  const carried = decisiveNames.filter((name) => {
    const value = given[name];
    if (value === undefined || value === '' || value !== inherited[name]) return false;
    return variables[name] !== undefined && variables[name] !== value;
  });
  if (carried.length === 0) return;
  session.announceFault(
    'OPTION_CONFLICT',
    `A child was started with an env that carries ${carried.join(', ')} of this process: they win over the session's, so its calls may go unseen.`,
    'Leave env out, take them out of it, or open the scope with force: true.',
  );
}
