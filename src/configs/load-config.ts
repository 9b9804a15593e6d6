import { readErrorMessage } from '../core/errors.js';
import { isObject } from '../core/option-checks.js';
import type { EventSink, RunLogger } from '../core/run-events.js';
import { ConfigTracker } from '../trackers/config-tracker.js';
import { type ConfigOfMode, judgePlaceholders, makeConfig, type RenderText } from './config.js';
import type { ConfigClientOptions } from './config-client-options.js';
import {
  type ConfigDefault,
  type ConfigFlag,
  type ConfigMode,
  readConfigFlag,
  writeConfigFlag,
} from './config-flag.js';
import { Evaluator, noEvaluator } from './evaluator.js';
import { type Interpolate, openInterpolation, type Variables } from './interpolate.js';
import type { Judge } from './judge.js';

/** One config that is wanted. */
export interface ConfigRequest<M extends ConfigMode> {
  readonly mode: M;
  readonly key: string;
  readonly context: object;
  readonly fallback?: ConfigDefault | null | undefined;
  readonly variables?: Variables | null | undefined;
  /** The graph whose node it is. */
  readonly graphKey?: string | undefined;
  /** What renders its texts, where it is one of many that are loaded with the same variables. */
  readonly interpolate?: Interpolate | undefined;
  /** Its texts stay as they are. */
  readonly isTemplate?: boolean | undefined;
  /** Makes the judges of the config. */
  readonly loadJudges: (
    keys: readonly { readonly key: string; readonly samplingRate?: number | undefined }[],
  ) => Promise<readonly Judge[]>;
}

export interface LoadingParts {
  readonly options: ConfigClientOptions;
  readonly sink: EventSink;
  /** One that never throws. */
  readonly logger: RunLogger;
}

/**
 * Loads one config by these rules, in this order. A flag that cannot be had, or whose value is no object, gives the default,
 * and an error in the log. One that is disabled gives a disabled config, whatever its mode: disabled variations state none.
 * One of another mode gives the default, and a warning. Never rejects but as variables do that cannot be read.
 */
export async function loadConfig<M extends ConfigMode>(
  parts: LoadingParts,
  request: ConfigRequest<M>,
): Promise<ConfigOfMode[M]> {
  const flag = await findFlag(parts, request);
  if (flag.lostMessages > 0) {
    const lost = flag.lostMessages === 1 ? 'a message' : `${flag.lostMessages} messages`;
    parts.logger.debug(
      `The config "${request.key}" has ${lost} without a role that is known, or without text: left out.`,
    );
  }
  const judges = flag.content.judgeConfiguration?.judges ?? [];
  return makeConfig(request.mode, {
    key: request.key,
    flag,
    render: await openTexts(parts, request),
    isTemplate: request.isTemplate === true,
    createTracker: () => createTracker(parts, request, flag),
    evaluator: judges.length === 0 ? noEvaluator : new Evaluator(async () => await request.loadJudges(judges)),
  });
}

async function findFlag<M extends ConfigMode>(parts: LoadingParts, request: ConfigRequest<M>): Promise<ConfigFlag> {
  const { key, mode, context } = request;
  const readDefault = (): ConfigFlag => readConfigFlag(writeConfigFlag(request.fallback ?? null, mode));
  let value: unknown;
  try {
    value = await parts.options.flags.variation(key, context, writeConfigFlag(request.fallback ?? null, mode));
  } catch (error) {
    parts.logger.error(`The config "${key}" could not be read, its default is used: ${readErrorMessage(error)}`);
    return readDefault();
  }
  if (!isObject(value)) {
    parts.logger.error(`The config "${key}" is no object, its default is used.`);
    return readDefault();
  }
  const flag = readConfigFlag(value as object);
  if (!flag.enabled || flag.mode === mode) return flag;
  parts.logger.warn(`The config "${key}" is of mode ${flag.mode} and was asked for as ${mode}: its default is used.`);
  return readDefault();
}

async function openTexts<M extends ConfigMode>(parts: LoadingParts, request: ConfigRequest<M>): Promise<RenderText> {
  if (request.isTemplate === true) return (template) => template;
  const { mode, key, variables = null, context } = request;
  const own = mode === 'judge' ? reserve(parts, variables) : variables;
  const interpolate = request.interpolate ?? (await openInterpolation({ variables: own, context }));
  return (template) =>
    interpolate(template, (reason) =>
      parts.logger.warn(`A text of the config "${key}" is no template and stays as it is: ${reason}`),
    );
}

/** A judge's messages keep their placeholders, by which they are told. */
function reserve({ logger }: LoadingParts, variables: Variables | null): Variables {
  for (const name of Object.keys(judgePlaceholders)) {
    if (variables?.[name] === undefined) continue;
    logger.warn(`The variable ${name} is reserved for what a judge judges: the one that was given is not used.`);
  }
  return { ...variables, ...judgePlaceholders };
}

function createTracker<M extends ConfigMode>(
  { options, sink, logger }: LoadingParts,
  { key, context, graphKey }: ConfigRequest<M>,
  flag: ConfigFlag,
): ConfigTracker {
  const { clock, newRunId, omitEmptyVariationKey, omitUnknownModelVersion } = options;
  const { variationKey, version, modelKey, modelVersion, content } = flag;
  return new ConfigTracker({
    ...{ sink, logger, context, clock, runId: newRunId?.() },
    ...{ configKey: key, variationKey, version, modelKey, modelVersion, graphKey },
    modelName: content.model?.name,
    providerName: content.provider?.name,
    ...{ omitEmptyVariationKey, omitUnknownModelVersion },
  });
}
