import type { CallRecord } from './call-record.js';
import type { EventListener, Fault } from './events.js';
import type { HostOptions, RunVerdict, SessionOptions } from './host.js';
import type { CallFilter, RunRow } from './ledger.js';
import type { AskRouter } from './routing.js';
import type { GivenEvent } from './run-events.js';
import type { DoorAddress } from './scope.js';
import type { Session, SessionCounts } from './session.js';
import type { TrackerSummary } from './tracker-summary.js';
import type { UsageSum } from './usage-sum.js';
import type { ProviderRegistration } from './wire.js';

/** What a host behind a link is opened with: plain data, but for the router, which is asked over the link. */
export interface LinkOptions extends Omit<HostOptions, 'home' | 'router' | 'warm'> {
  /** Absolute; the platform's folder for user data, or `LLMTAP_HOME` of `env`, when absent. */
  readonly home?: string;
  readonly router?: AskRouter;
}

/** What the agent side must know of its host, told once when it opens. */
export interface HostFacts {
  readonly home: string;
  readonly caPath: string;
  readonly caPem: string;
  readonly bundlePath: string;
  readonly extraCaPath: string;
}

/** A session on the other side of a link. */
export interface LinkedSession {
  readonly session: Session;
  /** The port served now; another only when a restarted host could not have the same again. */
  readonly door: DoorAddress;
  /** `http://[LOGIN@]HOST:PORT` of `door`. */
  readonly proxyUrl: string;
  /** Whether a host that was restarted could not open it again: nobody listens at its door. For ever. */
  readonly isLost: boolean;
  counts(): Promise<SessionCounts>;
  /**
   * Ends the session. With `drain` no new connection is taken, idle ones are closed, and what is under way ends first;
   * without it everything is cut. A second call without `drain` cuts what a first one waits for.
   */
  close(end?: { readonly drain?: boolean; readonly verdict?: RunVerdict | null }): Promise<void>;
}

/** A filter over the calls of one tracker. */
export type RecordFilter = CallFilter;

/**
 * A host on another thread or in another process: the agent side's only way to it. Rejects with `HOST_CLOSED` after
 * `close`, and with `HOST_LOST` when the host died more often than it is restarted.
 */
export interface HostLink {
  readonly facts: HostFacts;
  /** `lost` is for ever: sessions are over and traffic goes untouched. */
  readonly state: 'serving' | 'restarting' | 'lost' | 'closed';
  /** Resolves when `state` is anything but `restarting`. */
  whenSettled(): Promise<void>;
  openSession(options?: SessionOptions): Promise<LinkedSession>;
  registerProvider(registration: ProviderRegistration): Promise<void>;
  /** A merged bundle that keeps the certificates of the user's own file. Synchronous: blocks for some milliseconds. */
  bundleFor(userFile: string | undefined): string;
  onEvent(listener: EventListener): () => void;
  /** Calls of this link's sessions, oldest first, those of sessions long closed included; bodies only when asked for. */
  records(
    filter: RecordFilter,
    options?: { readonly limit?: number; readonly bodies?: boolean },
  ): Promise<CallRecord[]>;
  usage(filter: RecordFilter): Promise<Readonly<Record<string, UsageSum>>>;
  /** Milliseconds, over the calls answered from a cache. */
  cachedLatencyMs(filter: RecordFilter): Promise<number>;
  summary(filter: RecordFilter): Promise<TrackerSummary>;
  runs(): Promise<readonly RunRow[]>;
  /** Deletes the finished calls of this link's sessions from the ledger; returns how many. */
  clear(): Promise<number>;
  /** Deletes every reply of the host's cache, those of other processes too; returns how many. */
  clearCache(): Promise<number>;
  /** Writes what the host's cache has not written yet; `false` when its file could not be written. */
  flushCache(): Promise<boolean>;
  /** Takes an event of a run; one that no host will take is announced to the listeners all the same. Never throws. */
  track(event: GivenEvent): void;
  /** Keeps a fault of the agent side in the ledger and announces it to the listeners. */
  noteFault(fault: Omit<Fault, 'at'>): void;
  /** Keeps in the ledger that a listener threw. */
  noteListenerError(message: string): void;
  /** Cuts what is open, ends the thread; may be called twice. */
  close(): Promise<void>;
}
