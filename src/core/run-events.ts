/**
 * Where the events of runs go. The shape is that of the `track` of LaunchDarkly's SDKs, so that a client of theirs is one:
 * `track(key, context, data, metricValue)` of @launchdarkly/node-server-sdk 9.13.7, read 2026-11-27.
 */
export interface EventSink {
  /**
   * Takes one event. `data` is the caller's own to keep and to change. What it throws, or rejects with, is logged and
   * reaches nobody; the event counts as sent all the same.
   */
  track(eventName: string, context: object, data: unknown, metricValue: number): unknown;
}

/** Where trackers say what they skipped, and what failed. Each line is one sentence; no line holds a token or a text of a model. */
export interface RunLogger {
  debug(message: string): unknown;
  info(message: string): unknown;
  warn(message: string): unknown;
  error(message: string): unknown;
}

/** Events of one run of a config. Source: js-core packages/sdk/server-ai 2.0.1, read 2026-11-27. */
export const CONFIG_EVENTS = Object.freeze({
  duration: '$ld:ai:duration:total',
  timeToFirstToken: '$ld:ai:tokens:ttf',
  totalTokens: '$ld:ai:tokens:total',
  inputTokens: '$ld:ai:tokens:input',
  outputTokens: '$ld:ai:tokens:output',
  success: '$ld:ai:generation:success',
  error: '$ld:ai:generation:error',
  positiveFeedback: '$ld:ai:feedback:user:positive',
  negativeFeedback: '$ld:ai:feedback:user:negative',
  toolCall: '$ld:ai:tool_call',
});

/** Events of one run of a graph. Source: js-core packages/sdk/server-ai 2.0.1, read 2026-11-27. */
export const GRAPH_EVENTS = Object.freeze({
  success: '$ld:ai:graph:invocation_success',
  failure: '$ld:ai:graph:invocation_failure',
  duration: '$ld:ai:graph:duration:total',
  totalTokens: '$ld:ai:graph:total_tokens',
  path: '$ld:ai:graph:path',
  redirect: '$ld:ai:graph:redirect',
  handoffSuccess: '$ld:ai:graph:handoff_success',
  handoffFailure: '$ld:ai:graph:handoff_failure',
});

/** Events that say how a client is used. Source: js-core packages/sdk/server-ai 2.0.1, read 2026-11-27. */
export const USAGE_EVENTS = Object.freeze({
  sdkInfo: '$ld:ai:sdk:info',
  completionConfig: '$ld:ai:usage:completion-config',
  agentConfig: '$ld:ai:usage:agent-config',
  judgeConfig: '$ld:ai:usage:judge-config',
  completionConfigTemplate: '$ld:ai:usage:completion-config-template',
  agentConfigTemplate: '$ld:ai:usage:agent-config-template',
  judgeConfigTemplate: '$ld:ai:usage:judge-config-template',
  agentConfigs: '$ld:ai:usage:agent-configs',
  // Of models, by their older name, which is the one that is counted.
  createModel: '$ld:ai:usage:create-chat',
  createAgent: '$ld:ai:usage:create-agent',
  createJudge: '$ld:ai:usage:create-judge',
  agentGraph: '$ld:ai:usage:agent-graph',
});
