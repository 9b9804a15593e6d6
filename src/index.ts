export type { ContainerOptions } from './activation/container-args.js';
export type { SessionProxy } from './activation/session-proxy.js';
export type { CallRecord, JsonValue, Outcome, Protocol } from './core/call-record.js';
export type { Clock } from './core/clock.js';
export type { Cost, CostBasis } from './core/cost.js';
export { type ErrorCode, TrackerError, type TrackerErrorOptions } from './core/errors.js';
export type { EventListener, Fault, TrackerEvent } from './core/events.js';
export type { ExporterPlan, JsonlPlan, LangfusePlan, OtlpPlan, OtlpProfile, PrometheusPlan } from './core/exporting.js';
export type {
  Dedupe,
  Host,
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
  StoreInfo,
  Summary,
  TokenSum,
} from './core/ledger.js';
export type { AskRouter, RouteContext, RouteQuestion, Router } from './core/routing.js';
export {
  CONFIG_EVENTS,
  type EventSink,
  type EventSource,
  type GivenEvent,
  GRAPH_EVENTS,
  type OnceSink,
  type RunEvent,
  type RunLogger,
} from './core/run-events.js';
export type { RunOutcome, Session, SessionCounts, SessionIds } from './core/session.js';
export type { EstimatedUsage, Receipt, StreamTiming } from './core/timing.js';
export type { DataGroup, TrackerSummary } from './core/tracker-summary.js';
export type { Usage, UsageDetails } from './core/usage.js';
export type { UsageSum } from './core/usage-sum.js';
export type { Origin, ProviderRegistration } from './core/wire.js';
export { AgentGraph, type AgentGraphParts, type GraphVisitor, type WalkOptions } from './graph/agent-graph.js';
export { type GraphEdge, type GraphFlag, readGraphFlag } from './graph/graph-flag.js';
export { GraphNode } from './graph/graph-node.js';
export { type LoadGraphOptions, loadGraph } from './graph/load-graph.js';
export type { GraphOrder } from './graph/visit-order.js';
export type { WalkContext } from './graph/walk.js';
export { openEventSink, openHost, openLedgerReader } from './openers.js';
export { type ConcurrencySplit, splitConcurrency } from './selection/split-concurrency.js';
export { getCurrentSessionProxy } from './tracker/current-session.js';
export type { ScopeConfig } from './tracker/run-options.js';
export type { TrackedSession } from './tracker/scope.js';
export type { RunOptions, ScopeIds, ScopeOptions, TrackerOptions } from './tracker/tracker-options.js';
export { LLMTracker } from './tracker.js';
export type { ConfigRunSummary, ConfigTrackData, Feedback, JudgeResult } from './trackers/config-run.js';
export { ConfigTracker } from './trackers/config-tracker.js';
export type { GraphRunSummary, GraphTrackData } from './trackers/graph-run.js';
export { GraphTracker } from './trackers/graph-tracker.js';
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
