// Longer than 250 lines: one session over its whole life, as redirected code, its children and its owner see it.
import { type ContainerOptions, makeContainerArgs } from '../activation/container-args.js';
import { explainHiddenHosts } from '../activation/hidden-hosts.js';
import { runInScope } from '../activation/scope.js';
import { makeSessionProxy, type SessionProxy } from '../activation/session-proxy.js';
import type { SessionEnvironment } from '../activation/spawn/session-environment.js';
import { type ErrorCode, TrackerError } from '../core/errors.js';
import type { HostLink, LinkedSession } from '../core/link.js';
import type { Descendant, DoorAddress, ScopedSession } from '../core/scope.js';
import type { Session, SessionCounts } from '../core/session.js';
import type { UsageSum } from '../core/usage-sum.js';
import { waitAtMost } from '../core/wait-at-most.js';
import type { Origin } from '../core/wire.js';
import type { ConfigTracker } from '../trackers/config-tracker.js';
import { ScopeVerdict } from './run-verdict.js';

type Env = Readonly<Record<string, string | undefined>>;

/** A session opened in code: who is calling, and the door they call through. */
export interface TrackedSession {
  /** The ids stamped on every call, and when it was opened. */
  readonly session: Session;
  readonly sessionId: string;
  readonly runId: string;
  /** The door, for clients that are configured by hand: proxy URL, port, CA. */
  readonly proxy: SessionProxy;
  /**
   * The tracker of the run of the session's config, the same each time; `null` when it is for none. What it is told is the
   * run's; what it is not, the wire tells when the session ends.
   */
  readonly tracker: ConfigTracker | null;
  /** Runs a function in the session's scope: its calls, and those of children it starts, are the session's. */
  run<T>(work: () => T): T;
  /** What passed through it so far. */
  counts(): Promise<SessionCounts>;
  /** Tokens of its calls so far, by model; a count no call states is `null`. Rejects with `HOST_LOST`. */
  usage(): Promise<Readonly<Record<string, UsageSum>>>;
  /** Flags by which docker or podman lead a container through the session. Throws `CONTAINER_UNREACHABLE`. */
  containerArgs(options?: ContainerOptions): string[];
  /**
   * Ends the session: from now on its scope's calls go untouched. Resolves when what is under way has ended, streams and
   * children included. May be called twice; never rejects.
   */
  close(): Promise<void>;
}

export interface ScopePorts {
  readonly link: HostLink;
  readonly environment: SessionEnvironment;
  readonly isProvider: (origin: Origin) => boolean;
  readonly registered: () => readonly Origin[];
  readonly announceFault: (code: ErrorCode, message: string, hint: string | null) => void;
  /** Lets go of the connections that are kept for the session. */
  readonly release: (session: ScopedSession) => void;
  readonly force: boolean;
  /** Whether its calls may reach no provider: where the host will not serve again they fail, and do not go directly. */
  readonly isSealed: boolean;
  readonly openTracker: () => ConfigTracker | null;
}

/** How long the end of a scope waits for its door to close: what takes longer is under way. */
const idleCloseMs = 20;
/** More distinct faults of one session than this are not told apart from noise. */
const mostFaults = 100;

/** One session as redirected code, its children and its owner see it. */
export class Scope implements ScopedSession, TrackedSession {
  readonly session: Session;
  readonly force: boolean;
  readonly isSealed: boolean;
  readonly caPem: string;
  readonly bundlePath: string;
  /** Resolves when it is closed, whatever closed it. */
  readonly whenClosed: Promise<void>;
  readonly #linked: LinkedSession;
  #tellClosed: () => void = () => undefined;
  readonly #ports: ScopePorts;
  readonly #descendants = new Map<Descendant, () => void>();
  readonly #openings = new Set<object>();
  readonly #told = new Set<string>();
  #isOver = false;
  #closing: Promise<void> | null = null;
  #isCut = false;
  #whenAlone: (() => void) | null = null;
  #whenOpened: (() => void) | null = null;
  #tracker: ConfigTracker | null = null;
  readonly #verdict = new ScopeVerdict();

  constructor(linked: LinkedSession, ports: ScopePorts) {
    this.#linked = linked;
    this.#ports = ports;
    this.session = linked.session;
    this.force = ports.force;
    this.isSealed = ports.isSealed;
    this.whenClosed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    this.caPem = ports.link.facts.caPem;
    this.bundlePath = ports.link.facts.bundlePath;
  }

  /** What `console.log` shows: no login, no certificates. */
  [Symbol.for('nodejs.util.inspect.custom')](): unknown {
    return { session: this.session, isOpen: this.isOpen };
  }

  get sessionId(): string {
    return this.session.sessionId;
  }

  get runId(): string {
    return this.session.runId;
  }

  get isOpen(): boolean {
    const { state } = this.#ports.link;
    if (this.isSealed && state !== 'closed') return !this.#isOver;
    return !this.#isOver && !this.#linked.isLost && (state === 'serving' || state === 'restarting');
  }

