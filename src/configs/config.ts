import type { ConfigTracker } from '../trackers/config-tracker.js';
import type {
  ConfigContent,
  ConfigFlag,
  ConfigMode,
  JudgeConfiguration,
  Message,
  ModelConfig,
  ProviderConfig,
  ToolConfig,
} from './config-flag.js';
import type { Evaluator } from './evaluator.js';

/** What all configs have. Immutable. */
export interface BaseConfig {
  readonly key: string;
  /** Whether it is to be used; its trackers are there all the same. */
  readonly enabled: boolean;
  readonly model: ModelConfig | undefined;
  readonly provider: ProviderConfig | undefined;
  /** A tracker of a new run of this config, at each call. Sends nothing. */
  readonly createTracker: () => ConfigTracker;
}

/** How to ask a model. */
export interface CompletionConfig extends BaseConfig {
  /** Judges what its runs give. */
  readonly evaluator: Evaluator;
  readonly messages: readonly Message[] | undefined;
  readonly judgeConfiguration: JudgeConfiguration | undefined;
  /** By name. */
  readonly tools: Readonly<Record<string, ToolConfig>> | undefined;
}

/** How an agent works. */
export interface AgentConfig extends BaseConfig {
  /** Judges what its runs give. */
  readonly evaluator: Evaluator;
  readonly instructions: string | undefined;
  readonly judgeConfiguration: JudgeConfiguration | undefined;
  /** By name. */
  readonly tools: Readonly<Record<string, ToolConfig>> | undefined;
}

/** How a judge judges. */
export interface JudgeConfig extends BaseConfig {
  readonly messages: readonly Message[] | undefined;
  /** The event its scores are sent as, `$ld:ai:judge:relevance` or any other. */
  readonly evaluationMetricKey: string | undefined;
}

export interface ConfigOfMode {
  readonly completion: CompletionConfig;
  readonly agent: AgentConfig;
  readonly judge: JudgeConfig;
}

/** Renders one text of a config. */
export type RenderText = (template: string) => string;

export interface ConfigParts {
  readonly key: string;
  readonly flag: ConfigFlag;
  readonly render: RenderText;
  /** Leaves the messages of judges as they are, too. */
  readonly isTemplate: boolean;
  readonly createTracker: () => ConfigTracker;
  readonly evaluator: Evaluator;
}

/** By which a judge's older messages ask for what is judged, which it now gets in one text. */
export const judgePlaceholders = Object.freeze({
  message_history: '{{message_history}}',
  response_to_evaluate: '{{response_to_evaluate}}',
});

/** Makes a config of what was read from its flag; its mode is the caller's to see to. */
export function makeConfig<M extends ConfigMode>(mode: M, parts: ConfigParts): ConfigOfMode[M] {
  const configs: { readonly [N in ConfigMode]: (parts: ConfigParts) => ConfigOfMode[N] } = {
    completion: (given) => ({ ...makeBase(given), evaluator: given.evaluator, ...makeCompletion(given) }),
    agent: (given) => ({ ...makeBase(given), evaluator: given.evaluator, ...makeAgent(given) }),
    judge: (given) => ({ ...makeBase(given), ...makeJudge(given) }),
  };
  const config = configs[mode](parts);
  Object.freeze(config);
  return config;
}

function makeBase({ key, flag, createTracker }: ConfigParts): BaseConfig {
  const { model, provider } = flag.content;
  return { key, enabled: flag.enabled, model, provider, createTracker };
}

function makeCompletion({ flag, render }: ConfigParts) {
  const { messages, judgeConfiguration, tools } = flag.content;
  return { messages: renderMessages(messages, render), judgeConfiguration, tools };
}

function makeAgent({ flag, render }: ConfigParts) {
  const { instructions, judgeConfiguration, tools } = flag.content;
  return { instructions: instructions === undefined ? undefined : render(instructions), judgeConfiguration, tools };
}

function makeJudge({ flag, render, isTemplate }: ConfigParts) {
  const { messages, evaluationMetricKey } = flag.content;
  const rendered = renderMessages(messages, render);
  if (isTemplate || rendered === undefined) return { messages: rendered, evaluationMetricKey };
  const kept = rendered.filter(
    ({ role, content }) =>
      role === 'system' || !Object.values(judgePlaceholders).some((text) => content.includes(text)),
  );
  return { messages: Object.freeze(kept), evaluationMetricKey };
}

function renderMessages(messages: ConfigContent['messages'], render: RenderText): readonly Message[] | undefined {
  if (messages === undefined) return undefined;
  return Object.freeze(messages.map((message) => Object.freeze({ ...message, content: render(message.content) })));
}
