import { isObject } from '../core/option-checks.js';
import { copyPlainData, setOwn } from '../core/plain-copy.js';

/** What a config is for. */
export type ConfigMode = 'completion' | 'agent' | 'judge';

export interface Message {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: string;
}

/** Which model, and how it is to be asked; a flag may say more of it than is named here. */
export interface ModelConfig {
  readonly name?: string | undefined;
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  readonly custom?: Readonly<Record<string, unknown>> | undefined;
  readonly [more: string]: unknown;
}

export interface ProviderConfig {
  readonly name?: string | undefined;
  readonly [more: string]: unknown;
}

/** A tool a model may call, as the flag describes it. */
export type ToolConfig = Readonly<Record<string, unknown>>;

/** Who judges what a config's runs give. */
export interface JudgeConfiguration {
  readonly judges: readonly RatedJudgeKey[];
}

export interface RatedJudgeKey {
  /** Of the judge's config. */
  readonly key: string;
  /** How many of the runs are judged, from 0 to 1; all, when it is no number. */
  readonly samplingRate?: number | undefined;
}

/** What a config holds besides who it is. */
export interface ConfigContent {
  readonly model?: ModelConfig | undefined;
  readonly provider?: ProviderConfig | undefined;
  readonly messages?: readonly Message[] | undefined;
  readonly instructions?: string | undefined;
  /** By name. */
  readonly tools?: Readonly<Record<string, ToolConfig>> | undefined;
  readonly judgeConfiguration?: JudgeConfiguration | undefined;
  /** The event a judge's scores are sent as. */
  readonly evaluationMetricKey?: string | undefined;
}

/** A config to be used where its flag gives none. One that does not mention `enabled` is enabled. */
export interface ConfigDefault extends ConfigContent {
  readonly enabled?: boolean | undefined;
  /** An older form of `evaluationMetricKey`: the first that is not blank counts. */
  readonly evaluationMetricKeys?: readonly string[] | undefined;
}

/** A flag's value read as a config: what is malformed is left out. */
export interface ConfigFlag {
  /** Only where the flag says `true`. */
  readonly enabled: boolean;
  /** `completion` where the flag does not say; it may be none there is. */
  readonly mode: string;
  /** Empty when there is none. */
  readonly variationKey: string;
  /** 1 when absent; any number stays what it is. */
  readonly version: number;
  readonly modelKey: string | null;
  readonly modelVersion: number | null;
  readonly content: ConfigContent;
  /** How many of its messages are malformed. */
  readonly lostMessages: number;
}

/**
 * Reads a flag's value as a config; never throws. Source of the format: js-core packages/sdk/server-ai,
 * src/api/config/LDAIConfigUtils.ts, read 2026-11-27.
 *
 * @example
 * readConfigFlag({ _ldMeta: { enabled: true, version: 3 }, model: { name: 'gpt-4o' } }).content.model; // { name: 'gpt-4o' }
 */
export function readConfigFlag(value: object): ConfigFlag {
  const flag = toObject(copyPlainData(value, true));
  const meta = toObject(flag._ldMeta);
  const messages = Array.isArray(flag.messages) ? flag.messages : null;
  const read = messages?.filter(isMessage);
  const model = readNamed(flag.model);
  return Object.freeze({
    enabled: meta.enabled === true,
    mode: typeof meta.mode === 'string' ? meta.mode : 'completion',
    variationKey: typeof meta.variationKey === 'string' ? meta.variationKey : '',
    version: readNumber(meta.version) ?? 1,
    modelKey: typeof meta.modelKey === 'string' ? meta.modelKey : null,
    modelVersion: readNumber(meta.modelVersion),
    content: Object.freeze({
      model,
      provider: readNamed(flag.provider),
      messages: read === undefined ? undefined : Object.freeze(read),
      instructions: typeof flag.instructions === 'string' ? flag.instructions : undefined,
      tools: isObject(flag.tools) ? readTools(flag.tools) : listTools(model?.parameters),
      judgeConfiguration: readJudges(flag.judgeConfiguration),
      evaluationMetricKey: readMetricKey(flag),
    }),
    lostMessages: (messages?.length ?? 0) - (read?.length ?? 0),
  });
}

const contentNames = [
  ...['model', 'provider', 'messages', 'instructions', 'tools', 'judgeConfiguration', 'evaluationMetricKey'],
  'evaluationMetricKeys',
] as const;

/** A default as a flag's value would be; that of a config that is disabled when there is no default. */
export function writeConfigFlag(fallback: ConfigDefault | null, mode: ConfigMode): Record<string, unknown> {
  const enabled = fallback === null ? false : fallback.enabled !== false;
  const flag: Record<string, unknown> = { _ldMeta: { variationKey: '', enabled, mode } };
  const given: Readonly<Record<string, unknown>> = { ...fallback };
  for (const name of contentNames) if (given[name] !== undefined) flag[name] = copyPlainData(given[name]);
  return flag;
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

function readNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A model or a provider; its name is a text, or absent. */
function readNamed(value: unknown): ModelConfig | undefined {
  if (!isObject(value)) return undefined;
  const { name, parameters, ...others } = value as Readonly<Record<string, unknown>>;
  const isWhole = typeof name === 'string' && (parameters === undefined || isObject(parameters));
  if (isWhole) return value as ModelConfig;
  return Object.freeze({
    ...(typeof name === 'string' ? { name } : {}),
    ...(isObject(parameters) ? { parameters: toObject(parameters) } : {}),
    ...others,
  });
}

function isMessage(value: unknown): value is Message {
  const { role, content } = toObject(value);
  return (role === 'user' || role === 'assistant' || role === 'system') && typeof content === 'string';
}

function readTools(value: unknown): Readonly<Record<string, ToolConfig>> {
  const tools = Object.entries(toObject(value)).filter(([, tool]) => isObject(tool));
  return nameTools(tools.map(([name, tool]) => [name, toObject(tool)]));
}

/** An older form, in which a model's parameters list the tools; those without a name are nobody's. */
function listTools(parameters: unknown): Readonly<Record<string, ToolConfig>> | undefined {
  const { tools } = toObject(parameters);
  if (!Array.isArray(tools)) return undefined;
  const named = tools.map(toObject).flatMap((tool) => {
    return typeof tool.name === 'string' && tool.name !== '' ? [[tool.name, tool] as const] : [];
  });
  return named.length === 0 ? undefined : nameTools(named);
}

function nameTools(
  named: readonly (readonly [name: string, tool: ToolConfig])[],
): Readonly<Record<string, ToolConfig>> {
  const tools: Record<string, ToolConfig> = {};
  for (const [name, tool] of named) setOwn(tools, name, tool);
  return Object.freeze(tools);
}

function readJudges(value: unknown): JudgeConfiguration | undefined {
  const { judges } = toObject(value);
  if (!Array.isArray(judges)) return undefined;
  const read = judges.map(toObject).flatMap(({ key, samplingRate }) => {
    if (typeof key !== 'string' || key === '') return [];
    return [Object.freeze({ key, ...(typeof samplingRate === 'number' ? { samplingRate } : {}) })];
  });
  return Object.freeze({ judges: Object.freeze(read) });
}

function readMetricKey(flag: Readonly<Record<string, unknown>>): string | undefined {
  const older: readonly unknown[] = Array.isArray(flag.evaluationMetricKeys) ? flag.evaluationMetricKeys : [];
  const texts = [flag.evaluationMetricKey, ...older].map((text) => (typeof text === 'string' ? text.trim() : ''));
  return texts.find((text) => text !== '');
}
