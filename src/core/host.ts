import type { BudgetLimits } from './budget.js';
import type { CassetteUse } from './cassette.js';
import type { EventListener, Fault } from './events.js';
import type { ExporterPlan } from './exporting.js';
import type { BodyPolicy } from './ledger.js';
import type { CachePlace, CacheUse } from './response-cache.js';
import type { AskRouter, RouterDescription } from './routing.js';
import type { GivenEvent, OnceSink } from './run-events.js';
import type { Session, SessionCounts, SessionIds } from './session.js';
import type { Origin, ProviderRegistration } from './wire.js';

export interface HostOptions {
  /** Absolute; made with mode 0700 when absent. */
  readonly home: string;
  /** The environment whose proxies, CA files and keys the host respects. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `redacted` when absent. */
  readonly bodies?: BodyPolicy;
  /** `HOST:PORT:ADDR:PORT` as curl's `--connect-to`. */
  readonly connectTo?: readonly string[];
  /** PEM file trusted for providers besides the usual roots. */
  readonly upstreamCa?: string;
  readonly providers?: readonly ProviderRegistration[];
  /** JSON file of the user's own prices, which come before the list's. */
  readonly prices?: string;
  /** Where events go besides the ledger; nowhere when absent. */
  readonly exporters?: readonly ExporterPlan[];
  /**
   * When to load what the first call needs: at once (when absent), or when `warm` is called or the first connection
   * comes, so that a program can be started first and load its own things meanwhile.
   */
  readonly warm?: 'now' | 'later';
  /** Asked for the model of every call of a `routed` session. */
  readonly router?: AskRouter;
  /** The router of sessions that say nothing of one. */
  readonly defaultRouter?: RouterDescription;
  /** What all sessions together may spend. */
  readonly budget?: BudgetLimits;
  /** How long a call waits for the router before it goes as asked; 1000 when absent. */
  readonly routerDeadlineMs?: number;
  /** Where replies are kept for sessions and calls that use the cache; `.llmtap/cache.db` in the working folder when absent. */
  readonly cache?: CachePlace;
  /** Whose sessions these are in the ledger, so that one tracker's can be told from another's; `null` when absent. */
  readonly trackerId?: string;
}

/** A session as it was on a host that died: opened again under its id, and at its port where that is still free. */
export interface RestoredSession {
  readonly session: Session;
  readonly port: number;
  /** `user:password`, or `null`. */
  readonly credentials: string | null;
}

/** What a session for a config says of its run besides its ids: plain data. */
export interface RunFacts {
  /** Who or what the run is for, as the flags know it; `{ kind: 'llmtap', key: CONFIG KEY, anonymous: true }` when absent. */
  readonly context?: object;
  /** As the config names them; those of the first call when absent. */
  readonly modelName?: string;
  readonly providerName?: string;
  readonly modelKey?: string;
  readonly modelVersion?: number;
  /** `run` when the run is to have each of its facts once in all its sessions; `tracker`, once in each, when absent. */
  readonly dedupe?: Dedupe;
  /** The caller states all of it, and the wire nothing; both when absent. */
  readonly statedBy?: 'caller';
}

/** Over what a fact is recorded at most once: one tracker, or all of a run, in whatever process. */
export type Dedupe = 'tracker' | 'run';

/** How what was done in a session ended, by who did it. */
export type RunVerdict = 'success' | 'error' | 'aborted';

export interface SessionOptions extends Partial<SessionIds> {
  /** Of the run of its config; needless without a `configKey`. */
  readonly run?: RunFacts;
  /** The command, for the ledger; secrets are removed from it. */
  readonly command?: readonly string[];
  /** Ask clients for credentials on the proxy port. Off when absent. */
  readonly credentials?: boolean;
  /**
   * An address of this machine to listen on besides loopback's place, for containers. Whoever can reach it can use the
   * session, so `credentials` are then always asked for. `127.0.0.1` when absent.
   */
  readonly bindAddress?: string;
  /** Ask the host's router for the model of every call. Off when absent. */
  readonly routed?: boolean;
  /** A router that comes with llmtap, for a session that is not `routed`; `null` routes none, also where the host has one. */
  readonly router?: RouterDescription | null;
  /** What the session's run may spend, its other sessions included. */
  readonly budget?: BudgetLimits;
  /** What the cache does for its calls; nothing when absent, but for those whose `x-llmtap-cache` header asks. */
  readonly cache?: CacheUse;
  /** Records its calls, or answers them from a recording; the cache is out of use then. Neither when absent. */
  readonly cassette?: CassetteUse;
  /** For who may have to ask again without knowing whether the session was opened; a new one when absent. */
  readonly sessionId?: string;
  readonly restore?: RestoredSession;
  /** Memory of `makeTallyMemory` the session's counts are kept in, for who is to have them when this host has died. */
  readonly tally?: SharedArrayBuffer;
}

