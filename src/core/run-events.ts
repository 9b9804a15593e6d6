import type { JsonValue } from './call-record.js';

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

/** What happened in a run, as the tap keeps and announces it. */
export interface RunEvent {
  /** Of this event alone, whoever sends it again. */
  readonly eventId: string;
  /** `$ld:ai:duration:total`, a judge's metric key, or any other. */
  readonly name: string;
  /** The metric's; `null` for what is no finite number. */
  readonly value: number | null;
  /** Its payload, secrets removed. */
  readonly data: JsonValue;
  /** Who or what the run was for, as the flags know it, secrets removed. */
  readonly context: JsonValue;
  /** As the payload has it, as `callId`; `null` where it has none. */
  readonly runId: string | null;
  readonly sessionId: string | null;
  readonly callId: string | null;
  /** Who said it: the caller by a tracker, or the wire. */
  readonly source: EventSource;
  /** UTC, ISO 8601. */
  readonly at: string;
}

export type EventSource = 'caller' | 'wire';

/** An event on its way to the tap: flat, so that thousands cross to another thread at little cost. */
export interface GivenEvent {
  readonly eventId: string;
  readonly name: string;
  readonly value: number;
  /** JSON, as is the context. */
  readonly data: string;
  readonly context: string;
  readonly sessionId: string | null;
  readonly source: EventSource;
  /** Of whom the fact is, where a run is to have it once in all: see `OnceSink`. */
  readonly owner: string | null;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** A sink that can keep to once over all trackers of a run, in whatever process: the tap's own, by its ledger. */
export interface OnceSink extends EventSink {
  /** @param owner of a tracker; the first to record a fact of a run has it */
  trackOnce(owner: string, eventName: string, context: object, data: unknown, metricValue: number): unknown;
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

/** Which events are one fact of a run, of which it has one: by the name each is claimed under. */
const facts: ReadonlyMap<string, string> = new Map([
  [CONFIG_EVENTS.duration, 'duration'],
  [CONFIG_EVENTS.timeToFirstToken, 'time to first token'],
  [CONFIG_EVENTS.totalTokens, 'tokens'],
  [CONFIG_EVENTS.inputTokens, 'tokens'],
  [CONFIG_EVENTS.outputTokens, 'tokens'],
  [CONFIG_EVENTS.success, 'outcome'],
  [CONFIG_EVENTS.error, 'outcome'],
  [CONFIG_EVENTS.positiveFeedback, 'feedback'],
  [CONFIG_EVENTS.negativeFeedback, 'feedback'],
  [GRAPH_EVENTS.success, 'graph outcome'],
  [GRAPH_EVENTS.failure, 'graph outcome'],
  [GRAPH_EVENTS.duration, 'graph duration'],
  [GRAPH_EVENTS.totalTokens, 'graph tokens'],
  [GRAPH_EVENTS.path, 'graph path'],
]);

/** The fact an event states of its run; `null` for what may be said as often as it happens. */
export function findFact(eventName: string): string | null {
  return facts.get(eventName) ?? null;
}

/** An event as it is announced. What it says of itself is in its data. */
export function readGivenEvent(given: GivenEvent): RunEvent {
  const { eventId, name, value, sessionId, source, atMs } = given;
  const data = JSON.parse(given.data) as JsonValue;
  return {
    ...{ eventId, name, value: Number.isFinite(value) ? value : null },
    ...{ data, context: JSON.parse(given.context) as JsonValue },
    ...{ runId: findText(data, 'runId'), sessionId, callId: findText(data, 'callId'), source },
    at: new Date(atMs).toISOString(),
  };
}

function findText(data: JsonValue, name: string): string | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  const value = (data as { readonly [key: string]: JsonValue })[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
