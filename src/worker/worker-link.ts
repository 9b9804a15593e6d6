// Longer than 250 lines: the agent side of a host, a few lines a method.
import { resolve } from 'node:path';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { CallRecord } from '../core/call-record.js';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import type { EventListener, Fault, TrackerEvent } from '../core/events.js';
import { freezeDeeply } from '../core/freeze-deeply.js';
import { HeldEvents } from '../core/held-events.js';
import type { SessionOptions } from '../core/host.js';
import type { RunRow } from '../core/ledger.js';
import type { HostFacts, HostLink, LinkedSession, RecordFilter } from '../core/link.js';
import { type GivenEvent, readGivenEvent } from '../core/run-events.js';
import { makeSessionId } from '../core/session-id.js';
import { makeTallyMemory } from '../core/session-tally.js';
import type { TrackerSummary } from '../core/tracker-summary.js';
import type { UsageSum } from '../core/usage-sum.js';
import type { ProviderRegistration } from '../core/wire.js';
import { EventLine } from './event-line.js';
import { type Leaving, leaveIfEnding, watchExit } from './exit-watch.js';
import { type Ask, ThreadSession } from './linked-session.js';
import type { FromThread, ToThread } from './messages.js';
import { makeDroppedFault, makeUnrestoredFault, type Restored } from './thread-errors.js';
import { type AskNow, ThreadLife, type ThreadLifeOptions } from './thread-life.js';

const bundleDeadlineMs = 5000;

/**
 * Opens a host in a thread of this process. Rejects as `openHost` does, with `HOME_UNUSABLE`, and leaves no thread then.
 * NOTE: listeners and router are called in the async context this is called in, so call it outside every scope.
 *
 * @param url of the compiled `entry`
 */
export async function openWorkerLink(options: ThreadLifeOptions, url: URL): Promise<HostLink> {
  const link = new WorkerLink(options, url);
  await link.open();
  return link;
}

