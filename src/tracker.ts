// Longer than 250 lines: one public class, half of it what its users read.
import { randomUUID } from 'node:crypto';
import type { ContainerOptions } from './activation/container-args.js';
import { makeAmbient } from './activation/scope.js';
import type { CallRecord } from './core/call-record.js';
import { TrackerError } from './core/errors.js';
import type { EventListener } from './core/events.js';
import type { CallFilter } from './core/ledger.js';
import type { Session } from './core/session.js';
import type { TrackerSummary } from './core/tracker-summary.js';
import type { UsageSum } from './core/usage-sum.js';
import type { ProviderRegistration } from './core/wire.js';
import { Backstage } from './tracker/backstage.js';
import type { Scope, TrackedSession } from './tracker/scope.js';
import { formatTrackerSummary } from './tracker/summary-text.js';
import {
  checkScopeOptions,
  checkTrackerOptions,
  hasIds,
  mergeIds,
  pickIds,
  type ScopeOptions,
  type TrackerOptions,
} from './tracker/tracker-options.js';

const mostListedCalls = 500;

/**
 * Sees the calls to language models that a program makes itself or through children it starts: inside `track`, or for
 * its whole life when ids are given to the constructor. Nothing outside is touched.
 *
 * Errors carry a `code` (README, "Errors and faults"). What fails in the background is a `fault.occurred` event; it never
 * reaches the program's own calls.
 *
 * @example
 * const tracker = new LLMTracker();
 * await tracker.start();
 * await tracker.track({ configKey: 'support-bot' }, async () => await agent.answer('Hi'));
 * console.log(await tracker.getUsage());
 * await tracker.close();
 */
export class LLMTracker {
  readonly #options: TrackerOptions;
  readonly #backstage: Backstage;
  readonly #scopes = new Set<Scope>();
  #deactivate: (() => void) | null = null;
  #life: { readonly scope: Scope; readonly undo: () => void } | null = null;
  #isClosed = false;
  /** `start`, `stop` and `close` one after the other, in the order they were called. */
  #queue: Promise<unknown> = Promise.resolve();

  /** Throws `OPTION_INVALID`. Opens nothing. */
  constructor(options: TrackerOptions = {}) {
    checkTrackerOptions(options);
    this.#options = Object.freeze({ ...options });
    this.#backstage = new Backstage(this.#options, randomUUID());
  }

  /**
   * Opens a tracker and one session with the options' ids, runs a function in its scope, and closes both, whatever
   * happened. Gives what the function gives. Rejects with what it throws, or as `start` does.
   */
  static async run<T>(
    options: TrackerOptions,
    work: (tracker: LLMTracker, session: TrackedSession) => T,
  ): Promise<Awaited<T>> {
    const tracker = new LLMTracker(options);
    try {
      await tracker.#inOrder(() => tracker.#activate());
      return await tracker.track(async (session) => await work(tracker, session));
    } finally {
      await tracker.close();
    }
  }

