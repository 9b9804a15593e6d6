import { TrackerError } from '../core/errors.js';
import type { RunFacts } from '../core/host.js';
import { isObject, makeInvalid } from '../core/option-checks.js';
import { copyPlainData } from '../core/plain-copy.js';
import { maxContextChars } from '../core/tap-sink.js';
import type { ScopeIds } from './scope-ids.js';
import type { RunOptions } from './tracker-options.js';

/**
 * A config whose run a scope is: as a flag client gives it, with the tracker's facts of it, or its key and what else of it is
 * known.
 */
export interface ScopeConfig {
  readonly key: string;
  readonly variationKey?: string | null | undefined;
  readonly version?: number | null | undefined;
  readonly model?: { readonly name?: string | null | undefined } | null | undefined;
  readonly provider?: { readonly name?: string | null | undefined } | null | undefined;
  readonly modelKey?: string | null | undefined;
  readonly modelVersion?: number | null | undefined;
  /** As configs of LaunchDarkly's AI SDKs have it: asked once, for what its events carry. */
  readonly createTracker?: (() => { getTrackData(): object }) | undefined;
}

/** What a config says of a scope: ids that its calls are stamped with, and what its events carry besides. */
export interface ReadConfig {
  readonly ids: ScopeIds;
  readonly facts: RunFacts;
}

/** Reads the options of a scope that say whose run it is. Throws `OPTION_INVALID`, and what `createTracker` throws. */
export function readRunOptions({ config, context, dedupe, statedBy }: RunOptions): ReadConfig {
  const { ids, facts } = config == null ? { ids: {}, facts: {} } : readConfig(config);
  return {
    ids,
    facts: {
      ...facts,
      ...(context != null && { context: readContext(context) }),
      ...(dedupe != null && { dedupe }),
      ...(statedBy != null && { statedBy }),
    },
  };
}

function readConfig(config: ScopeConfig): ReadConfig {
  const data: Readonly<Record<string, unknown>> =
    typeof config.createTracker === 'function' ? { ...config.createTracker().getTrackData() } : {};
  const text = (...values: readonly unknown[]) => values.find((value): value is string => isGivenText(value));
  const number = (...values: readonly unknown[]) => values.find((value): value is number => Number.isFinite(value));
  const key = text(data.configKey, config.key);
  if (key === undefined) throw makeInvalid('config', config, 'a config with a key');
  const modelName = text(data.modelName, config.model?.name);
  const providerName = text(data.providerName, config.provider?.name);
  const modelKey = text(data.modelKey, config.modelKey);
  const modelVersion = number(data.modelVersion, config.modelVersion);
  return {
    ids: {
      configKey: key,
      runId: text(data.runId) ?? null,
      variationKey: text(data.variationKey, config.variationKey) ?? null,
      version: number(data.version, config.version) ?? null,
      graphKey: text(data.graphKey) ?? null,
    },
    facts: {
      ...(modelName !== undefined && { modelName }),
      ...(providerName !== undefined && { providerName }),
      ...(modelKey !== undefined && { modelKey }),
      ...(modelVersion !== undefined && { modelVersion }),
    },
  };
}

function isGivenText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

/** A copy that crosses to another thread: what has no JSON is not sent to a sink either. */
function readContext(context: object): object {
  try {
    const text = JSON.stringify(context);
    const copy: unknown = text.length > maxContextChars ? null : JSON.parse(text);
    if (isObject(copy)) return copyPlainData(copy as object, true);
  } catch {
    // It holds itself, or a BigInt: said below.
  }
  throw new TrackerError('OPTION_INVALID', 'Could not use the context: it is no plain object, or a large one.', {
    hint: "Give what the flags know the user by, as in { kind: 'user', key: 'user-1' }.",
  });
}