class WorkerLink implements HostLink, Leaving {
  readonly #options: ThreadLifeOptions;
  readonly #life: ThreadLife;
  readonly #events = new HeldEvents((error) => {
    this.noteListenerError(`An event listener threw: ${readErrorMessage(error)}.`);
  });
  readonly #sessions = new Set<ThreadSession>();
  readonly #providers = new Map<string, ProviderRegistration>();
  readonly #bundles = new Map<string, string>();
  #facts: HostFacts | null = null;
  readonly #line = new EventLine({
    post: (message) => this.#life.post(message),
    onDropped: (count) => this.noteFault(makeDroppedFault(count)),
  });
  /** Whether the thread has let a question for a bundle pass in this turn of the loop. */
  #isDeaf = false;
  #unwatchExit: () => void = () => undefined;

  constructor(given: ThreadLifeOptions, url: URL) {
    // Of one life and its restarts, even when nobody else is to find its calls.
    const options = { ...given, trackerId: given.trackerId ?? crypto.randomUUID() };
    this.#options = options;
    for (const registration of options.providers ?? []) this.#providers.set(registration.name, registration);
    this.#life = new ThreadLife(options, {
      url,
      onEvent: ({ event }) => this.#events.announce(freezeEvent(event)),
      onQuestion: (message, reply) => void this.#askRouter(message, reply),
      providers: () => [...this.#providers.values()],
      restore: async (ask) => await this.#restore(ask),
      onFault: (fault) => this.noteFault(fault),
      events: this.#line,
      onLost: () => {
        this.#unwatchExit();
        this.#announceUntaken();
      },
    });
  }

  async open(): Promise<void> {
    this.#facts = await this.#life.open();
    this.#unwatchExit = watchExit(this);
  }

  /** @internal The program ends: what was tracked, and the calls of its sessions, are to be in the ledger. */
  leave(exitCode: number): Int32Array<SharedArrayBuffer> | null {
    if (this.state !== 'serving') return null;
    this.#line.flush();
    const signal = new Int32Array(new SharedArrayBuffer(4));
    return this.#life.post({ kind: 'leave', exitCode, signal }) ? signal : null;
  }

  get facts(): HostFacts {
    if (this.#facts === null) throw new TrackerError('INTERNAL', 'The link is not open yet.');
    return this.#facts;
  }

  get state(): HostLink['state'] {
    return this.#life.state;
  }

  async whenSettled(): Promise<void> {
    await this.#life.whenSettled();
  }

  async openSession(options: SessionOptions = {}): Promise<LinkedSession> {
    // A thread may die with the session opened and nobody told: asked again, the next one opens that very session.
    const ids = { sessionId: makeSessionId(), runId: options.runId ?? crypto.randomUUID() };
    const asked = { ...options, ...ids, tally: makeTallyMemory() };
    const facts = await this.#ask('openSession', asked);
    const session = new ThreadSession(facts, {
      options: asked,
      ask: this.#ask,
      onClosed: () => void this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    return session;
  }

  async registerProvider(registration: ProviderRegistration): Promise<void> {
    await this.#ask('registerProvider', registration);
    this.#providers.set(registration.name, registration);
  }

  bundleFor(userFile: string | undefined): string {
    const { bundlePath } = this.facts;
    if (userFile === undefined || userFile === '') return bundlePath;
    const file = resolve(userFile);
    const known = this.#bundles.get(file);
    if (known !== undefined || this.state !== 'serving') return known ?? bundlePath;
    // One that is dead or stuck is not waited for again until this thread has had time to hear of it.
    const answer = this.#isDeaf ? null : this.#askForBundle(file);
    if (answer === null) return bundlePath;
    this.#bundles.set(file, answer);
    return answer;
  }

  /** `null` when the thread cannot make one, or does not answer in time. */
  #askForBundle(file: string): string | null {
    const { port1, port2 } = new MessageChannel();
    const signal = new Int32Array(new SharedArrayBuffer(4));
    this.#life.post({ kind: 'bundle', file, port: port2, signal });
    if (Atomics.wait(signal, 0, 0, bundleDeadlineMs) === 'timed-out') {
      this.#isDeaf = true;
      setImmediate(() => {
        this.#isDeaf = false;
      }).unref();
    }
    const answer = receiveMessageOnPort(port1) as { readonly message: string } | undefined;
    port1.close();
    return answer?.message ?? null;
  }

  onEvent(listener: EventListener): () => void {
    return this.#events.onEvent(listener);
  }

  async records(
    filter: RecordFilter,
    options: { readonly limit?: number; readonly bodies?: boolean } = {},
  ): Promise<CallRecord[]> {
    const { answer, records } = this.#life.begin('records', { filter, ...options });
    await answer;
    return records().map(freezeRecord);
  }

  async usage(filter: RecordFilter): Promise<Readonly<Record<string, UsageSum>>> {
    const usage: Record<string, UsageSum> = Object.create(null) as Record<string, UsageSum>;
    for (const [model, sum] of await this.#ask('usage', filter)) usage[model] = sum;
    return freezeDeeply(usage);
  }

  async cachedLatencyMs(filter: RecordFilter): Promise<number> {
    return await this.#ask('cachedLatencyMs', filter);
  }

  async summary(filter: RecordFilter): Promise<TrackerSummary> {
    return freezeDeeply(await this.#ask('summary', filter));
  }

  async runs(): Promise<readonly RunRow[]> {
    return freezeDeeply(await this.#ask('runs', null));
  }

  async clear(): Promise<number> {
    return await this.#ask('clear', null);
  }

  async clearCache(): Promise<number> {
    return await this.#ask('clearCache', null);
  }

  async flushCache(): Promise<boolean> {
    return await this.#ask('flushCache', null);
  }

  noteFault(fault: Omit<Fault, 'at'>): void {
    if (this.state === 'serving' || this.state === 'restarting') this.#life.note({ kind: 'fault', fault });
    else this.#events.announce({ type: 'fault.occurred', fault: { ...fault, at: new Date().toISOString() } });
  }

  track(event: GivenEvent): void {
    this.#line.give(event);
    if (this.state === 'lost' || this.state === 'closed') this.#announceUntaken();
    else leaveIfEnding(this);
  }

  /** NOTE: not redacted: they are the program's own, and go nowhere but back to it. */
  #announceUntaken(): void {
    for (const event of this.#line.takeBack()) {
      this.#events.announce(freezeEvent({ type: 'run.tracked', event: readGivenEvent(event) }));
    }
  }

  noteListenerError(message: string): void {
    this.#life.note({ kind: 'listener-error', message });
  }

  async close(): Promise<void> {
    await this.#life.close();
    this.#unwatchExit();
  }

  /** What was tracked before is there when this is answered. */
  readonly #ask: Ask = async (name, asked) => {
    this.#line.flush();
    return await this.#life.begin(name, asked).answer;
  };

  /** Sessions that are being closed as well, so that they can be. One that cannot be opened again is over. */
  async #restore(ask: AskNow): Promise<Restored> {
    const sessions = [...this.#sessions];
    let open = 0;
    for (const session of sessions) {
      try {
        session.moveTo(await ask('openSession', session.restoring));
        open += 1;
      } catch (error) {
        if (!(error instanceof TrackerError)) throw error;
        this.#sessions.delete(session);
        session.lose();
        const { cassette, cache } = session.restoring;
        const isSealed = cassette?.mode === 'replay' || cache?.mode === 'only';
        this.noteFault(makeUnrestoredFault(session.session.sessionId, error, isSealed));
      }
    }
    return { open, all: sessions.length };
  }

  async #askRouter(
    { id, question }: Extract<FromThread, { kind: 'question' }>,
    reply: (message: ToThread) => void,
  ): Promise<void> {
    try {
      reply({ kind: 'answer', id, value: await this.#options.router?.(question) });
    } catch (error) {
      // What it threw, or an answer no thread can be given: a function, say.
      reply({ kind: 'failure', id, message: readErrorMessage(error) });
    }
  }
}

/** As the host has made it. Bodies are left as they are: they may be megabytes, and are the reader's own copy. */
function freezeRecord(record: CallRecord): CallRecord {
  const { requestBody: _, responseBody: __, ...rest } = record;
  freezeDeeply(rest);
  return Object.freeze(record);
}

function freezeEvent(event: TrackerEvent): TrackerEvent {
  if (event.type !== 'call.completed') return freezeDeeply(event);
  freezeRecord(event.record);
  return Object.freeze(event);
}
