import { ChildProcess } from 'node:child_process';
import type { ScopedSession } from '../../core/scope.js';
import { findInheritedEnv } from '../inherited-env.js';
import { type Patch, patchMethod } from '../patch.js';
import { findCurrentSession } from '../scope.js';
import { formatEnvPairs, readEnvPairs } from './merge-env.js';
import { copyWith, isOptions } from './options.js';
import { findScopedEnv } from './scoped-env.js';

type Spawn = (...args: unknown[]) => unknown;

/**
 * `spawn`, `exec`, `execFile` and `fork` all end in this one method, whoever took hold of them and when, and it is looked
 * up when they are called. `options` are Node's own by then: `envPairs` is what the child gets, `env` still what the
 * caller gave, with `null` from `exec` and `execFile` when there was none.
 * Source: `normalizeSpawnArguments` in https://github.com/nodejs/node/blob/v20.20.2/lib/child_process.js, as built into
 * that Node (read 2026-11-26; measured, Node 20.20).
 */
export function patchAsyncChildren(): Patch {
  return patchMethod<Spawn>(ChildProcess.prototype, 'spawn', (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const session = findCurrentSession();
      if (session === undefined) return Reflect.apply(original, this, args);
      const options = adaptOptions(session, args[0]);
      const result = Reflect.apply(original, this, [options, ...args.slice(1)]);
      // One that could not be started has no id, and never says `exit`.
      const child = this as ChildProcess;
      if (options !== args[0] && child.pid !== undefined) session.noteDescendant(child);
      return result;
    };
  });
}

function adaptOptions(session: ScopedSession, options: unknown): unknown {
  if (!isOptions(options)) return options;
  const { envPairs, env } = options;
  if (envPairs !== undefined && !Array.isArray(envPairs)) return options;
  const given = envPairs === undefined ? { ...findInheritedEnv() } : readEnvPairs(envPairs as string[]);
  const merged = findScopedEnv(session, { given, isExplicit: Boolean(env) });
  return merged === undefined ? options : copyWith(options, { envPairs: formatEnvPairs(merged) });
}
