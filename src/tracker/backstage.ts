import { join, resolve } from 'node:path';
import { makeDoorUrl } from '../activation/door-url.js';
import { findInheritedEnv } from '../activation/inherited-env.js';
import { runInScope } from '../activation/scope.js';
import { makeSessionEnvironment, type SessionEnvironment } from '../activation/spawn/session-environment.js';
import { readCacheChoice } from '../core/cache-choice.js';
import { systemClock } from '../core/clock.js';
import { type ErrorCode, readErrorMessage, TrackerError } from '../core/errors.js';
import type { EventListener } from '../core/events.js';
import { HeldEvents } from '../core/held-events.js';
import type { RunFacts } from '../core/host.js';
import type { HostLink, LinkedSession, LinkOptions } from '../core/link.js';
import { type CachePlace, cacheFileName, usualCacheFolder } from '../core/response-cache.js';
import { RouterDesk } from '../core/router-desk.js';
import type { Router, RouterObject } from '../core/routing.js';
import type { Session } from '../core/session.js';
import { TapSink } from '../core/tap-sink.js';
import { waitAtMost } from '../core/wait-at-most.js';
import type { Origin, ProviderRegistration, ProviderRegistry } from '../core/wire.js';
import { ownFiles } from '../own-files.js';
import { ConfigTracker } from '../trackers/config-tracker.js';
import { makeSessionToken } from '../trackers/session-token.js';
import { openWorkerLink } from '../worker/worker-link.js';
import { LiveSinks } from './live-sinks.js';
import { Scope } from './scope.js';
import { pickIds } from './scope-ids.js';
import type { ScopeOptions, TrackerOptions } from './tracker-options.js';

type Env = Readonly<Record<string, string | undefined>>;

const usualDrainMs = 2000;

/** What a tracker does its work with: the link to its host, the providers it knows, its events, its routers. */
export class Backstage {
  readonly #options: TrackerOptions;
  /** Of the working folder the tracker was made in. */
  readonly #cachePlace: CachePlace;
  readonly #trackerId: string;
  readonly #events = new HeldEvents((error) => this.#noteListenerError(error));
  readonly #desk = new RouterDesk((...fault) => this.#noteFault(...fault));
  readonly #sinks: LiveSinks;
  /** Of this tracker's runs; its `track` throws `TRACKER_NOT_STARTED`. */
  readonly sink: TapSink;
  #eventCount = 0;
  /** Those of before the registry was opened as well. */
  #registrations: readonly ProviderRegistration[];
  #registry: ProviderRegistry | null = null;
  #link: HostLink | null = null;
  #activation: typeof import('../activation/activate.js') | null = null;

  constructor(options: TrackerOptions, trackerId: string) {
    this.#options = options;
    this.#cachePlace = makeCachePlace(options);
    this.#trackerId = trackerId;
    this.#registrations = options.providers ?? [];
    this.#sinks = new LiveSinks(options.sinks ?? [], (message) => this.#link?.noteListenerError(message));
    this.sink = this.#makeSink(null);
  }

  /** What children and the host inherit. */
  env(): Env {
    return this.#options.env ?? findInheritedEnv();
  }

  onEvent(listener: EventListener): () => void {
    return this.#events.onEvent(listener);
  }

