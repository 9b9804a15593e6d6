import type { CallRecord } from './call-record.js';
import type { Fault } from './events.js';
import type { RunEvent } from './run-events.js';
import type { RunOutcome, Session, SessionCounts } from './session.js';

/** Which bodies the ledger keeps. Under every policy credentials are removed from what is kept. */
export type BodyPolicy = 'none' | 'redacted' | 'full';

/** The writing side. No method throws and none blocks the event loop for more than some milliseconds. */
export interface LedgerWriter {
  saveSessionOpened(session: Session): void;
  saveSessionClosed(sessionId: string, end: SessionEnd): void;
  /** Durable when this turn of the event loop ends, unless the file is locked or full: then it waits, bounded, and is retried. */
  saveCall(record: CallRecord): void;
  saveFault(fault: Fault): void;
  /** Durable as `saveCall` is. `onSaved` is called once, when it is written, refused or lost. */
  saveEvent(event: RunEvent, claim: EventClaim | null, onSaved?: (saved: EventSaved) => void): void;
  /** Writes what is queued, waiting up to `deadlineMs` for a lock; `false` when another process held the file for longer. */
  flush(deadlineMs: number): Promise<boolean>;
  /** Flushes, checkpoints and closes; may be called twice. */
  close(): Promise<void>;
}

/** Of what an event is the only one in its run. */
export interface EventClaim {
  readonly fact: string;
  /** Who states it: what one owner has, others have not. */
  readonly owner: string;
  /**
   * `tracker`: each of several callers may state it, and so may each session's wire; the wire not after a caller, nor a
   * caller after the wire. `run`: whoever is first.
   */
  readonly dedupe: 'tracker' | 'run';
}

/** `refused`: another has stated the fact, or the very event is there already. `lost`: it could not be written. */
export type EventSaved = 'kept' | 'refused' | 'lost';

/** Which events; all of it must hold. */
export interface EventFilter {
  readonly runId?: string;
  /** Of the runs that sessions of this run of a graph are, its nodes'. */
  readonly nodesOfGraphRun?: string;
  /** Those after this one, in the order they were written. */
  readonly afterSeq?: number;
}

/** An event as it stands in the ledger. */
export interface EventRow extends RunEvent {
  readonly seq: number;
}

export interface SessionEnd {
  /** UTC, ISO 8601. */
  readonly endedAt: string;
  readonly counts: SessionCounts;
  /** The command's exit status; `null` when the session is not a command's. */
  readonly exitCode: number | null;
  /** How the run of its config ended; `null`, as when absent, when it is for none. */
  readonly outcome?: RunOutcome | null;
}

/** Exact matches, all of which must hold; an absent field does not filter, `null` asks for records without it. */
export interface CallFilter {
  readonly runId?: string;
  readonly sessionId?: string;
  readonly configKey?: string | null;
  readonly graphKey?: string | null;
  readonly graphRunId?: string | null;
  readonly dataId?: string | null;
  readonly comboId?: string | null;
  readonly agentId?: string | null;
}

/** One line of `llmtap runs`. */
export interface RunRow {
  readonly runId: string;
  readonly startedAt: string;
  /** `null` while a session of the run is open, or when its tap was killed. */
  readonly endedAt: string | null;
  readonly command: readonly string[] | null;
  readonly exitCode: number | null;
  readonly sessions: number;
  readonly calls: number;
  /** Calls whose `error` is not `null`. */
  readonly errors: number;
  readonly models: readonly string[];
  /** Sums over the calls that know; `null` when none does. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Calls whose input or output is unknown. */
  readonly unknownUsage: number;
  readonly costUsd: TokenSum;
  readonly cachedCalls: number;
  /** What those would have cost. */
  readonly savedUsd: TokenSum;
  readonly configKey: string | null;
  readonly graphKey: string | null;
  /** Of the run of its config; `null` while it goes on, and where there is none. */
  readonly outcome: RunOutcome | null;
}

/** A sum that says how many calls could not contribute to it, of tokens or of US dollars. */
export interface TokenSum {
  /** `null` when no call states it. */
  readonly known: number | null;
  readonly unknownCalls: number;
}

/** What calls answered from a cache would have taken, each sum of those calls alone. */
export interface Savings {
  readonly inputTokens: TokenSum;
  readonly outputTokens: TokenSum;
  readonly usd: TokenSum;
  /** What the provider took for them when they were first made. */
  readonly latencyMs: number;
}

