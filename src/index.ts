export type { CallRecord, JsonValue, Outcome } from './core/call-record.js';
export { type ErrorCode, TrackerError } from './core/errors.js';
export type { EventListener, Fault, TrackerEvent } from './core/events.js';
export type { Host, HostOptions, OpenSession, SessionOptions } from './core/host.js';
export type {
  BodyPolicy,
  CallFilter,
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
export type { Session, SessionCounts, SessionIds } from './core/session.js';
export type { Usage } from './core/usage.js';
export type { ProviderRegistration } from './core/wire.js';
export { openHost } from './host/host.js';
export { openLedgerReader } from './storage/ledger-reader.js';
