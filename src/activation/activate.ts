import { forgetScopes } from './scope.js';
import { installSpawn } from './spawn/install-spawn.js';
import { installTraffic } from './traffic/install-traffic.js';

export { releaseSession } from './traffic/install-traffic.js';

/** How often the process has been activated, by all copies of the package, and how to undo it. */
interface Activation {
  count: number;
  undo: (() => void)[];
}

const key = Symbol.for('llmtap.activation.1');

/**
 * Puts our functions in the places from which scopes are led through their sessions: TLS and TCP connections, agents,
 * dispatchers, child processes, Workers. Counted over all trackers and all copies of the package: the first puts them
 * there, and the last to call the returned function, which may be called twice, takes them out.
 */
export function activate(): () => void {
  const holder = globalThis as { [key]?: Activation };
  let activation = holder[key];
  if (activation === undefined) {
    activation = { count: 0, undo: [] };
    Object.defineProperty(globalThis, key, { value: activation, configurable: true });
  }
  const shared = activation;
  if (shared.count === 0) shared.undo = [installTraffic(), installSpawn()];
  shared.count += 1;
  let isUndone = false;
  return () => {
    if (isUndone) return;
    isUndone = true;
    shared.count -= 1;
    if (shared.count > 0) return;
    for (const undo of shared.undo.splice(0).reverse()) undo();
    Reflect.deleteProperty(globalThis, key);
    forgetScopes();
  };
}