  /**
   * Opens the host in a thread of its own, and the session of the tracker's life when ids were given to the constructor.
   * May be called again, also after `stop`. Rejects with `TRACKER_CLOSED`, and as `openHost` does: `HOME_UNUSABLE`,
   * `PROVIDER_INVALID`, `UPSTREAM_CA_UNREADABLE`, `PROXY_UNSUPPORTED`, and the codes of the CA.
   */
  async start(): Promise<this> {
    await this.#inOrder(async () => {
      if (this.#isClosed) throw makeClosed('start');
      await this.#activate();
      await this.#openLife();
    });
    return this;
  }

  /**
   * Ends every session and undoes what was put in place. Waits for calls under way, for at most `drainMs`; then they are
   * cut and recorded so. Queries go on answering. May be called twice.
   */
  async stop(): Promise<void> {
    await this.#inOrder(async () => await this.#stop());
  }

  /** Stops, and ends the host's thread. May be called twice; afterwards nothing can be asked. */
  async close(): Promise<void> {
    await this.#inOrder(async () => {
      await this.#stop();
      this.#isClosed = true;
      await this.#backstage.close();
    });
  }

  /** `await using tracker = await new LLMTracker().start()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Runs a function in a scope of its own: what it calls, also later from promises, timers and children it starts, is
   * recorded under the given ids. Gives what the function gives, and ends the scope when that has settled; streams and
   * children still under way go on and are recorded as they end. Rejects with what the function throws, and with
   * `TRACKER_NOT_STARTED`, `TRACKER_CLOSED`, `OPTION_INVALID`, `OPTION_CONFLICT`, `HOST_LOST`.
   */
  track<T>(work: (session: TrackedSession) => T): Promise<Awaited<T>>;
  track<T>(options: ScopeOptions, work: (session: TrackedSession) => T): Promise<Awaited<T>>;
  async track<T>(
    first: ScopeOptions | ((session: TrackedSession) => T),
    second?: (session: TrackedSession) => T,
  ): Promise<Awaited<T>> {
    const [options, work] = typeof first === 'function' ? [{}, first] : [first, second];
    if (typeof work !== 'function')
      throw new TrackerError('OPTION_INVALID', 'Could not track: there is no function to run.');
    const scope = await this.#openScope(options);
    try {
      return await scope.run(async () => await work(scope));
    } finally {
      await scope.end();
    }
  }

  /** Opens a session to be closed by hand. Rejects as `track` does. */
  async open(options: ScopeOptions = {}): Promise<TrackedSession> {
    return await this.#openScope(options);
  }

  /**
   * The variables a program needs for its calls to be the session's, to be set over those it inherits. Throws
   * `SESSION_CLOSED` once the session is over.
   */
  getSessionEnv(session: Pick<Session, 'sessionId'>): Readonly<Record<string, string>> {
    return this.#requireScope(session, 'give the environment').makeChildVariables(this.#backstage.env());
  }

  /** As `containerArgs` of a session; the tracker's own when none is given. Throws `CONTAINER_UNREACHABLE`. */
  containerArgs(options: ContainerOptions = {}, session?: Pick<Session, 'sessionId'>): string[] {
    return this.#requireScope(session ?? this.#life?.scope, 'give the flags').containerArgs(options);
  }

  /** Adds a model server of the user's, at once for calls in process, new children, and those that run. Rejects with `PROVIDER_INVALID`. */
  async registerProvider(registration: ProviderRegistration): Promise<void> {
    if (this.#isClosed) throw makeClosed('register a provider');
    await this.#backstage.registerProvider(registration);
  }

  /**
   * Subscribes to what happens, in order; may be called before `start`. A listener that throws harms nobody. Returns the
   * function that unsubscribes.
   */
  onEvent(listener: EventListener): () => void {
    return this.#backstage.onEvent(listener);
  }

  /** The tracker's calls, oldest first, those of earlier `start`s included; each once. Bodies only when asked for. */
  async records(
    filter: CallFilter = {},
    options: { readonly limit?: number; readonly bodies?: boolean } = {},
  ): Promise<CallRecord[]> {
    return await this.#link('list the calls').records(filter, options);
  }

  /** Tokens by model. A count no call states is `null`. */
  async getUsage(filter: CallFilter = {}): Promise<Readonly<Record<string, UsageSum>>> {
    return await this.#link('sum up the usage').usage(filter);
  }

  /** Milliseconds that the calls answered from a cache took when they were first made. */
  async getCachedLatency(filter: CallFilter = {}): Promise<number> {
    return await this.#link('sum up the latency').cachedLatencyMs(filter);
  }

  /** What the calls add up to, by model and by item of the data set. */
  async summary(filter: CallFilter = {}): Promise<TrackerSummary> {
    return await this.#link('sum up the calls').summary(filter);
  }

  /** The summary as text, with a line for each of the first 500 calls. Returned, not printed. */
  async printSummary(filter: CallFilter = {}): Promise<string> {
    const link = this.#link('sum up the calls');
    const [summary, calls] = [await link.summary(filter), await link.records(filter, { limit: mostListedCalls })];
    return formatTrackerSummary(summary, calls);
  }

  /** Deletes the tracker's calls from the ledger, those under way excepted; gives how many. */
  async clear(): Promise<number> {
    return await this.#link('delete the calls').clear();
  }

  async #activate(): Promise<void> {
    await this.#backstage.open();
    this.#deactivate ??= await this.#backstage.activate();
  }

  async #openLife(): Promise<void> {
    if (this.#life !== null || !hasIds(this.#options)) return;
    const { dataId = null, comboId = null } = this.#options;
    const ids = { ...pickIds(this.#options), dataId: dataId ?? 'default', comboId: comboId ?? 'default' };
    const scope = this.#keep(await this.#backstage.openScope({ ...this.#inherited(), ...ids }));
    this.#life = { scope, undo: makeAmbient(scope) };
  }

  async #stop(): Promise<void> {
    this.#life?.undo();
    this.#life = null;
    await this.#backstage.endScopes([...this.#scopes]);
    this.#deactivate?.();
    this.#deactivate = null;
  }

  async #openScope(options: ScopeOptions): Promise<Scope> {
    checkScopeOptions(options);
    const ids = mergeIds(options, this.#options);
    if (this.#isClosed) throw makeClosed('open a scope');
    if (this.#deactivate === null) {
      throw new TrackerError('TRACKER_NOT_STARTED', 'Could not open a scope: the tracker is not started.', {
        hint: 'Call `await tracker.start()` first, or use `LLMTracker.run(options, fn)`.',
      });
    }
    return this.#keep(await this.#backstage.openScope({ ...this.#inherited(), ...options, ...ids }));
  }

  #inherited(): ScopeOptions {
    const { router, force, credentials } = this.#options;
    return { ...(router && { router }), ...(force && { force }), ...(credentials && { credentials }) };
  }

  #keep(scope: Scope): Scope {
    this.#scopes.add(scope);
    void scope.whenClosed.then(() => this.#scopes.delete(scope));
    return scope;
  }

  #requireScope(session: Pick<Session, 'sessionId'> | undefined, what: string): Scope {
    const scope = [...this.#scopes].find(({ sessionId }) => sessionId === session?.sessionId);
    if (scope?.isOpen) return scope;
    const which = session === undefined ? 'there is no session' : `session ${session.sessionId} is not open`;
    throw new TrackerError('SESSION_CLOSED', `Could not ${what}: ${which}.`, {
      hint: 'Ask inside the scope, before it ends.',
    });
  }

  #link(what: string) {
    if (this.#isClosed) throw makeClosed(what);
    return this.#backstage.requireLink(what);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

function makeClosed(what: string): TrackerError {
  return new TrackerError('TRACKER_CLOSED', `Could not ${what}: the tracker is closed.`, { hint: 'Make a new one.' });
}