/** One line of a summary: everything of one model. Milliseconds throughout. */
export interface ModelSummary {
  readonly model: string | null;
  readonly provider: string;
  readonly calls: number;
  /** Calls whose `error` is not `null`: every outcome but `ok`, and errors stated inside a stream of status 200. */
  readonly errors: number;
  readonly cachedCalls: number;
  /** What those did not ask of the provider. */
  readonly saved: Savings;
  readonly inputTokens: TokenSum;
  readonly cacheReadTokens: TokenSum;
  readonly cacheWriteTokens: TokenSum;
  readonly outputTokens: TokenSum;
  readonly reasoningTokens: TokenSum;
  readonly totalTokens: TokenSum;
  /** What calls answered from a cache would have cost is not in it. */
  readonly costUsd: TokenSum;
  readonly latencyP50Ms: number;
  readonly latencyMaxMs: number;
  /** Median over the streams that produced output; `null` when there was none. */
  readonly timeToFirstTokenP50Ms: number | null;
}

export interface Summary {
  readonly models: readonly ModelSummary[];
  readonly calls: number;
  /** Calls whose `error` is not `null`. */
  readonly errors: number;
  /** Of those, the calls a budget had no room for, which were sent to nobody. */
  readonly refusedCalls: number;
  readonly counts: SessionCounts | null;
}

export interface StoreInfo {
  readonly path: string;
  /** The database file with its write-ahead log. */
  readonly bytes: number;
  readonly bodyBytes: number;
  readonly calls: number;
  readonly runs: number;
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly schemaVersion: number;
}

export interface PruneOptions {
  /** Delete calls that started before this instant, UTC, ISO 8601. */
  readonly before?: string;
  /** Keep the calls, delete their bodies. */
  readonly bodiesOnly?: boolean;
  /** Delete oldest first until the file is no larger. */
  readonly maxBytes?: number;
}

/** What pruning would do now. */
export interface PrunePlan {
  /** Calls that `before` names, or with `bodiesOnly` calls whose bodies would go (all, when it stands alone). */
  readonly matches: number;
  /** Calls on record, or with `bodiesOnly` calls whose bodies are kept. */
  readonly total: number;
  /** Sessions from before that instant that have ended and hold no call. */
  readonly emptySessions: number;
  /** Whether the file is larger than `maxBytes` now. */
  readonly exceedsSize: boolean;
}

export interface PruneResult {
  readonly calls: number;
  readonly bodies: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** The reading side, over the same file, also while others write. Synchronous. */
export interface LedgerReader {
  /** @param options with `graphKey` those of its nodes */
  listRuns(options?: { readonly limit?: number; readonly graphKey?: string }): readonly RunRow[];
  /** Oldest first; lazily, so that a large store is no large array. Bodies only when asked for. */
  listCalls(filter: CallFilter, options?: { readonly limit?: number; readonly bodies?: boolean }): Iterable<CallRecord>;
  /**
   * By call id, an unambiguous prefix of at least four characters, or `latest`; bodies included. Throws
   * `RECORD_NOT_FOUND`.
   */
  requireCall(idOrPrefix: string): CallRecord;
  /** Full run id for an unambiguous prefix, or `latest`. Throws `RUN_NOT_FOUND`. */
  requireRunId(idOrPrefix: string): string;
  /**
   * The id of a graph's run: for an unambiguous prefix, or the newest of all. Throws `RUN_NOT_FOUND`.
   */
  requireGraphRunId(graphKey: string, idOrPrefix?: string): string;
  /** Full session id for an unambiguous prefix. Throws `RECORD_NOT_FOUND`. */
  requireSessionId(idOrPrefix: string): string;
  summarise(filter: CallFilter): Summary;
  listFaults(filter: CallFilter): readonly Fault[];
  /** In the order they were written; lazily. */
  listEvents(filter: EventFilter): Iterable<EventRow>;
  /** Names of the events by which callers stated facts, or tool calls, of a config's run, each once. */
  listStated(run: { readonly runId: string; readonly configKey: string }): readonly string[];
  /** Whether a session is on record as one of that run of that config, and not as ended. */
  isSessionOpen(session: { readonly sessionId: string; readonly runId: string; readonly configKey: string }): boolean;
  /** The `seq` after which the last so many events come; 0 when there are no more than that. */
  findLastEvents(filter: EventFilter, count: number): number;
  info(): StoreInfo;
  /** What `prune` would do with these options; changes nothing. Throws as it does. */
  planPrune(options: PruneOptions): PrunePlan;
  prune(options: PruneOptions): PruneResult;
  close(): void;
}
