// Longer than 250 lines: where everything of the host's side is put together.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Authority, openAuthority } from '../ca/authority.js';
import { type Bundle, makeBundle, openBundle } from '../ca/bundle.js';
import { type LeafStore, openLeafStore } from '../ca/leaf-store.js';
import { maskRequest } from '../call/call-caching.js';
import { handleCall } from '../call/handle-call.js';
import { handleOther } from '../call/handle-other.js';
import type { CallPorts } from '../call/ports.js';
import { collectAmbientSecrets } from '../call/secrets.js';
import type { RouterFault } from '../call/session-router.js';
import { checkBudget } from '../core/budget.js';
import type { CallRecord } from '../core/call-record.js';
import { systemClock } from '../core/clock.js';
import { type ErrorCode, readErrorMessage, TrackerError } from '../core/errors.js';
import type { EventListener, Fault } from '../core/events.js';
import type { Host, HostCache, HostOptions, OpenSession, SessionOptions } from '../core/host.js';
import type { LedgerWriter } from '../core/ledger.js';
import type { GivenEvent, OnceSink } from '../core/run-events.js';
import type { Session } from '../core/session.js';
import { SessionTally } from '../core/session-tally.js';
import { TapSink } from '../core/tap-sink.js';
import { waitAtMost } from '../core/wait-at-most.js';
import type { Origin, ProviderRegistration, ProviderRegistry } from '../core/wire.js';
import { Estimator } from '../estimate/estimator.js';
import { readCloudPlaces } from '../providers/cloud-places.js';
import { openRegistry } from '../providers/registry.js';
import { readConnectTo } from '../proxy/connect-to.js';
import { Connector } from '../proxy/connector.js';
import type { Door } from '../proxy/door.js';
import { SessionProxy } from '../proxy/proxy.js';
import { readUpstreamProxies } from '../proxy/upstream-proxy.js';
import { openLedgerReader } from '../storage/ledger-reader.js';
import { openLedgerWriter } from '../storage/ledger-writer.js';
import { Announcer } from './announcer.js';
import { EventDesk } from './event-desk.js';
import { type Exporting, openExporting } from './exporting.js';
import { HeldRecords } from './held-records.js';
import { openPrices, type Prices } from './prices.js';
import { makeReadSpent } from './read-spent.js';
import { makeSession, OpenedSession, planDoor } from './session.js';
import { SessionBudgets } from './session-budgets.js';
import { SessionCaches } from './session-caches.js';
import { SessionRouters } from './session-routers.js';
import { SessionRuns } from './session-runs.js';
import { watchSocket } from './session-sockets.js';
import { readUpstreamCa } from './upstream-ca.js';
import { wireTools } from './wire-tools.js';

/** How long a program that ends waits for a ledger that another process holds, and for estimates: it waits 500 ms in all. */
const leaveMs = 400;
const estimateMs = 100;

/**
 * Opens the host: CA, bundle, ledger and proxy, in that order and in some tens of milliseconds. What can be wrong
 * with the user's options is said before anything is opened.
 *
 * Throws `OPTION_INVALID`, `PROVIDER_INVALID`, `PROXY_UNSUPPORTED`, `UPSTREAM_CA_UNREADABLE`, `PRICES_INVALID`,
 * `EXPORTER_INVALID`, `HOME_UNUSABLE`, and the codes of the CA. A ledger that cannot be opened is a fault, not an error: the
 * run goes on.
 */
export async function openHost(options: HostOptions): Promise<Host> {
  const connectTo = (options.connectTo ?? []).map(readConnectTo);
  const proxies = readUpstreamProxies(options.env);
  const routers = new SessionRouters(options);
  if (options.budget !== undefined) checkBudget(options.budget);
  const registry = openRegistry(readCloudPlaces(options.env));
  for (const registration of options.providers ?? []) registry.register(registration);
  const upstreamCa = options.upstreamCa === undefined ? null : readUpstreamCa(options.upstreamCa);
  const prices = await openPrices(options.prices);
  const authority = openAuthority(options.home);
  const bundle = openBundle(options.home, authority, options.env);
  const trustedRoots = (): string[] => {
    const roots = readFileSync(bundle.bundlePath, 'utf8');
    return upstreamCa === null ? [roots] : [roots, upstreamCa];
  };
  const connector = new Connector({ connectTo, proxies, trustedRoots });
  const exporting = await openExporting(options);
  return new OpenedHost({ options, registry, authority, bundle, connector, routers, prices, exporting });
}

