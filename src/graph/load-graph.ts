import { readErrorMessage } from '../core/errors.js';
import { isText, makeInvalid } from '../core/option-checks.js';
import { makeQuietLogger } from '../core/quiet-logger.js';
import type { RunLogger } from '../core/run-events.js';
import type { GraphTracker } from '../trackers/graph-tracker.js';
import { AgentGraph } from './agent-graph.js';
import { type GraphFlag, readGraphFlag } from './graph-flag.js';

export interface LoadGraphOptions<C extends { readonly enabled: boolean }> {
  readonly graphKey: string;
  /** The flag's value, whatever it is. */
  readonly value: unknown;
  /** The agent's config of a node. One that is disabled, or cannot be loaded, disables the graph. */
  readonly loadConfig: (configKey: string) => C | PromiseLike<C>;
  /** A tracker of a new run of the flag that was read. */
  readonly createTracker: (flag: GraphFlag) => GraphTracker;
  readonly logger?: RunLogger | null | undefined;
}

/**
 * Makes a graph of a flag's value. It is disabled, with one line of the log at `debug`, when in this order: its flag says so;
 * it has no root; a key it mentions cannot be reached from there; a node's config is not to be used. Cycles, edges to itself
 * and to the root, and the same edge twice are all right. Rejects with `OPTION_INVALID` for a key without text, and with
 * nothing else.
 */
export async function loadGraph<C extends { readonly enabled: boolean }>(
  options: LoadGraphOptions<C>,
): Promise<AgentGraph<C>> {
  const { graphKey, value, createTracker } = options;
  requireGraphKey(graphKey);
  const flag = readGraphFlag(value);
  const make = (enabled: boolean, configs: ReadonlyMap<string, C>): AgentGraph<C> =>
    new AgentGraph({
      flag,
      enabled,
      nodes: AgentGraph.buildNodes(flag, configs),
      createTracker: () => createTracker(flag),
    });
  const disable = (reason: string): AgentGraph<C> => {
    makeQuietLogger(options.logger).debug(`The graph "${graphKey}" is disabled: ${reason}.`);
    return make(false, new Map());
  };
  if (!flag.enabled) return disable('its flag says so');
  if (flag.root === '') return disable('it has no root');
  const lost = findUnreachable(flag);
  if (lost !== null) return disable(`its node "${lost}" cannot be reached from its root "${flag.root}"`);
  const configs = new Map<string, C>();
  for (const { key, config, reason } of await loadConfigs(flag, options.loadConfig)) {
    if (config === null) return disable(`the config of its node "${key}" cannot be used: ${reason}`);
    configs.set(key, config);
  }
  return make(true, configs);
}

/** Throws `OPTION_INVALID`. */
export function requireGraphKey(graphKey: unknown): void {
  if (!isText(graphKey) || (graphKey as string).trim() === '') {
    throw makeInvalid('the key of a graph', graphKey, 'a text that is not blank');
  }
}

/** The first key, in the flag's order, that cannot be reached from the root; `null` when all can. */
function findUnreachable({ keys, reachable }: GraphFlag): string | null {
  for (const key of keys) if (!reachable.has(key)) return key;
  return null;
}

interface LoadedConfig<C> {
  readonly key: string;
  /** `null` for one that is not to be used. */
  readonly config: C | null;
  readonly reason: string;
}

/** All at once; in the flag's order, in which the first that fails is told of. */
async function loadConfigs<C extends { readonly enabled: boolean }>(
  flag: GraphFlag,
  load: LoadGraphOptions<C>['loadConfig'],
): Promise<readonly LoadedConfig<C>[]> {
  const loading = [...flag.keys].map(async (key) => {
    try {
      const config = await load(key);
      return { key, config: config.enabled ? config : null, reason: 'it is disabled' };
    } catch (error) {
      return { key, config: null, reason: readErrorMessage(error) };
    }
  });
  return await Promise.all(loading);
}