  /** Opens the link when there is none. */
  async open(): Promise<void> {
    if (this.#link !== null) return;
    await this.#requireRegistry();
    // Whoever starts a tracker inside another one's scope does not start its host there.
    const link = await runInScope(null, () => openWorkerLink(this.#makeLinkOptions(), ownFiles.worker));
    link.onEvent((event) => {
      this.#desk.note(event);
      this.#sinks.hear(event);
      this.#events.announce(event);
    });
    this.#link = link;
  }

  /** Puts our functions in place, when the link is open; returns what undoes it. Loaded on use: half of all there is. */
  async activate(): Promise<() => void> {
    this.#activation ??= await import('../activation/activate.js');
    return this.#activation.activate();
  }

  /** Throws `TRACKER_NOT_STARTED`. */
  requireLink(what: string): HostLink {
    if (this.#link !== null) return this.#link;
    throw new TrackerError('TRACKER_NOT_STARTED', `Could not ${what}: the tracker was never started.`, {
      hint: 'Call `await tracker.start()` first.',
    });
  }

  async openScope(options: ScopeOptions, run: RunFacts): Promise<Scope> {
    const link = this.requireLink('open a scope');
    const registry = await this.#requireRegistry();
    const { bindAddress } = this.#options;
    const { router, budget, cassette } = options;
    const own = router !== undefined && router !== null && isOwn(router) ? router : null;
    const cache = readCacheChoice(options.cache);
    const linked = await link.openSession({
      ...pickIds(options),
      run,
      credentials: options.credentials === true,
      routed: own !== null,
      ...(router !== undefined && !isOwn(router) && { router }),
      ...(budget !== undefined && { budget }),
      ...(bindAddress === undefined ? {} : { bindAddress }),
      ...(cache === null ? {} : { cache }),
      ...(cassette === undefined ? {} : { cassette: { ...cassette, path: resolve(String(cassette.path)) } }),
    });
    const scope = new Scope(linked, {
      link,
      environment: this.#makeEnvironment(link, linked, registry),
      isProvider: (origin: Origin) => registry.isProvider(origin),
      registered: () => registry.registered,
      announceFault: (...fault) => this.#noteFault(linked.session.sessionId, ...fault),
      release: (session) => this.#activation?.releaseSession(session),
      force: options.force === true,
      isSealed: cassette?.mode === 'replay' || cache?.mode === 'only',
      openTracker: () => this.#openTracker(linked.session, run),
    });
    if (own !== null) void scope.whenClosed.then(this.#desk.add(linked.session, own));
    return scope;
  }

  /** Closes scopes, what is under way in them first, and cuts what takes longer than the tracker's patience. */
  async endScopes(scopes: readonly Scope[]): Promise<void> {
    const closing = Promise.all(scopes.map((scope) => scope.close()));
    const isInTime = await waitAtMost(this.#options.drainMs ?? usualDrainMs, closing);
    if (!isInTime) await Promise.all(scopes.map((scope) => scope.cut()));
  }

  async registerProvider(registration: ProviderRegistration): Promise<void> {
    const registry = await this.#requireRegistry();
    // Checked here first; and the door knows it before anything is led there.
    const [{ openRegistry }, { requireOwnName }] = await loadProviders();
    openRegistry().register(registration);
    requireOwnName(registration);
    await this.#link?.registerProvider(registration);
    const others = this.#registrations.filter(({ name }) => name !== registration.name);
    this.#registrations = [...others, registration];
    registry.register(registration);
  }

  async close(): Promise<void> {
    await this.#link?.close();
    await this.#sinks.flush();
  }

  /** Throws `PROVIDER_INVALID` and `OPTION_CONFLICT` for what the constructor was given. */
  async #requireRegistry(): Promise<ProviderRegistry> {
    if (this.#registry === null) {
      const [{ openRegistry }, { requireDistinctNames }] = await loadProviders();
      const registry = openRegistry();
      for (const registration of this.#registrations) registry.register(registration);
      requireDistinctNames(this.#registrations);
      this.#registry ??= registry;
    }
    return this.#registry;
  }

  #makeLinkOptions(): LinkOptions {
    const { home, bodies, connectTo, upstreamCa, prices, exporters, routerDeadlineMs, budget } = this.#options;
    return {
      env: this.env(),
      trackerId: this.#trackerId,
      providers: this.#registrations,
      router: (question) => this.#desk.ask(question),
      cache: this.#cachePlace,
      ...(home === undefined ? {} : { home }),
      ...(bodies === undefined ? {} : { bodies }),
      ...(connectTo === undefined ? {} : { connectTo }),
      ...(upstreamCa === undefined ? {} : { upstreamCa }),
      ...(prices === undefined ? {} : { prices }),
      ...(exporters === undefined ? {} : { exporters }),
      ...(routerDeadlineMs === undefined ? {} : { routerDeadlineMs }),
      ...(budget === undefined ? {} : { budget }),
    };
  }

  #makeEnvironment(link: HostLink, linked: LinkedSession, registry: ProviderRegistry): SessionEnvironment {
    const { home, caPath, bundlePath, extraCaPath } = link.facts;
    const { sessionId, runId } = linked.session;
    return makeSessionEnvironment({
      ...{ home, sessionId, runId, caPath, bundlePath, extraCaPath },
      token: makeSessionToken(linked.session),
      traceparent: this.env().TRACEPARENT,
      proxyUrl: () => makeDoorUrl(linked.door),
      bundleFor: (file) => link.bundleFor(file),
      hookPath: ownFiles.nodeHook,
      registered: () => registry.registered,
    });
  }

  /** Of the run of a session's config; `null` when it is for none. */
  #openTracker(session: Session, run: RunFacts): ConfigTracker | null {
    const { context, dedupe = 'tracker', modelName, providerName, modelKey, modelVersion } = run;
    const { configKey, variationKey, version, runId, graphKey, sessionId } = session;
    if (configKey === null) return null;
    return new ConfigTracker({
      sink: this.#makeSink(sessionId),
      context: context ?? { kind: 'llmtap', key: configKey, anonymous: true },
      logger: this.#options.logger ?? null,
      ...{ configKey, variationKey, version, runId, graphKey, dedupe },
      ...(modelName !== undefined && { modelName }),
      ...(providerName !== undefined && { providerName }),
      ...(modelKey !== undefined && { modelKey }),
      ...(modelVersion !== undefined && { modelVersion }),
    });
  }

  #makeSink(sessionId: string | null): TapSink {
    return new TapSink({
      give: (event) => this.requireLink('take an event').track(event),
      newEventId: () => `${this.#trackerId}-${this.#eventCount++}`,
      nowMs: () => systemClock.nowMs(),
      sessionId,
    });
  }

  #noteFault(sessionId: string | null, code: ErrorCode, message: string, hint: string | null): void {
    this.#link?.noteFault({ code, message, hint, sessionId });
  }

  #noteListenerError(error: unknown): void {
    this.#link?.noteListenerError(readErrorMessage(error));
  }
}

/** Whether a router is the user's code, rather than a description of one of ours. */
function isOwn(router: NonNullable<ScopeOptions['router']> | null): router is Router | RouterObject {
  return typeof router === 'function' || (router !== null && 'route' in router);
}

function makeCachePlace({ cacheDir, cacheMaxBytes, cacheMaxEntries }: TrackerOptions): CachePlace {
  return {
    path: cacheDir === null ? null : join(resolve(cacheDir ?? usualCacheFolder), cacheFileName),
    ...(cacheMaxBytes === undefined ? {} : { maxBytes: cacheMaxBytes }),
    ...(cacheMaxEntries === undefined ? {} : { maxEntries: cacheMaxEntries }),
  };
}

async function loadProviders() {
  return await Promise.all([import('../providers/registry.js'), import('../providers/distinct-names.js')]);
}