interface HostParts {
  readonly options: HostOptions;
  readonly registry: ProviderRegistry;
  readonly authority: Authority;
  readonly bundle: Bundle;
  readonly connector: Connector;
  readonly routers: SessionRouters;
  readonly prices: Prices;
  readonly exporting: Awaited<ReturnType<typeof openExporting>>;
}

class OpenedHost implements Host {
  readonly caPath: string;
  readonly bundlePath: string;
  readonly extraCaPath: string;
  readonly #parts: HostParts;
  readonly #leaves: LeafStore;
  readonly #ledger: LedgerWriter;
  readonly #proxy: SessionProxy;
  readonly #exporting: Exporting;
  readonly #announcer: Announcer;
  readonly #desk: EventDesk;
  readonly #runs: SessionRuns;
  readonly sink: OnceSink;
  readonly #ambientSecrets: readonly string[];
  /** By id. */
  readonly #sessions = new Map<string, OpenedSession>();
  readonly #held = new HeldRecords();
  readonly #estimator = new Estimator();
  readonly #budgets: SessionBudgets;
  readonly #caches: SessionCaches;
  #isLedgerClosed = false;
  #closing: Promise<void> | null = null;

  constructor(parts: HostParts) {
    const { options, registry, authority, bundle, connector } = parts;
    this.#parts = parts;
    this.caPath = bundle.caPath;
    this.bundlePath = bundle.bundlePath;
    this.extraCaPath = bundle.extraPath;
    this.#ambientSecrets = collectAmbientSecrets(options.env);
    this.#exporting = parts.exporting((...fault) => this.#fault(null, ...fault));
    this.#announcer = new Announcer({
      exporting: this.#exporting,
      saveFault: (fault) => this.#saveFault(fault),
      onListenerError: (error) => this.noteListenerError(`An event listener threw: ${readErrorMessage(error)}.`),
    });
    this.#leaves = openLeafStore(authority);
    this.#ledger = openLedgerWriter({
      home: options.home,
      ...(options.trackerId === undefined ? {} : { trackerId: options.trackerId }),
      onFault: ({ code, message, hint }) => this.#fault(null, code, message, hint),
    });
    this.#budgets = new SessionBudgets(options.budget, this.#makeReadSpent());
    this.#caches = new SessionCaches(options, {
      registered: () => registry.registered,
      onFault: (sessionId, code, message, hint) => this.noteFault({ code, message, hint, sessionId }),
    });
    this.#desk = this.#openDesk();
    this.#runs = this.#openRuns();
    this.sink = this.#makeSink();
    const ports = this.#makeCallPorts();
    this.#proxy = new SessionProxy({
      registry,
      connector,
      leafFor: (host) => this.#leaves.contextFor(host),
      handleCall: (session, head, match, protocol) =>
        handleCall(ports, {
          ...{ session, head, match, protocol },
          router: parts.routers.find(session),
          caching: this.#caches.find(session),
          budget: this.#budgets.find(session),
        }),
      handleOther: (session, head, protocol) => {
        // Of others, which are not read where they speak TLS, nothing is recorded.
        const cassette = registry.isProvider(head.origin) ? this.#caches.findCassette(session) : null;
        const caching = cassette ?? undefined;
        const match = registry.recogniseUnlisted(head);
        if (match === undefined) return caching === undefined ? null : handleOther(ports, { session, head, caching });
        const onRecord = (record: CallRecord): void => this.#keepUnlisted(record);
        return handleCall({ ...ports, onRecord }, { ...{ session, head, match, protocol, caching }, isGuess: true });
      },
      prepare: () => parts.prices.load(),
      handleSocket: (session, head, match, socket) =>
        watchSocket(
          ports,
          {
            ...{ session, head, match, ...socket },
            router: parts.routers.find(session),
            budget: this.#budgets.find(session),
          },
          this.#caches.findSockets(session),
        ),
      answerSocket: (session, head, match) => {
        const answer = this.#caches.findSockets(session)?.answer;
        return answer?.({ head, match, ...maskRequest(ports, head) }) ?? null;
      },
      onFault: (session, code, message, hint) => this.#fault(session, code, message, hint),
    });
    if (options.warm !== 'later') this.warm();
  }

  get registered(): readonly Origin[] {
    return this.#parts.registry.registered;
  }

  bundleFor(userFile: string | undefined): string {
    if (userFile === undefined || userFile === '') return this.bundlePath;
    const { authority, options } = this.#parts;
    return makeBundle({ home: options.home, authority, baseFile: userFile });
  }

  warm(): void {
    const warmed = this.#proxy.warm();
    // A failure to load shows at the first connection, which is then cut. The list of prices comes last, as the end of the
    // first call is the first to need it.
    void warmed.then(() => setImmediate(() => this.#parts.prices.warm())).catch(() => undefined);
    void this.#leaves.warm(this.#parts.registry.knownHosts);
  }

  registerProvider(registration: ProviderRegistration): void {
    this.#parts.registry.register(registration);
  }

  onEvent(listener: EventListener): () => void {
    return this.#announcer.onEvent(listener);
  }

  async openSession(options: SessionOptions = {}): Promise<OpenSession> {
    if (this.#closing !== null) {
      throw new TrackerError('HOST_CLOSED', 'Could not open a session: the host is closed.', {
        hint: 'Open a new host.',
      });
    }
    const session = makeSession(options, this.#ambientSecrets);
    const plan = planDoor(options);
    if (options.budget !== undefined) checkBudget(options.budget);
    await this.#caches.add(session, options);
    const { routers } = this.#parts;
    const router = routers.prepare(options, (message) => this.#fault(null, 'ROUTER_FAILED', message, null));
    const door = await this.#proxy.openDoor({ session, ...plan, tally: new SessionTally(options.tally) });
    const onFault: RouterFault = (...fault) => {
      door.count('faults');
      this.#fault(session, ...fault);
    };
    routers.add(session, router, { routed: options.routed === true, onFault });
    this.#budgets.add(session, options.budget, onFault);
    const opened = new OpenedSession({
      session,
      door,
      plan,
      onClose: async (end) => {
        await this.#closeSession(door, end);
        this.#sessions.delete(session.sessionId);
      },
      onCut: () => this.#proxy.closeDoor(door),
    });
    this.#sessions.set(session.sessionId, opened);
    this.#runs.open(session, options);
    this.#ledger.saveSessionOpened(session);
    if (options.restore === undefined) this.#announcer.announce({ type: 'session.opened', session });
    return opened;
  }

  async #closeSession(door: Door, end: SessionClosing): Promise<void> {
    const { session } = door;
    await this.#proxy.closeDoor(door, { drain: end.drain === true });
    await this.#held.settle(session.sessionId);
    this.#parts.routers.remove(session);
    this.#budgets.remove(session);
    await this.#caches.remove(session);
    const counts = door.counts();
    const exitCode = end.exitCode ?? null;
    const endedAt = systemClock.nowIso();
    const outcome = await this.#runs.close(session, { exitCode, verdict: end.verdict ?? null });
    this.#ledger.saveSessionClosed(session.sessionId, { endedAt, counts, exitCode, outcome });
    this.#announcer.announce({ type: 'session.closed', session, counts, outcome });
  }

  track(events: readonly GivenEvent[], onTaken?: () => void): void {
    if (this.#isLedgerClosed) onTaken?.();
    else this.#runs.give(events, onTaken);
  }

  noteFault({ code, message, hint, sessionId }: Omit<Fault, 'at'>): void {
    const session = this.#sessions.get(sessionId ?? '')?.session ?? null;
    this.#fault(session, code, message, hint);
  }

  get cache(): HostCache {
    return this.#caches.cache;
  }

  noteListenerError(message: string): void {
    this.#saveFault({ code: 'LISTENER_FAILED', message, hint: null, sessionId: null, at: systemClock.nowIso() });
  }

  flush(deadlineMs: number): Promise<boolean> {
    return this.#ledger.flush(deadlineMs);
  }

  /** NOTE: events first: there may be no time for the rest, and what callers said goes before the wire. */
  async leave({ exitCode }: { readonly exitCode: number }): Promise<void> {
    await this.#desk.settle();
    const closing = Promise.all([...this.#sessions.values()].map((session) => session.close({ exitCode })));
    // A record without its estimate is better than none.
    if (!(await waitAtMost(estimateMs, closing))) void this.#estimator.close();
    await closing;
    if (!this.#isLedgerClosed) await this.#ledger.flush(leaveMs);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    await this.#proxy.close();
    await this.#estimator.close();
    await this.#desk.close();
    await this.#exporting.close();
    await this.#leaves.close();
    this.#parts.routers.close();
    this.#caches.cache.close();
    this.#isLedgerClosed = true;
    await this.#ledger.close();
  }

  #makeReadSpent() {
    const { home, trackerId = null } = this.#parts.options;
    const onProblem = (message: string): void => this.#fault(null, 'BUDGET_UNCOUNTED', message, null);
    return makeReadSpent({ home, trackerId, onProblem });
  }

  #openDesk(): EventDesk {
    return new EventDesk({
      ledger: this.#ledger,
      exporting: this.#exporting,
      announce: (event) => this.#announcer.announce(event),
      onFault: (...fault) => this.#fault(null, ...fault),
      ambientSecrets: this.#ambientSecrets,
    });
  }

  #openRuns(): SessionRuns {
    return new SessionRuns({
      desk: this.#desk,
      env: this.#parts.options.env,
      nowMs: () => systemClock.nowMs(),
      openLedger: () => openLedgerReader({ home: this.#parts.options.home }),
      onFault: (session, ...fault) => this.#fault(session, ...fault),
    });
  }

  #makeSink(): OnceSink {
    const nowMs = () => systemClock.nowMs();
    return new TapSink({ give: (event) => this.track([event]), newEventId: makeEventIds(), nowMs, sessionId: null });
  }

  #makeCallPorts(): CallPorts {
    return {
      clock: systemClock,
      newId: randomUUID,
      tools: wireTools,
      price: (call) => this.#parts.prices.price(call),
      findAddress: (...asked) => this.#parts.registry.findAddress(...asked),
      bodies: this.#parts.options.bodies ?? 'redacted',
      ambientSecrets: this.#ambientSecrets,
      refusedUsage: new Set(),
      estimate: this.#estimator.estimate,
      holdRecord: (sessionId, recording) => this.#held.hold(sessionId, recording),
      onRecord: (record) => this.#keep(record),
      onFault: (code, message, hint) => this.#fault(null, code, message, hint),
    };
  }

  #keepUnlisted(record: CallRecord): void {
    this.#sessions.get(record.sessionId)?.noteUnlisted();
    this.#keep(record);
  }

  #keep(record: CallRecord): void {
    this.#ledger.saveCall(record);
    this.#parts.routers.note(record);
    this.#budgets.note(record);
    this.#sessions.get(record.sessionId)?.noteRecorded();
    this.#runs.note(record);
    this.#announcer.announce({ type: 'call.completed', record });
  }

  #fault(session: Session | null, code: ErrorCode, message: string, hint: string | null): void {
    this.#announcer.fault({ code, message, hint, sessionId: session?.sessionId ?? null });
  }

  /** NOTE: what a closed ledger is given is lost, which is a fault, which would be given to the ledger. */
  #saveFault(fault: Fault): void {
    if (!this.#isLedgerClosed) this.#ledger.saveFault(fault);
  }
}

type SessionClosing = NonNullable<Parameters<OpenSession['close']>[0]>;

/** Ids that nobody else makes, at the price of counting. */
function makeEventIds(): () => string {
  const prefix = randomUUID();
  let count = 0;
  return () => `${prefix}-${count++}`;
}
