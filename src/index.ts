export type { ContainerOptions } from './activation/container-args.js';
export type { SessionProxy } from './activation/session-proxy.js';
export type {
  AgentConfig,
  BaseConfig,
  CompletionConfig,
  JudgeConfig,
} from './configs/config.js';
export { type AgentRequest, ConfigClient } from './configs/config-client.js';
export type { ConfigClientOptions } from './configs/config-client-options.js';
export type {
  ConfigContent,
  ConfigDefault,
  JudgeConfiguration,
  Message,
  ModelConfig,
  ProviderConfig,
  RatedJudgeKey,
  ToolConfig,
} from './configs/config-flag.js';
export { Evaluator } from './configs/evaluator.js';
export { type FlagFile, type FlagFileOptions, readFlagFile } from './configs/flag-file.js';
export type { Variables } from './configs/interpolate.js';
export { Judge, type JudgeOptions } from './configs/judge.js';
export { ManagedAgent, ManagedModel, type ManagedOptions, type ManagedResult } from './configs/managed-run.js';
export type { MakeRunner, Runner, RunnerResult, RunnerUse } from './configs/runner.js';
export type { BudgetLimits } from './core/budget.js';
export type { CacheChoice } from './core/cache-choice.js';
export type { CallRecord, JsonValue, Outcome, Protocol } from './core/call-record.js';
export type { CassetteMode, CassetteUse, NormaliseRule, NormaliseRules, VolatileKind } from './core/cassette.js';
export type { Clock } from './core/clock.js';
export type { Cost, CostBasis } from './core/cost.js';
export { type ErrorCode, TrackerError, type TrackerErrorOptions } from './core/errors.js';
export type { EventListener, Fault, TrackerEvent } from './core/events.js';
export type { ExporterPlan, JsonlPlan, LangfusePlan, OtlpPlan, OtlpProfile, PrometheusPlan } from './core/exporting.js';
export type { FlagSource } from './core/flags.js';
export type {
  Dedupe,
  Host,
  HostCache,
  HostOptions,
  LedgerSink,
  LedgerSinkOptions,
  OpenSession,
  RestoredSession,
  RunFacts,
  RunVerdict,
  SessionOptions,
} from './core/host.js';
export type {
  BodyPolicy,
  CallFilter,
  EventFilter,
  EventRow,
  LedgerReader,
  ModelSummary,
  PruneOptions,
  PrunePlan,
  PruneResult,
  RunRow,
  Savings,
  StoreInfo,
  Summary,
  TokenSum,
} from './core/ledger.js';
export type { CacheMode, CachePlace, CacheUse } from './core/response-cache.js';
export type {
  AskRouter,
  RouteAnswer,
  RouteChoice,
  RouteContext,
  RouteDecision,
  RouteQuestion,
  Router,
  RouterDescription,
  RouterObject,
} from './core/routing.js';
export {
  CONFIG_EVENTS,
  type EventSink,
  type EventSource,
  type GivenEvent,
  GRAPH_EVENTS,
  type OnceSink,
  type RunEvent,
  type RunLogger,
  USAGE_EVENTS,
} from './core/run-events.js';
export type { RunIds, RunScope, ScopeFacts, ScopeOfRun, ScopeUsage } from './core/run-scope.js';
export type { RunOutcome, Session, SessionCounts, SessionIds } from './core/session.js';
export type { EstimatedUsage, Receipt, StreamTiming } from './core/timing.js';
export type { DataGroup, TrackerSummary } from './core/tracker-summary.js';
export type { Usage, UsageDetails } from './core/usage.js';
export type { UsageSum } from './core/usage-sum.js';
export type { Origin, ProviderRegistration } from './core/wire.js';
export { AgentGraph, type AgentGraphParts, type GraphVisitor, type WalkOptions } from './graph/agent-graph.js';
export { type GraphEdge, type GraphFlag, readGraphFlag } from './graph/graph-flag.js';
export { GraphNode } from './graph/graph-node.js';
export type {
  CollectedExchange,
  GraphRun,
  GraphRunOptions,
  NodeOptions,
  RunnableConfig,
} from './graph/graph-run.js';
export { type LoadGraphOptions, loadGraph } from './graph/load-graph.js';
export {
  type GraphRunner,
  type GraphRunnerResult,
  type JudgedConfig,
  ManagedAgentGraph,
  type ManagedGraphResult,
} from './graph/managed-graph.js';
export type { ActivationMetrics, NodeTrackers } from './graph/node-records.js';
export type { Exchange, NodeRun } from './graph/node-run.js';
export {
  type GraphMetrics,
  type GraphRunMetrics,
  type GraphRunResult,
  type RunGraphOptions,
  runGraph,
} from './graph/run-graph.js';
export type { GraphOrder } from './graph/visit-order.js';
export type { WalkContext } from './graph/walk.js';
export { openEventSink, openHost, openLedgerReader } from './openers.js';
export { type ConcurrencySplit, splitConcurrency } from './selection/split-concurrency.js';
export { getCurrentSessionProxy } from './tracker/current-session.js';
export type { ScopeConfig } from './tracker/run-options.js';
export type { TrackedSession } from './tracker/scope.js';
export type { ScopeIds } from './tracker/scope-ids.js';
export type { RunOptions, ScopeOptions, TrackerOptions } from './tracker/tracker-options.js';
export { LLMTracker } from './tracker.js';
export type { ConfigRunSummary, ConfigTrackData, Feedback, JudgeResult } from './trackers/config-run.js';
export { ConfigTracker } from './trackers/config-tracker.js';
export type { GraphRunSummary, GraphTrackData } from './trackers/graph-run.js';
export { GraphTracker } from './trackers/graph-tracker.js';
export { type ReadUsage, readUsage } from './trackers/read-usage.js';
export {
  type ConfigTokenFields,
  type GraphTokenFields,
  makeConfigToken,
  makeGraphToken,
  parseConfigToken,
  parseGraphToken,
  readConfigToken,
  readGraphToken,
  type TokenResult,
} from './trackers/resumption-token.js';
export type { RunMetrics, TokenCounts } from './trackers/run-metrics.js';
export type {
  ConfigTrackerOptions,
  ConfigTrackerStyle,
  GraphTrackerOptions,
  GraphTrackerStyle,
  TrackerSinks,
} from './trackers/tracker-options.js';
export { type WithCassetteOptions, withCassette } from './with-cassette.js';