/** Where events of runs go without a tap. */
export interface LedgerSinkOptions {
  /** Absolute; made with mode 0700 when absent. */
  readonly home: string;
  /**
   * The environment whose keys are removed from what is kept, and which says how exporters are set up and where in the clouds
   * calls are routed to; none when absent.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly exporters?: readonly ExporterPlan[];
}

/** The ledger as a sink of trackers, for a program that makes no calls: one that is told what users thought, say. */
export interface LedgerSink extends OnceSink {
  onEvent(listener: EventListener): () => void;
  /** Writes and sends what is left; may be called twice. */
  close(): Promise<void>;
}

/** A session with its door open. */
export interface OpenSession {
  readonly session: Session;
  /** `http://127.0.0.1:PORT`, with credentials when they are asked for. */
  readonly proxyUrl: string;
  readonly port: number;
  counts(): SessionCounts;
  /** `user:password` clients are asked for, or `null`. */
  readonly credentials: string | null;
  /**
   * Closes port and connections; `exitCode` is noted in the ledger. With `drain` no new connection is taken, idle ones
   * are closed, and exchanges under way end first. May be called twice; a call without `drain` cuts what an earlier one
   * waits for.
   */
  close(end?: {
    readonly exitCode?: number;
    readonly drain?: boolean;
    /** Of a session for a config; by its calls, and its `exitCode` if there is one, when absent. */
    readonly verdict?: RunVerdict | null;
  }): Promise<void>;
}

/** What a host's cache can be told. */
export interface HostCache {
  /** Deletes every reply, those other processes put there too; gives how many. */
  clear(): number;
  /** Writes what was not written yet; `false` when the file could not be written. */
  flush(): boolean;
}

/** The side that owns proxy, CA and ledger. */
export interface Host {
  /** PEM file of our root alone. */
  readonly caPath: string;
  /** PEM file of system roots, Node's roots, the user's own and ours. */
  readonly bundlePath: string;
  /** PEM file for variables that add to the roots: what `NODE_EXTRA_CA_CERTS` names, and ours. */
  readonly extraCaPath: string;
  /** A merged bundle that keeps the certificates of the user's own file; without one, `bundlePath`. */
  bundleFor(userFile: string | undefined): string;
  /** Registered origins, for the child's `NO_PROXY`. */
  readonly registered: readonly Origin[];
  openSession(options?: SessionOptions): Promise<OpenSession>;
  /** Loads what the first call needs, in the background; needless unless the host was opened with `warm: 'later'`. */
  warm(): void;
  registerProvider(registration: ProviderRegistration): void;
  onEvent(listener: EventListener): () => void;
  /** Takes events into the ledger, and announces them to listeners and exporters; `onTaken` when that has begun. */
  track(events: readonly GivenEvent[], onTaken?: () => void): void;
  /** The tap as a sink of trackers. */
  readonly sink: OnceSink;
  /** Keeps a fault of the agent side in the ledger and announces it. */
  noteFault(fault: Omit<Fault, 'at'>): void;
  /** Keeps in the ledger alone that a listener threw: to announce it would ask for another. */
  noteListenerError(message: string): void;
  readonly cache: HostCache;
  /** Writes what waits for the ledger's file, for at most `deadlineMs`; `false` when another process held it for longer. */
  flush(deadlineMs: number): Promise<boolean>;
  /**
   * The program whose sessions these are ends: what was tracked is written, then every session is closed, and what it makes of
   * that. Exporters are not waited for. May be called twice.
   */
  leave(end: { readonly exitCode: number }): Promise<void>;
  /** Closes every session, the ledger and all sockets; may be called twice. */
  close(): Promise<void>;
}
