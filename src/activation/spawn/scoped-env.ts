import { caFileVariables } from '../../core/ca-variables.js';
import type { ErrorCode } from '../../core/errors.js';
import { readErrorMessage } from '../../core/errors.js';
import type { ScopedSession } from '../../core/scope.js';
import type { Env } from '../child-env.js';
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
    if (!start.isExplicit || session.force) {
      return mergeEnv({ given: start.given, variables, winner: 'session', foldsCase });
    }
    const inherited = findInheritedEnv();
    reportCarriedAlong(session, { given: start.given, variables, inherited });
    const given = withoutExtended(start.given, { variables, inherited });
    return mergeEnv({ given, variables, winner: 'caller', foldsCase });
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

/** The session adds to what these hold and takes nothing away. */
const extendedNames: readonly string[] = [
  ...caFileVariables,
  'NODE_OPTIONS',
  'NO_PROXY',
  'no_proxy',
  'PHP_INI_SCAN_DIR',
  'WGETRC',
  'TRACEPARENT',
  'LLMTAP_RESUMPTION_TOKEN',
];

/** Lists of Node's, in which the session's is one entry more: so also where the caller chose the others. */
const listNames: ReadonlySet<string> = new Set(['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS']);

/**
 * What the caller chose, without what the session's variables hold already: what it copied from the process's own and the
 * session extends, for execa, cluster and `{...process.env, X}` all hand a child its parent's CA files, and with those
 * alone it would refuse the session's certificates; and Node's lists. Other values of the caller's own stay.
 */
function withoutExtended<V>(given: GivenEnv<V>, { variables, inherited }: Omit<Carried, 'given'>): GivenEnv<V> {
  const isHeld = (name: string): boolean =>
    given[name] === inherited[name] || (listNames.has(name) && given[name] !== undefined && name in variables);
  const held = new Set(extendedNames.filter(isHeld));
  return Object.fromEntries(Object.entries(given).filter(([name]) => !held.has(name)));
}

interface Carried {
  readonly given: GivenEnv;
  readonly variables: Readonly<Record<string, string>>;
  readonly inherited: Env;
}

/**
 * A proxy that is the process's own was not chosen for this child but copied with the rest, and is the likeliest reason
 * for calls that are missing. Its value is not told: it may hold a password.
 */
function reportCarriedAlong(session: ScopedSession, { given, variables, inherited }: Carried): void {
  const carried = ['HTTPS_PROXY', 'https_proxy', 'LLMTAP_HOOK'].filter((name) => {
    const value = given[name];
    return value !== undefined && value !== '' && value !== variables[name] && value === inherited[name];
  });
  if (carried.length === 0) return;
  session.announceFault(
    'OPTION_CONFLICT',
    `A child was started with an env that carries ${carried.join(', ')} of this process: it wins over the session's, so the child's calls may go unseen.`,
    'Leave env out, take it out of env, or open the scope with force: true.',
  );
}
