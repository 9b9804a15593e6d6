// Longer than 250 lines: the public face, most of it what its methods promise.
import { randomUUID } from 'node:crypto';
import type { ContainerOptions } from './activation/container-args.js';
import type { CallRecord } from './core/call-record.js';
import { TrackerError } from './core/errors.js';
import type { EventListener } from './core/events.js';
import type { CallFilter } from './core/ledger.js';
import { makeInvalid } from './core/option-checks.js';
import type { OnceSink } from './core/run-events.js';
import type { Session } from './core/session.js';
import type { TrackerSummary } from './core/tracker-summary.js';
import type { UsageSum } from './core/usage-sum.js';
import type { ProviderRegistration } from './core/wire.js';
import { Backstage } from './tracker/backstage.js';
import type { TrackedSession } from './tracker/scope.js';
import { makeClosed, ScopeList } from './tracker/scope-list.js';
import { formatTrackerSummary } from './tracker/summary-text.js';
import { checkQuery, checkTrackerOptions, type ScopeOptions, type TrackerOptions } from './tracker/tracker-options.js';

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
  readonly #backstage: Backstage;
  readonly #scopes: ScopeList;
  #deactivate: (() => void) | null = null;
  /** `start`, `stop` and `close` one after the other, in the order they were called. */
  #queue: Promise<unknown> = Promise.resolve();

  /** Throws `OPTION_INVALID`. Opens nothing. */
  constructor(options: TrackerOptions = {}) {
    checkTrackerOptions(options);
    const own = Object.freeze({ ...options });
    this.#backstage = new Backstage(own, randomUUID());
    this.#scopes = new ScopeList(this.#backstage, own);
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
   * `PROVIDER_INVALID`, `OPTION_CONFLICT`, `UPSTREAM_CA_UNREADABLE`, `PRICES_INVALID`, `PROXY_UNSUPPORTED`, `LISTEN_FAILED`, and
   * the codes of the CA. Then the process is as it was, and it may be called again.
   */
  async start(): Promise<this> {
    await this.#inOrder(async () => {
      if (this.#scopes.isClosed) throw makeClosed('start');
      const wasStarted = this.#scopes.isStarted;
      try {
        await this.#activate();
        await this.#scopes.openLife();
      } catch (error) {
        if (!wasStarted) await this.#stop();
        throw error;
      }
    });
    return this;
  }

  /**
   * Ends every session and undoes what was put in place. Waits for calls under way, for at most `drainMs`; then they are
   * cut, and recorded with the error `SESSION_CLOSED`. Scopes that are being opened meanwhile are refused. Queries go on
   * answering. May be called twice.
   */
  async stop(): Promise<void> {
    await this.#inOrder(async () => await this.#stop());
  }

  /** Stops, and ends the host's thread. May be called twice; afterwards nothing can be asked. */
  async close(): Promise<void> {
    await this.#inOrder(async () => {
      await this.#stop();
      this.#scopes.close();
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
  track<T>(options: ScopeOptions | undefined, work: (session: TrackedSession) => T): Promise<Awaited<T>>;
  async track<T>(
    first: ScopeOptions | undefined | ((session: TrackedSession) => T),
    second?: (session: TrackedSession) => T,
  ): Promise<Awaited<T>> {
    const [options = {}, work] = typeof first === 'function' && second === undefined ? [{}, first] : [first, second];
    if (typeof work !== 'function' || typeof options === 'function') {
      const found = typeof options === 'function' ? 'the options come first' : 'there is no function to run';
      throw new TrackerError('OPTION_INVALID', `Could not track: ${found}.`, {
        hint: 'Call track(fn), or track(options, fn).',
      });
    }
    const scope = await this.#scopes.open(options);
    try {
      return await scope.work(() => work(scope));
    } finally {
      await scope.end();
    }
  }

  /** Opens a session to be closed by hand. Rejects as `track` does. */
  async open(options: ScopeOptions = {}): Promise<TrackedSession> {
    return await this.#scopes.open(options);
  }

  /**
   * The variables a program needs for its calls to be the session's, to be set over those it inherits. Without a session
   * that of the scope this is called in, then the tracker's own. Throws `SESSION_CLOSED` once the session is over, or when
   * there is none.
   */
  getSessionEnv(session?: Pick<Session, 'sessionId'>): Readonly<Record<string, string>> {
    return this.#scopes.require(session, 'give the environment').makeChildVariables(this.#backstage.env());
  }

  /** As `containerArgs` of a session, which is found as by `getSessionEnv`. Throws `CONTAINER_UNREACHABLE` and `SESSION_CLOSED`. */
  containerArgs(options: ContainerOptions = {}, session?: Pick<Session, 'sessionId'>): string[] {
    return this.#scopes.require(session, 'give the flags').containerArgs(options);
  }

  /**
   * Adds a model server of the user's, in place of an earlier one of that name: at once for calls in process and for
   * children started from now on. Children that run already know it over TLS; plain HTTP they may go on to send past the
   * tap, as they were told when they started. Rejects with
   * `PROVIDER_INVALID`, and with `OPTION_CONFLICT` for the name of a built-in provider.
   */
  async registerProvider(registration: ProviderRegistration): Promise<void> {
    if (this.#scopes.isClosed) throw makeClosed('register a provider');
    await this.#backstage.registerProvider(registration);
  }

  /**
   * The tap as a sink of trackers made by hand or from a token: for ledger, exporters, listeners and `sinks`. Its `track`
   * throws `TRACKER_NOT_STARTED`, and `OPTION_INVALID` for what is no JSON.
   */
  get sink(): OnceSink {
    return this.#backstage.sink;
  }

  /**
   * Subscribes to what happens, in order; may be called before `start`. A listener that throws harms nobody. Returns the
   * function that unsubscribes. Throws `OPTION_INVALID`.
   */
  onEvent(listener: EventListener): () => void {
    if (typeof listener !== 'function') throw makeInvalid('the listener', listener, 'a function');
    return this.#backstage.onEvent(listener);
  }

  /**
   * The tracker's calls, oldest first, those of earlier `start`s included; each once. Bodies only when asked for. As the other
   * queries, rejects with `OPTION_INVALID` for a filter by what there is not, `TRACKER_NOT_STARTED` and `TRACKER_CLOSED`.
   */
  async records(
    filter: CallFilter = {},
    options: { readonly limit?: number; readonly bodies?: boolean } = {},
  ): Promise<CallRecord[]> {
    return await this.#query('list the calls', filter, options).records(filter, options);
  }

  /** Tokens by model. A count no call states is `null`. */
  async getUsage(filter: CallFilter = {}): Promise<Readonly<Record<string, UsageSum>>> {
    return await this.#query('sum up the usage', filter).usage(filter);
  }

  /** Milliseconds that the calls answered from a cache took when they were first made. */
  async getCachedLatency(filter: CallFilter = {}): Promise<number> {
    return await this.#query('sum up the latency', filter).cachedLatencyMs(filter);
  }

  /** What the calls add up to, by model and by item of the data set. */
  async summary(filter: CallFilter = {}): Promise<TrackerSummary> {
    return await this.#query('sum up the calls', filter).summary(filter);
  }

  /** The summary as text, with a line for each of the first 500 calls; times are of calls, added up. Returned, not printed. */
  async printSummary(filter: CallFilter = {}): Promise<string> {
    const link = this.#query('sum up the calls', filter);
    const [summary, calls] = [await link.summary(filter), await link.records(filter, { limit: mostListedCalls })];
    return formatTrackerSummary(summary, calls);
  }

  /** Deletes the tracker's calls from the ledger, those under way excepted; gives how many. */
  async clear(): Promise<number> {
    return await this.#link('delete the calls').clear();
  }

  /** Deletes every reply of the tracker's cache, those of other processes with the same `cacheDir` too; gives how many. */
  async clearCache(): Promise<number> {
    return await this.#link('clear the cache').clearCache();
  }

  /** Writes to the file what the cache holds in memory, which is done within a second anyway; `false` when it could not be. */
  async flushCache(): Promise<boolean> {
    return await this.#link('write the cache').flushCache();
  }

  /** In place first: what undoes it takes back whatever opening the host leaves behind, too. */
  async #activate(): Promise<void> {
    this.#deactivate ??= await this.#backstage.activate();
    await this.#backstage.open();
    this.#scopes.start();
  }

  async #stop(): Promise<void> {
    await this.#scopes.stop();
    this.#deactivate?.();
    this.#deactivate = null;
  }

  #query(what: string, filter: CallFilter, options?: object) {
    checkQuery(filter, options);
    return this.#link(what);
  }

  #link(what: string) {
    if (this.#scopes.isClosed) throw makeClosed(what);
    return this.#backstage.requireLink(what);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}
