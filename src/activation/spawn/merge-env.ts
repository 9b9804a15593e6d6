import type { Env } from '../child-env.js';

/** An environment as Node takes it: what is not `undefined` is made a string. */
export type GivenEnv<V = unknown> = Readonly<Record<string, V>>;

export interface EnvMerge<V> {
  /** What the child would get. */
  readonly given: GivenEnv<V>;
  readonly variables: Readonly<Record<string, string>>;
  readonly winner: 'session' | 'caller';
  /** Whether names that differ in letter case alone are one variable, as on Windows. */
  readonly foldsCase: boolean;
}

/**
 * Two environments as one. Where the session wins, its variables replace those given. Where the caller wins, each of
 * the session's is left out that the caller names in any letter case: `HTTPS_PROXY` and `https_proxy` are one wish, and
 * most programs that read both prefer the lower one.
 */
export function mergeEnv<V>({ given, variables, winner, foldsCase }: EnvMerge<V>): Record<string, V | string> {
  if (winner === 'caller') {
    const named = new Set(Object.keys(given).map(foldName));
    const missing = Object.entries(variables).filter(([name]) => !named.has(foldName(name)));
    return { ...Object.fromEntries(missing), ...given };
  }
  if (!foldsCase) return { ...given, ...variables };
  const ours = new Set(Object.keys(variables).map(foldName));
  const kept = Object.entries(given).filter(([name]) => !ours.has(foldName(name)));
  return { ...Object.fromEntries(kept), ...foldDuplicates(variables) };
}

/** Of names in both letter cases Windows takes one; the upper comes first, as Node does it. */
function foldDuplicates(variables: Readonly<Record<string, string>>): Record<string, string> {
  const seen = new Set<string>();
  const names = Object.keys(variables).toSorted();
  const first = names.filter((name) => !seen.has(foldName(name)) && seen.add(foldName(name)));
  return Object.fromEntries(first.map((name) => [name, variables[name] ?? '']));
}

function foldName(name: string): string {
  return name.toUpperCase();
}

/** The strings of an environment, to be asked by name in any letter case where case does not count. */
export function makeParentEnv(given: GivenEnv, foldsCase: boolean): Env {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const fold = foldsCase ? foldName : (name: string) => name;
  const byName = new Map(entries.map(([name, value]) => [fold(name), String(value)]));
  if (!foldsCase) return Object.fromEntries(byName);
  return new Proxy<Record<string, string>>(
    {},
    { get: (_target, name) => (typeof name === 'string' ? byName.get(foldName(name)) : undefined) },
  );
}

/** `NAME=VALUE` lines as an object. A name of Windows may begin with `=`. */
export function readEnvPairs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=', 1);
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

export function formatEnvPairs(env: Env): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}
