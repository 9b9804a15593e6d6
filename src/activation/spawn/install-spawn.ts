import { syncBuiltinESMExports } from 'node:module';
import type { Patch } from '../patch.js';
import { patchAsyncChildren } from './async-children.js';
import { patchSyncChildren } from './sync-children.js';
import { patchWorkers } from './workers.js';

/** One for the whole process, so that copies of the package do not each add their variables to one child. */
interface Installation {
  count: number;
  patches: readonly Patch[];
}

const stateKey = Symbol.for('llmtap.spawn.1');

function requireInstallation(): Installation {
  const holder = globalThis as { [stateKey]?: Installation };
  let installation = holder[stateKey];
  if (installation === undefined) {
    installation = { count: 0, patches: [] };
    Object.defineProperty(globalThis, stateKey, { value: installation, configurable: true });
  }
  return installation;
}

/**
 * From now on children and Workers that are started in a scope get its session's variables; outside every scope nothing
 * changes. The returned function undoes it; may be called twice. What is installed several times is there once, and goes
 * with the last.
 *
 * An `env` of the caller's goes before the session's variables, name by name, unless the session says `force`; without
 * one the session's go before what the child inherits. The caller's options are never written to.
 */
export function installSpawn(): () => void {
  const installation = requireInstallation();
  if (installation.count++ === 0) {
    installation.patches = [patchAsyncChildren(), patchSyncChildren(), patchWorkers()];
    syncBuiltinESMExports();
  }
  let isUndone = false;
  return () => {
    if (isUndone) return;
    isUndone = true;
    if (--installation.count > 0) return;
    for (const patch of installation.patches.toReversed()) patch.undo();
    syncBuiltinESMExports();
    Reflect.deleteProperty(globalThis, stateKey);
  };
}
