import { readConfigFlag } from '../configs/config-flag.js';
import { findFlagFile, readFlagFile } from '../configs/flag-file.js';
import { TrackerError } from '../core/errors.js';
import type { Dedupe, RunFacts, SessionOptions } from '../core/host.js';
import { isObject } from '../core/option-checks.js';
import { readGraphFlag } from '../graph/graph-flag.js';

/** The flags that say what the config of a session is, as commander parses them. */
export interface ConfigFlags {
  readonly configKey?: string | undefined;
  readonly graphKey?: string | undefined;
  /** The file of flags; `false` for none, also where there is one. */
  readonly config?: string | boolean | undefined;
  readonly context?: object | undefined;
  readonly dedupe?: Dedupe | undefined;
}

/** What a file of flags says of a session. */
export type ConfigPlan = Pick<SessionOptions, 'variationKey' | 'version' | 'run'>;

const modes: readonly string[] = ['completion', 'agent', 'judge'];
/** So many keys of a file are named where one is not in it. */
const mostNamed = 5;

/**
 * The variation, version, model and provider of the session's config, by `--config` or the `llmtap.config.*` of the working
 * folder; of its graph, in a session for a graph alone. Rejects with `FLAGS_INVALID` for a key the file does not have, and a
 * config that is disabled, or of no mode there is; with `OPTION_CONFLICT` for flags that say something of no config.
 */
export async function planConfig(flags: ConfigFlags): Promise<ConfigPlan> {
  const { configKey, graphKey, context, dedupe } = flags;
  requireSubject(flags);
  const said: RunFacts = { ...(context !== undefined && { context }), ...(dedupe !== undefined && { dedupe }) };
  const path = configKey === undefined && graphKey === undefined ? undefined : await findPath(flags.config);
  const plan = path === undefined ? {} : await readPlan(path, flags);
  const run = { ...plan.run, ...said };
  return Object.keys(run).length === 0 ? plan : { ...plan, run };
}

function requireSubject({ configKey, graphKey, config, context, dedupe }: ConfigFlags): void {
  const refuse = (flag: string, needed: string): never => {
    throw new TrackerError(
      'OPTION_CONFLICT',
      `Could not use ${flag} without ${needed}: there is nothing to say it of.`,
      {
        hint: `Give ${needed} KEY, or leave ${flag} out.`,
      },
    );
  };
  if (configKey !== undefined) return;
  if (context !== undefined) refuse('--context', '--config-key');
  if (dedupe !== undefined) refuse('--dedupe', '--config-key');
  if (typeof config === 'string' && graphKey === undefined) refuse('--config', '--config-key');
}

async function findPath(config: ConfigFlags['config']): Promise<string | undefined> {
  if (config === false) return undefined;
  return typeof config === 'string' ? config : await findFlagFile('.');
}

async function readPlan(path: string, { configKey, graphKey = '', config }: ConfigFlags): Promise<ConfigPlan> {
  const file = await readFlagFile({ path });
  const isNamed = typeof config === 'string';
  const key = configKey ?? graphKey;
  const kind = configKey === undefined ? 'graph' : 'config';
  const refuse = (problem: string, hint: string): never => {
    const message = `Could not use the ${kind} "${key}" of the file of flags "${file.path}": ${problem}.`;
    throw new TrackerError('FLAGS_INVALID', message, { hint });
  };
  const value = file.variation(key, {}, undefined);
  if (value === undefined) {
    // A graph is often but a name; a config that a file beside it does not have is more likely a slip.
    if (kind === 'graph' && !isNamed) return {};
    return refuse(`it has ${nameKeys(file.flagKeys)}`, leaveOut('Correct the key', isNamed));
  }
  if (!isObject(value))
    return refuse('it is no object', leaveOut('Write it as { _ldMeta: { enabled: true } }', isNamed));
  const plan = kind === 'graph' ? readGraph(value as object) : readConfig(value as object);
  return typeof plan === 'string' ? refuse(plan, leaveOut('Change its _ldMeta in the file', isNamed)) : plan;
}

function leaveOut(remedy: string, isNamed: boolean): string {
  return `${remedy}, or ${isNamed ? 'leave --config out' : 'give --no-config to leave the file out'}.`;
}

function nameKeys(keys: readonly string[]): string {
  if (keys.length === 0) return 'nothing in it';
  const named = keys.slice(0, mostNamed).map((key) => JSON.stringify(key));
  return `${named.join(', ')}${keys.length > mostNamed ? ` and ${keys.length - mostNamed} more` : ''}`;
}

/** What keeps a config from being used, as a text. */
function readConfig(value: object): ConfigPlan | string {
  const { enabled, mode, variationKey, version, modelKey, modelVersion, content } = readConfigFlag(value);
  if (!enabled) return 'it is disabled';
  if (!modes.includes(mode)) return `its mode "${mode.slice(0, 60)}" is none of ${modes.join(', ')}`;
  const modelName = content.model?.name;
  const providerName = content.provider?.name;
  const run: RunFacts = {
    ...(modelName !== undefined && { modelName }),
    ...(providerName !== undefined && { providerName }),
    ...(modelKey !== null && { modelKey }),
    ...(modelVersion !== null && { modelVersion }),
  };
  return { ...makeVariation(variationKey, version), run };
}

function readGraph(value: object): ConfigPlan | string {
  const { enabled, variationKey, version } = readGraphFlag(value);
  return enabled ? makeVariation(variationKey, version) : 'it is disabled';
}

function makeVariation(variationKey: string, version: number): ConfigPlan {
  return { ...(variationKey !== '' && { variationKey }), version };
}
