import { findCurrentSession, makeAmbient } from '../activation/scope.js';
import { TrackerError } from '../core/errors.js';
import type { Session } from '../core/session.js';
import type { Backstage } from './backstage.js';
import { readRunOptions } from './run-options.js';
import type { Scope } from './scope.js';
import { checkScopeOptions, hasIds, mergeIds, type ScopeOptions } from './tracker-options.js';

/** The scopes of a tracker that are open, that of its own life among them. */
export class ScopeList {
  readonly #backstage: Backstage;
  readonly #options: ScopeOptions;
  readonly #scopes = new Set<Scope>();
  readonly #openings = new Set<Promise<Scope>>();
  #life: { readonly scope: Scope; readonly undo: () => void } | null = null;
  #state: 'started' | 'stopped' | 'closed' = 'stopped';

  /** @param options the tracker's, which its scopes inherit */
  constructor(backstage: Backstage, options: ScopeOptions) {
    this.#backstage = backstage;
    this.#options = options;
  }

  get isStarted(): boolean {
    return this.#state === 'started';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Lets scopes be opened. */
  start(): void {
    this.#state = 'started';
  }

  /** Opens the session of the tracker's life, when ids were given for one. */
  async openLife(): Promise<void> {
    const run = readRunOptions(this.#options);
    const given = mergeIds(this.#options, run.ids);
    if (this.#life !== null || !hasIds(given)) return;
    const { dataId = null, comboId = null } = this.#options;
    const ids = { ...given, dataId: dataId ?? 'default', comboId: comboId ?? 'default' };
    const scope = this.#keep(await this.#backstage.openScope({ ...this.#inherited(), ...ids }, run.facts));
    this.#life = { scope, undo: makeAmbient(scope) };
  }

  async open(options: ScopeOptions): Promise<Scope> {
    checkScopeOptions(options);
    const run = readRunOptions({ ...this.#inherited(), ...options });
    const ids = mergeIds(mergeIds(options, run.ids), this.#options);
    this.#requireStarted('open a scope');
    // NOTE: `null` of the scope's own is none.
    const cache = (options.cache === undefined ? this.#options.cache : options.cache) ?? null;
    const opening = this.#backstage
      .openScope({ ...this.#inherited(), ...options, ...ids, cache }, run.facts)
      .then((scope) => this.#keep(scope));
    this.#openings.add(opening);
    try {
      const scope = await opening;
      this.#requireStarted('open a scope');
      return scope;
    } finally {
      this.#openings.delete(opening);
    }
  }

  /**
   * The scope of a session; without one that of this moment, then the tracker's own. Throws `SESSION_CLOSED`,
   * `TRACKER_NOT_STARTED`, `TRACKER_CLOSED`.
   */
  require(session: Pick<Session, 'sessionId'> | undefined, what: string): Scope {
    const scope = session ? this.#find(({ sessionId }) => sessionId === session.sessionId) : this.#findCurrent();
    if (scope?.isOpen) return scope;
    this.#requireStarted(what);
    const found = session ? `session ${session.sessionId} is not open` : 'this is not asked inside a scope';
    throw new TrackerError('SESSION_CLOSED', `Could not ${what}: ${found}.`, {
      hint: 'Ask inside the function given to track(), or give a session that is open.',
    });
  }

  /** Ends every scope, those that are being opened as well, and lets none be opened. */
  async stop(): Promise<void> {
    if (this.isStarted) this.#state = 'stopped';
    await Promise.allSettled(this.#openings);
    this.#life?.undo();
    this.#life = null;
    await this.#backstage.endScopes([...this.#scopes]);
  }

  close(): void {
    this.#state = 'closed';
  }

  #requireStarted(what: string): void {
    if (this.isClosed) throw makeClosed(what);
    if (this.isStarted) return;
    throw new TrackerError('TRACKER_NOT_STARTED', `Could not ${what}: the tracker is not started.`, {
      hint: 'Call `await tracker.start()` first, or use `LLMTracker.run(options, fn)`.',
    });
  }

  #inherited(): ScopeOptions {
    const { router, force, credentials, context, dedupe, cache = null } = this.#options;
    return {
      cache,
      ...(context && { context }),
      ...(dedupe && { dedupe }),
      ...(router !== undefined && { router }),
      ...(force && { force }),
      ...(credentials && { credentials }),
    };
  }

  #keep(scope: Scope): Scope {
    this.#scopes.add(scope);
    void scope.whenClosed.then(() => this.#scopes.delete(scope));
    return scope;
  }

  #find(isIt: (scope: Scope) => boolean): Scope | undefined {
    return [...this.#scopes].find(isIt);
  }

  #findCurrent(): Scope | undefined {
    const current = findCurrentSession();
    return this.#find((scope) => scope === current) ?? this.#life?.scope;
  }
}

export function makeClosed(what: string): TrackerError {
  return new TrackerError('TRACKER_CLOSED', `Could not ${what}: the tracker is closed.`, { hint: 'Make a new one.' });
}