  get door(): DoorAddress {
    return this.#linked.door;
  }

  get proxy(): SessionProxy {
    return makeSessionProxy(this);
  }

  get tracker(): ConfigTracker | null {
    this.#tracker ??= this.#ports.openTracker();
    return this.#tracker;
  }

  whenServing(): Promise<void> | undefined {
    return this.#ports.link.state === 'restarting' ? this.#ports.link.whenSettled() : undefined;
  }

  isProvider(scheme: 'https' | 'http', host: string, port: number): boolean {
    return this.#ports.isProvider({ scheme, host, port });
  }

  makeChildVariables(parentEnv: Env): Readonly<Record<string, string>> {
    const variables = this.#ports.environment.makeChildVariables(parentEnv);
    const hidden = explainHiddenHosts(variables.NO_PROXY ?? '', this.#ports.registered());
    // The calls in process are seen all the same; those of children are not.
    if (hidden !== undefined) this.announceFault('OPTION_CONFLICT', hidden.message, hidden.hint);
    return variables;
  }

  noteDescendant(descendant: Descendant): void {
    const onExit = (): void => {
      this.#descendants.delete(descendant);
      if (this.#descendants.size === 0) this.#whenAlone?.();
    };
    this.#descendants.set(descendant, onExit);
    descendant.once('exit', onExit);
  }

  /** Who has taken all listeners off a child has taken ours, too. */
  #listenAgain(): void {
    for (const [descendant, onExit] of this.#descendants) {
      descendant.off('exit', onExit);
      if (hasEnded(descendant)) this.#descendants.delete(descendant);
      else descendant.once('exit', onExit);
    }
  }

  noteOpening(): () => void {
    const token = {};
    this.#openings.add(token);
    return () => {
      if (this.#openings.delete(token) && this.#openings.size === 0) this.#whenOpened?.();
    };
  }

  announceFault(code: ErrorCode, message: string, hint: string | null): void {
    if (this.#told.has(message) || this.#told.size >= mostFaults) return;
    this.#told.add(message);
    this.#ports.announceFault(code, message, hint);
  }

  run<T>(work: () => T): T {
    if (this.#isOver) {
      throw new TrackerError('SESSION_CLOSED', `Could not run in session ${this.sessionId}: it is closed.`, {
        hint: 'Open another one with tracker.open() or tracker.track().',
      });
    }
    return runInScope(this, work);
  }

  async counts(): Promise<SessionCounts> {
    return await this.#linked.counts();
  }

  async usage(): Promise<Readonly<Record<string, UsageSum>>> {
    return await this.#ports.link.usage({ sessionId: this.sessionId });
  }

  containerArgs(options: ContainerOptions = {}): string[] {
    return makeContainerArgs(this, options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Runs what the scope is for; how that ends is how its run did. */
  async work<T>(work: () => T): Promise<Awaited<T>> {
    return await this.#verdict.watch(async () => await this.run(async () => await work()));
  }

  /** Closes an idle session before it resolves; one with calls or children under way goes on closing behind it. */
  async end(): Promise<void> {
    const closing = this.close();
    if (this.#descendants.size > 0) return;
    await waitAtMost(idleCloseMs, closing);
  }

  /** Cuts what `close` waits for. */
  async cut(): Promise<void> {
    this.#isOver = true;
    this.#isCut = true;
    this.#whenAlone?.();
    this.#whenOpened?.();
    const cutting = this.#linked.close({ verdict: this.#verdict.read() }).catch(() => undefined);
    await Promise.all([cutting, this.close()]);
  }

  async #close(): Promise<void> {
    this.#isOver = true;
    const verdict = this.#verdict.read();
    this.#ports.release(this);
    await this.#waitForDescendants();
    await this.#waitForOpenings();
    try {
      await this.#linked.close({ drain: true, verdict });
    } catch (error) {
      // A host that is closed or lost has closed the session; anything else is told, and the caller's work stands.
      if (this.#ports.link.state === 'serving') {
        const reason = error instanceof Error ? error.message : String(error);
        this.announceFault('INTERNAL', `Could not close session ${this.sessionId}: ${reason}`, 'Please report it.');
      }
    } finally {
      this.#ports.environment.close();
      this.#tellClosed();
    }
  }

  /** The door stays open for children that outlive the scope: one that calls later would else find nobody there. */
  async #waitForDescendants(): Promise<void> {
    this.#listenAgain();
    if (this.#descendants.size === 0 || this.#isCut) return;
    await new Promise<void>((resolve) => {
      this.#whenAlone = resolve;
    });
  }

  /** A call nobody waited for may have asked for its connection in the scope's last moment. */
  async #waitForOpenings(): Promise<void> {
    if (this.#openings.size === 0 || this.#isCut) return;
    await new Promise<void>((resolve) => {
      this.#whenOpened = resolve;
    });
  }
}

function hasEnded({ exitCode = null, signalCode = null, threadId = 0 }: Descendant): boolean {
  return exitCode !== null || signalCode !== null || threadId === -1;
}
