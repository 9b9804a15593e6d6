import childProcess from 'node:child_process';
import type { ScopedSession } from '../../core/scope.js';
import { findInheritedEnv } from '../inherited-env.js';
import { type Patch, patchMethod } from '../patch.js';
import { findCurrentSession } from '../scope.js';
import { copyWith, isOptions } from './options.js';
import { findScopedEnv } from './scoped-env.js';

type Start = (...args: unknown[]) => unknown;

const names = ['spawnSync', 'execFileSync', 'execSync'] as const;
type Name = (typeof names)[number];

/**
 * The three that wait for their child. Each goes its own way below, so each is replaced in the module.
 *
 * NOTE: a function taken out of the module before (`const { execSync } = require(…)`) is out of reach: what it ends in
 * is Node's own and not offered to programs. ESM imports are live and do see the change.
 */
export function patchSyncChildren(): Patch {
  const patches = names.map((name) => {
    return patchMethod<Start>(childProcess, name, (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const session = findCurrentSession();
        return Reflect.apply(original, this, session === undefined ? args : adaptArguments(session, name, args));
      };
    });
  });
  return {
    undo: () => {
      for (const patch of patches.toReversed()) patch.undo();
    },
  };
}

/** The arguments with other options; as they came where Node will refuse them, so that it says so in its own words. */
function adaptArguments(session: ScopedSession, name: Name, args: readonly unknown[]): readonly unknown[] {
  const at = findOptionsAt(name, args);
  const options = args[at] ?? (name === 'spawnSync' && args[at] === null ? null : {});
  if (!isOptions(options)) return args;
  const { env } = options;
  if (env && !isOptions(env)) return args;
  const merged = isOptions(env)
    ? findScopedEnv(session, { given: readAsNode(env), isExplicit: true })
    : findScopedEnv(session, { given: { ...findInheritedEnv() }, isExplicit: false });
  if (merged === undefined) return args;
  const before = [...args, undefined, undefined].slice(0, at);
  return [...before, copyWith(options, { env: merged }), ...args.slice(at + 1)];
}

/** `execSync(command, options)`, the others `(file, options)` or `(file, args, options)`. */
function findOptionsAt(name: Name, args: readonly unknown[]): number {
  return name !== 'execSync' && (Array.isArray(args[1]) || args[1] === undefined || args[1] === null) ? 2 : 1;
}

/** Node takes inherited entries of an `env` as well. */
function readAsNode(env: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries: Record<string, unknown> = {};
  for (const name in env) if (env[name] !== undefined) entries[name] = env[name];
  return entries;
}
